"""One request to the stand-in, whole, and its answer to what it refuses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final
from urllib.parse import parse_qsl

from secure_export.sandbox.reply import Reply, json_reply

_TABLE_PATH: Final = re.compile(r"^/api/now(?:/v\d+)?/table/(?P<table>[^/]+)(?:/(?P<sys_id>[^/]+))?/?$")
_SYS_ID: Final = re.compile(r"^[0-9a-fA-F]{32}$")
_VERSION: Final = re.compile(r"^v\d+$")
_LONGEST_TOLD: Final = 200
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


def error_reply(status: int, message: str, detail: str | None, headers: Mapping[str, str] | None = None) -> Reply:
    """Make an answer in the envelope that ServiceNow's REST APIs put errors in."""
    document = {"error": {"message": message, "detail": detail}, "status": "failure"}
    return json_reply(status, document, headers)


def pattern_of(path: str) -> str:
    """Replace ids in a path by ``{sys_id}`` and leave out API versions."""
    parts = (part for part in path.split("/") if not _VERSION.match(part))
    return "/".join("{sys_id}" if _SYS_ID.match(part) else part for part in parts)


def clipped(path: str) -> str:
    """Give a path as it is told to people: the beginning of a very long one, and how long it is."""
    return path if len(path) <= _LONGEST_TOLD else f"{path[:_LONGEST_TOLD]}… ({len(path)} characters)"
