"""One alert from token to ticket, as the timeline tells it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.console.standins import alert_row, at, work_item_row

from secure_export.console.timeline import Moment, Tone, alert_timeline, seconds_to_ticket


def step(
    kind: str, started: float, finished: float | None, outcome: str | None = "done", reason: str = ""
) -> dict[str, Any]:
    """A step that began and ended so many seconds before now."""
    return {
        "kind": kind,
        "started_at": at(started),
        "finished_at": None if finished is None else at(finished),
        "outcome": outcome if finished is not None else None,
        "reason": reason or None,
    }


def notification(number: int, received: float) -> dict[str, Any]:
    """A notification received so many seconds before now."""
    return {"id": number, "received_at": at(received), "caller": {"tenant": "t"}, "status": "accepted"}


RESOLVED = alert_row(
    condition="resolved", resolved_at=at(60), notifications=[notification(41, 118), notification(55, 58)]
)
RESOLVED_ITEM = work_item_row(
    state="resolved", resolved_at=at(57), steps=[step("create", 117, 116.6), step("resolve", 56.9, 56.5)]
)


def titles(moments: list[Moment]) -> list[str]:
    """What happened, in order."""
    return [moment.title for moment in moments]


def test_the_whole_way() -> None:
    """A resolved alert is told from its firing to the tool's confirmation, in order."""
    assert titles(alert_timeline(RESOLVED, RESOLVED_ITEM)) == [
        "The alert fired",
        "The token was accepted",
        "Recorded as notification 41",
        "Read",
        "Put into its lane",
        "Bound to web-1",
        "The work item was decided on",
        "Created in the tool",
        "The problem ended",
        "The token was accepted",
        "Recorded as notification 55",
        "The work item is to be resolved",
        "Resolved in the tool and read back",
        "Confirmed: the tool says it is resolved",
    ]


def test_gaps_and_durations() -> None:
    """Each moment with a time of its own says how long after the one before; steps say how long they took."""
    moments = {moment.title: moment for moment in alert_timeline(alert_row(), work_item_row())}
    assert moments["The alert fired"].since_seconds is None
    assert moments["The token was accepted"].since_seconds == pytest.approx(2)
    assert moments["Read"].since_seconds is None
    assert not moments["Read"].timed
    created = moments["Created in the tool"]
    assert created.since_seconds == pytest.approx(0.9)
    assert created.took_seconds == pytest.approx(0.4)
    assert created.link == ("INC0000007", "http://127.0.0.1:8080/desk/incidents/INC0000007")
    assert seconds_to_ticket(alert_row(), work_item_row()) == pytest.approx(1.4)


def test_who_sent_it() -> None:
    """The token's tenant, application, version and id are told."""
    token = alert_timeline(alert_row(), None)[1]
    assert token.facts == (
        ("tenant", "tenant-1"), ("application", "azns-1"), ("token version", "2.0"), ("token id", "uti-1"),
    )  # fmt: skip


def test_what_is_to_be_mended() -> None:
    """A legacy schema, warnings and a test are told where the body was read."""
    alert = alert_row(is_legacy_schema=True, is_test=True, warnings=["Turn the common alert schema on."])
    read = next(moment for moment in alert_timeline(alert, None) if moment.title == "Read")
    assert read.tone is Tone.WAITING
    assert read.texts == ("Turn the common alert schema on.",)
    assert {"test", "schema"} <= {name for name, _ in read.facts}


def test_bindings_with_their_reasons() -> None:
    """Each binding, and each failure to bind, is told with its rule and reason; so is that there is nothing to bind."""
    unbound = {"id": None, "name": "/a/b/web-2", "rule": "not-in-cmdb", "reason": "the CMDB has no such CI"}
    bound = alert_row()["configuration_items"][0]
    moments = alert_timeline(alert_row(configuration_items=[bound, unbound]), None)
    assert [(m.title, m.texts, m.tone) for m in moments if "ound" in m.title] == [
        ("Bound to web-1", ("Its resource id is the alert's target.",), Tone.GOOD),
        ("Not bound: web-2", ("the CMDB has no such CI",), Tone.WAITING),
    ]
    assert "No configuration item" in titles(alert_timeline(alert_row(configuration_items=[]), None))


