"""What is said when the tool, or the way to it, fails: rules of every connector."""

from dataclasses import replace

import pytest
from tests.conformance.connector_suite_steps import (
    OVER,
    WRITES,
    about_to,
    confirmed_by,
    knows,
    only_record,
    take,
    work_item,
)
from tests.conformance.connector_suite_tool import IN_DOUBT, NOTHING_CHANGED, Fault, Tool

from secure_export.workitems.outcome import Outcome, Refused, TryLater, Unclear
from secure_export.workitems.work_item import (
    StepKind,
)


class FailingRules:
    """What is said when the tool, or the way to it, fails."""

    @pytest.mark.parametrize("fault", NOTHING_CHANGED)
    @pytest.mark.parametrize("step", list(StepKind))
    async def test_what_was_not_done_is_not_claimed(self, tool: Tool, step: StepKind, fault: Fault) -> None:
        """When the tool changed nothing, the answer is to try later, refused, or unclear; the record is as before."""
        knows(tool, fault)
        item = await about_to(tool, step, "Said: disk")
        before = list(await tool.records(item.key))
        with tool.failing(fault):
            outcome = await take(tool.connector, step, item)
        self._is_no_success(tool, outcome)
        if fault is Fault.BUSY:
            assert isinstance(outcome, TryLater)
        if fault is Fault.REFUSES and step in WRITES:
            assert isinstance(outcome, Refused)
        assert list(await tool.records(item.key)) == before

    @pytest.mark.parametrize("fault", IN_DOUBT)
    @pytest.mark.parametrize("step", WRITES)
    async def test_what_may_have_been_done_is_unclear(self, tool: Tool, step: StepKind, fault: Fault) -> None:
        """A write whose answer is lost or not understood is unclear; look and retry leave one record and one note."""
        knows(tool, fault)
        wanted = await about_to(tool, step, "Fired: disk")
        with tool.failing(fault):
            outcome = await take(tool.connector, step, wanted)
        assert isinstance(outcome, Unclear)
        self._is_no_success(tool, outcome)
        seen = await confirmed_by(tool.connector, StepKind.LOOK, wanted)
        assert seen.number
        again = await confirmed_by(tool.connector, step, wanted)
        if again.revision < wanted.desired.revision:
            again = await confirmed_by(tool.connector, StepKind.UPDATE, replace(wanted, confirmed=again))
        record = await only_record(tool, wanted)
        assert record.notes == ("Fired: disk",)
        assert (record.state in OVER) is (step is StepKind.RESOLVE)

    async def test_a_look_that_fails_is_no_answer(self, tool: Tool) -> None:
        """An unreachable tool is never taken for one that has no such record."""
        knows(tool, Fault.UNREACHABLE)
        with tool.failing(Fault.UNREACHABLE):
            outcome = await tool.connector.look(work_item())
        assert isinstance(outcome, TryLater | Unclear)

    def _is_no_success(self, tool: Tool, outcome: Outcome) -> None:
        assert isinstance(outcome, TryLater | Refused | Unclear)
        assert outcome.reason.strip()
        assert not any(secret in outcome.reason for secret in tool.secrets)
