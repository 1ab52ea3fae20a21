"""The secure webhook: ``POST /v1/connections/{connection}/alerts``.

The order matters: first who is calling, then everything else, so that a stranger learns nothing, not even which
connections there are, and cannot make us read a body. Whatever goes wrong on our side is 503, because Azure sends
again after 503 and drops the alert after 500 (Azure Monitor docs, action-groups, "Webhook"). 202 is sent after the
journal has the notification on disk.

There are two ways in: ``__call__`` is an ASGI application that answers every request; ``shortcut`` takes the common
ones, with a token that was seen before and a body that came whole, at half the cost (``secure_export.server.quick``).
Both decide alike, by the same methods.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
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
from secure_export.intake.contract import Entry, Journal, Receipt
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.entry import INSUFFICIENT_SCOPE, Post, cut, entry_of, failure_reason, quarantined
from secure_export.intake.head import Where, head_of, where
from secure_export.intake.lanes_of_tests import LanesOfTests
from secure_export.intake.path import PATH_BEFORE, connection_of
from secure_export.intake.quarantine_budget import QuarantineBudget
from secure_export.telemetry.complaints import Complaints
from secure_export.telemetry.metrics import Metrics

__all__ = ["PATH_BEFORE", "Gate", "Intake"]


class Gate(Protocol):
    """What intake needs of the one gate (``secure_export.identity``)."""

    def remembered(self, authorization: bytes) -> Caller | None:
        """Give the caller of a token that passed the whole check before and is still good."""
        ...

    async def admit(self, authorization: Sequence[bytes], *, roles: Any = None) -> Caller:
        """Check every ``Authorization`` header of a request, or raise ``Refusal``."""
        ...


class _Admitted(NamedTuple):
    """A request that was let in, before its body is read."""

    caller: Caller
    connection: str
    door: ConnectionDoor
    encoding: str


class Intake:
    """Takes alerts in, at every path that begins with ``PATH_BEFORE``."""

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
        self._tests = LanesOfTests()
        self._complaints = complaints or Complaints()
        self._most_at_gate = limits.at_gate
        self._at_gate = 0

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            await send_answer(send, error_answer(405))
            return
        try:
            answer = await self._answer(self._take(scope, receive), lambda: where(scope))
        except asyncio.CancelledError:
            await send_answer(send, error_answer(UNAVAILABLE))
            raise
        except Gone:
            self._metrics.refused("client-gone")
            return
        await send_answer(send, answer)

    def shortcut(
        self, method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]]
    ) -> Callable[[bytes], Coroutine[Any, Any, Answer]] | None:
        """Say what answers a request once its body came whole; None when that is a matter for ``__call__``.

        Args:
            method: The request's method.
            target: Its target, as it was sent.
            headers: Its headers, names in lower case.
        """
        connection = connection_of(target.decode("latin-1"))
        door = self._router.get(connection) if connection is not None else None
        if method != b"POST" or connection is None or door is None:
            return None
        head = head_of(headers)
        if head.length is None or len(head.authorization) != 1 or not self._bodies.has_room(head.length):
            return None
        caller = self._gate.remembered(head.authorization[0])
        if caller is None or not door.lets_in(caller.tenant_id):
            return None
        admitted = _Admitted(caller, connection, door, head.encoding)
        return partial(self._answer_whole, admitted, target)

    async def _answer_whole(self, admitted: _Admitted, target: bytes, body: bytes) -> Answer:
        return await self._answer(self._take_whole(admitted, body), lambda: Where(target.decode("ascii", "replace")))

    async def _take_whole(self, admitted: _Admitted, body: bytes) -> Receipt:
        self._bodies.enter()
        self._bodies.hold(len(body))
        try:
            return await self._record(admitted, body)
        finally:
            self._bodies.leave(len(body))

    async def _take(self, scope: Mapping[str, Any], receive: Receive) -> Receipt:
        head = head_of(scope["headers"])
        caller = await self._admit(head.authorization)
        connection = connection_of(scope["path"])
        door = self._router.get(connection) if connection is not None else None
        if connection is None or door is None:
            raise NoConnection
        if not door.lets_in(caller.tenant_id):
            raise _stranger(caller, connection)
        self._bodies.enter()
        held = 0
        try:
            body = await self._bodies.read(receive, head.length)
            held = len(body)
            return await self._record(_Admitted(caller, connection, door, head.encoding), body)
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

    async def _record(self, admitted: _Admitted, body: bytes) -> Receipt:
        caller, connection, door, encoding = admitted
        post = Post(connection=connection, caller=caller, received_at=self._clock(), body=body, encoding=encoding)
        entry = entry_of(post, door, test_lane=self._tests.lane, on_failure=self._reading_failed)
        if entry.quarantine_reason is not None:
            entry = self._within_budget(entry)
        try:
            receipt = await self._journal.append(entry)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - it cannot be kept as it is, and sending it again changes nothing
            self._reading_failed(error)
            entry = self._within_budget(quarantined(post, failure_reason(error)))
            receipt = await self._journal.append(entry)
        self._metrics.notified(connection, receipt.status)
        if entry.quarantine_reason is not None:
            self._complaints.quarantined(receipt.notification, connection, entry.quarantine_reason)
        return receipt

    def _within_budget(self, entry: Entry) -> Entry:
        """Give what is kept of an entry for quarantine."""
        return entry if self._quarantine.takes(entry.connection, len(entry.body), time.monotonic()) else cut(entry)

    async def _answer(self, taking: Awaitable[Receipt], asked: Callable[[], Where]) -> Answer:
        """Answer with what became of a request, whatever that is.

        Raises:
            Gone: Nobody is there to read the answer.
        """
        started = time.perf_counter()
        try:
            receipt = await taking
        except Gone:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, Azure must not drop the alert
            return self._trouble(asked(), error)
        self._metrics.intake_seconds.observe(time.perf_counter() - started)
        return receipt_answer(receipt)

    def _trouble(self, asked: Where, error: Exception) -> Answer:
        """Count and tell why a request was not taken."""
        match error:
            case Refusal():
                self._refused(asked, error.code, error.status, error.detail)
                return refusal_answer(error)
            case NotTaken():
                self._refused(asked, error.code, error.status, str(error.__doc__))
                return error_answer(error.status)
            case StoreUnavailable():
                self._refused(asked, "store-unavailable", UNAVAILABLE, str(error))
                return error_answer(UNAVAILABLE)
            case _:
                self._metrics.refused("unexpected-error")
                self._complaints.failed("request failed", error, path=asked.path)
                return error_answer(UNAVAILABLE)

    def _refused(self, asked: Where, code: str, status: int, detail: str) -> None:
        self._metrics.refused(code)
        self._complaints.refused(code, status, detail, path=asked.path, client=asked.client)

    def _reading_failed(self, error: Exception) -> None:
        self._complaints.failed("alert reading failed", error)


class NoConnection(NotTaken):
    """The address names no connection of the configuration; mend it in the action group, or add the connection."""

    status = 404
    code = "no-such-connection"


def _stranger(caller: Caller, connection: str) -> Refusal:
    return Refusal(
        403,
        "tenant-not-allowed",
        f"Tenant {caller.tenant_id} may not send to connection {connection}. List it there if its alerts belong here.",
        authenticate=INSUFFICIENT_SCOPE,
    )
