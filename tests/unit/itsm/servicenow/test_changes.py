"""What people change is told once, and nothing of it is passed over."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.itsm.servicenow.fake_instance import FakeInstance, World, failure, lost, work_item, world

from secure_export.itsm import cursor as cursors
from secure_export.itsm.servicenow.keys import correlation_id
from secure_export.itsm.servicenow.tasks.changes import ChangeFeed
from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import WorkItem


async def created(there: World, *keys: str) -> list[WorkItem]:
    items = [work_item(key) for key in keys]
    for item in items:
        assert isinstance(await there.tasks.create(item), Done)
    return items


def placed(there: World, count: int) -> list[WorkItem]:
    """Put records there as if they had been made long ago."""
    items = [work_item(str(n)) for n in range(count)]
    for place, item in enumerate(items):
        key = correlation_id(there.tools.connection, item.key)
        there.instance.put("incident", f"{place:032x}", correlation_id=key, sys_updated_on="2026-02-01 00:00:00")
    return items


def row(there: World, item: WorkItem) -> dict[str, str]:
    rows = there.instance.rows["incident"].values()
    return next(one for one in rows if one["correlation_id"].endswith(item.key))


async def test_a_change_is_told_once_while_the_windows_overlap() -> None:
    """Each question goes back behind the one before; what was told is known by its sys_mod_count."""
    there = world()
    one, other = await created(there, "one", "other")
    feed = ChangeFeed(there.tools)
    cursor = (await feed.changes("")).cursor
    there.instance.person(row(there, one), state="3")
    told = await feed.changes(cursor)
    assert (told.keys, told.more) == ((one.key,), False)
    there.later(seconds=30)
    there.instance.person(row(there, other), state="2")
    told = await feed.changes(told.cursor)
    assert told.keys == (other.key,)
    assert (await feed.changes(told.cursor)).keys == ()


async def test_what_was_changed_before_we_began_is_not_told_afterwards() -> None:
    """The second in which we begin is asked for again; what had been changed in it is known by then."""
    there = world()
    (item,) = await created(there, "one")
    there.instance.person(row(there, item), state="2")
    feed = ChangeFeed(there.tools)
    assert (await feed.changes((await feed.changes("")).cursor)).keys == ()


async def test_a_second_change_in_the_same_second_is_told() -> None:
    """sys_updated_on has whole seconds; the count of changes tells them apart."""
    there = world()
    (item,) = await created(there, "one")
    feed = ChangeFeed(there.tools)
    cursor = (await feed.changes("")).cursor
    for state in ("2", "3"):
        there.instance.person(row(there, item), state=state)
        told = await feed.changes(cursor)
        assert told.keys == (item.key,)
        cursor = told.cursor


async def test_a_change_that_is_committed_late_is_told() -> None:
    """A transaction sets the time when it begins, and may be seen a minute later."""
    there = world()
    (item,) = await created(there, "one")
    feed = ChangeFeed(there.tools)
    there.later(minutes=5)
    cursor = (await feed.changes("")).cursor
    begun = there.instance.now
    there.later(seconds=60)
    cursor = (await feed.changes(cursor)).cursor
    now, there.instance.now = there.instance.now, begun
    there.instance.person(row(there, item), state="2")
    there.instance.now = now
    assert (await feed.changes(cursor)).keys == (item.key,)


async def test_the_instances_own_clock_counts() -> None:
    """A clock that is an hour behind ours passes nothing over."""
    there = world()
    (item,) = await created(there, "one")
    tools = replace(there.tools, clock=lambda: there.instance.now.replace(hour=13))
    feed = ChangeFeed(tools)
    cursor = (await feed.changes("")).cursor
    there.later(seconds=5)
    there.instance.person(row(there, item), state="2")
    assert (await feed.changes(cursor)).keys == (item.key,)


async def test_our_own_changes_are_no_news_whoever_of_us_made_them() -> None:
    """Another process of ours writes as the same user; its changes come back by its own answers."""
    there = world()
    feed = ChangeFeed(there.tools)
    cursor = (await feed.changes("")).cursor
    other = world(there.instance)
    await created(other, "one")
    assert (await feed.changes(cursor)).keys == ()


async def test_a_persons_change_by_the_same_user_is_told_where_the_user_is_not_known() -> None:
    """Without a user name in the settings our changes are known by their counts until an answer tells the name."""
    instance = FakeInstance()
    there = world(instance)
    own = there.tools.own.__class__()
    feed = ChangeFeed(replace(there.tools, own=own))
    (item,) = await created(there, "one")
    cursor = (await feed.changes("")).cursor
    own.add({"sys_id": row(there, item)["sys_id"], "sys_mod_count": row(there, item)["sys_mod_count"]})
    assert (await feed.changes(cursor)).keys == ()
    instance._write(row(there, item), {"state": "2"}, "azure.integration")
    assert (await feed.changes(cursor)).keys == (item.key,)


async def test_very_many_changes_come_page_by_page() -> None:
    """A full page says that there is more; in the end every change was told once."""
    there = world()
    feed = ChangeFeed(there.tools)
    items = placed(there, 620)
    cursor = (await feed.changes("")).cursor
    for place, one in enumerate(there.instance.rows["incident"].values()):
        if place in {150, 300}:
            there.later(seconds=1)
        there.instance.person(one, state="2")
    told: list[str] = []
    for _ in range(9):
        changes = await feed.changes(cursor)
        told += changes.keys
        cursor = changes.cursor
        if not changes.more:
            break
    assert sorted(told) == sorted(item.key for item in items)
    assert len(cursor) < 40_000


async def test_more_changes_in_one_second_than_a_page_holds_are_all_told() -> None:
    """A bulk update gives hundreds of records the same time."""
    there = world()
    feed = ChangeFeed(there.tools)
    items = placed(there, 560)
    cursor = (await feed.changes("")).cursor
    for one in there.instance.rows["incident"].values():
        there.instance.person(one, state="2")
    first = await feed.changes(cursor)
    assert first.more
    second = await feed.changes(first.cursor)
    assert not second.more
    assert sorted((*first.keys, *second.keys)) == sorted(item.key for item in items)


async def test_rows_of_nobody_are_no_news() -> None:
    """Records of people, of other connections and of other integrations do not belong to us."""
    there = world(FakeInstance(ignored={"correlation_id"}))
    feed = ChangeFeed(there.tools)
    cursor = (await feed.changes("")).cursor
    for place, correlation in enumerate(("", "azmon1:00000000:" + "a" * 32, "JIRA-1")):
        there.instance.person(there.instance.put("incident", f"{place}" * 32, correlation_id=correlation), state="2")
    assert (await feed.changes(cursor)).keys == ()


async def test_a_range_that_may_not_be_asked_for_is_told_in_check_and_raises_nothing() -> None:
    """Without query_range the hourly reading back finds the changes, and check says which right is missing."""
    there = world()
    (item,) = await created(there, "one")
    feed = ChangeFeed(there.tools)
    cursor = (await feed.changes("")).cursor
    there.instance.person(row(there, item), state="2")
    there.instance.before = [lambda asked: failure(403, "Insufficient rights to query records")]
    assert (await feed.changes(cursor)).keys == ()
    assert "query_range" in feed.trouble
    (told,) = await feed.check()
    assert not told.passed
    assert "query_range" in told.detail
    there.instance.before.clear()
    assert (await feed.changes(cursor)).keys == (item.key,)
    assert [told.passed for told in await feed.check()] == [True]
    assert feed.trouble == ""


async def test_a_condition_on_the_time_that_is_passed_over_is_noticed() -> None:
    """Records of long ago in an answer mean that the instance did not look at the time."""
    there = world(FakeInstance(ignored={"sys_updated_on"}))
    (item,) = await created(there, "one")
    there.instance.person(row(there, item), state="2")
    there.later(days=2)
    (told,) = await ChangeFeed(there.tools).check()
    assert not told.passed
    assert "sys_updated_on" in told.detail


async def test_what_cannot_be_asked_now_is_asked_again() -> None:
    """The cursor stays where it was."""
    there = world()
    (item,) = await created(there, "one")
    feed = ChangeFeed(there.tools)
    cursor = (await feed.changes("")).cursor
    there.instance.person(row(there, item), state="2")
    there.instance.before = [lambda _: lost()]
    missed = await feed.changes(cursor)
    assert missed.keys == ()
    there.instance.before.clear()
    assert (await feed.changes(missed.cursor)).keys == (item.key,)


async def test_every_table_that_is_used_is_asked() -> None:
    """Work items of one connection may be incidents and problems; a restart does not forget the tables."""
    there = world()
    incident, problem = work_item("one"), work_item("two", work_item="problem")
    for item in (incident, problem):
        await there.tasks.create(item)
    cursor = (await ChangeFeed(there.tools).changes("")).cursor
    again = ChangeFeed(world(there.instance).tools)
    there.instance.person(there.instance.only("problem"), state="102")
    there.instance.person(there.instance.only("incident"), state="2")
    assert sorted((await again.changes(cursor)).keys) == sorted((incident.key, problem.key))


async def test_a_clock_that_was_far_ahead_does_not_blind_us() -> None:
    """An instance whose clock was set right again goes on being asked."""
    there = world()
    (item,) = await created(there, "one")
    feed = ChangeFeed(there.tools)
    there.later(days=100)
    cursor = (await feed.changes("")).cursor
    there.later(days=-100)
    cursor = (await feed.changes(cursor)).cursor
    there.instance.person(row(there, item), state="2")
    assert (await feed.changes(cursor)).keys == (item.key,)


moments = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
positions = st.builds(
    cursors.Position,
    since=moments,
    at=moments,
    offset=st.integers(0, 5000),
    seen=st.dictionaries(st.text(max_size=20), moments, max_size=4),
)


@given(st.dictionaries(st.sampled_from(["incident", "problem", "u_x"]), positions, max_size=3))
@settings(max_examples=60)
def test_a_cursor_says_the_same_when_it_is_read(told: dict[str, cursors.Position]) -> None:
    """What is written is read back."""
    assert cursors.read(cursors.write(told)) == told


@pytest.mark.parametrize(
    "text",
    ["", "rubbish", "{}", "[]", "1", '{"v":1}', '{"v":1,"tables":3}', '{"v":1,"tables":{"incident":{}}}',
     '{"v":2,"tables":{}}', '{"v":1,"tables":{"incident":{"since":1e400,"at":0,"offset":0,"seen":{}}}}',
     '{"v":1,"tables":{"incident":{"since":99999999999999,"at":0,"offset":0,"seen":{}}}}', "[" * 100_000],
)  # fmt: skip
def test_a_cursor_that_is_none_is_nothing(text: str) -> None:
    """A cursor of another version or tool raises nothing."""
    assert cursors.read(text) == {}


@given(st.text(max_size=40))
@settings(max_examples=60)
def test_no_text_raises(text: str) -> None:
    """Whatever was kept is read without harm."""
    cursors.read(text)
