"""Every store of the desk's records does the same: ``secure_export.itsm.desk.contract.DeskRecords``."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.postgres import Server

from secure_export.cmdb.drafts import CiDraft, PutResult, RelationDraft
from secure_export.errors import NotFound
from secure_export.itsm.desk.contract import DeskRecords, Relation
from secure_export.itsm.desk.incident import (
    OPEN_STATES,
    SERVICE,
    Addition,
    EventKind,
    FieldChange,
    Incident,
    IncidentCi,
    IncidentDraft,
    IncidentState,
)
from secure_export.itsm.desk.people_changes import ActionRefused, Assign, Comment, Rate, SetState
from secure_export.store.postgresql.database import Database as PostgresDatabase
from secure_export.store.postgresql.desk import PostgresDesk
from secure_export.store.postgresql.place import place_of
from secure_export.store.sqlite.database import Database
from secure_export.store.sqlite.desk import SqliteDesk
from secure_export.workitems.work_item import Note, tool_key

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups/web/providers"


@dataclass(frozen=True, slots=True)
class Desks:
    """The same records reached twice, as two processes would."""

    first: DeskRecords
    second: DeskRecords


@pytest.fixture(params=["sqlite", "postgresql"])
async def desks(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desks]:
    """Open a store of the desk's records twice."""
    if request.param == "sqlite":
        databases = [await Database.open(tmp_path / "desk.db") for _ in range(2)]
        yield Desks(SqliteDesk(databases[0]), SqliteDesk(databases[1]))
        for database in databases:
            await database.close()
        return
    server: Server = request.getfixturevalue("postgres")
    async with server.database() as name:
        place = place_of(server.url(name, pool_size="4"))
        opened = [await PostgresDatabase.open(place) for _ in range(2)]
        yield Desks(PostgresDesk(opened[0]), PostgresDesk(opened[1]))
        for one in opened:
            await one.close()


@pytest.fixture
async def desk(desks: Desks) -> DeskRecords:
    """Give one of the two."""
    return desks.first


def key(name: str = "alert-1") -> str:
    """Give a work item's key."""
    return tool_key("desk", name, 1)


def draft(name: str = "alert-1", *, connection: str = "desk", title: str = "CPU is high") -> IncidentDraft:
    """Make a draft."""
    return IncidentDraft(
        connection=connection,
        key=key(name),
        title=title,
        description="Percentage CPU is 93",
        impact=2,
        urgency=1,
        priority=2,
        revision=1,
        assignment_group="Linux",
        fields={"category": "cloud"},
        cis=(ci("CI0000001"),),
    )


def ci(ci_id: str) -> IncidentCi:
    """Make a CI of an incident."""
    return IncidentCi(id=ci_id, name=f"vm {ci_id}", rule="resource-id", reason="the CMDB has its resource id")


async def opened(desk: DeskRecords, name: str = "alert-1", **members: str) -> Incident:
    """Open an incident."""
    return await desk.open_incident(draft(name, **members), now=NOW)


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


async def test_the_list_is_newest_first_and_paged(desk: DeskRecords) -> None:
    """Pages follow each other without gap or repetition, also when incidents come in between."""
    numbers = [(await opened(desk, f"alert-{n}")).number for n in range(5)]
    first = await desk.incidents(limit=2)
    await opened(desk, "newer")
    second = await desk.incidents(limit=2, cursor=first.next_cursor)
    third = await desk.incidents(limit=2, cursor=second.next_cursor)
    listed = [i.number for page in (first, second, third) for i in page.incidents]
    assert listed == list(reversed(numbers))
    assert third.next_cursor is None


async def test_the_list_can_be_narrowed(desk: DeskRecords) -> None:
    """By connection, state, CI and words; what looks like a pattern is taken as it is."""
    a = (await opened(desk, "a", title="Disk at 100% on vm_1")).number
    b = (await opened(desk, "b", title="Disk at 1000 on vmx1", connection="other")).number
    await desk.add("desk", key("a"), Addition(revision=2, resolution="over", cis=(ci("CI0000002"),)), now=NOW)

    async def listed(**filters: object) -> list[str]:
        return [i.number for i in (await desk.incidents(**filters)).incidents]  # type: ignore[arg-type]

    assert await listed(connection="desk") == [a]
    assert await listed(states=OPEN_STATES) == [b]
    assert await listed(states={IncidentState.NEW}) == [b]
    assert await listed(states={IncidentState.NEW, IncidentState.RESOLVED}) == [b, a]
    assert await listed(states={IncidentState.CLOSED}) == []
    assert await listed(ci="CI0000002") == [a]
    assert await listed(search="100%") == [a]
    assert await listed(search="vm_1") == [a]
    assert await listed(search="DISK") == [b, a]
    assert await listed(search=b[-3:]) == [b]
    assert await listed(search="\\") == []


