"""Finding records by keys: many in one call, and none called missing that may be hidden."""

import asyncio
from collections.abc import Sequence

import pytest

from secure_export.errors import SecureExportError
from secure_export.itsm.key_look_ups import KeyLookUps


class Tool:
    """Records by key; some are counted and not shown."""

    def __init__(self, *records: str, hidden: Sequence[str] = ()) -> None:
        self.records = list(records)
        self.hidden = hidden
        self.asked: list[tuple[str, ...]] = []
        self.limits: list[int] = []
        self.free = asyncio.Event()
        self.free.set()

    async def read(self, keys: Sequence[str], limit: int) -> tuple[Sequence[str], bool]:
        await self.free.wait()
        self.asked.append(tuple(keys))
        self.limits.append(limit)
        found = [one for one in self.records if one.strip().lower() in keys or one == "stranger"]
        return found, any(key in self.hidden for key in keys)

    def look_ups(self, *, some_suffice: bool = True) -> KeyLookUps[str]:
        def not_heeded() -> SecureExportError:
            return SecureExportError("not asked for")

        return KeyLookUps(self.read, lambda one: one, not_heeded=not_heeded, most=30, some_suffice=some_suffice)

    async def at_once(self, look_ups: KeyLookUps[str], *keys: str) -> list[tuple[str, ...] | None]:
        """Look several keys up in one call: they are asked for while the tool is busy with others."""
        self.free.clear()
        busy = [asyncio.create_task(look_ups.get(f"busy-{number}")) for number in range(2)]
        await asyncio.sleep(0)
        wanted = [asyncio.create_task(look_ups.get(key)) for key in keys]
        await asyncio.sleep(0)
        self.free.set()
        await asyncio.gather(*busy)
        found = await asyncio.gather(*wanted)
        del self.asked[:2], self.limits[:2]
        return found


async def test_records_are_sorted_to_their_keys_as_databases_compare() -> None:
    """Case, and blanks at the end, make no other key; a key without records has none for sure."""
    look_ups = Tool("a", "A ", "b").look_ups()
    assert await look_ups.get("a") == ("a", "A ")
    assert await look_ups.get("c") == ()


async def test_what_was_not_asked_for_is_an_error() -> None:
    """A tool that passes over the query would have us take a stranger's record for ours."""
    with pytest.raises(SecureExportError, match="not asked for"):
        await Tool("a", "stranger").look_ups().get("a")


async def test_a_hidden_record_is_not_missing_and_does_not_hold_up_others() -> None:
    """Each key for which nothing is shown is asked for by itself; where more is counted nothing sure is said."""
    tool = Tool("a", hidden=("b",))
    look_ups = tool.look_ups()
    assert await tool.at_once(look_ups, "a", "b", "c") == [("a",), None, ()]
    assert tool.asked == [("a", "b", "c"), ("b",), ("c",)]


async def test_where_the_newest_of_several_counts_each_key_is_asked_for_by_itself() -> None:
    """Some records of a key are then not enough, unless it was asked for alone."""
    tool = Tool("a", hidden=("b",))
    assert await tool.at_once(tool.look_ups(some_suffice=False), "a", "b") == [("a",), None]
    assert tool.asked == [("a", "b"), ("a",), ("b",)]
    assert await Tool("a", hidden=("a",)).look_ups(some_suffice=False).get("a") == ("a",)


async def test_there_is_room_for_several_records_of_each_key() -> None:
    """Twins of one key must not push the records of another out of the answer."""
    tool = Tool()
    await tool.at_once(tool.look_ups(), *(f"k{number}" for number in range(30)))
    assert tool.limits == [120]
