"""The store's small parts: times, bodies, keys, cursors, URLs, signals."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.errors import SettingsError
from secure_export.store.bodies import packed, unpacked
from secure_export.store.instants import instant, instant_or_none, micros, micros_or_none, rfc3339, text_or_none
from secure_export.store.keys import alert_key, lane_key
from secure_export.store.open import open_store, sqlite_path
from secure_export.store.paging import cursor_after, page, rows_before, rows_on_page
from secure_export.store.signals import Signals

TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone


@settings(max_examples=100)
@given(TIMES)
def test_times_keep_every_microsecond(at: datetime) -> None:
    """A time comes back exactly, and order is kept."""
    assert instant(micros(at)) == at
    assert micros(at + timedelta(microseconds=1)) == micros(at) + 1


def test_times_of_other_zones_are_the_same_instants() -> None:
    """What is kept and shown is UTC."""
    at = datetime(2026, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    assert micros(at) == micros(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    assert rfc3339(at) == "2026-03-02T09:00:00Z"


def test_no_time_stays_no_time() -> None:
    """What has not happened has no time, and 1970 is a time."""
    assert (micros_or_none(None), instant_or_none(None), text_or_none(None)) == (None, None, None)
    assert text_or_none(0) == "1970-01-01T00:00:00Z"


@settings(max_examples=100)
@given(st.binary(max_size=600) | st.binary(max_size=40).map(lambda b: b * 50))
def test_bodies_come_back_as_they_came(body: bytes) -> None:
    """Packing changes nothing and never makes a body larger."""
    is_frame, kept = packed(body)
    assert unpacked(kept, is_frame=is_frame) == body
    assert len(kept) <= len(body)


def test_a_body_of_an_alert_is_kept_smaller() -> None:
    """What Azure posts is mostly repeated text."""
    body = b'{"alertTargetIDs": ["/subscriptions/1/resourceGroups/g"], "configurationItems": ["vm1"]}' * 20
    is_frame, kept = packed(body)
    assert is_frame
    assert len(kept) < len(body) / 3


def test_keys_tell_lanes_apart() -> None:
    """Where the connection's name ends is part of the key."""
    keys = {lane_key("a", "bc"), lane_key("ab", "c"), lane_key("a", "b"), alert_key("a"), alert_key("b")}
    assert len(keys) == 5
    assert {len(key) for key in keys} == {16}


def test_alerts_are_told_apart_without_regard_to_case() -> None:
    """Alert ids are resource ids, and the case of those varies between messages."""
    assert alert_key("/Subscriptions/A") == alert_key("/subscriptions/a")


@settings(max_examples=50)
@given(st.integers(0, 2**63 - 1))
def test_cursors_come_back(number: int) -> None:
    """A cursor says where the page before ended."""
    assert rows_before(cursor_after(number)) == number


def test_without_a_cursor_all_rows_count() -> None:
    """The first page begins at the newest row."""
    assert rows_before(None) == rows_before("") == 2**63 - 1


@pytest.mark.parametrize("cursor", ["-", "é", "a b", "_" * 11, "A" * 40])
def test_a_cursor_that_was_not_handed_out_is_refused(cursor: str) -> None:
    """Whatever it is, it is a ``ValueError`` with a text for people."""
    with pytest.raises(ValueError, match="start again without one"):
        rows_before(cursor)


def test_pages() -> None:
    """A page has a next one only if one more row was found."""
    rows = [(3, {"n": 3}), (2, {"n": 2}), (1, {"n": 1})]
    assert page(rows, 3).next_cursor is None
    short = page(rows, 2)
    assert [row["n"] for row in short.rows] == [3, 2]
    assert rows_before(short.next_cursor) == 2
    assert [rows_on_page(n) for n in (-1, 0, 5, 10**6)] == [1, 1, 5, 1000]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///store.db", "store.db"),
        ("sqlite:///var/lib/x/store.db", "/var/lib/x/store.db"),
        ("sqlite:////var/lib/x/store.db", "/var/lib/x/store.db"),
        ("sqlite:///a%20b%3F.db", "a b?.db"),
    ],
)
def test_store_urls(url: str, path: str) -> None:
    """A mere file name lies beside the configuration; a path is absolute, with three slashes or with four."""
    assert sqlite_path(url) == Path(path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://host/db", "mysql is no kind of store"),
        ("store.db", "without a scheme"),
        ("sqlite://store.db", "no host"),
        ("sqlite:///store.db?mode=memory", "no options"),
        ("sqlite:///", "names no file"),
        ("sqlite:////var/lib/", "names no file"),
        ("sqlite:", "names no file"),
    ],
)
async def test_other_urls_are_refused_with_the_form_to_write(url: str, said: str) -> None:
    """Each text says what is wrong and what to write."""
    with pytest.raises(SettingsError, match=said) as caught:
        await open_store(url)
    assert "sqlite:///name.db for a file beside the configuration, sqlite:///path/to/name.db" in str(caught.value)


async def test_a_signal_wakes_all_who_wait() -> None:
    """Every worker hears that a lane may be ready."""
    signals = Signals()
    async with asyncio.timeout(5):
        waiting = [asyncio.create_task(signals.wait(timeout_seconds=60)) for _ in range(3)]
        await asyncio.sleep(0)
        signals.ready()
        await asyncio.gather(*waiting)


async def test_a_signal_since_the_search_is_not_missed() -> None:
    """What happened between a search and the wait for it ends the wait at once; what was before the search does not."""
    signals = Signals()
    signals.searching()
    signals.ready()
    async with asyncio.timeout(5):
        await signals.wait(timeout_seconds=60)
    signals.searching()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await signals.wait(timeout_seconds=60)
    signals.ready()
    async with asyncio.timeout(5):
        await signals.wait(timeout_seconds=60)
