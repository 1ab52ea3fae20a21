"""Answers of the API, and what becomes of trouble."""

from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from secure_export.console.query import BadRequest
from secure_export.errors import NotFound, NotUnderstood, StoreUnavailable
from secure_export.identity.caller import Refusal
from secure_export.itsm.desk.people_changes import ActionRefused

log = structlog.get_logger(__name__)

_encode = msgspec.json.Encoder().encode
_NO_STORE = {"cache-control": "no-store"}
_RETRY_AFTER = {"retry-after": "5"}
_REFUSED = {
    401: "You are not known here. There are two ways in: a bearer token with the app role SecureExport.Viewer or "
    "SecureExport.Operator (header Authorization); or, on the machine itself, local access, for which there is the "
    "setting console.local_access (docs/decisions/0008-local-access.md). The service's log says why this request was "
    "not let in.",
    403: "You may not do this. The service's log says why.",
    503: "Who you are cannot be checked now. Please try again.",
}
_ROUTING = {
    404: "There is nothing at this address; / is the console and /api/v1/openapi.json describes the API.",
    405: "This address does not take that method; /api/v1/openapi.json says which it takes.",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is answered when something is not done.

    Attributes:
        status: The HTTP status.
        text: What happened and what to do, for people.
        headers: Further headers.
    """

    status: int
    text: str
    headers: dict[str, str]


def json_answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(_encode(content), status, {**_NO_STORE, **(headers or {})}, "application/json")


def json_trouble(trouble: Trouble) -> Response:
    """Answer with what went wrong, as JSON."""
    return json_answer({"error": trouble.text}, trouble.status, trouble.headers)


def trouble_of(request: Request, error: Exception) -> Trouble:  # noqa: PLR0911 - one line for each kind
    """Say what to answer when a handler raised; what nobody foresaw goes into the log in full."""
    match error:
        case Refusal():
            return _refused(error)
        case BadRequest():
            return Trouble(400, str(error), {})
        case NotFound():
            return Trouble(404, sentence(str(error)), {})
        case NotUnderstood() | ActionRefused():
            return Trouble(409, sentence(str(error)), {})
        case StoreUnavailable():
            log.warning("console without store", path=path_of(request), detail=str(error))
            return Trouble(503, "The store cannot answer now. Please try again in a moment.", _RETRY_AFTER)
        case HTTPException():
            return Trouble(error.status_code, _ROUTING.get(error.status_code, error.detail), dict(error.headers or {}))
        case _:
            log.error("console request failed", path=path_of(request), exc_info=error)
            return Trouble(500, "This failed unexpectedly. The service's log says why; please report it.", {})


def sentence(text: str) -> str:
    """Begin a message with a capital and end it with a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _refused(refusal: Refusal) -> Trouble:
    headers: dict[str, str] = {}
    if refusal.authenticate is not None:
        headers["www-authenticate"] = refusal.authenticate
    if refusal.retry_after_seconds is not None:
        headers["retry-after"] = str(refusal.retry_after_seconds)
    return Trouble(refusal.status, _REFUSED.get(refusal.status, _REFUSED[403]), headers)


def path_of(request: Request) -> str:
    """Give the path as it was sent, percent-encoded, for the log."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode("unicode_escape")
    return raw[:200].decode("ascii", "replace")
