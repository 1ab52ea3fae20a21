"""What a record tells of itself: rules of every connector."""

from tests.conformance.connector_suite_steps import can, confirmed_by, created, resolved, work_item
from tests.conformance.connector_suite_tool import PERSONS_RESOLUTION, Ability, Act, Tool

from secure_export.workitems.work_item import (
    StepKind,
    ToolState,
)


class TellingRules:
    """What a record tells of itself."""

    async def test_how_it_was_resolved_is_told(self, tool: Tool) -> None:
        """What people wrote about the resolution comes back, and so does what we wrote."""
        can(tool, Ability.RESOLUTION)
        theirs = await created(tool, work_item("one"))
        assert theirs.confirmed is not None
        assert theirs.confirmed.resolution == ""
        await tool.act(theirs.key, Act.RESOLVE)
        assert PERSONS_RESOLUTION in (await confirmed_by(tool.connector, StepKind.LOOK, theirs)).resolution
        ours = await resolved(tool, work_item("two"))
        assert ours.confirmed is not None
        assert ours.desired.resolution in ours.confirmed.resolution

    async def test_the_tools_own_word_for_the_state_is_told(self, tool: Tool) -> None:
        """A record on hold is open to us, and its own word says more."""
        can(tool, Ability.OWN_STATES, Ability.HOLD)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.HOLD)
        seen = await confirmed_by(tool.connector, StepKind.LOOK, item)
        assert item.confirmed is not None
        assert (seen.state, bool(seen.tool_state)) == (ToolState.OPEN, True)
        assert seen.tool_state != item.confirmed.tool_state

    async def test_when_it_was_changed_is_told(self, tool: Tool) -> None:
        """It stays while nothing is changed, and never goes back when a person or we change something."""
        can(tool, Ability.CHANGED_AT)
        item = await created(tool, work_item())
        first = await confirmed_by(tool.connector, StepKind.LOOK, item)
        again = await confirmed_by(tool.connector, StepKind.LOOK, item)
        assert first.changed_at is not None
        assert again.changed_at == first.changed_at
        await tool.act(item.key, Act.RESOLVE)
        later = await confirmed_by(tool.connector, StepKind.LOOK, item)
        assert later.changed_at is not None
        assert later.changed_at >= first.changed_at

    async def test_what_the_tool_took_whole_has_no_remarks(self, tool: Tool) -> None:
        """A remark tells of something that the tool did not take: an ordinary create and resolve have none."""
        item = await resolved(tool, work_item())
        assert item.confirmed is not None
        assert item.confirmed.remarks == ()