@pytest.mark.parametrize("cursor", ["rubbish!", "²", "7"])
async def test_a_cursor_that_was_not_handed_out_is_refused(desk: DeskRecords, cursor: str) -> None:
    """A broken cursor is an error of the one who asks, and does not look like the end of the list."""
    with pytest.raises(ValueError, match="cursor"):
        await desk.incidents(cursor=cursor)
    with pytest.raises(ValueError, match="cursor"):
        await desk.list_cis(cursor=cursor)


@pytest.mark.parametrize(("limit", "expected"), [(-5, 1), (0, 1), (10**9, 3)])
async def test_a_limit_is_kept_within_bounds(desk: DeskRecords, limit: int, expected: int) -> None:
    """A senseless limit neither fails nor lists everything there is."""
    for n in range(3):
        await opened(desk, f"alert-{n}")
    assert len((await desk.incidents(limit=limit)).incidents) == expected


async def test_a_long_timeline_gives_its_newest_lines(desk: DeskRecords) -> None:
    """The page of an incident with thousands of lines stays small; the lines are oldest first."""
    number = (await opened(desk)).number
    for n in range(5):
        await desk.act(number, Comment(f"comment {n}"), by="ada", now=NOW)
    details = await desk.incident(number, timeline_limit=2)
    assert [e.text for e in details.timeline] == ["comment 3", "comment 4"]


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


async def _by_key(desk: DeskRecords, name: str) -> Incident:
    found = await desk.incident_by_key("desk", key(name))
    assert found is not None
    return found


VM = CiDraft(
    name="vm-web-1",
    class_name="virtual-machine",
    resource_id=f"{GROUP}/microsoft.compute/virtualmachines/vm-web-1",
    attributes={"environment": "production", "owner": "web team"},
)
SERVER = CiDraft(name="Core-Switch", class_name="network-switch", attributes={"site": "Graz"})


async def test_cis_are_kept_as_they_were_put(desk: DeskRecords) -> None:
    """A CI is found by id, resource id and name, with everything it was put with."""
    assert await desk.put_cis([VM, SERVER], now=NOW) == PutResult(added=2)
    (vm,) = await desk.cis_by_resource_ids([(VM.resource_id or "").upper()])
    assert (vm.name, vm.class_name, vm.resource_id, vm.attributes) == (
        VM.name,
        VM.class_name,
        VM.resource_id,
        VM.attributes,
    )
    assert list(await desk.cis_by_names(["VM-WEB-1"])) == [vm]
    assert list(await desk.cis([vm.id, "CI9999999", "rubbish"])) == [vm]
    (switch,) = await desk.cis_by_names(["core-switch"])
    assert (switch.name, switch.resource_id) == ("Core-Switch", None)


@pytest.mark.parametrize(
    ("draft", "expected", "attributes"),
    [
        (VM, PutResult(unchanged=1), {"environment": "production", "owner": "web team"}),
        (
            CiDraft("vm-web-1", "virtual-machine", VM.resource_id, {"environment": "test"}),
            PutResult(changed=1),
            {"environment": "test", "owner": "web team"},
        ),
        (
            CiDraft("vm-web-1", "virtual-machine", None, {"owner": "", "tier": "1"}),
            PutResult(changed=1),
            {"environment": "production", "tier": "1"},
        ),
        (
            CiDraft("VM-WEB-1", "", None, {"tier": "1"}),
            PutResult(changed=1),
            {"environment": "production", "owner": "web team", "tier": "1"},
        ),
    ],
)
async def test_a_second_import_changes_the_ci_that_is_meant(
    desk: DeskRecords, draft: CiDraft, expected: PutResult, attributes: dict[str, str]
) -> None:
    """By resource id, else by class and name: attributes are merged, an empty one goes, and nothing is doubled."""
    await desk.put_cis([VM], now=NOW)
    assert await desk.put_cis([draft], now=LATER) == expected
    (only,) = (await desk.list_cis()).cis
    assert (only.resource_id, dict(only.attributes)) == (VM.resource_id, attributes)


async def test_a_ci_gets_its_resource_id_later(desk: DeskRecords) -> None:
    """A CI from a hand-written list is completed, not doubled, by the export of Azure."""
    await desk.put_cis([CiDraft("vm-web-1", "virtual-machine", None, {"owner": "web team"})], now=NOW)
    assert (await desk.put_cis([VM], now=NOW)).changed == 1
    (only,) = (await desk.list_cis()).cis
    assert only.resource_id == VM.resource_id


async def test_another_resource_of_the_same_name_is_another_ci(desk: DeskRecords) -> None:
    """Resource ids tell apart what has the same name and class."""
    other = CiDraft("vm-web-1", "virtual-machine", f"{GROUP}/microsoft.compute/virtualmachines/other")
    assert (await desk.put_cis([VM, other], now=NOW)).added == 2
    assert len(await desk.cis_by_names(["vm-web-1"])) == 2