TRIED = {
    "done": ("Created in the tool", Tone.GOOD),
    "try-later": ("Create in the tool: not now", Tone.WAITING),
    "refused": ("Create in the tool: refused", Tone.BAD),
    "unclear": ("Create in the tool: unclear: looked again before anything else", Tone.WAITING),
}


@pytest.mark.parametrize(("outcome", "told"), TRIED.items())
def test_each_outcome(outcome: str, told: tuple[str, Tone]) -> None:
    """Each outcome of a step is told in words, with its reason."""
    item = work_item_row(owed=True, steps=[step("create", 100, 99, outcome, "the tool said so")])
    moment = alert_timeline(alert_row(), item)[-1]
    assert (moment.title, moment.tone, moment.texts) == (*told, ("the tool said so",))


def test_a_step_under_way() -> None:
    """A step that has not ended is told as under way, and nothing is confirmed."""
    moments = alert_timeline(alert_row(), work_item_row(owed=True, number=None, steps=[step("create", 100, None)]))
    assert moments[-1].title == "Create in the tool: under way"
    assert seconds_to_ticket(alert_row(), work_item_row(steps=[step("create", 100, None)])) is None


def test_readings_in_a_row_are_told_once() -> None:
    """What reconciliation reads back again and again takes one line; the confirmation of an end stays the first one."""
    looks = [step("look", 50 - n, 49.9 - n) for n in range(20)]
    item = work_item_row(**{**RESOLVED_ITEM, "steps": [*RESOLVED_ITEM["steps"], *looks]})
    told = titles(alert_timeline(RESOLVED, item))
    assert told.count("Read back in the tool 20 times, here for the last time") == 1
    assert told.index("Confirmed: the tool says it is resolved") == told.index("Resolved in the tool and read back") + 1


def test_steps_of_before_are_left_out() -> None:
    """An alert that joined a work item tells nothing of the steps that were over before it came."""
    joined = alert_row(notifications=[notification(80, 30)])
    item = work_item_row(steps=[step("create", 117, 116), step("update", 29, 28)])
    told = titles(alert_timeline(joined, item))
    assert "Created in the tool" not in told
    assert "The work item was decided on" not in told
    assert "Joined the work item of an earlier alert" in told
    assert "Updated in the tool" in told
    assert seconds_to_ticket(joined, item) is None


def test_without_notifications_or_work_item() -> None:
    """Retention may have deleted either; what is left is told."""
    assert titles(alert_timeline(alert_row(notifications=[]), None)) == ["The alert fired"]
    assert alert_timeline(alert_row(notifications=[], fired_at=None), work_item_row()) == []
    assert "Recorded as notification 41" in titles(alert_timeline(alert_row(), None))


@given(
    notified=st.lists(st.floats(0, 500), max_size=5),
    tried=st.lists(
        st.tuples(
            st.sampled_from(["look", "create", "update", "resolve"]),
            st.floats(0, 500),
            st.floats(0, 20),
            st.sampled_from(["done", "try-later", "refused", "unclear", None]),
        ),
        max_size=8,
    ),
    resolved=st.booleans(),
    owed=st.booleans(),
)
@settings(max_examples=120)
def test_time_only_goes_forward(
    notified: list[float],
    tried: list[tuple[str, float, float, str | None]],
    resolved: bool,  # noqa: FBT001 - drawn
    owed: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whatever happened, moments are in the order of their times, and no gap is negative."""
    alert = alert_row(notifications=[notification(n, seconds) for n, seconds in enumerate(notified)])
    steps = [step(kind, ago + took, ago if outcome else None, outcome) for kind, ago, took, outcome in tried]
    item = work_item_row(
        state="resolved" if resolved else "open", resolved_at=at(90) if resolved else None, owed=owed, steps=steps
    )
    moments = alert_timeline(alert, item)
    times = [moment.at for moment in moments]
    assert times == sorted(times)
    assert all(moment.since_seconds is None or moment.since_seconds >= 0 for moment in moments)
    assert not owed or all("Confirmed" not in moment.title for moment in moments)
