"""Making an incident: never a second one, as far as BMC allows, and none that is not found again."""

from dataclasses import replace

import pytest
from tests.unit.itsm.bmc_helix.fake_ar import (
    CREATE,
    INCIDENT,
    KEY,
    Asked,
    FakeAr,
    bench,
    error,
    instead,
    known,
    lost,
    work_item,
)
from tests.unit.itsm.bmc_helix.incident_steps import KEY_OF, RESOLVE, confirmed, made
from tests.unit.itsm.scripted import NOW, answer

from secure_export.itsm.answer import Answer
from secure_export.workitems.outcome import Done, Refused, TryLater, Unclear
from secure_export.workitems.work_item import ToolState


async def test_three_identifiers_are_kept_apart() -> None:
    """An incident is shown by its number, changed by the id of the join form, and neither is the staging record's."""
    at = bench()
    row, item = await made(at)
    assert item.confirmed is not None
    assert (item.confirmed.number, item.confirmed.ref) == (row["Incident Number"], row["Request ID"])
    await at.incidents.update(work_item(notes=("Fired: disk",), confirmed=item.confirmed))
    assert at.server.asked[-2].entry_id == row["Request ID"]


async def test_a_single_entry_id_is_doubled() -> None:
    """Servers that show the base record's id alone are changed by it twice."""
    at = bench()
    row = at.server.put_incident(KEY_OF)
    at.server.rows[INCIDENT] = {row["Request ID"]: {**row, "Request ID": row["Request ID"].partition("|")[0]}}
    confirmed(await at.incidents.resolve(work_item(**RESOLVE, confirmed=known(row))))
    assert at.server.incidents()[0]["Status"] == "Resolved"


async def test_a_create_without_a_body_is_a_create() -> None:
    """201 with nothing but where the staging record is: the incident is found by its key."""
    at = bench(FakeAr(no_body=True))
    row, item = await made(at)
    assert item.confirmed is not None
    assert item.confirmed.number == row["Incident Number"]


async def test_create_looks_makes_and_looks() -> None:
    """Three calls and the form's shape: a look-up before, the create, and a look-up after for twins."""
    at = bench()
    await made(at)
    assert at.server.names() == [f"GET {INCIDENT}", f"OPTIONS {CREATE}", f"POST {CREATE}", f"GET {INCIDENT}"]


async def test_what_is_there_is_not_made_again() -> None:
    """The key's incident is given as it is, whoever made it and whatever it says."""
    at = bench()
    row = at.server.put_incident(KEY_OF, Status="Resolved")
    found = confirmed(await at.incidents.create(work_item()))
    assert (found.number, found.state) == (row["Incident Number"], ToolState.RESOLVED)
    assert f"POST {CREATE}" not in at.server.names()


async def test_a_create_whose_answer_is_lost_is_not_repeated_at_once() -> None:
    """The answer is lost and nothing is found: BMC may still be at it, so a look comes before another create."""
    at = bench()
    at.server.before.append(lost([f"POST {CREATE}"]))
    assert isinstance(await at.incidents.create(work_item()), Unclear)
    first = await at.incidents.look(work_item(doubt=True))
    assert isinstance(first, TryLater)
    assert first.not_before is not None
    at.clock.now = first.not_before
    assert await at.incidents.look(work_item(doubt=True)) == Done(None)


async def test_a_create_that_was_done_is_found() -> None:
    """The answer is lost after the create was done: the look finds it at once, with the notes that came with it."""
    at = bench()
    at.server.after.append(lost([f"POST {CREATE}"]))
    item = work_item(notes=("Fired: disk",))
    assert isinstance(await at.incidents.create(item), Unclear)
    found = confirmed(await at.incidents.look(replace(item, doubt=True)))
    assert found.revision == item.desired.revision
    assert at.server.notes() == ["Fired: disk"]


async def test_an_incident_without_its_key_stops_creating() -> None:
    """A workflow that drops the key would double every alert: nothing more is made, and the refusal names the field."""
    at = bench(FakeAr(drops_on_create={KEY}))
    first = await at.incidents.create(work_item())
    assert isinstance(first, Refused)
    assert KEY in first.reason
    assert at.server.incidents()[0]["Incident Number"] in first.reason
    assert isinstance(await at.incidents.create(work_item(key="another")), TryLater)
    assert len(at.server.incidents()) == 1


