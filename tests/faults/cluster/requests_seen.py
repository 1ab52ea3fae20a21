"""The HTTP requests that a node sent to a tool, as they came by on the wire."""

from dataclasses import dataclass

import httptools


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        link: By which link it came.
        at: When its last byte came, in seconds since 1970.
        method: Its method.
        path: Its path and query string.
        body: Its body.
    """

    link: str
    at: float
    method: str
    path: str
    body: bytes

    @property
    def writes(self) -> bool:
        """Whether it may change a record."""
        return self.method in {"POST", "PUT", "PATCH", "DELETE"}


class RequestReader:
    """Reads the requests of one connection.

    Args:
        link: The link's name.
        found: Where they are put.
    """

    def __init__(self, link: str, found: list[Request]) -> None:
        self._link = link
        self._found = found
        self._at = 0.0
        self._url = b""
        self._body = b""
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes, at: float) -> None:
        """Read on."""
        self._at = at
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url = self._body = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        self._found.append(Request(self._link, self._at, method, self._url.decode("latin-1"), self._body))
