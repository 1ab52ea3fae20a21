"""Events of Event Management keep every rule of connectors that alerts have the means for."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.conformance.connector_suite import ConnectorSuite
from tests.conformance.connector_suite_steps import (
    OVER,
    bound,
    confirmed_by,
    created,
    noted,
    only_record,
    resolved,
    take,
    to_reopen,
    to_resolve,
    work_item,
)
from tests.conformance.connector_suite_tool import CONNECTION, Act
from tests.conformance.servicenow_events_tool import ServiceNowEventsTool
from tests.conformance.servicenow_tool import INTEGRATION_USER, AsTable, running

from secure_export.itsm.contract import Connector
from secure_export.itsm.servicenow.events.event import ALERT_FIELDS
from secure_export.itsm.servicenow.servicenow_connector import ServiceNowConnector
from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.acl import Access, AccessRule
from secure_export.sandbox.servicenow.event_processing import JOB, PROCESSING
from secure_export.sandbox.servicenow.faults import Fault as SandboxFault
from secure_export.sandbox.servicenow.faults import FaultKind
from secure_export.workitems.outcome import Done, Refused, TryLater, Unclear
from secure_export.workitems.work_item import Binding, StepKind, ToolState

LEAST = frozenset({"evt_mgmt_integration", "evt_mgmt_user", "personalize_choices", "cmdb_read"})
GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups/web"
VM = f"{GROUP}/providers/microsoft.compute/virtualmachines/vm-web-1"


@pytest.fixture
async def tool(tmp_path: Path) -> AsyncIterator[ServiceNowEventsTool]:
    """Serve an instance whose integration user may do no more than is needed."""
    async with running(tmp_path, ServiceNowEventsTool) as tool:
        assert isinstance(tool, ServiceNowEventsTool)
        set_account(tool.instance, Account(INTEGRATION_USER, None, LEAST))
        yield tool


class TestEvents(ConnectorSuite):
    """Every rule of connectors, for alerts that events open and close."""

    @pytest.fixture
    async def tool(self, tmp_path: Path) -> AsyncIterator[ServiceNowEventsTool]:
        """Serve an instance of its own for each test."""
        async with running(tmp_path, ServiceNowEventsTool) as tool:
            assert isinstance(tool, ServiceNowEventsTool)
            yield tool


@contextmanager
def meeting(tool: ServiceNowEventsTool, fault: SandboxFault) -> Iterator[None]:
    """Have requests meet a fault of the sandbox while the block lasts."""
    set_ = tool.app.faults.set(fault)
    try:
        yield
    finally:
        tool.app.faults.clear(set_.id)


def hurry(tool: ServiceNowEventsTool) -> None:
    """Let a step that waits for the instance's jobs not take the time for it."""
    assert isinstance(tool.connector, AsTable)
    connector = tool.connector._connector
    assert isinstance(connector, ServiceNowConnector)

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    connector._events._sleep = at_once


async def test_an_event_says_what_its_ci_is(tool: ServiceNowEventsTool) -> None:
    """A CI that we found is named by its own key, one that we did not by class and resource id; neither by a host."""
    ci = await tool.add_ci("vm-web-1", VM)
    ours = await created(tool, work_item("one", bindings=(bound(ci, "vm-web-1"),)))
    unbound = Binding(None, VM, "not-in-cmdb", "the CMDB has no CI of this resource id")
    theirs = await created(tool, work_item("two", bindings=(unbound,)))
    for item in (ours, theirs):
        (event,) = tool.events(item.key)
        assert tool.row(item.key)["cmdb_ci"] == ci, event["processing_notes"]
        assert (event["node"], event["event_class"]) == ("", "Secure Export: tool")
    (event,) = tool.events(theirs.key)
    assert (event["ci_type"], event["type"]) == ("cmdb_ci_vm_instance", "microsoft.compute/virtualmachines")
    assert json.loads(event["additional_info"])["object_id"] == VM


