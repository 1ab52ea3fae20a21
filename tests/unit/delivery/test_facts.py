"""What console, JSON API and command line show of an alert."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from secure_export.alerts.alert import Alert, Condition, Ending, Kind
from secure_export.delivery.facts import facts, merged

Said = dict[str, Any]


def alert(**changes: Any) -> Alert:
    """Make an alert with what a test says of it."""
    said = {"id": "/alerts/1", "condition": Condition.FIRED, "kind": Kind.METRIC, "ending": Ending.BY_ID}
    return Alert(**{**said, "problem": "/alerts/1", "ended": False, **changes})


def minute(number: int) -> datetime:
    """Give a time by its minute."""
    return datetime(2026, 1, 1, 10, number, tzinfo=UTC)


def fired(at: int, **changes: Any) -> bytes:
    """Make the facts of a fired body."""
    return facts(alert(fired_at=minute(at), **changes), title="CPU is high")


def resolved(at: int, fired_at: int | None = None, **changes: Any) -> bytes:
    """Make the facts of a resolved body; by default it gives its end as the time of firing, as real ones do."""
    told = minute(at if fired_at is None else fired_at)
    over = alert(condition=Condition.RESOLVED, ended=True, fired_at=told, resolved_at=minute(at), **changes)
    return facts(over, title="CPU is high")


def test_facts_have_the_words_of_the_contract() -> None:
    """Every alert has all of them, and times are in UTC with a Z."""
    said = json.loads(fired(1, rule="cpu", severity="Sev2", targets=("/vm1",), warnings=("turn it on",), is_test=True))
    assert said == {
        "id": "/alerts/1",
        "title": "CPU is high",
        "kind": "metric",
        "monitoring_service": "",
        "rule": "cpu",
        "severity": "Sev2",
        "targets": ["/vm1"],
        "fired_at": "2026-01-01T10:01:00Z",
        "resolved_at": None,
        "is_test": True,
        "is_legacy_schema": False,
        "investigation_link": None,
        "warnings": ["turn it on"],
    }


TIMES: list[tuple[str, list[bytes], tuple[str | None, str | None]]] = [
    ("a firing alone", [fired(1)], ("10:01", None)),
    ("a firing and its end", [fired(1), resolved(9)], ("10:01", "10:09")),
    ("an end and its firing", [resolved(9), fired(1)], ("10:01", "10:09")),
    ("an end alone: what it says", [resolved(9)], ("10:09", "10:09")),
    ("an end alone that knows when it fired", [resolved(9, fired_at=2)], ("10:02", "10:09")),
    ("the fired body knows best when it fired", [fired(1), resolved(9, fired_at=2)], ("10:01", "10:09")),
    ("fired again after an end: that end is of before", [fired(1), resolved(9), fired(20)], ("10:20", None)),
    ("and ended again", [fired(1), resolved(9), fired(20), resolved(30)], ("10:20", "10:30")),
    ("a firing told twice after its end", [fired(1), resolved(9), fired(1)], ("10:01", "10:09")),
]


@pytest.mark.parametrize(("said", "expected"), [row[1:] for row in TIMES], ids=[row[0] for row in TIMES])
def test_each_time_is_told_by_who_knows_it(said: list[bytes], expected: tuple[str | None, str | None]) -> None:
    """When it fired and when it ended, in whatever order its notifications come."""
    kept = b""
    for one in said:
        kept = merged(kept, one)
    known: Said = json.loads(kept)
    assert tuple(at and at[11:16] for at in (known["fired_at"], known["resolved_at"])) == expected


def test_fractions_of_a_second_are_compared_as_times() -> None:
    """10:09 is before half a second after 10:09, although its text sorts behind."""
    again = facts(alert(fired_at=minute(9).replace(microsecond=500_000)), title="t")
    assert json.loads(merged(resolved(9), again))["resolved_at"] is None


def test_what_a_later_notification_does_not_tell_is_kept() -> None:
    """An end without rule, targets and warnings takes none of them away; what it does tell is taken."""
    kept = json.loads(
        merged(
            fired(1, rule="cpu", targets=("/vm1",), warnings=("turn it on",), severity="Sev1"),
            resolved(9, severity="Sev2"),
        )
    )
    assert (kept["rule"], kept["targets"], kept["warnings"], kept["severity"]) == (
        "cpu",
        ["/vm1"],
        ["turn it on"],
        "Sev2",
    )


def test_nothing_to_add_leaves_what_is_there() -> None:
    """Empty facts: what is there stays, on either side."""
    assert merged(fired(1), b"") == fired(1)
    assert merged(b"", fired(1)) == fired(1)
    assert merged(b"", b"") == b""
