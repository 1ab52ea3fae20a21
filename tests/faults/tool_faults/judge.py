"""Judges a world at the end of a story: what the tool has, what we believe, and whether we can explain it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.tool_faults.adapter import Found
from tests.faults.tool_faults.world import World

from secure_export.workitems.work_item import ToolState

OPEN, OVER = "open", "over"


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be so of one machine.

    Attributes:
        records: Which records there are, in the order they were made: ``OPEN`` or ``OVER`` each.
        tells: Whether the records must tell of every alert that fired.
        explained: What our work items must say, as regular expressions without regard to case.
    """

    records: tuple[str, ...]
    tells: bool = True
    explained: tuple[str, ...] = ()


def usual(world: World, vm: str, *explained: str) -> Expected:
    """One record: open while anything of the machine fires, and over when nothing does."""
    return Expected((OPEN if world.problems[vm].firing else OVER,), explained=explained)


async def judge(world: World, special: Mapping[str, Expected] | None = None) -> None:
    """Look at everything there is.

    Args:
        world: The world, at rest.
        special: What is expected of some machines; of the others what is usual.
    """
    story = "\n".join(world.log)
    for vm in world.problems:
        expected = (special or {}).get(vm) or usual(world, vm)
        records, items = await world.records_of(vm), await world.items_of(vm)
        told = _Told(vm, records, items, story)
        told.has(expected.records)
        told.tells_once(world.problems[vm].told if expected.tells else ())
        told.agrees()
        told.explains(expected.explained)
    _at_rest(await world.lanes(), story)
    doubles = [one for one in await world.tool.found() if one.aside and one.state is ToolState.OPEN]
    assert not doubles, f"doubles are open:\n{doubles}\n{story}"


def _at_rest(lanes: Sequence[Mapping[str, Any]], story: str) -> None:
    """Every lane is idle, or waits or is parked with a reason."""
    for lane in lanes:
        assert lane["state"] in {"waiting", "parked"}, f"a lane has not come to rest: {lane}\n{story}"
        assert lane["reason"], f"a lane waits without a reason: {lane}\n{story}"


class _Told:
    """What is said of one machine."""

    def __init__(self, vm: str, records: Sequence[Found], items: Sequence[Mapping[str, Any]], story: str) -> None:
        self.records = records
        self.items = items
        steps = [f"{s['kind']}: {s['outcome']}: {s['reason']}" for item in reversed(items) for s in item["steps"]]
        shown = [{**item, "steps": "…", "content": "…"} for item in items]
        self.story = "\n".join([vm, *map(str, records), *map(str, shown), *steps, story])

    def has(self, expected: tuple[str, ...]) -> None:
        """The tool has the records that it should have, and no other."""
        states = tuple(OPEN if one.state is ToolState.OPEN else OVER for one in self.records)
        assert states == expected, f"expected {expected}, and the tool has {states}:\n{self.story}"

    def tells_once(self, told: Sequence[str]) -> None:
        """No note is there twice, and everything that fired is told of."""
        for record in self.records:
            assert len(record.notes) == len(set(record.notes)), f"a note is there twice:\n{self.story}"
        said = [text for one in self.records for text in (one.title, *one.notes)]
        for title in told:
            assert any(title in text for text in said), f"nothing tells of {title!r}:\n{self.story}"

    def agrees(self) -> None:
        """What we believe of the latest record is what the tool has; those before it are not followed any more."""
        there = {one.number: one for one in self.records}
        item = self.items[0]
        if item["state_in_tool"] in {None, ToolState.GONE.value}:
            return
        assert item["number"] in there, f"we believe in {item['number']}:\n{self.story}"
        is_open = there[item["number"]].state is ToolState.OPEN
        assert (item["state_in_tool"] == ToolState.OPEN.value) is is_open, f"we are wrong:\n{self.story}"

    def explains(self, patterns: Sequence[str]) -> None:
        """Work items say what happened, and no step failed without a word."""
        for item in self.items:
            assert item["reasons"], f"no reason at all:\n{self.story}"
            for step in item["steps"]:
                failed = step["outcome"] not in {"done", None}
                assert not failed or step["reason"], f"a {step['kind']} failed without a reason:\n{self.story}"
        said = "\n".join(_words(item) for item in self.items)
        for pattern in patterns:
            assert re.search(pattern, said, re.IGNORECASE), f"nothing says {pattern!r}:\n{said}\n{self.story}"


def _words(item: Mapping[str, Any]) -> str:
    texts = [*item["reasons"], item["waiting"], item["parked"], item["hands_off"]]
    texts += [step["reason"] for step in item["steps"]]
    return "\n".join(text for text in texts if text)