async def test_a_deaf_instance_is_not_called_done(tool: ServiceNowEventsTool) -> None:
    """Events are processed a little later: what cannot be seen yet is unclear, and a look waits for it, too."""
    tool.instance.properties.set(PROCESSING, "manual")
    hurry(tool)
    item = work_item()
    outcome = await tool.connector.create(item)
    assert isinstance(outcome, Unclear)
    assert "processing" in outcome.reason
    looked = await tool.connector.look(replace(item, doubt=True))
    assert isinstance(looked, TryLater)
    assert "waits there to be processed" in looked.reason
    tool.instance.run_jobs(JOB)
    assert (await confirmed_by(tool.connector, StepKind.LOOK, item)).state is ToolState.OPEN


@pytest.mark.parametrize("step", [StepKind.UPDATE, StepKind.RESOLVE, StepKind.REOPEN])
async def test_what_the_alert_does_not_show_is_not_called_done(tool: ServiceNowEventsTool, step: StepKind) -> None:
    """An event that waits to be processed has changed nothing yet, though there is an alert to look at."""
    item = await created(tool, work_item()) if step is not StepKind.REOPEN else await resolved(tool, work_item())
    tool.instance.properties.set(PROCESSING, "manual")
    hurry(tool)
    item = {StepKind.RESOLVE: to_resolve, StepKind.REOPEN: to_reopen}.get(step, noted)(noted(item, "Said: disk"))
    assert isinstance(await take(tool.connector, step, item), Unclear)
    tool.instance.run_jobs(JOB)
    seen = await confirmed_by(tool.connector, StepKind.LOOK, item)
    assert (seen.revision, seen.state in OVER) == (item.desired.revision, step is StepKind.RESOLVE)


async def test_an_alert_that_is_not_found_by_its_key_is_not_gone(tool: ServiceNowEventsTool) -> None:
    """An instance that finds nothing by a column that it does not know is asked for the alert by its id."""
    item = await created(tool, work_item())
    tool.instance.properties.set("glide.invalid_query.returns_no_rows", "true")
    tool.instance.remove_column("em_alert", "message_key")
    outcome = await tool.connector.look(item)
    assert isinstance(outcome, TryLater)
    assert "message_key" in outcome.reason


async def test_an_alert_that_comes_a_little_late_is_waited_for(tool: ServiceNowEventsTool) -> None:
    """A second is no reason for doubt: the step reads the alert again before it gives up."""
    tool.instance.properties.set(PROCESSING, "manual")
    creating = asyncio.create_task(tool.connector.create(work_item()))
    async with asyncio.timeout(5):
        while not tool.events(work_item().key):  # noqa: ASYNC110 - the sandbox tells nobody
            await asyncio.sleep(0.01)
    tool.instance.run_jobs(JOB)
    outcome = await creating
    assert isinstance(outcome, Done)


async def test_an_event_that_cannot_be_processed_is_refused(tool: ServiceNowEventsTool) -> None:
    """The event's own processing notes say why, and a look says that there surely is no alert."""
    hurry(tool)
    item = work_item()
    content = replace(item.desired.content, fields={"severity": "worst"})
    item = replace(item, desired=replace(item.desired, content=content))
    outcome = await tool.connector.create(item)
    assert isinstance(outcome, Refused)
    assert "severity" in outcome.reason
    assert await tool.connector.look(item) == Done(None)


async def test_many_notes_come_in_several_events(tool: ServiceNowEventsTool) -> None:
    """Every note is in an event; the alert has the latest, and its information is never cut into what is no JSON."""
    texts = [f"Fired: disk {number} of the machine {'x' * 90}" for number in range(45)]
    item = noted(await created(tool, work_item()), *texts)
    confirmed = await confirmed_by(tool.connector, StepKind.UPDATE, item)
    assert confirmed.revision == item.desired.revision
    told = "".join(event["additional_info"] for event in tool.events(item.key))
    assert all(text in told for text in texts)
    kept = (await only_record(tool, item)).notes
    assert kept[-1] == texts[-1]
    assert len(kept) == 20


async def test_hundreds_of_updates_leave_what_we_go_by(tool: ServiceNowEventsTool) -> None:
    """However long a problem lasts, the alert's information stays within its field."""
    item = await created(tool, work_item())
    for number in range(60):
        item = noted(replace(item, desired=replace(item.desired, notes=())), f"Fired: {number} {'ü' * 200}")
        confirmed = await confirmed_by(tool.connector, StepKind.UPDATE, item)
        assert confirmed.revision == item.desired.revision
    assert (await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))).state in OVER


