"""Makes a request ready to be sent, or says why it cannot be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from secure_export import __version__
from secure_export.itsm.http_errors import NotSent

_STANDARD = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": f"secure-export/{__version__}",
}
# What a path may hold as it is (RFC 3986, section 3.3).
_IN_PATHS = "/:@!$&'()*+,;="
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, every byte of it known.

    Attributes:
        method: The method in capitals.
        url: The whole URL, encoded.
        headers: The header fields, by name in lower case.
        body: The body; None: none.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)

    @property
    def only_reads(self) -> bool:
        """Whether making it twice is the same as once, and changes nothing (RFC 9110, section 9.2.1)."""
        return self.method in {"GET", "HEAD"}


def made(  # noqa: PLR0913 - what an HTTP request consists of
    base: str,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None,
    json: Any,
    form: Mapping[str, str] | None,
    headers: Mapping[str, str] | None,
) -> Request:
    """Make a request; see ``Http.request``.

    Raises:
        NotSent: It cannot be written down; the reason repeats nothing of what it holds.
    """
    fields, body = _body(json, form)
    fields |= {name.lower(): value for name, value in (headers or {}).items()}
    for name, value in fields.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            shown = name if _NAME.fullmatch(name) else "a header"
            raise NotSent(f"{shown} has characters that HTTP does not allow there, such as an end of line")
    return Request(method.upper(), f"{base}{_path(path)}{_query(query)}", _STANDARD | fields, body)


def _body(json: Any, form: Mapping[str, str] | None) -> tuple[dict[str, str], bytes | None]:
    try:
        if form is not None:
            return {"content-type": "application/x-www-form-urlencoded"}, urlencode(form).encode("ascii")
        if json is not None:
            return {"content-type": "application/json"}, msgspec.json.encode(json)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        raise NotSent("the request has a text or value that cannot be written down") from None
    return {}, None


def _path(path: str) -> str:
    parts = path.split("/")
    if parts[0] or "." in parts or ".." in parts:
        raise NotSent("the request's path does not begin with '/', or has a '.' or '..' in it")
    return _encoded(path, _IN_PATHS)


def _query(query: Mapping[str, str] | None) -> str:
    if not query:
        return ""
    return "?" + "&".join(f"{_encoded(name, '')}={_encoded(value, '')}" for name, value in query.items())


def _encoded(text: str, safe: str) -> str:
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError:
        raise NotSent("the request's address has a text that cannot be written down") from None
