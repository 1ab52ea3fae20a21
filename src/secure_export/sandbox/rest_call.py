"""One request to a stand-in for one of Microsoft's JSON APIs, whole; and a refusal in that API's own form."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from secure_export.sandbox.reply import Reply
from secure_export.sandbox.wire import Receive, Scope, read_body

_SAFE: Final = "/()'=,$@:"


class RestError(Exception):
    """A refusal.

    Attributes:
        reply: The answer that says so.
    """

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body.decode("utf-8", "replace"))
        self.reply = reply


@dataclass(frozen=True)
class Call:
    """A request.

    Attributes:
        method: What it asks for.
        segments: The parts of its path below the API's own address, decoded one by one.
        query: Its query string, as it was sent.
        headers: Its headers, names in lower case.
        body: Its body.
        base: The API's own address, as the client wrote it.
    """

    method: str
    segments: tuple[str, ...]
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = ""

    @cached_property
    def path(self) -> str:
        """Its path below the API's address, decoded."""
        return "/" + "/".join(self.segments)

    @cached_property
    def url(self) -> str:
        """The whole address, without the query string."""
        return f"{self.base}{quote(self.path, safe=_SAFE)}"

    @cached_property
    def parameters(self) -> dict[str, str]:
        """What the query string says; of names that come twice the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def token(self) -> str:
        """Its bearer token; empty: none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    @cached_property
    def user(self) -> str:
        """Who sent it by its token, which is believed here: a client id or a user's name; empty: nobody."""
        claims = claims_of(self.token)
        return str(claims.get("upn") or claims.get("appid") or claims.get("azp") or "")

    def document(self) -> Any:
        """Read the body as JSON.

        Raises:
            msgspec.DecodeError: It is none.
        """
        return msgspec.json.decode(self.body)


def claims_of(token: str) -> dict[str, Any]:
    """Read what a token claims, without checking it; of what is no token nothing."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return {}
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=="), type=dict[str, Any])
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return {}


async def read_call(scope: Scope, receive: Receive) -> Call:
    """Read a request whole; what the application is mounted at is no part of its path.

    Raises:
        ClientGoneError: It never became whole.
        TooLargeError: Its body is larger than 64 MiB.
    """
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    root = scope.get("root_path", "")
    raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    segments = tuple(unquote(part) for part in raw.removeprefix(root).split("/") if part)
    base = f"{scope['scheme']}://{headers.get('host', 'localhost')}{root}"
    query = scope["query_string"].decode("latin-1")
    return Call(scope["method"], segments, query, headers, await read_body(receive), base)
