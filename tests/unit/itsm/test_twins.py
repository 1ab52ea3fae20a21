"""Several records of one key: which stays, and which are ours to end."""

from collections.abc import Mapping
from typing import Any

from secure_export.itsm.twins import TwinRecords

TWINS = TwinRecords(lambda row, name: str(row.get(name, "")), number="number", made_by="by", key="key")


def rows(*makers: str) -> list[dict[str, str]]:
    return [{"number": str(place), "by": maker} for place, maker in enumerate(makers, 1)]


async def end(row: Mapping[str, Any], stays: Mapping[str, Any]) -> str:
    return f"{row['number']} ended for {stays['number']}"


async def test_the_oldest_stays_and_the_others_that_we_made_are_ended() -> None:
    """One that is over already is left as it is, and one that a person copied is theirs."""
    told = await TWINS.settle(rows("us", "us", "ada", "us"), is_over=lambda row: row["number"] == "4", end=end)
    assert told == ("3 carries the same key as 1, but ada made it: it is left alone", "2 ended for 1")


async def test_without_a_word_about_who_made_it_nothing_is_ended() -> None:
    """A field that we may not read proves nothing."""
    told = await TWINS.settle(rows("", ""), is_over=lambda _: False, end=end)
    assert told == ("2 carries the same key as 1, but somebody unknown made it: it is left alone",)


def test_one_record_is_nothing_to_tell() -> None:
    """The usual case has no remark."""
    assert TWINS.strangers(rows("us")) == ()
