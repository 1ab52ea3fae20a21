"""The answers of the webhook. None says why: that is for our log only (RFC 6750, section 3.1 names the errors)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, ClassVar

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
UNAVAILABLE = 503
RETRY_AFTER_SECONDS = 5
CLOSE: Headers = ((b"connection", b"close"),)
ALLOW_POST: Headers = ((b"allow", b"POST"),)


class NotTaken(Exception):  # noqa: N818 - an answer rather than a failure
    """A request of an authorised caller that was not taken.

    Attributes:
        status: The status of the answer.
        code: A constant name for log and counter.
    """

    status: ClassVar[int]
    code: ClassVar[str]


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
    retry = _retry_after(RETRY_AFTER_SECONDS) if status == UNAVAILABLE else ()
    await answer(send, status, _TEXTS[status], (*retry, *headers))


async def answer_refusal(send: Send, refusal: Refusal) -> None:
    """Answer somebody who was not let in, without the reason."""
    headers: Headers = ()
    if refusal.status == UNAVAILABLE:
        headers = _retry_after(refusal.retry_after_seconds or RETRY_AFTER_SECONDS)
    if refusal.authenticate is not None:
        headers = ((b"www-authenticate", refusal.authenticate.encode("latin-1", "replace")),)
    await answer(send, refusal.status, _TEXTS.get(refusal.status, _TEXTS[401]), headers)


def _retry_after(seconds: int) -> Headers:
    return ((b"retry-after", str(seconds).encode()),)
