"""An apply, and a destroy, that die at every call: before it is sent, and after it was done."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.azure_sandbox import Azure
from tests.unit.azure.conftest import Opener, applied
from tests.unit.azure.test_walk import EVERY_WAY
from tests.unit.azure.world import shape_of, state_of

from secure_export.azure.setup.context import Context
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.walk import plan, take_back
from secure_export.sandbox.rest_faults import Fault, FaultKind


class Killed(BaseException):
    """The process is gone."""


class Calls:
    """Counts the calls of a context, and dies at one.

    Args:
        at: The number of the call that is the last; 0: none.
        after: Whether it dies when the call was done, instead of before it is sent.
    """

    def __init__(self, context: Context, *, at: int = 0, after: bool = True) -> None:
        self.count = 0
        self.writes: list[int] = []
        for api in (context.graph, context.manager):
            setattr(api, "call", self._counted(api.call, at, after=after))  # noqa: B010 - a method of one object alone

    def _counted(self, call: Callable[..., Awaitable[Any]], at: int, *, after: bool) -> Callable[..., Awaitable[Any]]:
        async def counted(*arguments: Any, **more: Any) -> Any:
            self.count += 1
            number = self.count
            self.writes += [number] if arguments[0] != "GET" else []
            if number == at and not after:
                raise Killed
            try:
                return await call(*arguments, **more)
            finally:
                if number == at:
                    raise Killed

        return counted


async def test_an_apply_that_dies_at_any_call_is_finished_by_the_next(
    azure: Azure, opened: Opener, tmp_path: Path
) -> None:
    """Whatever call it dies at, running again ends in the same state with the same record, and destroy undoes it."""
    path, before = tmp_path / "record.json", state_of(azure)
    unlimited(azure)
    async with opened(**EVERY_WAY) as context:
        calls = Calls(context)
        await applied(context, Record(path))
    whole, made = shape_of(azure), kinds(path)
    await destroyed(opened, path)
    assert state_of(azure) == before
    assert calls.count > 30
    for number in range(1, calls.count + 1):
        async with opened(**EVERY_WAY) as context:
            Calls(context, at=number)
            with pytest.raises(Killed):
                await applied(context, Record(path))
        async with opened(**EVERY_WAY) as context:
            await applied(context, Record(path))
        assert set(shape_of(azure)) ^ set(whole) == set(), f"after call {number}"
        assert kinds(path) == made, f"after call {number}"
        await destroyed(opened, path)
        assert (state_of(azure), path.exists()) == (before, False), f"after call {number}"


async def test_a_destroy_that_dies_after_any_write_is_finished_by_the_next(
    azure: Azure, opened: Opener, tmp_path: Path
) -> None:
    """Taking back can be stopped anywhere, too: what is gone already is passed over."""
    path, before = tmp_path / "record.json", state_of(azure)
    async with opened(**EVERY_WAY) as context:
        await applied(context, Record(path))
    async with opened(**EVERY_WAY) as context:
        calls = Calls(context)
        await taken(context, path)
    assert len(calls.writes) >= 11
    for number in calls.writes:
        async with opened(**EVERY_WAY) as context:
            await applied(context, Record(path))
        async with opened(**EVERY_WAY) as context:
            Calls(context, at=number)
            with pytest.raises(Killed):
                await taken(context, path)
        await destroyed(opened, path)
        assert (state_of(azure), path.exists()) == (before, False), f"after call {number}"


async def test_an_apply_that_is_killed_before_it_did_anything_can_be_destroyed(
    azure: Azure, opened: Opener, tmp_path: Path
) -> None:
    """An intention without a deed leaves nothing to take back, and takes nothing of others."""
    path, before = tmp_path / "record.json", state_of(azure)
    for number in (2, 6, 12, 20):
        async with opened() as context:
            Calls(context, at=number, after=False)
            with pytest.raises(Killed):
                await applied(context, Record(path))
        await destroyed(opened, path)
        assert state_of(azure) == before


def unlimited(azure: Azure) -> None:
    """Let one caller ask as often as it likes."""
    azure.arm.behaviour.reads = azure.arm.behaviour.writes = 0
    azure.entra.graph.limits.requests = azure.entra.graph.limits.writes = 0


async def destroyed(opened: Opener, path: Path) -> None:
    async with opened(**EVERY_WAY) as context:
        await taken(context, path)


async def taken(context: Context, path: Path) -> None:
    async for _ in take_back(context, Record(path)):
        pass


def kinds(path: Path) -> list[tuple[str, bool, bool, list[str]]]:
    """What a record says, without the ids that each run draws anew."""
    made = Record(path).of(Record(path).tenants[0])
    return [(one.kind, one.created, one.done, sorted(one.ids)) for one in made]


async def test_nothing_is_left_to_plan_after_a_lost_answer(azure: Azure, opened: Opener, record: Record) -> None:
    """Answers that are lost after the server has committed are no reason to fail, nor to make a thing twice."""
    for faults in (azure.entra.graph.faults, azure.arm.faults):
        for method in ("POST", "PATCH", "PUT"):
            faults.set(Fault(kind=FaultKind.ERROR_AFTER, methods=frozenset({method}), path="*/*", status=503))
    async with opened(**EVERY_WAY) as context:
        await applied(context, record)
        assert (await plan(context)).is_empty
    assert len([one for one in shape_of(azure) if '"uniqueName": "secure-export"' in one]) == 1
