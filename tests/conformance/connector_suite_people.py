"""What people do with a record stays as they did it: rules of every connector."""

import pytest
from tests.conformance.connector_suite_steps import (
    ON_WHAT_IS_THERE,
    OVER,
    can,
    confirmed_by,
    created,
    noted,
    only_record,
    take,
    to_reopen,
    to_resolve,
    work_item,
)
from tests.conformance.connector_suite_tool import PERSON, PERSONS_RESOLUTION, Ability, Act, Tool

from secure_export.workitems.outcome import Done, Unclear
from secure_export.workitems.work_item import (
    StepKind,
    ToolState,
)


class PeopleRules:
    """What people do with a record stays as they did it."""

    @pytest.mark.parametrize("step", [StepKind.UPDATE, StepKind.RESOLVE])
    async def test_what_people_set_stays(self, tool: Tool, step: StepKind) -> None:
        """The assignee and the priority that a person set outlive updates and resolves of ours."""
        can(tool, Ability.ASSIGN, Ability.PRIORITY)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.ASSIGN)
        await tool.act(item.key, Act.LOWER_PRIORITY)
        lowered = (await only_record(tool, item)).priority
        assert lowered > item.desired.content.priority
        confirmed = await confirmed_by(tool.connector, step, to_resolve(noted(item, "Resolved: disk")))
        record = await only_record(tool, item)
        assert (record.assignee, record.priority) == (PERSON, lowered)
        assert PERSON in confirmed.assignment

    async def test_an_update_leaves_the_state_that_people_set(self, tool: Tool) -> None:
        """A record that a person put on hold is on hold after an update."""
        can(tool, Ability.HOLD)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.HOLD)
        await confirmed_by(tool.connector, StepKind.UPDATE, noted(item, "Fired: disk"))
        assert (await only_record(tool, item)).on_hold

    async def test_a_record_on_hold_can_be_resolved(self, tool: Tool) -> None:
        """On hold is open: the end of the problem resolves it."""
        can(tool, Ability.HOLD)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.HOLD)
        assert (await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))).state in OVER

    async def test_an_update_does_not_reopen_what_people_resolved(self, tool: Tool) -> None:
        """A record that a person resolved while its alert fires stays resolved, and that is told."""
        item = await created(tool, work_item())
        await tool.act(item.key, Act.RESOLVE)
        confirmed = await confirmed_by(tool.connector, StepKind.UPDATE, noted(item, "Fired: disk"))
        assert confirmed.state in OVER
        assert confirmed.ended_at is not None
        assert (await only_record(tool, item)).state in OVER

    async def test_a_resolve_keeps_peoples_own_resolution(self, tool: Tool) -> None:
        """A record that a person resolved is not resolved again over their words."""
        can(tool, Ability.RESOLUTION)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.RESOLVE)
        assert (await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))).state in OVER
        assert PERSONS_RESOLUTION in (await only_record(tool, item)).resolution

    @pytest.mark.parametrize("step", ON_WHAT_IS_THERE)
    async def test_a_closed_record_is_left_alone(self, tool: Tool, step: StepKind) -> None:
        """Closed is final: it is confirmed as closed, and stays exactly as it is."""
        can(tool, Ability.CLOSE)
        item = await created(tool, work_item())
        await tool.act(item.key, Act.CLOSE)
        before = await only_record(tool, item)
        item = to_resolve(noted(item, "Resolved: disk"))
        confirmed = await confirmed_by(tool.connector, step, to_reopen(item) if step is StepKind.REOPEN else item)
        assert confirmed.state is ToolState.CLOSED
        assert (await only_record(tool, item)) == before

    @pytest.mark.parametrize("step", ON_WHAT_IS_THERE)
    async def test_a_deleted_record_is_not_made_again(self, tool: Tool, step: StepKind) -> None:
        """A step on a record that is gone leads to a look, which says surely that there is none."""
        can(tool, Ability.DELETE)
        item = await created(tool, work_item())
        await tool.delete(item.key)
        outcome = await take(tool.connector, step, to_resolve(item))
        assert isinstance(outcome, Unclear) or outcome == Done(None)
        assert await tool.connector.look(item) == Done(None)
        assert list(await tool.records(item.key)) == []

    async def test_a_record_that_people_reopened_is_told_as_open(self, tool: Tool) -> None:
        """After a person's reopening a look says open, and when it ended is no longer told."""
        can(tool, Ability.REOPEN)
        item = await created(tool, work_item())
        await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))
        await tool.act(item.key, Act.REOPEN)
        seen = await confirmed_by(tool.connector, StepKind.LOOK, item)
        assert (seen.state, seen.ended_at) == (ToolState.OPEN, None)
