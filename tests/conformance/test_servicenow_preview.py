"""The dry run of a ServiceNow connection shows the very record that would be made, and makes none."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.conformance.connector_suite_steps import work_item
from tests.conformance.connector_suite_tool import CONNECTION
from tests.conformance.servicenow_events_tool import ServiceNowEventsTool
from tests.conformance.servicenow_tool import ServiceNowTool, running

from secure_export.itsm.contract import Preview, ShowsRecords
from secure_export.itsm.resources import Resources
from secure_export.itsm.servicenow import connector
from secure_export.sandbox.servicenow.faults import Fault, FaultKind
from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import Binding, WorkItem

SETTINGS: Mapping[str, Any] = {"caller": "caller.one", "category": "Nonsense", "contact_type": "Monitoring"}


def item_of(work_item_kind: str, *cis: str, **fields: str) -> WorkItem:
    item = work_item(bindings=tuple(Binding(ci, "vm", "resource-id", "it has the id") for ci in cis))
    content = replace(item.desired.content, work_item=work_item_kind, fields=fields)
    return replace(item, desired=replace(item.desired, content=content))


async def shown_by(tool: ServiceNowTool, item: WorkItem) -> Preview:
    """Ask a connector of its own, as the dry run is a process of its own."""
    resources = Resources(desk=None, clock=lambda: datetime.now(UTC))  # type: ignore[arg-type] # no desk here
    made = connector.make(CONNECTION, tool.settings, resources)
    assert isinstance(made, ShowsRecords)
    try:
        return await made.preview(item)
    finally:
        await made.close()


async def test_what_is_shown_is_what_is_written(tmp_path: Path) -> None:
    """Every field that the dry run shows is in the record afterwards, and what was left out is told by both."""
    async with running(tmp_path, **SETTINGS) as tool:
        first, second = [await tool.add_ci(name, f"/subscriptions/{name}") for name in ("vm-1", "vm-2")]
        item = item_of("incident", first, second, subcategory="CPU", nothing_has_this="x")
        before = await tool.count()
        shown = await shown_by(tool, item)
        assert (await tool.count(), shown.table) == (before, "incident")
        made = await tool.connector.create(item)
        assert isinstance(made, Done)
        assert made.confirmed is not None
        row = tool.row(item.key)
        late = {"correlation_display"}  # the revision in it is raised once the second CI is in
        assert {name: row[name] for name in shown.fields if name not in late} == {
            name: text for name, text in shown.fields.items() if name not in late
        }
        assert {"caller_id", "assignment_group", "cmdb_ci", "contact_type"} <= shown.fields.keys()
        assert set(made.confirmed.remarks) <= set(shown.remarks)
        for told in ("nothing_has_this", "category", "task_ci"):
            assert any(told in remark for remark in shown.remarks), told


async def test_an_event_is_shown_as_it_is_sent(tmp_path: Path) -> None:
    """Events have fields of their own."""
    async with running(tmp_path, ServiceNowEventsTool) as tool:
        item = item_of("event", await tool.add_ci("vm-1", "/subscriptions/vm-1"))
        shown = await shown_by(tool, item)
        assert shown.table == "em_event"
        assert isinstance(tool, ServiceNowEventsTool)
        assert tool.events(item.key) == []
        assert isinstance(await tool.connector.create(item), Done)
        (event,) = tool.events(item.key)
        assert {name: event[name] for name in shown.fields} == dict(shown.fields)


async def test_a_table_that_is_none_is_told(tmp_path: Path) -> None:
    """The dry run finds a wrong ``work_item`` before an alert does."""
    async with running(tmp_path) as tool:
        shown = await shown_by(tool, item_of("No Table"))
        assert not shown.fields
        assert "refused" in shown.remarks[0]


async def test_without_an_answer_what_is_known_is_shown(tmp_path: Path) -> None:
    """While the instance is down the rest of the record is shown, with a remark that says what is missing."""
    async with running(tmp_path, **SETTINGS) as tool:
        tool.app.faults.set(Fault(FaultKind.ERROR_BEFORE, status=503, html=True, times=None))
        shown = await shown_by(tool, item_of("incident"))
        assert shown.fields["short_description"]
        assert "caller_id" not in shown.fields
        assert "could not be looked up" in shown.remarks[0]
