"""One request to the stand-in, whole, and its answer to what it refuses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from secure_export.sandbox import call
from secure_export.sandbox.reply import Reply, json_reply

_TABLE_PATH: Final = re.compile(r"^/api/now(?:/v\d+)?/table/(?P<table>[^/]+)(?:/(?P<sys_id>[^/]+))?/?$")
_SYS_ID: Final = re.compile(r"^[0-9a-fA-F]{32}$")
_VERSION: Final = re.compile(r"^v\d+$")
_LONGEST_TOLD: Final = 200
OVERRIDE: Final = "x-http-method-override"


@dataclass(frozen=True)
class Call(call.Call):
    """A request; the method of a POST with ``X-HTTP-Method-Override`` is the one named there."""

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

    @property
    def name(self) -> str:
        """What like requests are counted under: versions are left out of their paths, and ids replaced."""
        return f"{self.method} {clipped(pattern_of(self.path))}"

    @property
    def shown_path(self) -> str:
        """Its path as it is told to people."""
        return clipped(self.path)


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