@pytest.mark.parametrize("company", [None, "Acme"])
async def test_an_incident_that_we_may_not_see_stops_creating(company: str | None) -> None:
    """Though the staging form's record can be seen: one is made in vain, and tried once more after hours."""
    at = bench(company=company)

    def hides(asked: Asked) -> Answer | None:
        return answer(200, {"entries": []}) if asked.name == f"GET {INCIDENT}" else None

    def seconds() -> float:
        return (at.clock.now - NOW).total_seconds()

    at.server.before.append(hides)
    at.tools.trust._monotonic = seconds
    assert isinstance(await at.incidents.create(work_item()), Unclear)
    for _ in range(5):
        at.clock.forward(600)
        assert isinstance(await at.incidents.create(work_item(key="another")), TryLater)
    assert len(at.server.incidents()) == 1
    at.clock.forward(2 * 3600)
    assert isinstance(await at.incidents.create(work_item(key="another")), Unclear)
    at.server.before.clear()
    at.clock.forward(60)
    assert isinstance(await at.incidents.create(work_item()), Done)
    assert len(at.server.incidents()) == 2


async def test_a_dropped_key_is_found_out_without_a_body() -> None:
    """The number is then read from the staging form's record."""
    at = bench(FakeAr(drops_on_create={KEY}, no_body=True))
    outcome = await at.incidents.create(work_item())
    assert isinstance(outcome, Refused)
    assert at.server.incidents()[0]["Incident Number"] in outcome.reason


async def test_a_server_that_passes_over_queries_makes_nothing() -> None:
    """Incidents with another key than was asked for: nothing is written, whatever is missing."""
    at = bench(FakeAr(ignores_queries=True))
    at.server.put_incident("azmon1:00000000:abc")
    assert isinstance(await at.incidents.create(work_item()), TryLater)
    assert f"POST {CREATE}" not in at.server.names()


async def test_a_missing_required_field_is_named() -> None:
    """A refusal that does not say what is missing is completed from the form's own shape."""
    shape = {"fields": [{"name": "Cost Center", "option": "REQUIRED"}, {"name": "Description", "option": "REQUIRED"}]}
    at = bench(FakeAr(shapes={CREATE: shape}))
    at.server.before.append(instead(f"POST {CREATE}", error(1291053, "", "Required fields are missing.")))
    outcome = await at.incidents.create(work_item())
    assert isinstance(outcome, Refused)
    assert "Required here and not given: Cost Center" in outcome.reason


async def test_other_kinds_of_work_items_are_refused() -> None:
    """What is not kept here is said before anything is sent."""
    at = bench()
    outcome = await at.incidents.create(work_item(work_item="problem"))
    assert isinstance(outcome, Refused)
    assert at.server.asked == []


async def test_routing_by_bmc_is_told() -> None:
    """Assignment rules of the site go before ours; the work item says so."""
    at = bench(
        FakeAr(routes_to="Service Desk"), support_group={"company": "Acme", "organization": "IT", "group": "Linux"}
    )
    _, item = await made(at)
    assert item.confirmed is not None
    assert any("Service Desk" in remark for remark in item.confirmed.remarks)
    assert item.confirmed.assignment == "Service Desk"


async def test_a_unique_index_gives_the_incident_that_is_there() -> None:
    """A site may keep the key unique: the refusal leads to what another process made in between."""
    at = bench()

    def another_was_first(asked: Asked) -> Answer | None:
        if asked.name != f"POST {CREATE}":
            return None
        at.server.put_incident(KEY_OF)
        return error(382, "The value(s) for this entry violate a unique index")

    at.server.before.append(another_was_first)
    found = confirmed(await at.incidents.create(work_item()))
    assert found.number == at.server.incidents()[0]["Incident Number"]


async def test_another_unique_index_is_a_refusal() -> None:
    """A unique index on something else stays refused."""
    at = bench(FakeAr(before=[instead(f"POST {CREATE}", error(382, "violates a unique index"))]))
    assert isinstance(await at.incidents.create(work_item()), Refused)
