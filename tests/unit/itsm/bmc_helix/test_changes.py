"""What people change is told once, ours is not, and nothing is passed over."""

from datetime import timedelta

import pytest
from tests.unit.itsm.bmc_helix.fake_ar import CONNECTION, INCIDENT, KEY, Bench, bench, error, instead, work_item
from tests.unit.itsm.scripted import answer

from secure_export.itsm.bmc_helix.incidents.changes import ChangeFeed
from secure_export.itsm.record_keys import record_key


def feed(at: Bench) -> ChangeFeed:
    return ChangeFeed(at.tools)


def put(at: Bench, name: str, connection: str = CONNECTION) -> dict[str, object]:
    return at.server.put_incident(record_key(connection, work_item(key=name).key))


def key(name: str) -> str:
    return work_item(key=name).key


async def test_a_persons_change_is_told_once() -> None:
    """With the work item's key, and not again; our own and other connections' are not told."""
    at = bench()
    mine, _, theirs = put(at, "one"), put(at, "two"), put(at, "three", "another")
    changes = feed(at)
    cursor = (await changes.changes("")).cursor
    at.server.now += timedelta(seconds=30)
    at.server.person_sets(mine, Status="In Progress")
    at.server.person_sets(theirs, Status="In Progress")
    first = await changes.changes(cursor)
    assert first.keys == (key("one"),)
    assert (await changes.changes(first.cursor)).keys == ()


async def test_a_second_change_in_the_same_second_is_told() -> None:
    """Times have whole seconds: what an incident looks like tells two changes apart."""
    at = bench()
    row = put(at, "one")
    changes = feed(at)
    cursor = (await changes.changes("")).cursor
    at.server.person_sets(row, Status="In Progress")
    first = await changes.changes(cursor)
    assert first.keys == (key("one"),)
    at.server.person_sets(row, Status="Resolved")
    assert (await changes.changes(first.cursor)).keys == (key("one"),)


async def test_a_change_that_is_committed_late_is_told() -> None:
    """A change bears the time at which its transaction began: each question goes back a little."""
    at = bench()
    row = put(at, "one")
    changes = feed(at)
    cursor = (await changes.changes("")).cursor
    at.server.now += timedelta(minutes=5)
    cursor = (await changes.changes(cursor)).cursor
    at.server.person_sets(row, Status="Resolved")
    row["Last Modified Date"] = (at.server.now - timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    assert (await changes.changes(cursor)).keys == (key("one"),)


async def test_many_changes_come_in_pages() -> None:
    """More changes than one page holds are all told, in several answers."""
    at = bench()
    at.server.most = 3
    rows = [put(at, str(number)) for number in range(8)]
    changes = feed(at)
    told_ = await changes.changes("")
    at.server.now += timedelta(minutes=1)
    for row in rows:
        at.server.now += timedelta(seconds=1)
        at.server.person_sets(row, Status="In Progress")
    found: list[str] = []
    for _ in range(10):
        told_ = await changes.changes(told_.cursor)
        found += told_.keys
        if not told_.more:
            break
    assert sorted(found) == sorted(key(str(number)) for number in range(8))


async def test_a_full_page_of_one_second_goes_on() -> None:
    """Many changes in one second are paged by their place."""
    at = bench()
    at.server.most = 3
    rows = [put(at, str(number)) for number in range(8)]
    changes = feed(at)
    told_ = await changes.changes("")
    at.server.now += timedelta(minutes=1)
    for row in rows:
        at.server.person_sets(row, Status="In Progress")
    found: list[str] = []
    for _ in range(10):
        told_ = await changes.changes(told_.cursor)
        found += told_.keys
        if not told_.more:
            break
    assert sorted(found) == sorted(key(str(number)) for number in range(8))


@pytest.mark.parametrize("answer", [answer(503), error(353, "no access to form", status=403), answer(200, "<html>")])
async def test_what_cannot_be_asked_for_is_asked_for_again(answer: object) -> None:
    """The cursor stays where it was, and the reason is kept."""
    at = bench()
    row = put(at, "one")
    changes = feed(at)
    cursor = (await changes.changes("")).cursor
    at.server.person_sets(row, Status="In Progress")
    at.server.before.append(instead(f"GET {INCIDENT}", answer))  # type: ignore[arg-type]
    missed = await changes.changes(cursor)
    assert missed.keys == ()
    assert changes.trouble
    assert (await changes.changes(missed.cursor)).keys == (key("one"),)
    assert not changes.trouble


async def test_a_server_that_passes_over_the_condition_is_not_believed() -> None:
    """Incidents from before the asked time say that the query was not obeyed."""
    at = bench()
    put(at, "one")
    changes = feed(at)
    cursor = (await changes.changes("")).cursor
    at.server.now += timedelta(hours=1)
    cursor = (await changes.changes(cursor)).cursor
    at.server.ignores_queries = True
    assert (await changes.changes(cursor)).keys == ()
    assert "Last Modified Date" in changes.trouble


async def test_a_clock_that_went_back_does_not_stop_it() -> None:
    """A server whose clock was far ahead, and was set right, is asked from its new time on."""
    at = bench()
    row = put(at, "one")
    changes = feed(at)
    at.server.now += timedelta(hours=5)
    cursor = (await changes.changes("")).cursor
    at.server.now -= timedelta(hours=5)
    cursor = (await changes.changes(cursor)).cursor
    at.server.now += timedelta(seconds=30)
    at.server.person_sets(row, Status="Resolved")
    assert (await changes.changes(cursor)).keys == (key("one"),)


async def test_keys_are_read_whatever_their_case() -> None:
    """Databases may give keys with blanks or capitals."""
    at = bench()
    row = put(at, "one")
    changes = feed(at)
    cursor = (await changes.changes("")).cursor
    at.server.person_sets(row, **{KEY: f"{row[KEY]} "}, Status="Resolved")
    assert (await changes.changes(cursor)).keys == (key("one"),)
