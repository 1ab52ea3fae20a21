"""One step: whatever a connector does, an outcome comes back."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs
from tests.unit.delivery.scene import START, ManualClock, until
from tests.unit.delivery.tool import Act, Tool, hangs, raises

from secure_export.delivery.connection import Target
from secure_export.delivery.step import perform
from secure_export.policy.decide import Policy
from secure_export.policy.settings import RouteSettings
from secure_export.telemetry.complaints import Complaints
from secure_export.workitems.outcome import Done, Outcome, Unclear
from secure_export.workitems.work_item import Content, Desired, State, StepKind, WorkItem

ITEM = WorkItem(
    id="0" * 32,
    connection="desk",
    correlation_key="alert:a",
    generation=1,
    desired=Desired(State.OPEN, Content("CPU is high", "It is", 2, 2, 3)),
    confirmed=None,
    created_at=START,
)


def target(tool: Tool, *, seconds: float = 5.0) -> Target:
    return Target("desk", Policy(RouteSettings()), tool, step_timeout_seconds=seconds)


@pytest.mark.parametrize("step", StepKind)
async def test_each_step_is_the_connectors_own(step: StepKind) -> None:
    """What is asked for is done, and its outcome comes back as it is."""
    tool = Tool(ManualClock())
    await perform(target(tool), StepKind.CREATE, ITEM, Complaints())
    outcome = await perform(target(tool), step, ITEM, Complaints())
    assert tool.steps == [StepKind.CREATE, step]
    assert isinstance(outcome, Done)


async def cancels_itself(act: Act) -> Outcome:
    """Something within the connector is cancelled, as a broken library may do it."""
    raise asyncio.CancelledError


async def says_nothing(act: Act) -> Outcome:
    """The connector forgets to answer."""
    return None  # type: ignore[return-value] # that is the fault


async def times_out(act: Act) -> Outcome:
    """A library's own time-out."""
    raise TimeoutError


@pytest.mark.parametrize("fault", [raises, cancels_itself, says_nothing, times_out])
async def test_a_connector_with_a_fault_leaves_doubt(fault: Callable[[Act], Awaitable[Outcome]]) -> None:
    """What it did is unknown, so the outcome is unclear, with a reason that shows nothing of the error's text."""
    tool = Tool(ManualClock())
    tool.script(StepKind.CREATE, fault)
    outcome = await perform(target(tool), StepKind.CREATE, ITEM, Complaints())
    assert isinstance(outcome, Unclear)
    assert outcome.reason
    assert "a fault of the connector" not in outcome.reason


async def test_a_connector_that_hangs_is_given_up() -> None:
    """After the step's time the outcome is unclear."""
    tool = Tool(ManualClock())
    tool.script(StepKind.CREATE, hangs)
    outcome = await perform(target(tool, seconds=0.01), StepKind.CREATE, ITEM, Complaints())
    assert outcome == Unclear("no answer from the tool within 0.01 s")


async def test_whoever_takes_a_step_can_be_cancelled() -> None:
    """A service that stops is not held up by the rule for connectors that cancel themselves."""
    tool = Tool(ManualClock())
    tool.script(StepKind.CREATE, hangs)
    task = asyncio.create_task(perform(target(tool), StepKind.CREATE, ITEM, Complaints()))
    await until(lambda: bool(tool.at_work))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_fault_is_in_the_log_once_a_minute() -> None:
    """With its traceback, and with how many more there were; not once for each of ten thousand lanes."""
    now = 100.0
    tool = Tool(ManualClock())
    tool.always(raises)
    complaints = Complaints(seconds=lambda: now, connection="desk")
    with capture_logs() as logs:
        for _ in range(1000):
            await perform(target(tool), StepKind.CREATE, ITEM, complaints)
        now += 61
        await perform(target(tool), StepKind.CREATE, ITEM, complaints)
    first, second = logs
    assert (first["event"], first["connection"], first["step"]) == ("connector failed", "desk", "create")
    assert isinstance(first["exc_info"], RuntimeError)
    assert second["further_since_last"] == 999


def test_one_kind_of_trouble_does_not_hide_another() -> None:
    """Each event and each kind of error has a minute of its own."""
    complaints = Complaints(seconds=lambda: 0.0)
    with capture_logs() as logs:
        for _ in range(3):
            complaints.waits("lane left", OSError("one"))
            complaints.waits("lane left", ValueError("two"))
            complaints.failed("lane failed", ValueError("three"))
    assert len(logs) == 3