async def test_a_new_event_after_the_active_interval_makes_a_new_alert(tool: ServiceNowEventsTool) -> None:
    """Where the interval can be read, an alert beyond it is closed for good; the open one of a key's alerts counts."""
    roles = LEAST | {"admin"}
    set_account(tool.instance, Account(INTEGRATION_USER, None, roles))
    tool.instance.properties.set("evt_mgmt.active_interval", "600")
    item = await resolved(tool, work_item())
    assert item.confirmed is not None
    assert item.confirmed.state is ToolState.RESOLVED
    row = tool.row(item.key)
    old = (datetime.now(UTC) - timedelta(seconds=700)).strftime("%Y-%m-%d %H:%M:%S")
    tool.instance.tables.put("em_alert", {**row, "sys_updated_on": old})
    fresh = tool.made(CONNECTION)
    assert (await confirmed_by(fresh, StepKind.LOOK, item)).state is ToolState.CLOSED
    assert (await confirmed_by(fresh, StepKind.REOPEN, to_reopen(item))).state is ToolState.CLOSED
    await fresh.close()
    tool.instance.insert("em_alert", {**_copied(row), "state": "Open", "number": ""})
    assert (await confirmed_by(tool.connector, StepKind.LOOK, item)).state is ToolState.OPEN


async def test_what_people_do_with_the_alert_is_told(tool: ServiceNowEventsTool) -> None:
    """Acknowledged, assigned, and which incident was made of it."""
    item = await created(tool, work_item())
    incident = tool.instance.insert("incident", {"short_description": "CPU"})
    done = {"acknowledged": "true", "assigned_to": tool.person.sys_id, "incident": incident["sys_id"]}
    tool.instance.update("em_alert", tool.row(item.key)["sys_id"], done, tool.person)
    seen = await confirmed_by(tool.connector, StepKind.LOOK, item)
    assert seen.assignment == tool.person.name
    assert seen.tool_state == f"Open, Acknowledged, {incident['number']}"


async def test_our_resolution_is_with_the_alert(tool: ServiceNowEventsTool) -> None:
    """An alert has no field for it: it stands in the additional information, and is gone after a reopening."""
    item = await resolved(tool, work_item())
    assert item.confirmed is not None
    assert item.confirmed.resolution == item.desired.resolution
    assert (await only_record(tool, item)).resolution == item.desired.resolution
    await confirmed_by(tool.connector, StepKind.REOPEN, to_reopen(item))
    assert (await only_record(tool, item)).resolution == ""


async def test_hidden_alerts_are_not_missing_ones(tool: ServiceNowEventsTool) -> None:
    """Alerts that are counted and not shown: nothing is said to be gone, and no event is sent."""
    item = await created(tool, work_item())
    with meeting(tool, SandboxFault(FaultKind.HIDDEN, table="em_alert", times=None)):
        for step in StepKind:
            outcome = await take(tool.connector, step, to_resolve(item))
            assert isinstance(outcome, TryLater), step
            assert "ACL" in outcome.reason
    assert len(tool.events(item.key)) == 1


async def test_one_hidden_alert_does_not_hold_up_the_others(tool: ServiceNowEventsTool) -> None:
    """Look-ups are made together; where rows are missing, each is asked for by itself."""
    items = [await created(tool, work_item(f"alert-{number}")) for number in range(5)]
    hidden = tool.row(items[2].key)["sys_id"]
    _hide(tool, hidden)
    outcomes = await asyncio.gather(*(tool.connector.look(item) for item in items))
    assert [type(outcome) for outcome in outcomes] == [Done, Done, TryLater, Done, Done]


async def test_rows_of_another_key_are_not_ours(tool: ServiceNowEventsTool) -> None:
    """An instance that passes over message_key gives strangers' alerts: nothing is sent."""
    await created(tool, work_item("stranger"))
    tool.instance.remove_column("em_alert", "message_key")
    outcome = await tool.connector.create(work_item())
    assert isinstance(outcome, TryLater)
    assert "message_key" in outcome.reason
    assert tool.events(work_item().key) == []


