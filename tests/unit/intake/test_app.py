"""The webhook's answers, what is recorded, what is counted and what is told."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs
from tests.unit.intake.doubles import (
    GOOD,
    OTHER_SUBSCRIPTION,
    SUBSCRIPTION,
    TENANT,
    StandInGate,
    StandInJournal,
    alert_body,
)

from secure_export.identity.caller import Refusal
from secure_export.intake.answers import _TEXTS, NotTaken
from secure_export.intake.app import Intake
from secure_export.intake.body import MAX_BODY_BYTES, Limits
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.lanes_of_tests import MOST_A_MINUTE
from secure_export.telemetry.complaints import Complaints
from secure_export.telemetry.metrics import Metrics

DESK = ConnectionDoor(subscriptions=frozenset({SUBSCRIPTION}), tenants=None, correlate=lambda alert: alert.id)
OTHERS = ConnectionDoor(
    subscriptions=frozenset({"*"}), tenants=frozenset({"another"}), correlate=lambda alert: alert.id
)
OURS = ConnectionDoor(subscriptions=frozenset({"*"}), tenants=frozenset({TENANT}), correlate=lambda alert: alert.id)


@dataclass(frozen=True)
class Answered:
    status: int
    headers: Mapping[bytes, bytes]
    body: Any


class Rig:
    """An intake between stand-ins, and a client of it."""

    def __init__(self, limits: Limits | None = None, *, remembers: bool = False) -> None:
        self.gate = StandInGate(remembers=remembers)
        self.journal = StandInJournal()
        self.metrics = Metrics()
        self.intake = Intake(
            self.gate,
            self.journal,
            {"desk": DESK, "others": OTHERS, "ours": OURS},
            self.metrics,
            limits=limits,
            complaints=Complaints(),
        )

    async def post(
        self,
        body: bytes = b"",
        *,
        path: str = "/v1/connections/desk/alerts",
        method: str = "POST",
        authorization: tuple[bytes, ...] = (GOOD,),
        headers: tuple[tuple[bytes, bytes], ...] = (),
        messages: list[dict[str, Any]] | None = None,
    ) -> Answered | None:
        """Post; None when there was no answer."""
        waiting = messages if messages is not None else [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            if not waiting:
                await asyncio.Event().wait()
            return waiting.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "client": ("203.0.113.9", 4711),
            "headers": [*((b"authorization", one) for one in authorization), *headers],
        }
        await self.intake(scope, receive, send)
        if not sent:
            return None
        start, text = sent
        assert dict(start["headers"])[b"content-length"] == str(len(text["body"])).encode()
        return Answered(start["status"], dict(start["headers"]), json.loads(text["body"]))

    def counted(self, name: str, **labels: str) -> float:
        """Read a counter."""
        return self.metrics.registry.get_sample_value(f"secure_export_{name}_total", labels) or 0.0


@pytest.fixture(autouse=True)
def _fresh_loggers() -> None:
    structlog.reset_defaults()


@pytest.mark.parametrize("remembers", [True, False])
async def test_an_alert_is_accepted(*, remembers: bool) -> None:
    """202 with the id as text, counted and timed, whether the token was seen before or not."""
    rig = Rig(remembers=remembers)
    answered = await rig.post(alert_body())
    assert answered is not None
    assert answered.status == 202
    assert answered.body == {"notification": "1", "status": "accepted"}
    assert answered.headers[b"content-type"] == b"application/json"
    assert rig.gate.checks == (0 if remembers else 1)
    assert rig.counted("notifications", connection="desk", status="accepted") == 1
    assert rig.metrics.registry.get_sample_value("secure_export_intake_seconds_count") == 1
    [entry] = rig.journal.entries
    assert (entry.connection, entry.body) == ("desk", alert_body())


async def test_a_repetition_is_told_as_such() -> None:
    """The answer names the notification that is there already."""
    rig = Rig()
    await rig.post(alert_body("a0"))
    await rig.post(alert_body())
    answered = await rig.post(alert_body())
    assert answered is not None
    assert answered.body == {"notification": "2", "status": "duplicate"}
    assert len(rig.journal.entries) == 2
    assert rig.counted("notifications", connection="desk", status="duplicate") == 1


async def test_what_is_not_understood_is_quarantined_with_202_and_told() -> None:
    """Azure is content, and a person is told."""
    rig = Rig()
    with capture_logs() as lines:
        answered = await rig.post(b"no alert")
    assert answered is not None
    assert (answered.status, answered.body) == (202, {"notification": "1", "status": "quarantined"})
    [line] = lines
    assert (line["event"], line["notification"], line["connection"]) == ("notification quarantined", 1, "desk")
    assert rig.counted("notifications", connection="desk", status="quarantined") == 1


async def test_the_answer_waits_for_the_journal() -> None:
    """202 is not sent before the notification is on disk."""
    rig = Rig()
    rig.journal.open.clear()
    posting = asyncio.create_task(rig.post(alert_body()))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not posting.done()
    rig.journal.open.set()
    answered = await posting
    assert answered is not None
    assert answered.status == 202


@pytest.mark.parametrize(
    ("authorization", "code", "authenticate"),
    [
        ((), "no-token", b'Bearer realm="secure-export"'),
        ((b"Bearer bad",), "bad-signature", b'Bearer realm="secure-export", error="invalid_token"'),
        ((GOOD, GOOD), "bad-signature", b'Bearer realm="secure-export", error="invalid_token"'),
        ((GOOD, b"Bearer bad"), "bad-signature", b'Bearer realm="secure-export", error="invalid_token"'),
    ],
    ids=["none", "bad", "twice", "two"],
)
@pytest.mark.parametrize("path", ["/v1/connections/desk/alerts", "/v1/connections/none/alerts", "/v1/connections/x"])
async def test_a_stranger_learns_nothing(
    authorization: tuple[bytes, ...], code: str, authenticate: bytes, path: str
) -> None:
    """401 for every path, known or not, without a reason, and nothing of the body is read; the log knows why."""
    rig = Rig(remembers=True)
    with capture_logs() as lines:
        answered = await rig.post(path=path, authorization=authorization, messages=[])
    assert answered is not None
    assert answered.status == 401
    assert answered.headers[b"www-authenticate"] == authenticate
    assert "log of the service" in answered.body["error"]
    [line] = lines
    assert (line["code"], line["status"], line["client"]) == (code, 401, "203.0.113.9")
    assert rig.counted("refusals", code=code) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/v1/connections/none/alerts",
        "/v1/connections/desk",
        "/v1/connections/a/b/alerts",
        "/v1/connections/DESK/alerts",
    ],
)
async def test_an_unknown_connection_is_404_for_those_who_were_let_in(path: str) -> None:
    """And the log says what to mend."""
    rig = Rig()
    with capture_logs() as lines:
        answered = await rig.post(path=path, messages=[])
    assert answered is not None
    assert (answered.status, lines[0]["code"]) == (404, "no-such-connection")
    assert "mend it in the action group" in lines[0]["detail"]


async def test_a_slash_at_the_end_is_let_pass() -> None:
    """A common slip when the address is typed."""
    answered = await Rig().post(alert_body(), path="/v1/connections/desk/alerts/")
    assert answered is not None
    assert answered.status == 202


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS", "DELETE", "PATCH"])
async def test_only_post_is_allowed(method: str) -> None:
    """405 names what is (RFC 9110, section 15.5.6)."""
    answered = await Rig().post(method=method, authorization=())
    assert answered is not None
    assert (answered.status, answered.headers[b"allow"]) == (405, b"POST")


@pytest.mark.parametrize("declared", [True, False])
async def test_above_1_mib_is_413(*, declared: bool) -> None:
    """The connection is not closed, so that the client can read the answer after its body."""
    rig = Rig()
    headers = ((b"content-length", b"%d" % (MAX_BODY_BYTES + 1)),) if declared else ()
    answered = await rig.post(b"x" * (MAX_BODY_BYTES + 1), headers=headers)
    assert answered is not None
    assert answered.status == 413
    assert b"connection" not in answered.headers
    assert rig.journal.entries == []
    assert rig.counted("refusals", code="too-large") == 1


async def test_a_slow_body_is_408_and_the_end() -> None:
    """Azure sends again after 408; the rest of this body is not waited for."""
    answered = await Rig(Limits(patience_seconds=0.01)).post(messages=[])
    assert answered is not None
    assert (answered.status, answered.headers[b"connection"]) == (408, b"close")


async def test_a_client_that_left_is_not_answered_and_nothing_is_recorded() -> None:
    """Half an alert is no alert; Azure sends it again."""
    rig = Rig()
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": alert_body()[:50], "more_body": True},
        {"type": "http.disconnect"},
    ]
    assert await rig.post(messages=messages) is None
    assert rig.journal.entries == []
    assert rig.counted("refusals", code="client-gone") == 1


async def test_a_subscription_that_is_not_listed_is_403_and_the_log_says_what_to_change() -> None:
    """The alert is lost for Azure, so whoever reads the log must find what to do."""
    rig = Rig()
    with capture_logs() as lines:
        answered = await rig.post(alert_body(subscription=OTHER_SUBSCRIPTION))
    assert answered is not None
    assert answered.status == 403
    assert answered.headers[b"www-authenticate"] == b'Bearer realm="secure-export", error="insufficient_scope"'
    assert OTHER_SUBSCRIPTION not in json.dumps(answered.body)
    assert OTHER_SUBSCRIPTION in lines[0]["detail"]
    assert "Add it there" in lines[0]["detail"]
    assert rig.journal.entries == []


@pytest.mark.parametrize(("connection", "status"), [("others", 403), ("ours", 202)])
async def test_a_connection_can_be_kept_for_some_tenants(connection: str, status: int) -> None:
    """A good token of another tenant does not open it."""
    rig = Rig()
    answered = await rig.post(alert_body(), path=f"/v1/connections/{connection}/alerts")
    assert answered is not None
    assert answered.status == status


@pytest.mark.parametrize(
    ("trouble", "retry_after"),
    [
        ("store", b"5"),
        ("gate cannot tell", b"17"),
        ("gate fails", b"5"),
        ("full", b"5"),
        ("busy at the gate", b"5"),
    ],
)
async def test_whatever_is_our_fault_is_503_with_retry_after(trouble: str, retry_after: bytes) -> None:
    """Azure sends again after 503 and drops the alert after 500."""
    rig = Rig(
        Limits(
            in_flight=0 if trouble == "full" else 10,
            at_gate=0 if trouble == "busy at the gate" else 10,
        )
    )
    rig.journal.unavailable = trouble == "store"
    if trouble == "gate cannot tell":
        rig.gate.fails = Refusal(503, "no-keys", "none", retry_after_seconds=17, authenticate="x")
    if trouble == "gate fails":
        rig.gate.fails = RuntimeError("bug")
    answered = await rig.post(alert_body())
    assert answered is not None
    assert (answered.status, answered.headers[b"retry-after"]) == (503, retry_after)
    assert b"www-authenticate" not in answered.headers
    assert rig.journal.entries == []


async def test_a_stop_in_the_middle_is_503() -> None:
    """Who is cut off by the end of the program is told to come back."""
    rig = Rig()
    rig.journal.open.clear()
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": alert_body(), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"method": "POST", "path": "/v1/connections/desk/alerts", "headers": [(b"authorization", GOOD)]}
    posting = asyncio.create_task(rig.intake(scope, receive, send))
    for _ in range(20):
        await asyncio.sleep(0)
    posting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await posting
    assert sent[0]["status"] == 503


async def test_an_entry_that_the_store_cannot_hold_goes_to_quarantine() -> None:
    """Sending it again would change nothing, and after some tries Azure would drop it."""
    rig = Rig()
    rig.journal.poison = b"a1"
    with capture_logs() as lines:
        answered = await rig.post(alert_body("a1"))
    assert answered is not None
    assert answered.body == {"notification": "1", "status": "quarantined"}
    assert [line["event"] for line in lines] == ["alert reading failed", "notification quarantined"]


async def test_overload_is_told_before_memory_grows() -> None:
    """With a stalled disk a flood is refused at once, and what was taken on is answered when the disk is back."""
    rig = Rig(Limits(in_flight=100))
    rig.journal.open.clear()
    posting = [asyncio.create_task(rig.post(alert_body(f"a{n}"))) for n in range(1000)]
    for _ in range(50):
        await asyncio.sleep(0)
    refused = [task for task in posting if task.done()]
    assert len(refused) == 900
    rig.journal.open.set()
    answered = [one.status for task in posting if (one := await task) is not None]
    assert (answered.count(202), answered.count(503)) == (100, 900)
    assert rig.intake._bodies.in_flight == rig.intake._bodies.buffered_bytes == 0


async def test_strangers_who_wait_for_keys_do_not_keep_known_callers_out() -> None:
    """A token that was seen before passes while the gate is full of others."""
    rig = Rig(Limits(at_gate=5), remembers=True)
    rig.gate.open.clear()
    strangers = [asyncio.create_task(rig.post(authorization=(b"Bearer bad",))) for _ in range(20)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert sum(task.done() for task in strangers) == 15
    answered = await rig.post(alert_body())
    assert answered is not None
    assert answered.status == 202
    rig.gate.open.set()
    statuses = [one.status for task in strangers if (one := await task) is not None]
    assert (statuses.count(401), statuses.count(503)) == (5, 15)


async def test_a_flood_of_strangers_is_few_lines_and_exact_numbers() -> None:
    """Nobody without a token can fill the log, and the counters miss nothing."""
    rig = Rig()
    with capture_logs() as lines:
        for number in range(300):
            await rig.post(authorization=(), path=f"/v1/connections/{number}/alerts")
    assert len(lines) == 1
    assert rig.counted("refusals", code="no-token") == 300


async def test_a_flood_of_garbage_is_few_lines_and_bounded() -> None:
    """Nobody with a good token can fill log or disk, and no answer makes Azure ban the end point; alerts still pass."""
    rig = Rig(Limits(quarantine_bytes_per_hour=100 * (9_000 + 1024)))
    with capture_logs() as lines:
        statuses = [one.status for n in range(300) if (one := await rig.post(b"%09000d" % n)) is not None]
    assert statuses == [202] * 300
    assert [len(entry.body) for entry in rig.journal.entries] == [9_000] * 100 + [1024] * 200
    assert len(lines) < 50
    answered = await rig.post(alert_body())
    assert answered is not None
    assert answered.status == 202


@pytest.mark.parametrize("by", ["reading", "store"])
async def test_of_what_a_full_quarantine_keeps_the_reason_tells_the_rest(by: str) -> None:
    """Why it is not understood, how large it was, and its digest; a body below 1 KiB is kept as it is."""
    rig = Rig(Limits(quarantine_bytes_per_hour=0))
    rig.journal.poison = b"a1" if by == "store" else None
    body = alert_body("a1", description="d" * 2000) if by == "store" else b"no alert" * 1000
    answered = await rig.post(body)
    assert answered is not None
    assert (answered.status, answered.body["status"]) == (202, "quarantined")
    await rig.post(b"no alert")
    long, short = rig.journal.entries
    assert long.body == body[:1024]
    assert long.quarantine_reason is not None
    assert long.quarantine_reason.startswith("The program failed" if by == "store" else "The body is no JSON")
    assert "quarantine of this connection is full for this hour" in long.quarantine_reason
    assert f"{len(body):,} bytes" in long.quarantine_reason
    assert sha256(body).hexdigest() in long.quarantine_reason
    assert short.body == b"no alert"
    assert "full" not in (short.quarantine_reason or "")


@pytest.mark.parametrize("path", ["/v1/connections/desk/alerts", "/v1/connections/ours/alerts"])
async def test_a_flood_of_tests_is_a_bounded_number_of_lanes(path: str) -> None:
    """Tests are never duplicates, so that each could be a work item; above a number in a minute they share a lane."""
    rig = Rig()
    body = alert_body("Test_Alert")
    for _ in range(200):
        answered = await rig.post(body, path=path)
        assert answered is not None
        assert answered.body["status"] == "accepted"
    assert len(rig.journal.entries) == 200
    # The clock may go on to the next minute meanwhile.
    assert 1 < len({entry.correlation_key for entry in rig.journal.entries}) <= 2 * (MOST_A_MINUTE + 1)


def test_no_text_is_kept_for_an_answer_that_is_never_given() -> None:
    """Each error has one constant text, and each text its error."""
    assert set(_TEXTS) == {401, 403, 405, 503} | {kind.status for kind in NotTaken.__subclasses__()}


async def test_no_answer_and_no_line_shows_a_token() -> None:
    """Also when the program fails in the middle."""
    rig = Rig()
    rig.gate.fails = RuntimeError("bug")
    with capture_logs() as lines:
        answered = await rig.post(authorization=(b"Bearer secret-token",))
    assert "secret-token" not in repr(answered)
    assert "secret-token" not in repr(lines)
