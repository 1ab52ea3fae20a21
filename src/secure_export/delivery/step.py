"""Takes one step in the tool: whatever the connector does, an outcome comes back in time."""

import asyncio

from secure_export.delivery.connection import Target
from secure_export.itsm.contract import Connector
from secure_export.telemetry.complaints import Complaints
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.work_item import StepKind, WorkItem

_FAILED = "connector failed"


async def perform(target: Target, step: StepKind, item: WorkItem, complaints: Complaints) -> Outcome:
    """Have the connector take a step.

    A connector that raises, hangs or gives no outcome must not lose the lane: what it did is unknown, so the outcome
    is unclear and a look comes next.

    Args:
        target: The connection.
        step: What to do.
        item: The work item.
        complaints: Told of faults.
    """
    try:
        async with asyncio.timeout(target.step_timeout_seconds):
            with target.share.calls_for(target.step_timeout_seconds):
                outcome: object = await _call(target.connector, step, item)
    except TimeoutError:
        return Unclear(f"no answer from the tool within {target.step_timeout_seconds:g} s")
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return _failed(complaints, error, step, item)  # something within the connector was cancelled, not we
    except Exception as error:  # noqa: BLE001 - connectors are plug-ins: anything may come out of them
        return _failed(complaints, error, step, item)
    if isinstance(outcome, Done | TryLater | Refused | Unclear):
        return outcome
    return _failed(complaints, TypeError(f"{type(outcome).__name__} is no outcome"), step, item)


async def _call(connector: Connector, step: StepKind, item: WorkItem) -> Outcome:
    match step:
        case StepKind.LOOK:
            return await connector.look(item)
        case StepKind.CREATE:
            return await connector.create(item)
        case StepKind.UPDATE:
            return await connector.update(item)
        case StepKind.RESOLVE:
            return await connector.resolve(item)
        case StepKind.REOPEN:
            return await connector.reopen(item)


def _failed(complaints: Complaints, error: BaseException, step: StepKind, item: WorkItem) -> Unclear:
    complaints.failed(_FAILED, error, step=step.value, work_item=item.id)
    return Unclear(f"the connector failed unexpectedly ({type(error).__name__}); the log of this time tells how")
