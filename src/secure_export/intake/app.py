"""The secure webhook: ``POST /v1/connections/{connection}/alerts``.

The order matters: first who is calling, then everything else, so that a stranger learns nothing, not even which
connections there are, and cannot make us read a body. Whatever goes wrong on our side is 503, because Azure sends
again after 503 and drops the alert after 500 (Azure Monitor docs, action-groups, "Webhook"). 202 is sent after the
journal has the notification on disk.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from secure_export.clock import Clock, utc_now
from secure_export.errors import StoreUnavailable
from secure_export.identity.caller import Caller, Refusal
from secure_export.intake.answers import (
    UNAVAILABLE,
    Answer,
    NotTaken,
    Receive,
    Send,
    error_answer,
    receipt_answer,
    refusal_answer,
    send_answer,
)
from secure_export.intake.body import Bodies, Gone, Limits, Overloaded
from secure_export.intake.complaints import Complaints
from secure_export.intake.contract import Journal, Receipt
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.entry import INSUFFICIENT_SCOPE, Post, entry_of, failure_reason, quarantined
from secure_export.intake.path import PATH_BEFORE, connection_of
from secure_export.intake.quarantine_budget import QuarantineBudget
from secure_export.telemetry.metrics import Metrics

__all__ = ["PATH_BEFORE", "Gate", "Intake"]

_SHOWN_PATH_BYTES = 200


class Gate(Protocol):
    """What intake needs of the one gate (``secure_export.identity``)."""

    def remembered(self, authorization: bytes) -> Caller | None:
        """Give the caller of a token that passed the whole check before and is still good."""
        ...

    async def admit(self, authorization: Sequence[bytes], *, roles: Any = None) -> Caller:
        """Check every ``Authorization`` header of a request, or raise ``Refusal``."""
        ...


class Intake:
    """Takes alerts in: an ASGI application for every path that begins with ``PATH_BEFORE``."""

    def __init__(  # noqa: PLR0913 - it brings these together
        self,
        gate: Gate,
        journal: Journal,
        router: Mapping[str, ConnectionDoor],
        metrics: Metrics,
        clock: Clock = utc_now,
        *,
        limits: Limits | None = None,
        complaints: Complaints | None = None,
    ) -> None:
        limits = limits or Limits()
        self._gate = gate
        self._journal = journal
        self._router = router
        self._metrics = metrics
        self._clock = clock
        self._bodies = Bodies(limits)
        self._quarantine = QuarantineBudget(limits.quarantine_bytes_per_hour)
        self._complaints = complaints or Complaints()
        self._most_at_gate = limits.at_gate
        self._at_gate = 0

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            await send_answer(send, error_answer(405))
            return
        started = time.perf_counter()
        try:
            receipt = await self._take(scope, receive)
        except asyncio.CancelledError:
            await send_answer(send, error_answer(UNAVAILABLE))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, Azure must not drop the alert
            answer = self._trouble(scope, error)
        else:
            answer = receipt_answer(receipt)
            self._metrics.intake_seconds.observe(time.perf_counter() - started)
        if answer is not None:
            await send_answer(send, answer)

    async def _take(self, scope: Mapping[str, Any], receive: Receive) -> Receipt:
        head = _head(scope["headers"])
        caller = await self._admit(head.authorization)
        connection = connection_of(scope["path"])
        door = self._router.get(connection) if connection is not None else None
        if connection is None or door is None:
            raise NoConnection
        if door.tenants is not None and caller.tenant_id not in door.tenants:
            raise _stranger(caller, connection)
        self._bodies.enter()
        held = 0
        try:
            body = await self._bodies.read(receive, head.length)
            held = len(body)
            post = Post(
                connection=connection, caller=caller, received_at=self._clock(), body=body, encoding=head.encoding
            )
            return await self._record(post, door)
        finally:
            self._bodies.leave(held)

    async def _admit(self, authorization: Sequence[bytes]) -> Caller:
        if len(authorization) == 1:
            caller = self._gate.remembered(authorization[0])
            if caller is not None:
                return caller
        if self._at_gate >= self._most_at_gate:
            raise Overloaded
        self._at_gate += 1
        try:
            return await self._gate.admit(authorization)
        finally:
            self._at_gate -= 1

    async def _record(self, post: Post, door: ConnectionDoor) -> Receipt:
        entry = entry_of(post, door, on_failure=self._reading_failed)
        if entry.quarantine_reason is not None:
            self._quarantine.spend(post.connection, len(post.body), time.monotonic())
        try:
            receipt = await self._journal.append(entry)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - it cannot be kept as it is, and sending it again changes nothing
            self._reading_failed(error)
            entry = quarantined(post, failure_reason(error))
            receipt = await self._journal.append(entry)
        self._metrics.notified(post.connection, receipt.status)
        if entry.quarantine_reason is not None:
            self._complaints.quarantined(receipt.notification, post.connection, entry.quarantine_reason)
        return receipt

    def _reading_failed(self, error: Exception) -> None:
        self._complaints.failed("alert reading failed", error)

    def _trouble(self, scope: Mapping[str, Any], error: Exception) -> Answer | None:
        """Count and tell why a request was not taken; the answer to it, None when nobody is there to read it."""
        match error:
            case Refusal():
                self._refused(scope, error.code, error.status, error.detail)
                return refusal_answer(error)
            case NotTaken():
                self._refused(scope, error.code, error.status, str(error.__doc__))
                return error_answer(error.status)
            case Gone():
                self._metrics.refused("client-gone")
                return None
            case StoreUnavailable():
                self._refused(scope, "store-unavailable", UNAVAILABLE, str(error))
                return error_answer(UNAVAILABLE)
            case _:
                self._metrics.refused("unexpected-error")
                self._complaints.failed("request failed", error, path=_shown_path(scope))
                return error_answer(UNAVAILABLE)

    def _refused(self, scope: Mapping[str, Any], code: str, status: int, detail: str) -> None:
        self._metrics.refused(code)
        client = scope.get("client")
        self._complaints.refused(
            code, status, detail, path=_shown_path(scope), client=client[0] if client is not None else None
        )


class NoConnection(NotTaken):
    """The address names no connection of the configuration; mend it in the action group, or add the connection."""

    status = 404
    code = "no-such-connection"


class _Head(NamedTuple):
    """What matters of a request's head."""

    authorization: list[bytes]
    length: int | None
    encoding: str


def _head(headers: Sequence[tuple[bytes, bytes]]) -> _Head:
    authorization: list[bytes] = []
    length: int | None = None
    encoding = ""
    for name, value in headers:
        if name == b"authorization":
            authorization.append(value)
        elif name == b"content-length":
            length = int(value) if value.isdigit() else None
        elif name == b"content-encoding":
            encoding = value.decode("latin-1").strip().lower()
    return _Head(authorization, length, encoding)


def _shown_path(scope: Mapping[str, Any]) -> str:
    """Give the path as it was sent, percent-encoded, so that nothing in it can upset a log."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("unicode_escape")
    return raw[:_SHOWN_PATH_BYTES].decode("ascii", "replace")


def _stranger(caller: Caller, connection: str) -> Refusal:
    return Refusal(
        403,
        "tenant-not-allowed",
        f"Tenant {caller.tenant_id} may not send to connection {connection}. List it there if its alerts belong here.",
        authenticate=INSUFFICIENT_SCOPE,
    )
