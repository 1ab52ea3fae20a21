"""What people changed is told: rules of every connector."""

import pytest
from tests.conformance.connector_suite_steps import can, confirmed_by, created, knows, noted, to_resolve, work_item
from tests.conformance.connector_suite_tool import OTHER_CONNECTION, Ability, Act, Fault, Tool

from secure_export.workitems.work_item import (
    StepKind,
)

_NEEDED = {
    Act.COMMENT: (Ability.COMMENT,),
    Act.ASSIGN: (Ability.ASSIGN,),
    Act.HOLD: (Ability.HOLD,),
    Act.CLOSE: (Ability.CLOSE,),
}


class ChangesRules:
    """What people changed is told."""

    async def test_changes_start_from_now_on(self, tool: Tool) -> None:
        """An empty cursor asks for nothing of the past, and gives a cursor to go on with."""
        can(tool, Ability.COMMENT)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.COMMENT)
        changes = await tool.connector.changes("")
        assert (changes.keys, changes.more) == ((), False)
        assert changes.cursor

    @pytest.mark.parametrize("act", [Act.COMMENT, Act.ASSIGN, Act.HOLD, Act.RESOLVE, Act.CLOSE])
    async def test_what_people_change_is_told_once(self, tool: Tool, act: Act) -> None:
        """A change by a person is told with the work item's key, and not again with the new cursor."""
        can(tool, Ability.CHANGES_ONCE, *_NEEDED.get(act, ()))
        item = await created(tool, work_item())
        await created(tool, work_item("untouched"))
        cursor = (await tool.connector.changes("")).cursor
        await tool.act(item.key, act)
        changes = await tool.connector.changes(cursor)
        assert changes.keys == (item.key,)
        assert (await tool.connector.changes(changes.cursor)).keys == ()

    async def test_our_own_changes_are_not_told(self, tool: Tool) -> None:
        """What this program writes does not come back to it as news."""
        can(tool, Ability.CHANGES_ONCE)
        cursor = (await tool.connector.changes("")).cursor
        item = noted(await created(tool, work_item()), "Fired: disk")
        await confirmed_by(tool.connector, StepKind.UPDATE, item)
        await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))
        assert (await tool.connector.changes(cursor)).keys == ()

    async def test_changes_of_another_connection_are_not_told(self, tool: Tool) -> None:
        """A person's change of a record of one connection is news for that connection only."""
        can(tool, Ability.COMMENT)
        theirs = work_item(connection=OTHER_CONNECTION)
        await confirmed_by(tool.other_connector, StepKind.CREATE, theirs)
        ours_cursor = (await tool.connector.changes("")).cursor
        their_cursor = (await tool.other_connector.changes("")).cursor
        await tool.act(theirs.key, Act.COMMENT)
        assert theirs.key not in (await tool.connector.changes(ours_cursor)).keys
        assert (await tool.other_connector.changes(their_cursor)).keys == (theirs.key,)

    async def test_changes_that_cannot_be_asked_for_are_asked_for_again(self, tool: Tool) -> None:
        """While the tool is out of reach nothing raises, and nothing is passed over."""
        can(tool, Ability.COMMENT)
        knows(tool, Fault.UNREACHABLE)
        item = await created(tool, work_item())
        cursor = (await tool.connector.changes("")).cursor
        await tool.act(item.key, Act.COMMENT)
        with tool.failing(Fault.UNREACHABLE):
            missed = await tool.connector.changes(cursor)
        assert missed.keys == ()
        assert (await tool.connector.changes(missed.cursor)).keys == (item.key,)

    @pytest.mark.parametrize("cursor", ["rubbish", "-1", "²", "9" * 40, "1; DROP TABLE incidents"])
    async def test_a_cursor_that_is_none_raises_nothing(self, tool: Tool, cursor: str) -> None:
        """A cursor of another version or tool is answered with one that works."""
        can(tool, Ability.COMMENT)
        item = await created(tool, work_item())
        changes = await tool.connector.changes(cursor)
        await tool.act(item.key, Act.COMMENT)
        assert (await tool.connector.changes(changes.cursor)).keys == (item.key,)
