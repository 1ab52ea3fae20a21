"""Reading ``ticketConfiguration``: JSON in a text with JSON in a text inside, and whatever else stands there."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.azure.itsmc.ticket import WorkItemType, read_ticket


def told(**members: Any) -> str:
    return json.dumps({"PayloadRevision": 0, **members})


def test_every_documented_member_is_read() -> None:
    """What the portal wrote is read whole, the text within the text too."""
    data = json.dumps({"AssignmentGroup": "Platform", "Urgency": 2, "Empty": ""})
    ticket = read_ticket(
        told(WorkItemType="Event", UseTemplate=True, WorkItemData=data, CreateOneWIPerCI=True, CreateOneWIPerLog="true")
    )
    assert ticket.type is WorkItemType.EVENT
    assert (ticket.uses_template, ticket.one_per_ci, ticket.one_per_log_entry) == (True, True, True)
    assert ticket.data == {"AssignmentGroup": "Platform", "Urgency": "2"}
    assert (ticket.unknown, ticket.faults) == ({}, ())


def test_members_are_found_in_any_case() -> None:
    """The case of names differs between those who wrote it."""
    assert read_ticket('{"workitemtype": "INCIDENT", "createOneWIPerCI": true}').one_per_ci
    assert read_ticket('{"workitemtype": "INCIDENT"}').type is WorkItemType.INCIDENT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "empty"),
        ("", "cannot be read"),
        (None, "cannot be read"),
        ("not json", "not json"),
        ("[1]", "[1]"),
        ("[" * 100_000, "cannot be read"),
        ('{"WorkItemType": "Incident", "WorkItemData": "{broken"}', "WorkItemData cannot be read: {broken"),
    ],
)
def test_what_cannot_be_read_is_said_and_ends_nothing(text: object, said: str) -> None:
    """Garbage gives a ticket all the same, with a fault that shows it."""
    assert said in read_ticket(text).faults[0]


def test_unknown_members_are_kept_and_shown() -> None:
    """What is not known is not lost."""
    assert read_ticket(told(WorkItemType="Incident", Novelty={"a": 1})).unknown == {"Novelty": '{"a": 1}'}


@pytest.mark.parametrize(
    ("data", "fields", "template"),
    [
        ({"Category": "Hardware", "TemplateName": "Disk"}, {"Category": "Hardware"}, "Disk"),
        ([{"Key": "Category", "Value": "Hardware"}], {"Category": "Hardware"}, ""),
        ([{"FieldName": "Impact", "FieldValue": 1}], {"Impact": "1"}, ""),
    ],
)
def test_fixed_fields_are_read_in_each_form(data: Any, fields: dict[str, str], template: str) -> None:
    """An object, or a list of names and values; as itself or in a text."""
    for form in (data, json.dumps(data)):
        ticket = read_ticket(told(WorkItemType="Incident", WorkItemData=form))
        assert (ticket.data, ticket.template) == (fields, template)


NAMES = ["WorkItemType", "WorkItemData", "UseTemplate", "TemplateName", "CreateOneWIPerCI", "Key", "Value", "x"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(json_values | st.text(max_size=30))
def test_no_text_breaks_the_reading(value: Any) -> None:
    """Whatever stands there, something comes of it."""
    for text in (value, json.dumps(value)):
        ticket = read_ticket(text)
        assert all(isinstance(one, str) for one in (*ticket.data.values(), *ticket.unknown.values(), *ticket.faults))
