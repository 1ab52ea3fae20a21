"""Work items and steps for the rules of connectors."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.conformance.connector_suite_tool import CONNECTION, Ability, Fault, Record, Tool

from secure_export.itsm.contract import Connector
from secure_export.workitems.outcome import Done, Outcome
from secure_export.workitems.work_item import (
    Binding,
    Confirmed,
    Content,
    Desired,
    Note,
    State,
    StepKind,
    ToolState,
    WorkItem,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


OVER = (ToolState.RESOLVED, ToolState.CLOSED)


WRITES = (StepKind.CREATE, StepKind.UPDATE, StepKind.RESOLVE, StepKind.REOPEN)


ON_WHAT_IS_THERE = (StepKind.UPDATE, StepKind.RESOLVE, StepKind.REOPEN)


def work_item(
    correlation_key: str = "alert-1",
    *,
    connection: str = CONNECTION,
    state: State = State.OPEN,
    revision: int = 1,
    notes: tuple[Note, ...] = (),
    bindings: tuple[Binding, ...] = (),
    confirmed: Confirmed | None = None,
    title: str = "CPU of vm-web-1 is high",
    description: str = "Percentage CPU is 93.\nThe threshold is 80.",
) -> WorkItem:
    """Make a work item: what matters to a test, and defaults for the rest."""
    content = Content(
        title=title,
        description=description,
        impact=2,
        urgency=1,
        priority=2,
        severity="Sev1",
        assignment_group="Linux",
        bindings=bindings,
    )
    resolution = "Azure Monitor says it is over" if state is State.RESOLVED else ""
    desired = Desired(state=state, content=content, revision=revision, notes=notes, resolution=resolution)
    return WorkItem(
        id=f"item of {correlation_key}",
        connection=connection,
        correlation_key=correlation_key,
        generation=1,
        desired=desired,
        confirmed=confirmed,
        created_at=NOW,
    )


def bound(ci_id: str, name: str) -> Binding:
    """Make a binding that found its CI."""
    return Binding(ci_id, name, "resource-id", f"the CMDB has the resource id of {name}")


async def take(connector: Connector, step: StepKind, item: WorkItem) -> Outcome:
    """Take one step."""
    call = {
        StepKind.LOOK: connector.look,
        StepKind.CREATE: connector.create,
        StepKind.UPDATE: connector.update,
        StepKind.RESOLVE: connector.resolve,
        StepKind.REOPEN: connector.reopen,
    }[step]
    return await call(item)


async def confirmed_by(connector: Connector, step: StepKind, item: WorkItem) -> Confirmed:
    """Take one step, which must succeed, and give what the tool then says."""
    outcome = await take(connector, step, item)
    assert isinstance(outcome, Done), outcome
    assert outcome.confirmed is not None
    return outcome.confirmed


async def created(tool: Tool, item: WorkItem) -> WorkItem:
    """Create the record and give the work item as it is then."""
    return replace(item, confirmed=await confirmed_by(tool.connector, StepKind.CREATE, item))


async def only_record(tool: Tool, item: WorkItem) -> Record:
    """Give the one record that the work item must have."""
    records = await tool.records(item.key)
    assert len(records) == 1
    return records[0]


def noted(item: WorkItem, *texts: str) -> WorkItem:
    """The work item with further notes owed."""
    first = item.desired.revision + 1
    notes = tuple(Note(first + place, text) for place, text in enumerate(texts))
    desired = replace(item.desired, revision=item.desired.revision + len(texts), notes=(*item.desired.notes, *notes))
    return replace(item, desired=desired)


def to_resolve(item: WorkItem) -> WorkItem:
    """The work item as it is when its problem ended."""
    desired = replace(
        item.desired,
        state=State.RESOLVED,
        revision=item.desired.revision + 1,
        resolution="Azure Monitor says it is over",
    )
    return replace(item, desired=desired)


def to_reopen(item: WorkItem, *notes: str) -> WorkItem:
    """The work item as it is when its problem is there again after its resolve."""
    desired = replace(item.desired, state=State.OPEN, revision=item.desired.revision + 1, resolution="")
    return noted(replace(item, desired=desired, reopening=True), *(notes or ("Fired again: disk",)))


async def resolved(tool: Tool, item: WorkItem) -> WorkItem:
    """Create the record, resolve it, and give the work item as it is then."""
    item = to_resolve(await created(tool, item))
    return replace(item, confirmed=await confirmed_by(tool.connector, StepKind.RESOLVE, item))


async def about_to(tool: Tool, step: StepKind, note: str) -> WorkItem:
    """Bring the tool to where a step comes next, and give the work item that owes it and a note."""
    match step:
        case StepKind.CREATE:
            return noted(work_item(), note)
        case StepKind.REOPEN:
            can(tool, Ability.REOPEN)
            return to_reopen(await resolved(tool, work_item()), note)
        case StepKind.RESOLVE:
            return to_resolve(noted(await created(tool, work_item()), note))
        case _:
            return noted(await created(tool, work_item()), note)


def can(tool: Tool, *abilities: Ability) -> None:
    """Leave a test out, saying why, when the tool has no means for what it is about."""
    lacks: Mapping[Ability, str] = getattr(tool, "lacks", {})
    for ability in abilities:
        if ability in lacks:
            pytest.skip(f"LEFT OUT, this tool has no means for {ability.value}: {lacks[ability]}")


def knows(tool: Tool, fault: Fault) -> None:
    """Leave a test out when the tool cannot meet its fault."""
    if fault not in tool.faults:
        pytest.skip(f"this tool cannot meet the fault {fault.value}")


def vm(name: str) -> str:
    group = "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups/web"
    return f"{group}/providers/microsoft.compute/virtualmachines/{name}"
