"""Notes and configuration items of an incident: each brought in once, and what people chose stays."""

from dataclasses import replace

import pytest
from tests.unit.itsm.bmc_helix.fake_ar import (
    ASSOCIATIONS,
    CREATE,
    INCIDENT,
    WORK_LOG,
    FakeAr,
    bench,
    bound,
    error,
    instead,
    lost,
    work_item,
)
from tests.unit.itsm.bmc_helix.incident_steps import confirmed, made

from secure_export.workitems.outcome import Unclear
from secure_export.workitems.work_item import State


async def test_notes_are_written_with_the_change() -> None:
    """One call brings note and change; what it brought is read back the first time only."""
    at = bench()
    _, item = await made(at)
    for text in ("Fired: disk", "Fired: memory"):
        item = work_item(notes=(*(note.text for note in item.desired.notes), text), confirmed=item.confirmed)
        item = replace(item, confirmed=confirmed(await at.incidents.update(item)))
    assert at.server.notes() == ["Fired: disk", "Fired: memory"]
    assert at.server.names().count(f"PUT {INCIDENT}") == 2
    assert at.server.names().count(f"POST {WORK_LOG}") == 0
    assert at.server.names().count(f"GET {WORK_LOG}") == 3


@pytest.mark.parametrize("dropped", ["create", "change", "both"])
async def test_notes_that_are_dropped_are_written_by_themselves(dropped: str) -> None:
    """A version whose forms do not keep notes gets them through the work log's own form, each once."""
    server = FakeAr(
        drops_on_create={"z1D_Details"} if dropped != "change" else set(), drops_notes_on_change=dropped != "create"
    )
    at = bench(server)
    _, item = await made(at, notes=("Fired: disk",))
    assert item.confirmed is not None
    assert item.confirmed.revision == item.desired.revision
    more = work_item(notes=("Fired: disk", "Fired: memory"), confirmed=item.confirmed)
    for _ in range(2):
        assert confirmed(await at.incidents.update(more)).revision == more.desired.revision
    assert at.server.notes() == ["Fired: disk", "Fired: memory"]


@pytest.mark.parametrize("step", ["update", "resolve"])
async def test_a_note_whose_answer_was_lost_is_not_written_twice(step: str) -> None:
    """The mark in the note itself tells that it is there, whoever repeats the step without knowing."""
    at = bench()
    row, item = await made(at)
    state = State.RESOLVED if step == "resolve" else State.OPEN
    item = work_item(notes=("Said: disk",), state=state, confirmed=item.confirmed)
    at.server.after.append(lost([f"PUT {INCIDENT}"]))
    assert isinstance(await getattr(at.incidents, step)(item), Unclear)
    confirmed(await getattr(at.incidents, step)(item))
    assert at.server.notes() == ["Said: disk"]
    assert (row["Status"] == "Resolved") is (step == "resolve")


async def test_an_update_without_anything_new_writes_nothing() -> None:
    """What the incident has already is not sent again."""
    at = bench()
    _, item = await made(at)
    confirmed(await at.incidents.update(replace(item, desired=replace(item.desired, revision=5))))
    assert f"PUT {INCIDENT}" not in at.server.names()


async def test_cis_are_four_values_and_relations() -> None:
    """The first CI stands in the incident's own fields, further ones are relations, each once."""
    at = bench()
    row, item = await made(at, bindings=(bound("vm-1", "OI-1"), bound("db-1", "OI-2", "BMC_DataBase")))
    assert (row["HPD_CI"], row["HPD_CI_ReconID"]) == ("vm-1", "OI-1")
    assert row["HPD_CI_FormName"] == "BMC_COMPUTERSYSTEM"
    (created,) = [asked for asked in at.server.asked if asked.name == f"POST {CREATE}"]
    assert created.values["z1D_CI_FormName"] == "AST:ComputerSystem"
    assert item.confirmed is not None
    assert item.confirmed.revision == item.desired.revision
    confirmed(await at.incidents.update(replace(item, desired=replace(item.desired, revision=2))))
    (relation,) = at.server.rows[ASSOCIATIONS].values()
    assert (relation["Request ID01"], relation["Request ID02"]) == ("OI-2", row["Incident Number"])
    assert (relation["Form Name01"], relation["Lookup Keyword"]) == ("AST:DataBase", "BMC_DATABASE")


async def test_the_ci_that_a_person_chose_stays() -> None:
    """An update relates ours beside it, and does not write over it."""
    at = bench()
    row, item = await made(at)
    at.server.person_sets(row, HPD_CI="other", HPD_CI_ReconID="OI-9")
    content = replace(item.desired.content, bindings=(bound("vm-1", "OI-1"),))
    confirmed(await at.incidents.update(replace(item, desired=replace(item.desired, content=content, revision=2))))
    assert row["HPD_CI_ReconID"] == "OI-9"
    assert [one["Request ID01"] for one in at.server.rows[ASSOCIATIONS].values()] == ["OI-1"]


async def test_relations_that_are_refused_are_told() -> None:
    """Rights on HPD:Associations may be missing: the step goes on, and says so."""
    at = bench()
    at.server.before.append(instead(f"POST {ASSOCIATIONS}", error(353, "no access to form", status=403), times=9))
    _, item = await made(at, bindings=(bound("vm-1", "OI-1"), bound("vm-2", "OI-2")))
    assert item.confirmed is not None
    assert any(ASSOCIATIONS in remark for remark in item.confirmed.remarks)


async def test_the_first_look_after_a_lost_resolve_brings_no_note_back() -> None:
    """A look in doubt tells exactly which notes are there, and one without doubt does not ask for them."""
    at = bench()
    _, item = await made(at)
    item = work_item(notes=("Said: disk",), confirmed=item.confirmed)
    at.server.after.append(lost([f"PUT {INCIDENT}"]))
    await at.incidents.update(item)
    assert confirmed(await at.incidents.look(replace(item, doubt=True))).revision == 2
    at.server.asked.clear()
    await at.incidents.look(item)
    assert at.server.names() == [f"GET {INCIDENT}"]
