"""Pages of changes: nothing is passed over, and little is told twice."""

from datetime import UTC, datetime, timedelta

from secure_export.itsm.change_pages import OVERLAP, Change, ChangePage, beginning, token
from secure_export.itsm.cursor import Position, starting

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def change(key: str, at: datetime | None = NOW, *, ours: bool = False) -> Change:
    return Change(key, at, token(f"{key} at {at}"), ours)


def page(*changes: Change, full: bool = False, read: int = 10, now: datetime = NOW) -> ChangePage:
    return ChangePage(changes, full, read, now)


def test_a_change_is_told_once_and_our_own_is_not() -> None:
    """What was seen is known by its token on the next page, which goes back a little."""
    first = page(change("a"), change("b", ours=True))
    start = starting(NOW)
    assert first.news(start) == ["a"]
    after = first.beyond(start)
    assert list(after.seen) == [change("a").token]
    assert page(change("a"), change("c")).news(after) == ["c"]


def test_a_change_without_a_time_is_told() -> None:
    """Rather twice than never."""
    one = page(change("a", None))
    start = starting(NOW)
    assert one.news(start) == ["a"]
    assert one.news(one.beyond(start)) == ["a"]


def test_a_page_that_is_full_is_gone_on_behind() -> None:
    """From its last change on, or behind the records it stands for where all are of one second."""
    start = starting(NOW - SECOND)
    assert page(change("a"), full=True).beyond(start).at == NOW
    same = page(change("a", NOW - SECOND), full=True).beyond(start)
    assert (same.at, same.offset) == (NOW - SECOND, 10)


def test_a_last_page_leaves_time_for_what_commits_late() -> None:
    """The next question begins before the tool's own time now, and never goes back."""
    late = NOW + timedelta(hours=1)
    assert page(now=late).beyond(starting(NOW)).since == late - OVERLAP
    assert page(now=NOW).beyond(starting(NOW)).since == NOW


def test_a_page_of_nothing_is_the_last() -> None:
    """A tool that has more and shows none of it would be asked for the same page for ever."""
    late = NOW + timedelta(hours=1)
    assert page(full=True, read=0, now=late).beyond(starting(NOW)).since == late - OVERLAP


def test_a_clock_that_was_wrong_does_not_stop_the_news() -> None:
    """A position far ahead of the tool's clock is brought back."""
    ahead = starting(NOW + timedelta(days=300))
    assert page(now=NOW).beyond(ahead).since == NOW - OVERLAP


async def test_it_begins_at_the_tools_own_time() -> None:
    """What changed in the very second of the beginning counts as told; a tool that gives nothing begins nothing."""
    there = NOW + timedelta(minutes=3)
    asked: list[tuple[datetime, int | None]] = []

    async def read(position: Position, limit: int | None) -> ChangePage | None:
        asked.append((position.at, limit))
        return page(change("a", there), now=there)

    begun = await beginning(read, NOW)
    assert asked == [(NOW, 1), (there, None)]
    assert begun is not None
    assert page(change("a", there)).news(begun) == []

    async def nothing(_: Position, __: int | None) -> ChangePage | None:
        return None

    assert await beginning(nothing, NOW) is None
