"""One answer of a stand-in, whole: so that faults can look at it and change it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

JSON: Final = "application/json;charset=UTF-8"
HTML: Final = "text/html;charset=UTF-8"


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

    def with_body(self, body: bytes, content_type: str = JSON) -> "Reply":
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


def html_reply(status: int, page: str) -> Reply:
    """Make an answer of HTML."""
    return Reply(status).with_body(page.encode(), HTML)


def _described(body: bytes, content_type: str) -> tuple[tuple[str, str], ...]:
    return (("content-type", content_type), ("content-length", str(len(body))))
