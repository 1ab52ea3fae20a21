"""From a body to the entry that is recorded."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.intake.doubles import CALLER, OTHER_SUBSCRIPTION, SUBSCRIPTION, alert_body

from secure_export.alerts.alert import Alert
from secure_export.errors import NotUnderstood
from secure_export.identity.caller import Refusal
from secure_export.intake.contract import Entry
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.entry import Post, entry_of

REAL = "33333333-3333-4333-8333-333333333333"
AT = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
PAYLOADS = Path(__file__).parents[3] / "../shared/payloads"


def door(*subscriptions: str, correlate: Any = lambda alert: f"alert:{alert.id}") -> ConnectionDoor:
    """Make the door of a connection that takes these subscriptions."""
    return ConnectionDoor(subscriptions=frozenset(subscriptions), tenants=None, correlate=correlate)


def entry(body: bytes, at: ConnectionDoor, *, encoding: str = "") -> Entry:
    """Make the entry of a body posted to connection desk."""
    return entry_of(Post(connection="desk", caller=CALLER, received_at=AT, body=body, encoding=encoding), at)


def test_an_alert_is_recorded_with_its_lane_and_who_sent_it() -> None:
    """The body is kept as it came; of the caller nothing that would let somebody in."""
    body = alert_body()
    made = entry(body, door(SUBSCRIPTION))
    assert made.body == body
    assert made.quarantine_reason is None
    assert made.correlation_key == f"alert:{made.alert_id}"
    assert made.received_at == AT
    assert made.dedupe_key is not None
    assert msgspec.json.decode(made.caller) == {
        "tenant": CALLER.tenant_id,
        "application": CALLER.application_id,
        "version": "2.0",
        "token_id": "u-1",
    }


def test_fired_and_resolved_share_a_lane_but_not_a_key() -> None:
    """A resolve is no repetition of the firing."""
    fired, resolved = (entry(alert_body(condition=c), door(SUBSCRIPTION)) for c in ("Fired", "Resolved"))
    assert fired.correlation_key == resolved.correlation_key
    assert fired.dedupe_key != resolved.dedupe_key


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "JSON"),
        (b"[]", "list"),
        (b'{"hello": 1}', "schemaId"),
        (b"\xff\xfe\x00", "JSON"),
        (b'{"a":' * 5000, "JSON"),
        (alert_body(subscription=None), "names no subscription"),
        (alert_body(condition="Sideways"), "monitorCondition"),
    ],
    ids=["empty", "blank", "cut", "list", "other", "binary", "deep", "no subscription", "condition"],
)
def test_what_is_not_understood_goes_to_quarantine_with_a_reason(body: bytes, reason: str) -> None:
    """Nothing of an authorised caller is dropped, and a person is told what is wrong with it."""
    made = entry(body, door(SUBSCRIPTION))
    assert made.quarantine_reason is not None
    assert reason in made.quarantine_reason
    assert made.body == body
    assert (made.dedupe_key, made.correlation_key, made.alert_id) == (None, None, None)


@pytest.mark.parametrize("encoding", ["gzip", "br", "x" * 500])
def test_a_compressed_body_goes_to_quarantine(encoding: str) -> None:
    """Azure sends plain JSON; unpacking would let a small body become a large one."""
    made = entry(b"\x1f\x8b", door(SUBSCRIPTION), encoding=encoding)
    assert made.quarantine_reason is not None
    assert "compressed" in made.quarantine_reason
    assert len(made.quarantine_reason) < 200


def test_identity_is_no_compression() -> None:
    """Content-Encoding: identity says nothing (RFC 9110, section 8.4.1)."""
    assert entry(alert_body(), door(SUBSCRIPTION), encoding="identity").quarantine_reason is None


@pytest.mark.parametrize(
    "smuggled",
    [
        alert_body(subscription=OTHER_SUBSCRIPTION),
        alert_body(target=f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Sql/servers/s"),
        alert_body(target=f"/SUBSCRIPTIONS/{OTHER_SUBSCRIPTION}/resourcegroups/g/providers/microsoft.sql/servers/s"),
        alert_body(
            configurationItems=[
                f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Sql/servers/s"
            ]
        ),
        alert_body(subscription=OTHER_SUBSCRIPTION).replace(
            b'"schemaId"', b'"data": ' + json.dumps(json.loads(alert_body())["data"]).encode() + b', "schemaId"', 1
        ),
    ],
    ids=["alert", "target", "in capitals", "configuration item", "twice the same member"],
)
def test_an_alert_of_a_subscription_that_is_not_listed_is_refused(smuggled: bytes) -> None:
    """Whatever names another subscription: 403, and the log says which one, and what to change."""
    with pytest.raises(Refusal) as caught:
        entry(smuggled, door(SUBSCRIPTION))
    assert (caught.value.status, caught.value.code) == (403, "subscription-not-allowed")
    assert OTHER_SUBSCRIPTION in caught.value.detail
    assert "desk" in caught.value.detail
    assert "Add it there" in caught.value.detail


@pytest.mark.parametrize("subscription", [SUBSCRIPTION, None, OTHER_SUBSCRIPTION])
def test_a_star_takes_every_alert(subscription: str | None) -> None:
    """Also those that name no subscription at all."""
    assert entry(alert_body(subscription=subscription), door("*")).quarantine_reason is None


@pytest.mark.skipif(not PAYLOADS.exists(), reason="the sample bodies are not there")
def test_tests_of_the_portal_are_never_duplicates() -> None:
    """The same canned body twice: no dedupe key, and a lane for each."""
    body = (PAYLOADS / "common/full-test2026-metric-static-threshold-fired.json").read_bytes()
    first, second = entry(body, door("*")), entry(body, door("*"))
    assert first.dedupe_key is second.dedupe_key is None
    assert first.correlation_key != second.correlation_key


@pytest.mark.parametrize(
    "payload",
    sorted([*PAYLOADS.glob("common/full-test2026-*"), *PAYLOADS.glob("common/jwmb-test-*")]),
    ids=lambda path: path.name,
)
def test_every_canned_body_that_was_seen_is_let_in(payload: Path) -> None:
    """A connection that lists its subscriptions takes tests: 403 would make the portal blame the set-up of Entra ID."""
    made = entry(payload.read_bytes(), door(OTHER_SUBSCRIPTION))
    assert made.quarantine_reason is None
    assert (made.correlation_key or "").startswith("test:")


@pytest.mark.parametrize(
    "placeholder", ["11111111-1111-1111-1111-111111111111", "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"]
)
@pytest.mark.parametrize(
    ("is_test", "also", "let_in"),
    [(True, None, True), (False, None, False), (True, REAL, False), (True, OTHER_SUBSCRIPTION, False)],
    ids=["test", "no test", "test that names another", "test that names a listed one"],
)
def test_only_a_test_that_speaks_for_nobody_is_let_in_unlisted(
    placeholder: str, *, is_test: bool, also: str | None, let_in: bool
) -> None:
    """What is no test, or names any real subscription besides, is refused as ever; the log says when it is a test."""
    target = f"/subscriptions/{also or placeholder.upper()}/resourceGroups/g/providers/Microsoft.Sql/servers/s"
    body = alert_body("Test_Alert" if is_test else "a1", subscription=placeholder, target=target)
    if let_in:
        assert entry(body, door(OTHER_SUBSCRIPTION)).quarantine_reason is None
        return
    with pytest.raises(Refusal, match="test notification" if is_test else "Add it there") as caught:
        entry(body, door(OTHER_SUBSCRIPTION))
    assert caught.value.code == "subscription-not-allowed"


@pytest.mark.parametrize("payload", sorted(PAYLOADS.glob("*/*.json")), ids=lambda path: path.name)
def test_every_sample_body_is_recorded(payload: Path) -> None:
    """Understood or not, with a reason; what is understood has a lane."""
    made = entry(payload.read_bytes(), door("*"))
    assert (made.correlation_key is None) == (made.quarantine_reason is not None)


def test_a_fault_of_the_program_costs_no_alert() -> None:
    """What fails on a body would fail again: it goes to quarantine, and the log gets the traceback."""

    def broken(_alert: Alert) -> str:
        raise ZeroDivisionError

    failures: list[Exception] = []
    post = Post(connection="desk", caller=CALLER, received_at=AT, body=alert_body())
    made = entry_of(post, door("*", correlate=broken), on_failure=failures.append)
    assert made.quarantine_reason is not None
    assert "ZeroDivisionError" in made.quarantine_reason
    assert [type(one) for one in failures] == [ZeroDivisionError]


def test_a_route_may_say_that_it_does_not_understand() -> None:
    """Its words become the reason."""

    def unsure(_alert: Alert) -> str:
        raise NotUnderstood("no route takes this")

    assert entry(alert_body(), door("*", correlate=unsure)).quarantine_reason == "no route takes this"


@settings(max_examples=150)
@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["schemaId", "data", "essentials", "alertId", "status", "context"]), inner),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_no_body_raises(body: bytes) -> None:
    """Whatever an authorised caller posts has an end: a lane, or quarantine."""
    made = entry(body, door("*"))
    assert made.body == body
    assert (made.correlation_key is None) == (made.quarantine_reason is not None)
