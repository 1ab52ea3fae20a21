"""What a form is like, in whichever of its forms a server tells it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.itsm.bmc_helix.forms import FormShape, shape_of

SCHEMA = {
    "properties": {
        "values": {
            "properties": {
                "Description": {"type": "string", "maxLength": 100, "entryMode": "REQUIRED"},
                "Impact": {"type": "string", "enum": ["1-Extensive/Widespread"]},
                "Company": {"type": "string"},
            },
            "required": ["Description", "Company"],
        }
    }
}
LISTED = [
    {"name": "Description", "limits": {"maxLength": 100}, "option": "REQUIRED"},
    {"name": "Impact", "limits": {"selections": [{"id": 1000, "label": "1-Extensive/Widespread"}]}},
    {"name": "Company", "required": True},
]
BY_NAME = {
    "Description": {"length": 100, "field_option": "required"},
    "Impact": {"values": {"1000": "1-Extensive/Widespread"}},
    "Company": {"fieldOption": "REQUIRED"},
}


@pytest.mark.parametrize("body", [SCHEMA, {"fields": LISTED}, LISTED, {"fields": BY_NAME}])
def test_the_forms_of_a_schema(body: Any) -> None:
    """Lengths, required fields and labels are read from each."""
    shape = shape_of(body)
    assert set(shape.fields) == {"Description", "Impact", "Company"}
    assert shape.longest("Description") == 100
    assert shape.fields["Impact"].labels == ("1-Extensive/Widespread",)
    assert shape.missing({"Description": "x", "Company": ""}) == ("Company",)


def test_a_default_is_not_missing() -> None:
    """A required field that gets a value by itself need not be given."""
    shape = shape_of([{"name": "Status", "option": "REQUIRED", "default": "New"}])
    assert shape.missing({}) == ()


@pytest.mark.parametrize("body", [None, {}, [], "x", {"fields": 3}, {"properties": {"values": 1}}])
def test_what_tells_nothing_forbids_nothing(body: Any) -> None:
    """Where nothing is known every field may be there."""
    shape = shape_of(body)
    assert shape == FormShape()
    assert shape.has("anything")
    assert shape.longest("anything") is None


def test_names_are_told_apart_by_case() -> None:
    """AR System is case-sensitive."""
    assert not shape_of(LISTED).has("company")


@settings(max_examples=150)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=6),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["fields", "properties", "values", "name", "enum", "limits", "required", "option"]),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_no_schema_is_a_surprise(body: Any) -> None:
    """Whatever a server tells, it is read or passed over."""
    assert isinstance(shape_of(body), FormShape)
