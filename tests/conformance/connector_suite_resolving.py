"""Resolving a record: rules of every connector."""

from tests.conformance.connector_suite_steps import (
    OVER,
    confirmed_by,
    created,
    knows,
    noted,
    only_record,
    to_resolve,
    work_item,
)
from tests.conformance.connector_suite_tool import Fault, Tool

from secure_export.workitems.work_item import (
    StepKind,
    ToolState,
)


class ResolvingRules:
    """Resolving a record."""

    async def test_a_resolve_is_read_back(self, tool: Tool) -> None:
        """A resolve brings the notes that are owed, says why, and confirms a state that the tool has."""
        item = to_resolve(noted(await created(tool, work_item()), "Resolved: disk"))
        confirmed = await confirmed_by(tool.connector, StepKind.RESOLVE, item)
        record = await only_record(tool, item)
        assert confirmed.state is record.state
        assert record.state in OVER
        assert confirmed.revision == item.desired.revision
        assert confirmed.ended_at is not None
        assert record.notes == ("Resolved: disk",)
        assert item.desired.resolution in record.resolution

    async def test_a_resolve_that_the_tool_ignores_is_told_as_it_is(self, tool: Tool) -> None:
        """A record that reads back open after a resolve is confirmed as open, so that the resolve stays owed."""
        knows(tool, Fault.RESOLVE_IGNORED)
        item = to_resolve(await created(tool, work_item()))
        with tool.failing(Fault.RESOLVE_IGNORED):
            confirmed = await confirmed_by(tool.connector, StepKind.RESOLVE, item)
        assert confirmed.state is ToolState.OPEN
        assert (await confirmed_by(tool.connector, StepKind.RESOLVE, item)).state in OVER

    async def test_a_second_resolve_changes_nothing(self, tool: Tool) -> None:
        """A resolve that is taken again finds the record resolved and leaves it so."""
        item = to_resolve(noted(await created(tool, work_item()), "Resolved: disk"))
        await confirmed_by(tool.connector, StepKind.RESOLVE, item)
        before = await only_record(tool, item)
        assert (await confirmed_by(tool.connector, StepKind.RESOLVE, item)).state in OVER
        assert await only_record(tool, item) == before
