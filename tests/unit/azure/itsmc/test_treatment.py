"""What the options of an ITSM action become in a route."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.azure.itsmc.building import SERVICENOW

from secure_export.azure.itsmc.fixed_fields import column_of, literal
from secure_export.azure.itsmc.line import Fate, Line
from secure_export.azure.itsmc.ticket import read_ticket
from secure_export.azure.itsmc.treatment import Tool, Treatment, treatment_of
from secure_export.policy.settings import RouteSettings
from secure_export.policy.template import checked, fill


def treated(tool: Tool = SERVICENOW, **said: Any) -> Treatment:
    return treatment_of("action", read_ticket(json.dumps({"WorkItemType": "Incident", **said})), tool)


def line(treatment: Treatment, option: str) -> Line:
    return next(one for one in treatment.lines if one.option == option)


@pytest.mark.parametrize(
    ("kind", "tool", "work_item", "fate"),
    [
        ("Incident", "servicenow", "incident", Fate.CARRIED),
        ("Event", "servicenow", "event", Fate.CARRIED),
        ("Alert", "servicenow", "event", Fate.OTHERWISE),
        ("Event", "bmc-helix", "incident", Fate.OTHERWISE),
        ("Surprise", "servicenow", "incident", Fate.BY_HAND),
    ],
)
def test_the_work_item_type_becomes_the_tool_s_own(kind: str, tool: str, work_item: str, fate: Fate) -> None:
    """Each kind has a counterpart, and where it is another the line says so."""
    found = treated(Tool(tool, lambda _: None), WorkItemType=kind)
    assert found.of_log["work_item"] == found.of_others["work_item"] == work_item
    assert line(found, "WorkItemType").fate is fate


@pytest.mark.parametrize(
    ("options", "group_by"),
    [
        ({"CreateOneWIPerCI": True}, "ci"),
        ({"CreateOneWIPerCI": False}, "rule"),
        ({}, "rule"),
        ({"CreateOneWIPerLog": True}, "alert"),
        ({"CreateMultipleWorkItems": True}, "alert"),
        ({"CreateMultipleWorkItems": True, "CreateOneWIPerCI": True}, "ci"),
    ],
)
def test_log_alerts_are_grouped_as_they_were_and_others_never(options: dict[str, Any], group_by: str) -> None:
    """ITSMC grouped log alerts alone; all other alerts made one work item each."""
    found = treated(**options)
    assert (found.of_log["group_by"], found.of_others["group_by"]) == (group_by, "alert")


def test_one_for_each_row_has_no_counterpart_and_the_line_says_what_to_do() -> None:
    """It is said plainly, with the way out: a dimension."""
    told = line(treated(CreateOneWIPerLog=True), "CreateOneWIPerLog")
    assert told.fate is Fate.NOTHING
    assert "dimension" in told.reason


def test_fixed_fields_become_settings_of_the_route() -> None:
    """What the route has a setting for goes there, all else under fields by the column's name."""
    data = {
        "AssignmentGroup": "Platform",
        "Impact": "1 - High",
        "Urgency": "low",
        "ShortDescription": "CPU {{ x }}",
        "Description": "See runbook",
        "ContactType": "Monitoring",
        "CallerId": "azure",
        "u_team": "shop",
    }
    found = treated(WorkItemData=json.dumps(data)).of_others
    RouteSettings.model_validate(found)
    assert found["assignment_group"] == "Platform"
    assert (found["impact"], found["urgency"]) == (1, 3)
    assert fill(found["title"], {"x": "no"}) == "CPU {{ x }}"
    assert fill(found["description"], {"alert": {"description": "all"}}) == "See runbook\n\nall"
    assert found["fields"] == {"contact_type": "Monitoring", "caller_id": "azure", "u_team": "shop"}


@pytest.mark.parametrize(
    ("name", "value", "fate"),
    [
        ("ConfigurationItem", "vm-1", Fate.OTHERWISE),
        ("State", "New", Fate.NOTHING),
        ("sys_domain", "global", Fate.NOTHING),
        ("Impact", "9", Fate.BY_HAND),
        ("!!!", "x", Fate.BY_HAND),
        ("Category", "x" * 3_001, Fate.BY_HAND),
    ],
)
def test_what_a_route_cannot_say_is_listed_with_its_reason(name: str, value: str, fate: Fate) -> None:
    """Nothing is dropped in silence."""
    found = treated(WorkItemData=json.dumps({name: value}))
    assert "fields" not in found.of_others
    assert line(found, name).fate is fate


def test_fields_of_another_tool_are_left_to_a_person() -> None:
    """The names of ServiceNow's columns are no names of BMC's fields."""
    found = treated(Tool("bmc-helix", lambda _: None), WorkItemData='{"Category": "Hardware"}')
    assert line(found, "Category").fate is Fate.BY_HAND


def test_a_template_is_left_to_a_person() -> None:
    """Azure knows a template's name, and none of its fields."""
    told = line(treated(UseTemplate=True, WorkItemData='{"TemplateName": "Disk"}'), "UseTemplate")
    assert (told.was, told.fate) == ("Disk", Fate.BY_HAND)


def test_names_become_names_of_columns() -> None:
    """Capitals become underscores, and names of its own are known."""
    names = ["AssignmentGroup", "ContactType", "Caller", "u_my_field", "Business Service"]
    assert [column_of(one) for one in names] == [
        "assignment_group", "contact_type", "caller_id", "u_my_field", "business_service"]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="{}%#ab '\"-\\", max_size=24))
def test_any_text_as_a_template_gives_itself(text: str) -> None:
    """A fixed text that looks like a template is not run."""
    assert fill(checked(literal(text)), {}) == text.strip()
