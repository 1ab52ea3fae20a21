"""An alert's id is text that a caller sent: only one form of it becomes a path."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_export.azure.alert_state.path import path_of, subscription_in

SUBSCRIPTION = "7b1d6f20-3c44-4e0b-9a86-1f2e5d8c9a01"
GUID = "66114d64-d9d9-478b-95c9-b789d6502100"
USUAL = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/{GUID}"


def test_the_usual_form_becomes_the_path_of_the_api() -> None:
    """Whatever the case it was written in."""
    assert path_of(USUAL) == path_of(USUAL.upper()) == USUAL
    assert subscription_in(USUAL) == SUBSCRIPTION


@pytest.mark.parametrize(
    "alert_id",
    [
        "",
        GUID,
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/Test_Alert",
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CostManagement/alerts/{GUID}",
        f"{USUAL}~test:1",
        f"{USUAL}/",
        f"{USUAL}\n",
        f"{USUAL}/../../{GUID}",
        f"{USUAL}?newState=Closed",
        f"/{USUAL}",
        f"https://evil.example{USUAL}",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/x/providers/Microsoft.AlertsManagement/alerts/{GUID}",
        USUAL.replace("7b", "\N{FULLWIDTH DIGIT SEVEN}b"),
    ],
)
def test_any_other_form_reaches_nobody(alert_id: str) -> None:
    """Tests, budgets, made-up ids and tricks have no state in Azure."""
    assert path_of(alert_id) is None


@given(st.text(max_size=40), st.integers(0, len(USUAL)))
def test_nothing_of_a_strange_text_reaches_the_path(text: str, at: int) -> None:
    """A path consists of the fixed words and two GUIDs, whatever is written into the id."""
    path = path_of(USUAL[:at] + text + USUAL[at:])
    assert path is None or re.fullmatch(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "[0-9a-f-]{36}", USUAL), path)
