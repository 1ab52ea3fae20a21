"""The embedded desk keeps every rule of connectors, and some of its own."""

from collections.abc import AsyncIterator
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.conformance.connector_suite import ConnectorSuite
from tests.conformance.connector_suite_steps import NOW, confirmed_by, only_record, work_item
from tests.conformance.connector_suite_tool import CONNECTION, Fault
from tests.conformance.desk_tool import DeskTool

from secure_export.alerts.references import References
from secure_export.cmdb.bind import bind
from secure_export.itsm.desk import connector
from secure_export.itsm.desk.settings import DeskSettings
from secure_export.itsm.resources import Resources
from secure_export.store.sqlite.database import Database
from secure_export.workitems.outcome import Done, TryLater
from secure_export.workitems.work_item import StepKind


@pytest.fixture
async def tool(tmp_path: Path) -> AsyncIterator[DeskTool]:
    """Open a desk on a file of its own."""
    database = await Database.open(tmp_path / "desk.db")
    yield DeskTool(database)
    await database.close()


class TestDeskConnector(ConnectorSuite):
    """Every rule of connectors, on a real SQLite file."""


async def test_nothing_written_is_to_be_tried_later(tool: DeskTool) -> None:
    """A store that kept nothing leaves no doubt: the same step is simply tried again."""
    with tool.failing(Fault.UNREACHABLE):
        assert isinstance(await tool.connector.create(work_item()), TryLater)


async def test_a_key_is_looked_for_within_its_connection(tool: DeskTool) -> None:
    """Two connections that were given the very same key do not see each other's incident."""
    item = work_item()
    await confirmed_by(tool.connector, StepKind.CREATE, item)
    assert await tool.other_connector.look(item) == Done(None)
    other = await confirmed_by(tool.other_connector, StepKind.CREATE, item)
    mine = await confirmed_by(tool.connector, StepKind.LOOK, item)
    assert other.number != mine.number
    assert len(await tool.records(item.key)) == 2


async def test_a_create_holds_the_revision_and_its_notes_at_once(tool: DeskTool) -> None:
    """The desk needs no update after a create: the incident has everything that was owed."""
    confirmed = await confirmed_by(tool.connector, StepKind.CREATE, work_item(revision=7))
    assert confirmed.revision == 7


async def test_the_url_leads_to_the_console(tool: DeskTool) -> None:
    """The link opens the incident's page in the console, whose address may end in a slash."""
    confirmed = await confirmed_by(tool.connector, StepKind.CREATE, work_item())
    assert confirmed.url == f"https://console.example/desk/incidents/{confirmed.number}"


async def test_without_a_console_there_is_no_url(tool: DeskTool) -> None:
    """A console whose address is not known gives no link, rather than a wrong one."""
    bare = connector.make(CONNECTION, DeskSettings(), Resources(desk=tool.desk, clock=lambda: NOW))
    assert (await confirmed_by(bare, StepKind.CREATE, work_item())).url == ""


async def test_the_default_group_serves_routes_that_name_none(tool: DeskTool) -> None:
    """The connection's group is used when the content has none, and only then."""
    settings = DeskSettings(assignment_group="Operations")
    desk = connector.make(CONNECTION, settings, Resources(desk=tool.desk, clock=lambda: NOW))
    with_group, without = work_item("a"), work_item("b")
    content = replace(without.desired.content, assignment_group=None)
    without = replace(without, desired=replace(without.desired, content=content))
    await confirmed_by(desk, StepKind.CREATE, with_group)
    await confirmed_by(desk, StepKind.CREATE, without)
    assert (await only_record(tool, with_group)).group == "Linux"
    assert (await only_record(tool, without)).group == "Operations"


async def test_fields_of_a_route_reach_the_incident(tool: DeskTool) -> None:
    """A field called assignee says who works on it; all others are kept by their names."""
    item = work_item()
    content = replace(item.desired.content, fields={"category": "cloud", "assignee": "grace"})
    confirmed = await confirmed_by(
        tool.connector, StepKind.CREATE, replace(item, desired=replace(item.desired, content=content))
    )
    incident = (await tool.desk.incident(confirmed.number)).incident
    assert (incident.fields, incident.assignee) == ({"category": "cloud"}, "grace")
    assert confirmed.assignment == "grace"


async def test_an_empty_cmdb_is_told_with_the_remedy(tool: DeskTool) -> None:
    """An empty CMDB is no error, but the check says how to fill it."""
    details = [result.detail for result in await tool.connector.check()]
    assert any("cmdb import" in detail for detail in details)


async def test_a_ci_that_another_process_imports_is_seen_within_seconds(tool: DeskTool) -> None:
    """What was not there is not remembered as missing for long: binding asks again (see also test_desk_cmdb)."""
    names = References(names=("late",))
    before = await bind(tool.connector.cmdb, names)
    assert [b.id for b in before] == [None]
    ci = await tool.add_ci("late", "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/late")
    fresh = connector.make(CONNECTION, DeskSettings(), Resources(desk=tool.desk, clock=lambda: NOW))
    assert [b.id for b in await bind(fresh.cmdb, names)] == [ci]


def test_the_desk_is_found_by_its_entry_point() -> None:
    """Built-in connectors are found as others are: through the entry point group."""
    (found,) = entry_points(group="secure_export.itsm", name="desk")
    assert found.load() is connector


def test_unknown_settings_are_refused() -> None:
    """A misspelt setting is an error, not a setting without effect."""
    with pytest.raises(ValidationError):
        DeskSettings.model_validate({"asignment_group": "Operations"})