async def test_a_user_without_the_role_is_told_which(tool: ServiceNowEventsTool) -> None:
    """The refusal names the role that an administrator has to give."""
    set_account(tool.instance, Account(INTEGRATION_USER, None, LEAST - {"evt_mgmt_integration"}))
    outcome = await tool.connector.create(work_item())
    assert isinstance(outcome, Refused)
    assert "evt_mgmt_integration" in outcome.reason


async def test_an_update_leaves_an_alert_that_a_person_closed(tool: ServiceNowEventsTool) -> None:
    """An event would open it again: none is sent."""
    item = await created(tool, work_item())
    await tool.act(item.key, Act.RESOLVE)
    for step in (StepKind.UPDATE, StepKind.RESOLVE, StepKind.CREATE):
        assert (await confirmed_by(tool.connector, step, to_resolve(noted(item, "Fired: disk")))).state in OVER
    assert len(tool.events(item.key)) == 1


async def test_changes_of_tasks_and_alerts_come_together(tmp_path: Path) -> None:
    """A connection may keep incidents and events: one cursor tells of both, and another process goes on with it."""
    async with running(tmp_path, ServiceNowEventsTool) as tool:
        assert isinstance(tool, ServiceNowEventsTool)
        alert = await created(tool, work_item("alert"))
        incidents = _incidents(tool)
        incident = work_item("incident")
        await confirmed_by(incidents, StepKind.CREATE, incident)
        cursor = (await incidents.changes("")).cursor
        await tool.act(alert.key, Act.ASSIGN)
        (row,) = (row for row in tool.instance.tables.rows("incident") if row["correlation_id"].endswith(incident.key))
        tool.instance.update("incident", row["sys_id"], {"state": "2"}, tool.person)
        other = tool.made(CONNECTION)
        told = await other.changes(cursor)
        assert set(told.keys) == {alert.key, incident.key}
        assert (await other.changes(told.cursor)).keys == ()
        await other.close()


async def test_changes_of_tasks_are_told_when_those_of_alerts_are_not(tmp_path: Path) -> None:
    """An instance that refuses range queries on em_alert keeps nobody from hearing of incidents."""
    async with running(tmp_path, ServiceNowEventsTool) as tool:
        assert isinstance(tool, ServiceNowEventsTool)
        alert = await created(tool, work_item("alert"))
        incidents, incident = _incidents(tool), work_item("incident")
        await confirmed_by(incidents, StepKind.CREATE, incident)
        cursor = (await incidents.changes("")).cursor
        await tool.act(alert.key, Act.ASSIGN)
        (row,) = (row for row in tool.instance.tables.rows("incident") if row["correlation_id"].endswith(incident.key))
        tool.instance.update("incident", row["sys_id"], {"state": "2"}, tool.person)
        with meeting(tool, SandboxFault(FaultKind.ERROR_BEFORE, table="em_alert", status=403, times=None)):
            told = await incidents.changes(cursor)
        assert told.keys == (incident.key,)
        assert (await incidents.changes(told.cursor)).keys == (alert.key,)


async def test_a_resolve_takes_two_calls_or_three(tool: ServiceNowEventsTool) -> None:
    """A look, the event, and reading it back; looks of many lanes are one call."""
    items = [await created(tool, work_item(f"alert-{number}")) for number in range(20)]
    before = tool.app.counters.total
    await asyncio.gather(*(confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item)) for item in items))
    assert tool.app.counters.total - before <= 2 * len(items)


def _incidents(tool: ServiceNowEventsTool) -> Connector:
    """Give the same connector without the stand-in that makes every work item an event."""
    assert isinstance(tool.connector, AsTable)
    return tool.connector._connector


def _copied(row: dict[str, str]) -> dict[str, str]:
    return {name: row.get(name, "") for name in ALERT_FIELDS if not name.startswith("sys_")}


def _hide(tool: ServiceNowEventsTool, sys_id: str) -> None:
    acl = tool.instance.acl
    acl.remove("em_alert", Access.READ)
    acl.add(AccessRule("em_alert", Access.READ, condition=f"sys_id!={sys_id}"))
