"""One request to the stand-in and one answer, whole: so that faults can look at either and change it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

_TABLE_PATH: Final = re.compile(r"^/api/now(?:/v\d+)?/table/(?P<table>[^/]+)(?:/(?P<sys_id>[^/]+))?/?$")
_SYS_ID: Final = re.compile(r"^[0-9a-fA-F]{32}$")
_VERSION: Final = re.compile(r"^v\d+$")
_JSON: Final = "application/json;charset=UTF-8"
_HTML: Final = "text/html;charset=UTF-8"
OVERRIDE: Final = "x-http-method-override"


@dataclass(frozen=True)
class Call:
    """A request.

    Attributes:
        method: What it asks for; of a POST with ``X-HTTP-Method-Override`` the method named there.
        path: Its path, decoded.
        query: Its query string, as it was sent.
        headers: Its headers, names in lower case.
        body: Its body.
        user: The ``user_name`` of who sent it; empty until known, or if nobody.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: str = ""

    @cached_property
    def parameters(self) -> dict[str, str]:
        """What the query string says; of names that come twice the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def table(self) -> str:
        """The table it is about, if it is for the Table API; else empty."""
        found = _TABLE_PATH.match(self.path)
        return found["table"] if found else ""

    @cached_property
    def sys_id(self) -> str:
        """The record it is about, if it is for the Table API and names one; else empty."""
        found = _TABLE_PATH.match(self.path)
        return found["sys_id"] or "" if found else ""

    @cached_property
    def pattern(self) -> str:
        """Its path with versions left out and ids replaced, so that like calls count as one."""
        return pattern_of(self.path)

    def by(self, user: str) -> "Call":
        """Give the same request, with who sent it."""
        return replace(self, user=user)


@dataclass(frozen=True)
class Reply:
    """An answer.

    Attributes:
        status: Its HTTP status.
        headers: Its headers in order; names may come twice.
        body: Its body.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def with_headers(self, more: Mapping[str, str]) -> "Reply":
        """Give the same answer with further headers."""
        return replace(self, headers=(*self.headers, *more.items()))

    def with_body(self, body: bytes, content_type: str = _JSON) -> "Reply":
        """Give the same answer with another body."""
        kept = tuple(one for one in self.headers if one[0].lower() not in {"content-type", "content-length"})
        return replace(self, headers=(*kept, *_described(body, content_type)), body=body)

    def document(self) -> Any:
        """Read its body as JSON.

        Returns:
            What it says; None if it is no JSON.
        """
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None


def json_reply(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """Make an answer of JSON."""
    return Reply(status, tuple((headers or {}).items())).with_body(msgspec.json.encode(document))


def error_reply(status: int, message: str, detail: str | None, headers: Mapping[str, str] | None = None) -> Reply:
    """Make an answer in the envelope that ServiceNow's REST APIs put errors in."""
    document = {"error": {"message": message, "detail": detail}, "status": "failure"}
    return json_reply(status, document, headers)


def html_reply(status: int, page: str) -> Reply:
    """Make an answer of HTML."""
    return Reply(status).with_body(page.encode(), _HTML)


def pattern_of(path: str) -> str:
    """Replace ids in a path by ``{sys_id}`` and leave out API versions."""
    parts = (part for part in path.split("/") if not _VERSION.match(part))
    return "/".join("{sys_id}" if _SYS_ID.match(part) else part for part in parts)


def _described(body: bytes, content_type: str) -> tuple[tuple[str, str], ...]:
    return (("content-type", content_type), ("content-length", str(len(body))))
