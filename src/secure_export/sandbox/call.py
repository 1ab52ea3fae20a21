"""One request to a stand-in, whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self, TypeVar
from urllib.parse import parse_qsl, unquote

from secure_export.sandbox.wire import Receive, Scope, read_body


@dataclass(frozen=True)
class Call:
    """A request.

    Attributes:
        method: What it asks for.
        path: Its path below the API's own address, decoded.
        query: Its query string, as it was sent.
        headers: Its headers, names in lower case.
        body: Its body.
        user: Who sent it; empty until known, or if nobody.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: str = ""

    @cached_property
    def parameters(self) -> dict[str, str]:
        """What the query string says, a ``+`` being a blank; of names that come twice the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def name(self) -> str:
        """What like requests are counted under."""
        return f"{self.method} {self.path}"

    @property
    def shown_path(self) -> str:
        """Its path as it is told to people."""
        return self.path

    @property
    def shown_query(self) -> str:
        """Its query string without secrets."""
        return self.query

    def by(self, user: str) -> Self:
        """Give the same request, with who sent it."""
        return replace(self, user=user)


@dataclass(frozen=True)
class SegmentedCall(Call):
    """A request whose path counts part by part: ``%2F`` does not divide, and a slash at the end means nothing.

    Attributes:
        segments: The parts of its path below the API's own address, decoded one by one.
        base: The API's own address, as the client wrote it.
    """

    segments: tuple[str, ...] = ()
    base: str = ""


S = TypeVar("S", bound=SegmentedCall)


async def read_segmented(kind: type[S], scope: Scope, receive: Receive) -> S:
    """Read a request whole; what the application is mounted at is no part of its path.

    Raises:
        ClientGoneError: It never became whole.
        TooLargeError: Its body is larger than 64 MiB.
    """
    headers = headers_of(scope)
    root = scope.get("root_path", "")
    raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    segments = tuple(unquote(part) for part in raw.removeprefix(root).split("/") if part)
    return kind(
        scope["method"],
        "/" + "/".join(segments),
        scope["query_string"].decode("latin-1"),
        headers,
        await read_body(receive),
        segments=segments,
        base=f"{scope['scheme']}://{headers.get('host', 'localhost')}{root}",
    )


def headers_of(scope: Scope) -> dict[str, str]:
    """Give the headers of a request, names in lower case; of those that come twice the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
