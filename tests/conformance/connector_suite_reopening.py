"""Opening a resolved record again: rules of every connector."""

from dataclasses import replace

from tests.conformance.connector_suite_steps import (
    OVER,
    bound,
    can,
    confirmed_by,
    created,
    knows,
    only_record,
    resolved,
    to_reopen,
    to_resolve,
    vm,
    work_item,
)
from tests.conformance.connector_suite_tool import PERSON, Ability, Act, Fault, Tool

from secure_export.workitems.work_item import (
    StepKind,
    ToolState,
)


class ReopeningRules:
    """Opening a resolved record again."""

    async def test_a_resolved_record_is_opened_again(self, tool: Tool) -> None:
        """A reopening brings notes and CIs in, confirms the state that was read back, and is no end."""
        can(tool, Ability.REOPEN)
        ci = await tool.add_ci("vm-web-1", vm("vm-web-1"))
        item = to_reopen(await resolved(tool, work_item()), "Fired again: disk", "Fired: memory")
        content = replace(item.desired.content, bindings=(bound(ci, "vm-web-1"),))
        item = replace(item, desired=replace(item.desired, content=content))
        confirmed = await confirmed_by(tool.connector, StepKind.REOPEN, item)
        record = await only_record(tool, item)
        assert (confirmed.state, confirmed.ended_at) == (ToolState.OPEN, None)
        assert confirmed.revision == item.desired.revision
        assert (record.state, record.cis) == (ToolState.OPEN, (ci,))
        assert record.notes == ("Fired again: disk", "Fired: memory")
        assert (await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))).state in OVER

    async def test_what_a_person_resolved_is_opened_again(self, tool: Tool) -> None:
        """A route may insist on a work item that a person resolved: a reopening asks not who resolved it."""
        can(tool, Ability.REOPEN)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.RESOLVE)
        assert (await confirmed_by(tool.connector, StepKind.REOPEN, to_reopen(item))).state is ToolState.OPEN
        assert (await only_record(tool, item)).state is ToolState.OPEN

    async def test_a_second_reopening_writes_nothing_twice(self, tool: Tool) -> None:
        """A reopening that is taken again finds the record open and its notes there."""
        can(tool, Ability.REOPEN)
        item = to_reopen(await resolved(tool, work_item()))
        for _ in range(2):
            assert (await confirmed_by(tool.connector, StepKind.REOPEN, item)).state is ToolState.OPEN
        assert (await only_record(tool, item)).notes == ("Fired again: disk",)

    async def test_a_reopening_leaves_an_open_record_as_people_have_it(self, tool: Tool) -> None:
        """A record that is open already keeps its state, on hold for one."""
        can(tool, Ability.HOLD)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.HOLD)
        assert (await confirmed_by(tool.connector, StepKind.REOPEN, to_reopen(item))).state is ToolState.OPEN
        record = await only_record(tool, item)
        assert (record.on_hold, record.notes) == (True, ("Fired again: disk",))

    async def test_what_people_set_outlives_a_reopening(self, tool: Tool) -> None:
        """The assignee and the priority that a person set are there after it."""
        can(tool, Ability.REOPEN, Ability.ASSIGN, Ability.PRIORITY)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.ASSIGN)
        await tool.act(item.key, Act.LOWER_PRIORITY)
        item = to_resolve(item)
        await confirmed_by(tool.connector, StepKind.RESOLVE, item)
        before = await only_record(tool, item)
        confirmed = await confirmed_by(tool.connector, StepKind.REOPEN, to_reopen(item))
        record = await only_record(tool, item)
        assert (record.assignee, record.priority) == (PERSON, before.priority)
        assert (record.title, record.description, record.group) == (before.title, before.description, before.group)
        assert PERSON in confirmed.assignment

    async def test_a_reopening_that_the_tool_ignores_is_told_as_it_is(self, tool: Tool) -> None:
        """A record that reads back resolved after a reopening is confirmed as resolved, so that it stays owed."""
        can(tool, Ability.REOPEN)
        knows(tool, Fault.REOPEN_IGNORED)
        item = to_reopen(await resolved(tool, work_item()))
        with tool.failing(Fault.REOPEN_IGNORED):
            confirmed = await confirmed_by(tool.connector, StepKind.REOPEN, item)
        assert confirmed.state is ToolState.RESOLVED
        assert (await confirmed_by(tool.connector, StepKind.REOPEN, item)).state is ToolState.OPEN
