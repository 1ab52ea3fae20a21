"""What an event does to the alert with its message key (servicenow-facts section 2)."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sandbox.servicenow.instances import NOON

from secure_export.sandbox.servicenow.alert_decision import Decision, Effect, decide
from secure_export.sandbox.servicenow.clock import as_stamp
from secure_export.sandbox.servicenow.event_fields import additional_info, ci_identifier, message_key

HOUR = timedelta(hours=1)


def event(**fields: str) -> dict[str, str]:
    return {"source": "azure", "node": "vm-1", "message_key": "k", "severity": "2", **fields}


def alert(state: str = "Open", *, changed_ago: timedelta = timedelta(), **fields: str) -> dict[str, str]:
    return {
        "sys_id": "a" * 32,
        "state": state,
        "severity": "2",
        "event_count": "3",
        "sys_updated_on": as_stamp(NOON - changed_ago),
        **fields,
    }


def decided(one: dict[str, str], known: dict[str, str] | None = None) -> Decision:
    return decide(one, known, now=NOON, active_interval=HOUR)


def test_a_first_event_opens_an_alert_with_what_it_tells() -> None:
    """Severity, texts and times are the event's own."""
    told = event(description="Disk full", time_of_event="2026-05-04 11:59:00", additional_info='{"CPU":"100"}')
    decision = decided(told)
    assert decision.effect is Effect.OPENED
    assert decision.fields["state"] == "Open"
    assert decision.fields["message_key"] == "k"
    assert decision.fields["initial_event_time"] == decision.fields["last_event_time"] == "2026-05-04 11:59:00"
    assert decision.fields["additional_info"] == '{"CPU":"100"}'
    assert decision.fields["description"] == "Disk full"


@pytest.mark.parametrize("severity", ["1", "2", "3", "4", "5"])
def test_every_severity_but_clear_opens_an_alert(severity: str) -> None:
    """Even OK (5) does: c_EMIntegrateRequirementEvent."""
    assert decided(event(severity=severity)).effect is Effect.OPENED


@pytest.mark.parametrize("ending", [{"severity": "0"}, {"resolution_state": "Closing"}])
def test_an_end_closes_an_open_alert_and_never_opens_one(ending: dict[str, str]) -> None:
    """Clear and Closing both end; without an open alert they do nothing."""
    assert decided(event(**ending)).effect is Effect.NONE
    assert decided(event(**ending), alert("Closed")).effect is Effect.NONE
    closed = decided(event(**ending), alert())
    assert closed.effect is Effect.CLOSED
    assert closed.fields["state"] == "Closed"
    assert closed.fields["close_time"] == as_stamp(NOON)
    assert closed.fields["severity"] == "2"


@pytest.mark.parametrize("severity", ["", "6", "critical"])
def test_an_event_without_a_severity_is_an_error(severity: str) -> None:
    """It is kept, and no alert is touched."""
    assert decided(event(severity=severity), alert()).effect is Effect.ERROR


@pytest.mark.parametrize("state", ["Open", "Reopen", "Flapping"])
def test_the_same_key_updates_an_open_alert_and_counts(state: str) -> None:
    """There is never a second open alert for one key; older facts are kept beside newer ones."""
    known = alert(state, additional_info='{"a":"1","b":"1"}')
    decision = decided(event(severity="1", additional_info='{"b":"2"}'), known)
    assert decision.effect is Effect.UPDATED
    assert "state" not in decision.fields
    assert (decision.fields["severity"], decision.fields["event_count"]) == ("1", "4")
    assert additional_info(decision.fields) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("ago", "effect"), [(HOUR, Effect.REOPENED), (HOUR + timedelta(seconds=1), Effect.OPENED)], ids=["inside", "after"]
)
def test_the_active_interval_says_whether_a_closed_alert_is_reopened(ago: timedelta, effect: Effect) -> None:
    """Inside it the closed one is reopened, after it a new one is made."""
    decision = decided(event(), alert("Closed", changed_ago=ago, reopen_count="1", acknowledged="true"))
    assert decision.effect is effect
    if effect is Effect.REOPENED:
        assert decision.fields["state"] == "Reopen"
        assert (decision.fields["reopen_count"], decision.fields["acknowledged"]) == ("2", "false")
        assert decision.fields["close_time"] == ""


def test_without_node_and_source_instance_no_alert_is_made() -> None:
    """One of the two is needed for an automatic alert."""
    assert decided(event(node="")).effect is Effect.NONE
    assert decided(event(node="", event_class="Azure")).effect is Effect.OPENED


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"message_key": " mine "}, "mine"),
        ({"source": "s", "node": "n", "type": "t", "resource": "r", "metric_name": "m"}, "s_n_t_r_m"),
        ({"source": "s"}, "s____"),
    ],
)
def test_a_message_key_is_made_of_the_other_fields_if_there_is_none(fields: dict[str, str], key: str) -> None:
    """Source, node, type, resource and metric name; a key of its own always wins."""
    assert message_key(fields) == key


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", {}),
        ('{"CPU":"100"}', {"CPU": "100"}),
        ('{"CPU":100,"a":{"b":"c"},"l":["x"],"t":"text"}', {"t": "text"}),
        ("plain text", {"additional_content": "plain text"}),
        ("[object Object]", {"additional_content": "[object Object]"}),
        ('["a"]', {"additional_content": '["a"]'}),
    ],
)
def test_additional_info_takes_texts_only(text: str, told: dict[str, str]) -> None:
    """What is no JSON object of texts becomes additional content, or is left out."""
    assert additional_info({"additional_info": text}) == told


def test_a_ci_identifier_that_is_no_object_says_nothing() -> None:
    """Empty values say nothing either."""
    assert ci_identifier({"ci_identifier": '{"name":"vm","ip_address":"","n":1}'}) == {"name": "vm"}
    assert ci_identifier({"ci_identifier": "name=vm"}) == {}


texts = st.text(max_size=12)
events = st.dictionaries(
    st.sampled_from(
        ["severity", "resolution_state", "node", "event_class", "message_key", "additional_info", "time_of_event"]
    ),
    st.one_of(texts, st.sampled_from(["0", "1", "5", "Closing", "New", "2026-01-01 00:00:00"])),
)
alerts = st.none() | st.builds(
    alert, st.sampled_from(["Open", "Reopen", "Flapping", "Closed"]), event_count=texts, additional_info=texts
)


@settings(max_examples=200)
@given(one=events, known=alerts)
def test_no_event_breaks_the_rules(one: dict[str, str], known: dict[str, Any] | None) -> None:
    """Whatever arrives: only what is open is updated or closed, only what is closed is reopened, and all is said."""
    decision = decided(one, known)
    is_open = known is not None and known["state"] != "Closed"
    assert decision.note
    assert (decision.effect in {Effect.UPDATED, Effect.CLOSED}) <= is_open
    assert (decision.effect is Effect.REOPENED) <= (known is not None and not is_open)
    assert (decision.effect is Effect.OPENED) <= (not is_open)
    assert bool(decision.fields) == (decision.effect not in {Effect.NONE, Effect.ERROR})
