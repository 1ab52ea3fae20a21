"""Finding incidents by their keys: what is no proof that there is none."""

import asyncio

import pytest
from tests.unit.itsm.bmc_helix.fake_ar import (
    CONNECTION,
    CREATE,
    INCIDENT,
    FakeAr,
    bench,
    instead,
    known,
    work_item,
)
from tests.unit.itsm.bmc_helix.incident_steps import KEY_OF, confirmed, made
from tests.unit.itsm.scripted import answer

from secure_export.itsm.notes import Part
from secure_export.itsm.record_keys import record_key
from secure_export.workitems.outcome import Done, TryLater, Unclear


@pytest.mark.parametrize("step", ["update", "resolve", "reopen"])
async def test_a_step_on_nothing_leads_to_a_look(step: str) -> None:
    """An incident that is gone is not made again by a step on it."""
    at = bench()
    row = at.server.put_incident("someone else's")
    item = work_item(confirmed=known(row))
    assert isinstance(await getattr(at.incidents, step)(item), Unclear)


async def test_what_is_there_by_its_id_is_not_called_deleted() -> None:
    """A look-up that does not find what can be read by its id is not believed."""
    at = bench()
    row = at.server.put_incident(KEY_OF)
    at.server.before.append(instead(f"GET {INCIDENT}", answer(200, {"entries": []})))
    assert isinstance(await at.incidents.look(work_item(confirmed=known(row))), TryLater)


async def test_a_cut_answer_is_no_absence() -> None:
    """A server that gives fewer incidents than there are is asked for each key by itself."""
    at = bench(FakeAr(most=1))
    keys = [f"alert-{number}" for number in range(4)]
    for key in keys:
        at.server.put_incident(record_key(CONNECTION, work_item(key=key).key))
    looks = await asyncio.gather(*(at.incidents.look(work_item(key=key)) for key in keys))
    assert [confirmed(look).number for look in looks] == [row["Incident Number"] for row in at.server.incidents()]
    assert len(at.server.asked) < 2 * len(keys) + 2


async def test_a_deleted_incident_is_gone() -> None:
    """The staging form's record is still there, or another incident of ours is to be seen: then it was deleted."""
    at = bench()
    row, item = await made(at)
    del at.server.rows[INCIDENT][row["Request ID"]]
    assert await at.incidents.look(item) == Done(None)
    at.server.rows[CREATE].clear()
    at.server.put_incident(record_key(CONNECTION, work_item(key="another").key))
    assert await at.incidents.look(item) == Done(None)


async def test_when_nothing_of_ours_is_to_be_seen_nothing_is_called_deleted() -> None:
    """Rights that were taken away hide everything: that is said, and waits."""
    at = bench()
    _, item = await made(at)
    at.server.rows.clear()
    outcome = await at.incidents.look(item)
    assert isinstance(outcome, TryLater)
    assert "permissions" in outcome.reason
    at.clock.forward(2 * 3600)
    assert await at.incidents.look(item) == Done(None)


@pytest.mark.parametrize("shown", [True, False])
async def test_an_incident_of_a_company_that_is_hidden_is_not_called_deleted(*, shown: bool) -> None:
    """The staging form's record is no company's: it can be seen where the incident cannot."""
    at = bench(company="Acme")
    row, item = await made(at)
    del at.server.rows[INCIDENT][row["Request ID"]]
    at.server.rows["CTM:People"] = {"1": {"Company": "Acme"}} if shown else {}
    outcome = await at.incidents.look(item)
    assert outcome == Done(None) if shown else isinstance(outcome, TryLater) and "Acme" in outcome.reason


async def test_cut_off_marks_are_asked_for_by_themselves() -> None:
    """A server that gives fewer work notes than there are must not make us write some again."""
    at = bench()
    numbers = [at.server.put_incident(f"k{place}")["Incident Number"] for place in range(6)]
    for place, number in enumerate(numbers, 2):
        await at.tools.work_log.write(number, Part("Fired: disk", place))
    at.server.most = 1
    held = await asyncio.gather(*(at.tools.work_log.held(number) for number in numbers))
    assert held == [2, 3, 4, 5, 6, 7]
