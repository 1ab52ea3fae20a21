"""What the states of each table mean."""

from typing import Any

import pytest

from secure_export.itsm.servicenow.settings import ServiceNowSettings
from secure_export.itsm.servicenow.tasks.kinds import kind_of
from secure_export.workitems.work_item import ToolState

BASIC = {"url": "https://acme.example", "username": "azure", "password": {"env": "SNOW_PASSWORD"}}
OPEN, RESOLVED, CLOSED = ToolState.OPEN, ToolState.RESOLVED, ToolState.CLOSED


def settings(**more: Any) -> ServiceNowSettings:
    return ServiceNowSettings.model_validate({**BASIC, **more})


@pytest.mark.parametrize(
    ("table", "state", "meaning"),
    [
        *(("incident", state, OPEN) for state in ("1", "2", "3")),
        ("incident", "6", RESOLVED),
        *(("incident", state, CLOSED) for state in ("7", "8")),
        *(("problem", state, OPEN) for state in ("101", "102", "103", "104")),
        ("problem", "106", RESOLVED),
        ("problem", "107", CLOSED),
        *(("change_request", state, OPEN) for state in ("-5", "-4", "-3", "-2", "-1", "0")),
        *(("change_request", state, CLOSED) for state in ("3", "4")),
        *(("problem_task", state, OPEN) for state in ("151", "152", "154")),
        ("problem_task", "157", RESOLVED),
        *(("task", state, OPEN) for state in ("-5", "1", "2")),
        ("task", "3", RESOLVED),
        *(("task", state, CLOSED) for state in ("4", "7")),
        ("u_own_task", "3", RESOLVED),
        ("sc_task", "4", CLOSED),
    ],
)
def test_states_have_their_own_meaning_in_each_table(table: str, state: str, meaning: ToolState) -> None:
    """3 is On Hold for an incident, Closed Complete for a task and Closed for a change."""
    kind = kind_of(table, settings())
    assert kind is not None
    assert kind.tool_state(state) is meaning


@pytest.mark.parametrize(("active", "meaning"), [(True, OPEN), (None, OPEN), (False, CLOSED)])
def test_a_state_that_nobody_knows_goes_by_active(active: bool | None, meaning: ToolState) -> None:  # noqa: FBT001 - a case
    """A customer's own state is open unless the record is not active any more."""
    kind = kind_of("incident", settings())
    assert kind is not None
    assert kind.tool_state("42", active=active) is meaning


def test_change_is_another_word_for_change_request() -> None:
    """People say change."""
    kind = kind_of("change", settings())
    assert kind is not None
    assert kind.table == "change_request"


@pytest.mark.parametrize("name", ["", "Incident", "incident;drop", "a b", "../sys_user", "x" * 81, "1task"])
def test_what_is_no_name_of_a_table_has_no_kind(name: str) -> None:
    """The name becomes a part of a URL."""
    assert kind_of(name, settings()) is None


def test_a_table_is_as_its_section_says() -> None:
    """States, fields and codes of a table can be configured; what is not named stays as it is known."""
    told = {
        "open_states": ["10", "20"],
        "resolved_state": "30",
        "closed_states": ["40"],
        "reopen_state": "20",
        "close_codes": ["Done"],
        "close_code_field": "u_code",
        "close_notes_field": "u_notes",
        "close_fields": {"u_cause": "monitoring"},
    }
    kind = kind_of("u_ticket", settings(tables={"u_ticket": told}))
    assert kind is not None
    assert [kind.tool_state(state) for state in ("10", "20", "30", "40")] == [OPEN, OPEN, RESOLVED, CLOSED]
    assert (kind.resolved_state, kind.reopen_state, kind.code_field, kind.notes_field) == (
        "30",
        "20",
        "u_code",
        "u_notes",
    )
    assert (kind.close_codes, kind.close_fields, kind.cancelled_state) == (("Done",), {"u_cause": "monitoring"}, "4")


def test_a_final_state_that_a_resolve_sets_is_final() -> None:
    """A change that is closed at once is closed, because its section says that this state is final."""
    kind = kind_of("change_request", settings(tables={"change_request": {"resolved_state": "3"}}))
    assert kind is not None
    assert (kind.resolved_state, kind.tool_state("3")) == ("3", CLOSED)


def test_never_takes_a_transition_away() -> None:
    """A table whose records only people end, or that are not opened again."""
    kind = kind_of("incident", settings(tables={"incident": {"resolved_state": "never", "reopen_state": "never"}}))
    assert kind is not None
    assert (kind.resolved_state, kind.reopen_state, kind.tool_state("6")) == (None, None, RESOLVED)


def test_the_close_codes_of_incidents_are_the_connections() -> None:
    """New names come before old ones; a connection may have its own."""
    kind = kind_of("incident", settings())
    assert kind is not None
    assert kind.close_codes[0] == "Solution provided"
    assert "Solved (Permanently)" in kind.close_codes
    own = kind_of("incident", settings(close_codes=["Fixed"]))
    assert own is not None
    assert own.close_codes == ("Fixed",)
