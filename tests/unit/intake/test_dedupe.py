"""When two notifications say the same."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.alerts.alert import Alert, Condition, Ending, Kind
from secure_export.intake.dedupe import dedupe_key

AT = datetime(2026, 3, 2, 9, 14, tzinfo=UTC)
ALERT = Alert(
    id="/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/a",
    condition=Condition.FIRED,
    kind=Kind.METRIC,
    ending=Ending.BY_ID,
    problem="p",
    ended=False,
    event_at=AT,
)


def test_what_a_second_action_group_sends_has_the_same_key() -> None:
    """Everything but the identity may differ: custom properties, texts, what is shown."""
    other = msgspec.structs.replace(ALERT, custom_properties={"team": "x"}, description="d", severity="Sev1")
    assert dedupe_key("desk", ALERT) == dedupe_key("desk", other)


@pytest.mark.parametrize(
    "change",
    [
        {"id": ALERT.id + "b"},
        {"condition": Condition.RESOLVED},
        {"ended": True},
        {"event_at": AT + timedelta(microseconds=1)},
        {"event_at": None},
    ],
)
def test_what_is_another_thing_has_another_key(change: dict[str, object]) -> None:
    """Another alert, another condition, another time."""
    assert dedupe_key("desk", ALERT) != dedupe_key("desk", msgspec.structs.replace(ALERT, **change))


def test_another_connection_is_told_separately() -> None:
    """Two tools that both take an alert both get it."""
    assert dedupe_key("desk", ALERT) != dedupe_key("prod", ALERT)


def test_a_test_has_no_key() -> None:
    """Two presses of the portal's button are two tests."""
    assert dedupe_key("desk", msgspec.structs.replace(ALERT, is_test=True)) is None


@dataclass(frozen=True)
class Said:
    connection: str
    alert_id: str


@settings(max_examples=100)
@given(
    st.lists(st.builds(Said, st.text(max_size=5), st.text(max_size=5)), min_size=2, max_size=2),
    st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1)), min_size=2, max_size=2),  # noqa: DTZ001 - zone below
)
def test_keys_are_24_bytes_in_the_order_of_time(said: list[Said], times: list[datetime]) -> None:
    """The index over them grows at its end; names cannot run into each other."""
    keys = [
        dedupe_key(one.connection, msgspec.structs.replace(ALERT, id=one.alert_id, event_at=at.replace(tzinfo=UTC)))
        for one, at in zip(said, times, strict=True)
    ]
    first, second = (key or b"" for key in keys)
    assert len(first) == len(second) == 24
    assert (first == second) == (said[0] == said[1] and times[0] == times[1])
    if times[0] < times[1]:
        assert first[:8] < second[:8]
