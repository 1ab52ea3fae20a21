"""Incidents of the desk, alike in both stores: made once, and nothing that is added is lost."""

import asyncio

from msgspec.structs import replace
from tests.conformance.desk_records.samples import LATER, NOW, Desks, ci, key, opened

from secure_export.itsm.desk.contract import DeskRecords
from secure_export.itsm.desk.incident import (
    SERVICE,
    Addition,
    EventKind,
    IncidentState,
)
from secure_export.itsm.desk.people_changes import SetState
from secure_export.workitems.work_item import Note


async def test_an_incident_is_what_it_was_opened_with(desk: DeskRecords) -> None:
    """Everything of the draft is kept, to the microsecond, and the timeline begins with the opening."""
    incident = await opened(desk)
    assert incident == await desk.incident_by_key("desk", key())
    assert (incident.state, incident.opened_at, incident.updated_at) == (IncidentState.NEW, NOW, NOW)
    assert (incident.impact, incident.urgency, incident.priority) == (2, 1, 2)
    assert (incident.assignment_group, incident.assignee, incident.fields) == ("Linux", "", {"category": "cloud"})
    details = await desk.incident(incident.number)
    assert details.incident == incident
    assert details.cis == (replace(ci("CI0000001"), primary=True),)
    assert [(e.kind, e.by, e.by_person) for e in details.timeline] == [(EventKind.OPENED, SERVICE, False)]


async def test_numbers_are_unique_and_look_like_numbers(desk: DeskRecords) -> None:
    """Each incident has a number of its own, of the form that people know."""
    numbers = [(await opened(desk, f"alert-{n}")).number for n in range(3)]
    assert len(set(numbers)) == 3
    assert all(number.startswith("INC") and len(number) == 10 for number in numbers)


async def test_twin_creates_make_one_incident(desks: Desks) -> None:
    """However many processes open an incident for one key at the same time, there is one, and all are given it."""
    both = (desks.first, desks.second)
    incidents = await asyncio.gather(*(opened(both[n % 2], "twin") for n in range(40)))
    assert len({incident.number for incident in incidents}) == 1
    details = await desks.second.incident(incidents[0].number)
    assert len(details.timeline) == 1
    assert len((await desks.first.incidents()).incidents) == 1


async def test_a_second_open_gives_the_first_as_it_is(desk: DeskRecords) -> None:
    """A second draft of the same key changes nothing, also when the incident was closed meanwhile."""
    first = await opened(desk)
    await desk.act(first.number, SetState(IncidentState.CLOSED), by="ada", now=LATER)
    again = await opened(desk, title="Other")
    assert (again.number, again.title, again.state) == (first.number, "CPU is high", IncidentState.CLOSED)


async def test_the_same_key_in_two_connections_is_two_incidents(desk: DeskRecords) -> None:
    """Connections have key spaces of their own."""
    ours, theirs = await opened(desk), await opened(desk, connection="other")
    assert ours.number != theirs.number
    assert await desk.incident_by_key("other", key()) == theirs
    assert await desk.incident_by_key("third", key()) is None
    addition = Addition(revision=2, resolution="over")
    await desk.add("other", key(), addition, now=LATER)
    assert (await desk.incident(ours.number)).incident.state is IncidentState.NEW


async def test_notes_of_a_revision_that_is_held_are_not_written_again(desks: Desks) -> None:
    """A crash after the write and before the answer leads to a second try, which adds nothing."""
    incident = await opened(desks.first)
    addition = Addition(revision=3, notes=(Note(2, "disk"), Note(3, "memory")), cis=(ci("CI0000002"),))
    for desk in (desks.first, desks.second, desks.first):
        after = await desk.add("desk", key(), addition, now=LATER)
        assert after is not None
        assert after.revision == 3
    more = Addition(revision=4, notes=(Note(2, "disk"), Note(3, "memory"), Note(4, "network")))
    await desks.second.add("desk", key(), more, now=LATER)
    details = await desks.first.incident(incident.number)
    assert [e.text for e in details.timeline if e.kind is EventKind.NOTE] == ["disk", "memory", "network"]
    assert [one.id for one in details.cis] == ["CI0000001", "CI0000002"]
    assert [one.primary for one in details.cis] == [True, False]


async def test_concurrent_additions_lose_nothing(desks: Desks) -> None:
    """Two owners that write at the same time (one of them stalled and came back) leave every note once."""
    await opened(desks.first)
    additions = [
        Addition(revision=2, notes=(Note(2, "disk"),), cis=(ci("CI0000002"),)),
        Addition(revision=3, notes=(Note(2, "disk"), Note(3, "memory")), cis=(ci("CI0000003"), ci("CI0000002"))),
    ]
    both = (desks.first, desks.second)
    await asyncio.gather(*(both[n % 2].add("desk", key(), additions[n // 4], now=LATER) for n in range(8)))
    found = await desks.first.incident_by_key("desk", key())
    assert found is not None
    details = await desks.first.incident(found.number)
    notes = [e.text for e in details.timeline if e.kind is EventKind.NOTE]
    assert sorted(set(notes)) == sorted(notes)
    assert {one.id for one in details.cis} == {"CI0000001", "CI0000002", "CI0000003"}
    assert found.revision == 3


async def test_a_resolve_is_read_back(desk: DeskRecords) -> None:
    """What ``add`` gives is what the store then has."""
    await opened(desk)
    after = await desk.add("desk", key(), Addition(revision=2, resolution="over"), now=LATER)
    assert after == await desk.incident_by_key("desk", key())
    assert after is not None
    assert (after.state, after.resolved_at, after.resolution) == (IncidentState.RESOLVED, LATER, "over")


async def test_adding_to_nothing_is_told(desk: DeskRecords) -> None:
    """An incident that does not exist is not made by an addition."""
    assert await desk.add("desk", key(), Addition(revision=2), now=NOW) is None
    assert (await desk.incidents()).incidents == ()


async def test_what_is_over_for_long_is_forgotten(desk: DeskRecords) -> None:
    """Retention deletes old incidents that are over, never open ones, and no number is given twice."""
    numbers = {name: (await opened(desk, name)).number for name in ("open", "over", "newly over", "also over")}
    for name in ("over", "also over"):
        await desk.add("desk", key(name), Addition(revision=2, resolution="over"), now=NOW)
    await desk.add("desk", key("newly over"), Addition(revision=2, resolution="over"), now=LATER)
    assert await desk.forget_incidents(before=LATER, limit=1) == 1
    assert await desk.forget_incidents(before=LATER, limit=10) == 1
    assert await desk.forget_incidents(before=LATER, limit=10) == 0
    left = {i.number for i in (await desk.incidents()).incidents}
    assert left == {numbers["open"], numbers["newly over"]}
    assert (await opened(desk, "new")).number not in numbers.values()


async def test_trying_out_leaves_no_trace(desk: DeskRecords) -> None:
    """The check of a store changes nothing that anybody could see."""
    before = (await desk.cmdb_version(), await desk.change_counter())
    await desk.try_out()
    assert (await desk.cmdb_version(), await desk.change_counter()) == before
