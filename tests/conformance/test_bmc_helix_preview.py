"""The dry run of a BMC Helix connection shows the very incident that would be made, and makes none."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.conformance.bmc_helix_tool import BASE, GROUP, KEY_FIELD, BmcHelixTool, running
from tests.conformance.connector_suite_steps import noted, work_item
from tests.conformance.connector_suite_tool import CONNECTION

from secure_export.itsm.bmc_helix import connector
from secure_export.itsm.contract import Preview, ShowsRecords
from secure_export.itsm.resources import Resources
from secure_export.sandbox.bmc_helix.faults import Fault, FaultKind, Shape
from secure_export.sandbox.bmc_helix.forms.incident import STAGING
from secure_export.workitems.outcome import Done, Refused
from secure_export.workitems.work_item import Binding, WorkItem

SETTINGS: Mapping[str, Any] = {"operational_categories": ["Failure"], "support_group": {"group": GROUP}}


def item_of(work_item_kind: str, *cis: str, **fields: str) -> WorkItem:
    item = work_item(bindings=tuple(Binding(ci, "vm", "resource-id", "it has the id") for ci in cis))
    content = replace(item.desired.content, work_item=work_item_kind, fields=fields)
    return replace(item, desired=replace(item.desired, content=content))


def entries(tool: BmcHelixTool, form: str) -> list[dict[str, str]]:
    """What a form has, selections by their labels."""
    known = tool.server.forms[form].by_name
    rows = tool.server.entries.rows(form)
    return [{name: str(known[name].label(text)) for name, text in row.items() if name in known} for row in rows]


async def shown_by(tool: BmcHelixTool, item: WorkItem) -> Preview:
    """Ask a connector of its own, as the dry run is a process of its own."""
    resources = Resources(desk=None, clock=lambda: datetime.now(UTC))  # type: ignore[arg-type] # no desk here
    made = connector.make(CONNECTION, tool.settings, resources)
    assert isinstance(made, ShowsRecords)
    try:
        return await made.preview(item)
    finally:
        await made.close()


async def test_what_is_shown_is_what_is_written(tmp_path: Path) -> None:
    """Every field that the dry run shows is in the entry afterwards, and what was left out is told by both."""
    async with running(tmp_path, **SETTINGS) as tool:
        first, second = [await tool.add_ci(name, f"/subscriptions/{name}") for name in ("vm-1", "vm-2")]
        item = item_of("incident", first, second, Nothing_Has_This="x", TemplateID="No such template")
        shown = await shown_by(tool, item)
        assert (await tool.count(), entries(tool, STAGING)) == (0, [])
        made = await tool.connector.create(item)
        assert isinstance(made, Done)
        assert made.confirmed is not None
        (staged,), (incident,) = entries(tool, STAGING), entries(tool, BASE)
        moved_on = {"Status"}  # BMC's own routing assigns the new incident at once
        assert shown.fields["Status"] == "New"
        kept = {n: text for n, text in shown.fields.items() if not n.startswith("z1D") and n not in moved_on}
        assert kept == {name: staged[name] for name in kept}
        both = kept.keys() & incident.keys()
        assert {name: incident[name] for name in both} == {name: kept[name] for name in both}
        assert {KEY_FIELD, "Assigned Group", "HPD_CI_ReconID", "Categorization Tier 1", "Description"} <= both
        assert shown.table == STAGING
        assert set(made.confirmed.remarks) <= set(shown.remarks)
        for told in ("Nothing_Has_This", "No such template", "1 further configuration item"):
            assert any(told in remark for remark in shown.remarks), told


async def test_the_whole_call_is_shown(tmp_path: Path) -> None:
    """Also what BMC acts on and does not keep: the call that makes the incident has nothing else in it."""
    async with running(tmp_path, **SETTINGS) as tool:
        item = noted(item_of("incident", await tool.add_ci("vm-1", "/subscriptions/vm-1")), "Fired again")
        shown = await shown_by(tool, item)
        sent: list[Mapping[str, Any]] = []
        api = tool.connector._tools.api  # type: ignore[attr-defined] # what goes through it is compared
        create = api.create

        async def create_and_keep(form: str, values: Mapping[str, Any], fields: Sequence[str]) -> Any:
            sent.append(values)
            return await create(form, values, fields)

        api.create = create_and_keep
        assert isinstance(await tool.connector.create(item), Done)
        assert sent[0] == dict(shown.fields)
        assert shown.fields["z1D_Details"] == "Fired again"


async def test_a_required_field_of_the_site_is_told_before_an_alert_meets_it(tmp_path: Path) -> None:
    """The dry run names what the incident would be refused for."""
    async with running(tmp_path, **SETTINGS) as tool:
        item = item_of("incident", Service_Type="Nonsense")
        shown = await shown_by(tool, item)
        assert any("Service_Type was left out" in remark for remark in shown.remarks)
        assert any("not given: Service_Type" in remark for remark in shown.remarks)
        assert isinstance(await tool.connector.create(item), Refused)


async def test_what_is_no_incident_is_told(tmp_path: Path) -> None:
    """The dry run finds a wrong ``work_item`` before an alert does."""
    async with running(tmp_path) as tool:
        item = item_of("event")
        shown = await shown_by(tool, item)
        assert not shown.fields
        assert "refused" in shown.remarks[0]
        assert isinstance(await tool.connector.create(item), Refused)


async def test_without_an_answer_what_is_known_is_shown(tmp_path: Path) -> None:
    """While the server is down the rest of the incident is shown, with a remark that says what is missing."""
    async with running(tmp_path, **SETTINGS) as tool:
        fault = Fault(FaultKind.ERROR_BEFORE, status=503, shape=Shape.HTML, times=None)
        tool.app.faults.set(fault)
        shown = await shown_by(tool, item_of("incident"))
        assert shown.fields["Description"]
        assert shown.fields[KEY_FIELD].startswith("azmon1:")
        assert "Assigned Group" not in shown.fields
        assert any("could not be looked up" in remark for remark in shown.remarks)
