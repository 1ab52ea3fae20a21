"""The answers of the webhook. None says why: that is for our log only (RFC 6750, section 3.1 names the errors)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, ClassVar, NamedTuple

from secure_export.identity.caller import Refusal
from secure_export.intake.contract import Receipt

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

ACCEPTED = 202
UNAVAILABLE = 503
RETRY_AFTER_SECONDS = 5

_JSON = (b"content-type", b"application/json")
_CLOSE = (b"connection", b"close")
_ALLOW_POST = (b"allow", b"POST")
_TEXTS = {
    401: b'{"error": "The token was not accepted. The log of the service says why."}',
    403: b'{"error": "The caller may not do this. The log of the service says why."}',
    404: b'{"error": "There is no such connection."}',
    405: b'{"error": "Alerts are sent with POST."}',
    408: b'{"error": "The body took too long to arrive."}',
    413: b'{"error": "The body is larger than 1 MiB."}',
    503: b'{"error": "The service cannot take this now. Please send it again."}',
}


class NotTaken(Exception):  # noqa: N818 - an answer rather than a failure
    """A request of an authorised caller that was not taken.

    Attributes:
        status: The status of the answer.
        code: A constant name for log and counter.
    """

    status: ClassVar[int]
    code: ClassVar[str]


class Answer(NamedTuple):
    """A whole answer, but for its length."""

    status: int
    headers: Headers
    body: bytes


async def send_answer(send: Send, answer: Answer) -> None:
    """Send an answer the ASGI way."""
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def receipt_answer(receipt: Receipt) -> Answer:
    """Say what became of a notification."""
    body = b'{"notification": "%d", "status": "%b"}' % (receipt.notification, receipt.status.encode())
    return Answer(ACCEPTED, (_JSON,), body)


def error_answer(status: int) -> Answer:
    """Give one of the constant answers.

    The connection stays open where the rest of a body may still come: closing it then would reset it, the client
    would not see the answer, and Azure would send the same again and again.
    """
    return _ERRORS[status]


def refusal_answer(refusal: Refusal) -> Answer:
    """Answer somebody who was not let in, without the reason."""
    headers: Headers = ()
    if refusal.status == UNAVAILABLE:
        headers = _retry_after(refusal.retry_after_seconds or RETRY_AFTER_SECONDS)
    elif refusal.authenticate is not None:
        headers = ((b"www-authenticate", refusal.authenticate.encode("latin-1", "replace")),)
    return Answer(refusal.status, (_JSON, *headers), _TEXTS.get(refusal.status, _TEXTS[401]))


def _retry_after(seconds: int) -> Headers:
    return ((b"retry-after", b"%d" % seconds),)


_HEADERS: dict[int, Headers] = {405: (_ALLOW_POST,), 408: (_CLOSE,), 503: _retry_after(RETRY_AFTER_SECONDS)}
_ERRORS = {status: Answer(status, (_JSON, *_HEADERS.get(status, ())), text) for status, text in _TEXTS.items()}
