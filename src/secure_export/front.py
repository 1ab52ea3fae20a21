"""The front door: sends each request to the room that answers it."""

from collections.abc import Mapping
from typing import Any

from secure_export.console.contract import Records
from secure_export.errors import StoreUnavailable
from secure_export.intake.answers import UNAVAILABLE, Message, Receive, Send, error_answer, send_answer
from secure_export.intake.app import PATH_BEFORE, Intake
from secure_export.telemetry.health import Health
from secure_export.telemetry.metrics import Metrics
from secure_export.telemetry.recent import Recent

_JSON = b"application/json"
_NOT_HERE = b'{"error": "There is nothing here. This process does not run the console."}'


class Front:
    """An ASGI application.

    Args:
        intake: Answers the webhook; None where this process has no such role.
        console: Answers pages and JSON API; None as above.
        health: Answers ``/healthz`` and ``/readyz``.
        metrics: Answers ``/metrics``.
        records: What is counted for the metrics, at most once a second.
    """

    def __init__(
        self, *, intake: Intake | None, console: Any | None, health: Health, metrics: Metrics, records: Records
    ) -> None:
        self._intake = intake
        self._console = console
        self._health = health
        self._metrics = metrics
        self._counts = Recent(records.counts)

    @property
    def intake(self) -> Intake | None:
        """What answers the webhook."""
        return self._intake

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        path: str = scope.get("path", "")
        if self._intake is not None and path.startswith(PATH_BEFORE):
            await self._intake(scope, receive, send)
        elif path.startswith(PATH_BEFORE):
            await send_answer(
                send, error_answer(UNAVAILABLE)
            )  # another process takes alerts in: Azure must not drop this one
        elif path == "/healthz":
            await _answer(send, *await self._health.healthz())
        elif path == "/readyz":
            await _answer(send, *await self._health.readyz())
        elif path == "/metrics":
            await self._answer_metrics(send)
        elif self._console is not None:
            await self._console(scope, receive, send)
        else:
            await _answer(send, 404, _NOT_HERE)

    async def _answer_metrics(self, send: Send) -> None:
        """Answer with what was counted; a store that cannot count takes nothing from the rest."""
        try:
            self._metrics.counted(await self._counts())
        except StoreUnavailable:
            self._metrics.refused("metrics-without-store")
        text, content_type = self._metrics.exposition()
        await _answer(send, 200, text, content_type.encode())


async def _answer(send: Send, status: int, body: bytes, content_type: bytes = _JSON) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    start: Message = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
