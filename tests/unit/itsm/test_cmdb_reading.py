"""Patience with what goes on failing, and its end."""

import pytest

from secure_export.itsm.cmdb_reading import Patience


class Failing:
    """Something that fails, in a tool that a test lets answer otherwise or not; and the time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.tool_answers = True
        self.asked = 0
        self.patience = Patience[str](self._answers, monotonic=lambda: self.now)

    async def _answers(self) -> bool:
        self.asked += 1
        return self.tool_answers

    async def lost_at(self, seconds: float, *keys: str) -> bool:
        self.now = seconds
        return await self.patience.is_lost(*keys)


@pytest.mark.parametrize("tool_answers", [True, False])
async def test_patience_ends_after_minutes_when_the_tool_answers_otherwise(*, tool_answers: bool) -> None:
    """What always fails must not hold work items back for ever; an outage of all must. Nothing is asked before."""
    failing = Failing()
    failing.tool_answers = tool_answers
    assert not await failing.lost_at(0.0, "class")
    assert not await failing.lost_at(299.0, "class")
    assert failing.asked == 0
    assert await failing.lost_at(300.0, "class") is tool_answers


async def test_each_has_patience_of_its_own() -> None:
    """What fails for the first time is waited for, whatever else has failed for long."""
    failing = Failing()
    await failing.lost_at(0.0, "one")
    assert not await failing.lost_at(400.0, "another")
    assert await failing.lost_at(400.0, "one")


async def test_the_longest_of_several_counts() -> None:
    """A part of an interface that has failed for long ends the patience with what is asked of it first now."""
    failing = Failing()
    await failing.lost_at(0.0, "interface", "one")
    assert await failing.lost_at(300.0, "interface", "another")


async def test_an_answer_gives_new_patience() -> None:
    """Time counts from the last good answer."""
    failing = Failing()
    await failing.lost_at(0.0, "class")
    failing.patience.answered("class", "never failed")
    assert not await failing.lost_at(400.0, "class")
