"""The judge itself: a world in order passes, and each broken promise is seen."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.faults.cluster.evidence import Evidence, Item, Lane, Snapshot, Step
from tests.faults.cluster.judge import doubles, violations
from tests.faults.cluster.load import Said, Told
from tests.faults.cluster.requests_seen import Request
from tests.faults.cluster.tool import Row

_OPEN_ALERT = Told("alert-1", "rule-00000000000a", "servicenow", Said.TAKEN, Said.NEVER)
_OVER_ALERT = Told("alert-2", "rule-00000000000b", "servicenow", Said.TAKEN, Said.TAKEN)
_OPEN = Item("item-1", 1, "servicenow", "0a" * 16, "INC1", "open", owed=False, alerts=("alert-1",))
_OVER = Item("item-2", 2, "servicenow", "0b" * 16, "INC2", "resolved", owed=False, alerts=("alert-2",))
_OPEN_ROW = Row("servicenow", "0a" * 16, "INC1", "rule-00000000000a", is_open=True, ids=frozenset({"1a" * 16}))
_OVER_ROW = Row("servicenow", "0b" * 16, "INC2", "rule-00000000000b", is_open=False, ids=frozenset({"1b" * 16}))
_CREATE = Step(1, b"lane-1", 1, "create", 10, 100.0, 101.0)
_CREATE_OTHER = Step(2, b"lane-2", 2, "create", 11, 100.0, 101.0)
_RESOLVE = Step(3, b"lane-2", 2, "resolve", 14, 110.0, 112.0)
_MADE = Request("delivery-1", 100.5, "POST", "/api/now/table/incident", b'{"correlation_id":"azmon1:00000000:%s"}')
_MAKES = replace(_MADE, body=_MADE.body % (b"0a" * 16))
_RESOLVES = Request("delivery-2", 111.0, "PATCH", f"/api/now/table/incident/{'1b' * 16}", b"{}")


def world(**changes: object) -> Evidence:
    """Two alerts: one fires, one is over, and all is well; but for the changes."""
    snapshot = Snapshot((), 0, 0, (_CREATE, _CREATE_OTHER, _RESOLVE), {})
    evidence = Evidence(
        told=(_OPEN_ALERT, _OVER_ALERT),
        items=(_OPEN, _OVER),
        rows=(_OPEN_ROW, _OVER_ROW),
        snapshot=snapshot,
        requests=(_MAKES, _RESOLVES),
        exit_codes=(0,),
    )
    inner = {
        name: value for name, value in changes.items() if name in Snapshot.__dataclass_fields__ and name != "items"
    }
    outer = {name: value for name, value in changes.items() if name not in inner}
    return replace(evidence, snapshot=replace(snapshot, **inner), **outer)  # type: ignore[arg-type]


def test_a_world_in_order_has_no_violation() -> None:
    """What is as it was promised is not complained of."""
    assert violations(world()) == []


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        pytest.param(lambda: world(items=(_OPEN,), rows=(_OPEN_ROW,)), "is in no work item", id="lost"),
        pytest.param(lambda: world(rows=(_OPEN_ROW,)), "no record of the tool tells of it", id="not in the tool"),
        pytest.param(
            lambda: world(items=(_OPEN, _OVER, replace(_OVER, id="item-3", seq=3))),
            "is in 2 work items",
            id="two items",
        ),
        pytest.param(
            lambda: world(items=(_OPEN, replace(_OVER, state="open"))), "and its work item is open", id="stays open"
        ),
        pytest.param(
            lambda: world(items=(replace(_OPEN, state="resolved"), _OVER)),
            "still fires, and its work item is resolved",
            id="resolved though it fires",
        ),
        pytest.param(
            lambda: world(rows=(_OPEN_ROW, replace(_OVER_ROW, is_open=True))),
            "is open in the tool",
            id="open in the tool",
        ),
        pytest.param(
            lambda: world(rows=(replace(_OPEN_ROW, is_open=False), _OVER_ROW)),
            "0 records of the tool are open for it",
            id="resolved in the tool",
        ),
        pytest.param(
            lambda: world(rows=(_OPEN_ROW, _OVER_ROW, replace(_OPEN_ROW, number="INC3"))),
            "a second open record",
            id="two records",
        ),
        pytest.param(
            lambda: world(rows=(_OPEN_ROW, _OVER_ROW, replace(_OPEN_ROW, number="INC3", key="0c" * 16))),
            "belongs to no work item",
            id="a record without a work item",
        ),
        pytest.param(
            lambda: world(items=(_OPEN, _OVER, replace(_OVER, id="x", alerts=()))), "has no alert", id="no alert"
        ),
        pytest.param(
            lambda: world(items=(_OPEN, replace(_OVER, alerts=("alert-2", "alert-9")))),
            "nobody sent",
            id="unknown alert",
        ),
        pytest.param(
            lambda: world(told=(_OPEN_ALERT, replace(_OVER_ALERT, fired=Said.NEVER))), "never fired", id="never fired"
        ),
        pytest.param(lambda: world(items=(_OPEN, replace(_OVER, owed=True))), "still owed", id="owed"),
        pytest.param(
            lambda: world(items=(_OPEN, replace(_OVER, connection="bmc-helix"))),
            "work item of bmc-helix",
            id="elsewhere",
        ),
        pytest.param(
            lambda: world(rows=(_OPEN_ROW, _OVER_ROW, _OVER_ROW)), "have the number INC2", id="the same number twice"
        ),
        pytest.param(lambda: world(lanes=(Lane("desk", "k", "waiting", ""),)), "without a reason", id="no reason"),
        pytest.param(lambda: world(lanes=(Lane("desk", "k", "ready", ""),)), "has not come to rest", id="not at rest"),
        pytest.param(lambda: world(lanes=(Lane("desk", "k", "parked", "no"),)), "has not come to rest", id="parked"),
        pytest.param(lambda: world(pending=1), "are not folded", id="pending"),
        pytest.param(lambda: world(quarantined=1), "were not understood", id="quarantine"),
        pytest.param(
            lambda: world(steps=(_CREATE, _CREATE_OTHER, replace(_RESOLVE, finished_at=None))),
            "still under way",
            id="in flight",
        ),
        pytest.param(
            lambda: world(steps=(_CREATE, _CREATE_OTHER, replace(_RESOLVE, token=9))), "older token", id="older token"
        ),
        pytest.param(
            lambda: world(requests=(_MAKES, replace(_RESOLVES, at=106.0))), "beside every step", id="beside the steps"
        ),
        pytest.param(
            lambda: world(
                requests=(_MAKES, _RESOLVES, replace(_RESOLVES, at=111.5), replace(_RESOLVES, link="delivery-1"))
            ),
            "in the middle of another node's step",
            id="two owners in one step",
        ),
        pytest.param(lambda: world(died=(("delivery-1", 1),)), "ended by itself", id="a crash"),
        pytest.param(lambda: world(exit_codes=(0, 3)), "ended with 3", id="a bad end"),
    ],
)
def test_a_broken_promise_is_seen(broken: Callable[[], Evidence], complaint: str) -> None:
    """Each promise that is broken by itself is told of in its own words."""
    found = violations(broken())
    assert any(complaint in one for one in found), found


def test_what_may_have_been_taken_may_be_there_or_not() -> None:
    """A notification whose answer was lost is no promise: both ends are in order."""
    maybe = replace(_OVER_ALERT, fired=Said.MAYBE)
    assert violations(world(told=(_OPEN_ALERT, maybe))) == []
    gone = world(told=(_OPEN_ALERT, maybe), items=(_OPEN,), rows=(_OPEN_ROW,), steps=(_CREATE,), requests=(_MAKES,))
    assert violations(gone) == []
    ended_perhaps = replace(_OPEN_ALERT, ended=Said.MAYBE)
    assert violations(world(told=(ended_perhaps, _OVER_ALERT))) == []


def test_a_record_that_was_made_twice_and_set_aside_is_counted() -> None:
    """Where a tool cannot refuse a second record, it must not stay open, and is told of in the report."""
    evidence = world(rows=(_OPEN_ROW, _OVER_ROW, replace(_OPEN_ROW, number="INC3", is_open=False)))
    assert violations(evidence) == []
    assert doubles(evidence) == 1


def test_a_request_that_the_proxy_reads_a_little_late_is_no_violation() -> None:
    """A busy machine lets a request come by some milliseconds after its step was closed."""
    assert violations(world(requests=(_MAKES, replace(_RESOLVES, at=112.5)))) == []