async def test_what_may_mean_several_cis_is_skipped_and_told(desk: DeskRecords) -> None:
    """A row without resource id that fits several CIs changes none of them."""
    other = CiDraft("vm-web-1", "virtual-machine", f"{GROUP}/microsoft.compute/virtualmachines/other")
    await desk.put_cis([VM, other], now=NOW)
    vague = CiDraft("vm-web-1", "virtual-machine", None, {"tier": "1"}, where="line 7")
    result = await desk.put_cis([vague, SERVER], now=NOW)
    assert (result.added, result.changed, len(result.skipped)) == (1, 0, 1)
    assert result.skipped[0].where == "line 7"
    assert all("tier" not in one.attributes for one in await desk.cis_by_names(["vm-web-1"]))


async def test_relations_do_not_depend_on_the_order_of_import(desk: DeskRecords) -> None:
    """A relation to a CI that comes later is complete once that has come, and is seen from both ends."""
    database = CiDraft(
        "orders", "sql-database", f"{GROUP}/microsoft.sql/servers/sql-1/databases/orders",
        relations=(
            RelationDraft("child-of", f"{GROUP}/microsoft.sql/servers/sql-1"),
            RelationDraft("runs-on", "Core-Switch"),
        ),
    )  # fmt: skip
    await desk.put_cis([database], now=NOW)
    (orders,) = await desk.cis_by_names(["orders"])
    assert [r.other_id for r in await desk.relations(orders.id)] == [None, None]
    parent = CiDraft("sql-1", "sql-server", f"{GROUP}/microsoft.sql/servers/sql-1")
    await desk.put_cis([parent, SERVER], now=NOW)
    (sql,) = await desk.cis_by_names(["sql-1"])
    (switch,) = await desk.cis_by_names(["Core-Switch"])
    assert list(await desk.relations(orders.id)) == [
        Relation("child-of", outgoing=True, other=f"{GROUP}/microsoft.sql/servers/sql-1", other_id=sql.id),
        Relation("runs-on", outgoing=True, other="core-switch", other_id=switch.id),
    ]
    back = Relation("child-of", outgoing=False, other=orders.resource_id or "", other_id=orders.id)
    assert list(await desk.relations(sql.id)) == [back]
    assert [r.other_id for r in await desk.relations(switch.id)] == [orders.id]
    assert (await desk.put_cis([database], now=NOW)).unchanged == 1
    assert list(await desk.relations("rubbish")) == []


async def test_the_version_tells_of_every_change_of_cis(desks: Desks) -> None:
    """Another process sees by the version that CIs changed, and an import without news leaves it."""
    versions = [await desks.first.cmdb_version()]
    for drafts in ([VM], [CiDraft("vm-web-1", "", VM.resource_id, {"owner": "nobody"})]):
        await desks.second.put_cis(drafts, now=NOW)
        versions.append(await desks.first.cmdb_version())
    assert versions == sorted(set(versions))
    await desks.second.put_cis([CiDraft("vm-web-1", "", VM.resource_id)], now=NOW)
    assert await desks.first.cmdb_version() == versions[-1]


async def test_many_cis_are_put_looked_up_and_paged(desk: DeskRecords) -> None:
    """Thousands at a time are neither too many variables for a statement nor lost between pages."""
    drafts = [
        CiDraft(f"vm-{n}", "virtual-machine", f"{GROUP}/microsoft.compute/virtualmachines/vm-{n}") for n in range(1300)
    ]
    assert await desk.put_cis(drafts, now=NOW) == PutResult(added=1300)
    assert len(await desk.cis_by_resource_ids([d.resource_id or "" for d in drafts])) == 1300
    assert len(await desk.cis_by_names([d.name for d in drafts])) == 1300
    names: list[str] = []
    cursor: str | None = None
    while True:
        page = await desk.list_cis(cursor=cursor, limit=1000)
        names += [one.name for one in page.cis]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert names == [d.name for d in reversed(drafts)]


async def test_cis_are_searched_by_what_people_know(desk: DeskRecords) -> None:
    """Part of a name, class or resource id finds a CI; what looks like a pattern is taken as it is."""
    await desk.put_cis([VM, SERVER], now=NOW)
    for text, expected in (("WEB", ["vm-web-1"]), ("switch", ["Core-Switch"]), ("microsoft.compute", ["vm-web-1"])):
        assert [one.name for one in (await desk.list_cis(search=text)).cis] == expected
    for text in ("%", "_", "nothing", "\\"):
        assert (await desk.list_cis(search=text)).cis == ()


async def test_names_are_compared_without_regard_to_case_in_every_language(desk: DeskRecords) -> None:
    """Not only in English."""
    await desk.put_cis([CiDraft("ÖFFNUNG-1", "door")], now=NOW)
    assert [one.name for one in await desk.cis_by_names(["öffnung-1"])] == ["ÖFFNUNG-1"]
    assert (await desk.put_cis([CiDraft("öffnung-1", "door", attributes={"a": "b"})], now=NOW)).changed == 1
