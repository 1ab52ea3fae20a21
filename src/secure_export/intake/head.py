"""What matters to intake of a request's head."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_SHOWN_BYTES = 200


class Head(NamedTuple):
    """What headers say.

    Attributes:
        authorization: Every ``Authorization`` header.
        length: The announced length of the body; None when it comes in chunks.
        encoding: ``Content-Encoding`` in lower case; empty when absent.
    """

    authorization: list[bytes]
    length: int | None
    encoding: str


def head_of(headers: Sequence[tuple[bytes, bytes]]) -> Head:
    """Read headers, whose names are in lower case."""
    authorization: list[bytes] = []
    length: int | None = None
    encoding = ""
    for name, value in headers:
        if name == b"authorization":
            authorization.append(value)
        elif name == b"content-length":
            length = int(value) if value.isdigit() else None
        elif name == b"content-encoding":
            encoding = value.decode("latin-1").strip().lower()
    return Head(authorization, length, encoding)


class Where(NamedTuple):
    """Where a request came from and went to, for the log.

    Attributes:
        path: The path as it was sent, percent-encoded, so that nothing in it can upset a log.
        client: The client's address, where it is known.
    """

    path: str
    client: str | None = None


def where(scope: Mapping[str, Any]) -> Where:
    """Say where an ASGI request came from and went to."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("unicode_escape")
    client = scope.get("client")
    return Where(raw[:_SHOWN_BYTES].decode("ascii", "replace"), str(client[0]) if client else None)
