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

import structlog

from secure_export.clock import Clock, utc_now
from secure_export.errors import StoreUnavailable
from secure_export.identity.caller import Caller, Refusal
from secure_export.intake.answers import (
    ALLOW_POST,
    CLOSE,
    UNAVAILABLE,
    NotTaken,
    Receive,
    Send,
    answer_error,
    answer_receipt,
    answer_refusal,
)
from secure_export.intake.body import Bodies, Gone, Limits
from secure_export.intake.contract import Journal, Receipt
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.entry import INSUFFICIENT_SCOPE, Post, entry_of
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
        except asyncio.CancelledError:
            await answer_error(send, UNAVAILABLE, CLOSE)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, Azure must not drop the alert
            await self._answer_trouble(send, scope["path"][:200], error)
            return
        await answer_receipt(send, receipt)
        self._metrics.intake_seconds.observe(time.perf_counter() - started)

    async def _take(self, scope: Mapping[str, Any], receive: Receive) -> Receipt:
        head = _head(scope["headers"])
        caller = await self._admit(head.authorization)
        connection = scope["path"][len(PATH_BEFORE) : -len(PATH_AFTER)]
        door = self._router.get(connection)
        if door is None:
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
            receipt = await self._record(post, door)
        finally:
            self._bodies.leave(held)
        return receipt

    async def _admit(self, authorization: Sequence[bytes]) -> Caller:
        if len(authorization) == 1:
            caller = self._gate.remembered(authorization[0])
            if caller is not None:
                return caller
        return await self._gate.admit(authorization)

    async def _record(self, post: Post, door: ConnectionDoor) -> Receipt:
        entry = entry_of(post, door)
        receipt = await self._journal.append(entry)
        self._metrics.notified(post.connection, receipt.status)
        if entry.quarantine_reason is not None:
            log.warning(
                "notification quarantined",
                notification=receipt.notification,
                connection=post.connection,
                reason=entry.quarantine_reason,
            )
        return receipt

    async def _answer_trouble(self, send: Send, path: str, error: Exception) -> None:
        match error:
            case Refusal():
                self._refused(path, error.code, error.status, error.detail)
                await answer_refusal(send, error)
            case NotTaken():
                self._refused(path, error.code, error.status, str(error.__doc__))
                await answer_error(send, error.status, CLOSE)
            case Gone():
                self._metrics.refused("client-gone")
                log.info("client gone", path=path)
            case StoreUnavailable():
                self._refused(path, "store-unavailable", UNAVAILABLE, str(error))
                await answer_error(send, UNAVAILABLE)
            case _:
                self._metrics.refused("unexpected-error")
                log.error("request failed", path=path, exc_info=error)
                await answer_error(send, UNAVAILABLE)

    def _refused(self, path: str, code: str, status: int, detail: str) -> None:
        self._metrics.refused(code)
        log.warning("request refused", code=code, status=status, detail=detail, path=path)


class NoConnection(NotTaken):
    """No connection has this name."""

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


def _stranger(caller: Caller, connection: str) -> Refusal:
    return Refusal(
        403,
        "tenant-not-allowed",
        f"Tenant {caller.tenant_id} may not send to connection {connection}. List it there if its alerts belong here.",
        authenticate=INSUFFICIENT_SCOPE,
    )
