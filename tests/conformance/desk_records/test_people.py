"""What people do with incidents of the desk, alike in both stores, and how it is told."""

import pytest
from tests.conformance.desk_records.samples import LATER, NOW, Desks, key, opened

from secure_export.errors import NotFound
from secure_export.itsm.desk.contract import DeskRecords
from secure_export.itsm.desk.incident import (
    Addition,
    EventKind,
    FieldChange,
    Incident,
    IncidentState,
)
from secure_export.itsm.desk.people_changes import ActionRefused, Assign, Comment, Rate, SetState
from secure_export.workitems.work_item import Note


async def test_people_act_and_the_timeline_tells(desk: DeskRecords) -> None:
    """Each action changes the incident and leaves who, when, what."""
    number = (await opened(desk)).number
    await desk.act(number, Comment("I am on it"), by="ada", now=LATER)
    await desk.act(number, Assign(assignee="ada"), by="ada", now=LATER)
    await desk.act(number, Rate(impact=1), by="grace", now=LATER)
    last = await desk.act(number, SetState(IncidentState.RESOLVED, "Restarted"), by="ada", now=LATER)
    assert (last.assignee, last.assignment_group, last.priority) == ("ada", "Linux", 1)
    assert (last.state, last.resolution, last.resolved_at) == (IncidentState.RESOLVED, "Restarted", LATER)
    details = await desk.incident(number)
    assert details.incident == last
    assert [(e.kind, e.by, e.at) for e in details.timeline[1:]] == [
        (EventKind.COMMENT, "ada", LATER),
        (EventKind.ASSIGNMENT, "ada", LATER),
        (EventKind.PRIORITY, "grace", LATER),
        (EventKind.STATE, "ada", LATER),
    ]
    assert details.timeline[3].changes == (FieldChange("impact", "2", "1"), FieldChange("priority", "2", "1"))


async def test_a_refused_action_leaves_no_trace(desk: DeskRecords) -> None:
    """A closed incident is final: nothing of a refused action is kept."""
    number = (await opened(desk)).number
    closed = await desk.act(number, SetState(IncidentState.CLOSED), by="ada", now=LATER)
    counter = await desk.change_counter()
    with pytest.raises(ActionRefused, match="final"):
        await desk.act(number, Comment("and yet"), by="ada", now=LATER)
    assert (await desk.incident(number)).incident == closed
    assert await desk.change_counter() == counter


@pytest.mark.parametrize("number", ["INC0000099", "", "INC", "INC-1", "PRB0000001", "INC" + "9" * 30, "²"])
async def test_what_does_not_exist_is_said_not_to(desk: DeskRecords, number: str) -> None:
    """A number that no incident has, or that is none, is not found; it breaks nothing."""
    await opened(desk)
    with pytest.raises(NotFound):
        await desk.incident(number)
    with pytest.raises(NotFound):
        await desk.act(number, Comment("hello"), by="ada", now=NOW)


async def test_every_change_moves_the_counter(desk: DeskRecords) -> None:
    """The counter grows with each change, and with nothing else."""
    seen = [await desk.change_counter()]
    number = (await opened(desk)).number
    seen.append(await desk.change_counter())
    await desk.act(number, Comment("I am on it"), by="ada", now=NOW)
    seen.append(await desk.change_counter())
    await desk.add("desk", key(), Addition(revision=2, resolution="over"), now=NOW)
    seen.append(await desk.change_counter())
    assert seen == sorted(set(seen))
    await opened(desk)
    await desk.act(number, SetState(IncidentState.RESOLVED), by="ada", now=NOW)
    assert await desk.change_counter() == seen[-1]


async def test_only_peoples_changes_are_told_each_incident_once(desks: Desks) -> None:
    """``changed_since`` tells of people, of one connection, and goes on where it stopped."""
    desk = desks.first
    for name in ("a", "b", "c"):
        await opened(desk, name)
    foreign = (await opened(desk, "a", connection="other")).number
    start = await desk.change_counter()
    assert (await desk.changed_since("desk", 0, limit=10)).keys == ()
    numbers = {name: (await _by_key(desk, name)).number for name in ("a", "b", "c")}
    for name in ("b", "a", "b"):
        await desks.second.act(numbers[name], Comment("hello"), by="ada", now=LATER)
    await desk.act(foreign, Comment("hello"), by="ada", now=LATER)
    await desk.add("desk", key("c"), Addition(revision=2, notes=(Note(2, "ours"),)), now=LATER)
    changed = await desk.changed_since("desk", start, limit=10)
    assert (changed.keys, changed.more) == ((key("b"), key("a")), False)
    after = await desk.changed_since("desk", changed.position, limit=10)
    assert (after.keys, after.position) == ((), changed.position)


async def test_many_changes_are_told_some_at_a_time(desk: DeskRecords) -> None:
    """A page that is full says that there is more, and the pages together tell all."""
    for n in range(5):
        number = (await opened(desk, f"alert-{n}")).number
        await desk.act(number, Comment("hello"), by="ada", now=NOW)
    keys: list[str] = []
    position, more = 0, True
    while more:
        changed = await desk.changed_since("desk", position, limit=2)
        keys += changed.keys
        position, more = changed.position, changed.more
    assert keys == [key(f"alert-{n}") for n in range(5)]


async def test_a_position_of_the_future_is_brought_back(desk: DeskRecords) -> None:
    """After a backup was restored, a cursor that is ahead does not swallow what follows."""
    number = (await opened(desk)).number
    changed = await desk.changed_since("desk", 1_000_000, limit=10)
    await desk.act(number, Comment("hello"), by="ada", now=NOW)
    assert (await desk.changed_since("desk", changed.position, limit=10)).keys == (key(),)


async def test_a_long_timeline_gives_its_newest_lines(desk: DeskRecords) -> None:
    """The page of an incident with thousands of lines stays small; the lines are oldest first."""
    number = (await opened(desk)).number
    for n in range(5):
        await desk.act(number, Comment(f"comment {n}"), by="ada", now=NOW)
    details = await desk.incident(number, timeline_limit=2)
    assert [e.text for e in details.timeline] == ["comment 3", "comment 4"]


async def _by_key(desk: DeskRecords, name: str) -> Incident:
    found = await desk.incident_by_key("desk", key(name))
    assert found is not None
    return found
