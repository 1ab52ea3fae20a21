"""What goes to a tool, and what is held back because the tool asked for calm."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from secure_export.itsm.admission import Admission, NotAdmitted

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """An answer: until when the tool asks for calm."""

    until: datetime | None = None


class Everybody:
    """Lets everybody in."""

    async def headers(self) -> Mapping[str, str]:
        return {}

    def rejected(self, headers: Mapping[str, str]) -> None:
        raise AssertionError("nobody was refused")

    async def close(self) -> None:
        pass


class Tool:
    """Answers as told, counts its calls, and has a clock."""

    def __init__(self) -> None:
        self.now = START
        self.says = Said()
        self.calls = 0
        self.admission = Admission[Said](
            Everybody(),
            clock=lambda: self.now,
            connections=2,
            why_stranger=lambda _: None,
            is_let_in=lambda _: True,
            asked_until=lambda said: said.until,
            to_mend="",
        )

    async def __call__(self, _: Mapping[str, str]) -> Said:
        self.calls += 1
        return self.says


async def test_a_tool_that_asks_for_calm_is_called_by_nobody_until_then() -> None:
    """One call was told to come back later: reads and changes of everybody wait as long, without being sent."""
    tool = Tool()
    tool.says = Said(until=START + timedelta(minutes=10))
    await tool.admission.read(tool)
    tool.now += timedelta(minutes=9)
    for call in (tool.admission.read, tool.admission.change):
        with pytest.raises(NotAdmitted, match="asked not to be called") as held:
            await call(tool)
        assert held.value.not_before == START + timedelta(minutes=10)
    assert tool.calls == 1
    tool.now += timedelta(minutes=1)
    tool.says = Said()
    await tool.admission.change(tool)
    await tool.admission.read(tool)
    assert tool.calls == 3


async def test_a_tool_that_asks_for_calm_for_ever_is_asked_again_after_an_hour() -> None:
    """A wrong answer must not stop a connection."""
    tool = Tool()
    tool.says = Said(until=START + timedelta(days=400))
    await tool.admission.read(tool)
    tool.now += timedelta(hours=1)
    await tool.admission.read(tool)
    assert tool.calls == 2
