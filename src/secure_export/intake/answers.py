"""The answers of the webhook. None says why: that is for our log only (RFC 6750, section 3.1 names the errors)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from secure_export.identity.caller import Refusal
from secure_export.intake.contract import Receipt

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

_JSON = (b"content-type", b"application/json")
_TEXTS = {
    401: b'{"error": "The token was not accepted. The log of the service says why."}',
    403: b'{"error": "The caller may not do this. The log of the service says why."}',
    404: b'{"error": "There is no such connection."}',
    405: b'{"error": "Alerts are sent with POST."}',
    408: b'{"error": "The body took too long to arrive."}',
    413: b'{"error": "The body is larger than 1 MiB."}',
    503: b'{"error": "The service cannot take this now. Please send it again."}',
}
RETRY_AFTER_SECONDS = 5
CLOSE: Headers = ((b"connection", b"close"),)
ALLOW_POST: Headers = ((b"allow", b"POST"),)


async def answer(send: Send, status: int, body: bytes, headers: Headers = ()) -> None:
    """Send a whole answer."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def answer_receipt(send: Send, receipt: Receipt) -> None:
    """Say what became of a notification."""
    await answer(send, 202, b'{"notification": "%d", "status": "%b"}' % (receipt.notification, receipt.status.encode()))


async def answer_error(send: Send, status: int, headers: Headers = ()) -> None:
    """Send one of the constant answers."""
    await answer(send, status, _TEXTS[status], headers)


async def answer_unavailable(send: Send, seconds: int = RETRY_AFTER_SECONDS, headers: Headers = ()) -> None:
    """Ask the caller to send it again."""
    await answer(send, 503, _TEXTS[503], ((b"retry-after", str(seconds).encode()), *headers))


async def answer_refusal(send: Send, refusal: Refusal) -> None:
    """Answer somebody who was not let in, without the reason."""
    if refusal.status == 503:  # noqa: PLR2004 - the one refusal that is our fault
        await answer_unavailable(send, refusal.retry_after_seconds or RETRY_AFTER_SECONDS)
        return
    headers: Headers = ()
    if refusal.authenticate is not None:
        headers = ((b"www-authenticate", refusal.authenticate.encode("latin-1", "replace")),)
    await answer(send, refusal.status, _TEXTS.get(refusal.status, _TEXTS[401]), headers)
