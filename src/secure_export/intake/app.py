"""The secure webhook: ``POST /v1/connections/{connection}/alerts``.

The order matters: first who is calling, then everything else, so that a stranger learns nothing, not even which
connections there are, and cannot make us read a body. Whatever goes wrong on our side is 503, because Azure sends
again after 503 and drops the alert after 500 (Azure Monitor docs, action-groups, "Webhook"). 202 is sent after the journal
has the notification on disk.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import structlog

from secure_export.clock import Clock, utc_now
from secure_export.errors import StoreUnavailable
from secure_export.identity.caller import Caller, Refusal
from secure_export.intake.answers import (
    ALLOW_POST,
    CLOSE,
    Receive,
    Send,
    answer_error,
    answer_receipt,
    answer_refusal,
    answer_unavailable,
)
from secure_export.intake.body import Bodies, Gone, Limits, Overloaded, TooLarge, TooSlow
from secure_export.intake.contract import Entry, Journal, Receipt
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.entry import INSUFFICIENT_SCOPE, entry_of
from secure_export.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

PATH_BEFORE = "/v1/connections/"
PATH_AFTER = "/alerts"


class Gate(Protocol):
    """What intake needs of the one gate (``secure_export.identity``)."""

    def remembered(self, authorization: bytes) -> Caller | None:
        """Give the caller of a token that passed the whole check before and is still good."""
        ...

    async def admit(self, authorization: Sequence[bytes], *, roles: Any = None) -> Caller:
        """Check every ``Authorization`` header of a request, or raise ``Refusal``."""
        ...


class Intake:
    """Takes alerts in. Only this path is to be sent here; ``app.py`` does the routing."""

    def __init__(  # noqa: PLR0913 - it brings these together
        self,
        gate: Gate,
        journal: Journal,
        router: Mapping[str, ConnectionDoor],
        metrics: Metrics,
        clock: Clock = utc_now,
        *,
        limits: Limits | None = None,
    ) -> None:
        self._gate = gate
        self._journal = journal
        self._router = router
        self._metrics = metrics
        self._clock = clock
        self._bodies = Bodies(limits or Limits())

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            await answer_error(send, 405, ALLOW_POST)
            return
        started = time.perf_counter()
        try:
            receipt = await self._take(scope, receive)
        except BaseException as error:
            await self._answer_trouble(send, scope, error)
            return
        await answer_receipt(send, receipt)
        self._metrics.intake_seconds.observe(time.perf_counter() - started)

    async def _take(self, scope: Mapping[str, Any], receive: Receive) -> Receipt:
        authorization, declared, encoding = _headers(scope["headers"])
        caller = (self._gate.remembered(authorization[0]) if len(authorization) == 1 else None) or (
            await self._gate.admit(authorization)
        )
        connection = scope["path"][len(PATH_BEFORE) : -len(PATH_AFTER)]
        door = self._router.get(connection)
        if door is None:
            raise _NoConnection
        if door.tenants is not None and caller.tenant_id not in door.tenants:
            raise _stranger(caller, connection)
        receipt = await self._record(connection, door, caller, receive, declared, encoding)
        self._metrics.notified(connection, receipt.status)
        return receipt

    async def _record(  # noqa: PLR0913 - what is known of the request by now
        self,
        connection: str,
        door: ConnectionDoor,
        caller: Caller,
        receive: Receive,
        declared: int | None,
        encoding: str,
    ) -> Receipt:
        self._bodies.enter()
        held = 0
        try:
            body = await self._bodies.read(receive, declared)
            held = len(body)
            entry = entry_of(connection, door, body, caller, self._clock(), encoding=encoding)
            receipt = await self._journal.append(entry)
        finally:
            self._bodies.leave(held)
        if receipt.status == "quarantined":
            _log_quarantine(entry, receipt)
        return receipt

    async def _answer_trouble(self, send: Send, scope: Mapping[str, Any], error: BaseException) -> None:  # noqa: C901, PLR0912 - one case each
        path = scope["path"][:200]
        match error:
            case Refusal():
                self._metrics.refused(error.code)
                log.warning("request refused", code=error.code, detail=error.detail, status=error.status, path=path)
                await answer_refusal(send, error)
            case _NoConnection():
                self._metrics.refused("no-such-connection")
                log.warning("request refused", code="no-such-connection", status=404, path=path)
                await answer_error(send, 404)
            case TooLarge():
                self._metrics.refused("too-large")
                log.warning("request refused", code="too-large", status=413, path=path)
                await answer_error(send, 413, CLOSE)
            case TooSlow():
                self._metrics.refused("too-slow")
                log.warning("request refused", code="too-slow", status=408, path=path)
                await answer_error(send, 408, CLOSE)
            case Gone():
                self._metrics.refused("client-gone")
                log.info("client gone", path=path)
            case Overloaded():
                self._metrics.refused("overloaded")
                log.warning("request refused", code="overloaded", status=503, path=path)
                await answer_unavailable(send, headers=CLOSE)
            case StoreUnavailable():
                self._metrics.refused("store-unavailable")
                log.error("store unavailable", detail=str(error), path=path)
                await answer_unavailable(send)
            case asyncio.CancelledError():
                await answer_unavailable(send, headers=CLOSE)
                raise error
            case _:
                self._metrics.refused("unexpected-error")
                log.error("request failed", path=path, exc_info=error)
                await answer_unavailable(send)


class _NoConnection(Exception):  # noqa: N818 - an answer rather than a failure
    """No connection has this name."""


def _headers(headers: Sequence[tuple[bytes, bytes]]) -> tuple[list[bytes], int | None, str]:
    """Pick out the authorization headers, the declared length and the encoding."""
    authorization: list[bytes] = []
    declared: int | None = None
    encoding = ""
    for name, value in headers:
        if name == b"authorization":
            authorization.append(value)
        elif name == b"content-length":
            declared = int(value) if value.isdigit() else None
        elif name == b"content-encoding":
            encoding = value.decode("latin-1").strip().lower()
    return authorization, declared, encoding


def _stranger(caller: Caller, connection: str) -> Refusal:
    return Refusal(
        403,
        "tenant-not-allowed",
        f"Tenant {caller.tenant_id} may not send to connection {connection}. List it there if its alerts belong here.",
        authenticate=INSUFFICIENT_SCOPE,
    )


def _log_quarantine(entry: Entry, receipt: Receipt) -> None:
    log.warning(
        "notification quarantined",
        notification=receipt.notification,
        connection=entry.connection,
        reason=entry.quarantine_reason,
    )
