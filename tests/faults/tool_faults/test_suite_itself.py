"""The shared fault suite sees what it is meant to see: a careful connector passes it, and each mistake fails."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.faults.tool_faults.adapter import Deed, OpenTool, Trouble
from tests.faults.tool_faults.memory_tool import Mistake, open_memory
from tests.faults.tool_faults.suite import CREATE, RESOLVE, UPDATE, ToolFaultSuite, open_world, world
from tests.faults.tool_faults.world import World
from tests.unit.delivery.scene import ManualClock

__all__ = ["open_world", "world"]
Story = Callable[[World], Awaitable[None]]

_suite = ToolFaultSuite()
_WRITE = _suite.test_a_write_meets_trouble
_STORIES: dict[Mistake, Story] = {
    Mistake.BLIND_CREATE: lambda world: _suite.test_a_node_stalls_longer_than_its_lease(world, CREATE, after=False),
    Mistake.DOUBT_IS_FAILURE: lambda world: _WRITE(world, CREATE, Trouble.ANSWER_LOST),
    Mistake.HIDDEN_IS_GONE: lambda world: _suite.test_rights_hide_our_own_records(world, CREATE),
    Mistake.ECHO: lambda world: _WRITE(world, RESOLVE, Trouble.RESOLVE_IGNORED),
    Mistake.NOTES_AGAIN: lambda world: _WRITE(world, UPDATE, Trouble.ERROR_AFTER),
    Mistake.TWINS_STAY: _suite.test_a_create_is_under_way_in_the_tool_when_another_node_takes_over,
    Mistake.REOPENS: lambda world: _suite.test_a_colleague_ends_it_while_more_fires(world, Deed.RESOLVE),
    Mistake.OLD_VALUE: _suite.test_the_value_that_a_resolve_needs_is_removed,
}


@pytest.fixture
def open_tool() -> OpenTool:
    """Give the tool in memory, with a careful connector."""
    return open_memory


class TestCareful(ToolFaultSuite):
    """A connector that keeps the contract survives everything."""


@pytest.mark.parametrize("mistake", list(Mistake))
async def test_a_mistake_is_seen(tmp_path: Path, mistake: Mistake) -> None:
    """The story that is meant to see a mistake fails with it."""
    clock = ManualClock()
    async with open_memory(clock, tmp_path, mistake) as tool, AsyncExitStack() as stack:
        world = World(tmp_path, tool, clock)
        stack.push_async_callback(world.stop)
        await world.start()
        with pytest.raises(AssertionError):
            await _STORIES[mistake](world)
