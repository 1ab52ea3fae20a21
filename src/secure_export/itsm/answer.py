"""What a tool answered over HTTP, and what can be read from it whichever tool it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from secure_export.errors import SecureExportError

# Larger numbers in X-RateLimit-Reset are seconds since 1970, smaller ones seconds from now: both are in use.
_LEAST_UNIX_SECONDS = 1_000_000_000
_LONGEST_ASKED = timedelta(days=366)


class NotJson(SecureExportError):  # noqa: N818 - reads as what it says
    """An answer's body is no JSON; the message says what it looks like, and does not repeat it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete HTTP answer.

    Attributes:
        status: The status code.
        headers: The header fields, by name in lower case; several of one name are joined by ``, ``.
        body: The decompressed body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", {name.lower(): value for name, value in self.headers.items()})

    def json(self) -> Any:
        """Read the body as JSON.

        Raises:
            NotJson: It is none.
        """
        try:
            return msgspec.json.decode(self._text_of_json())
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise NotJson(f"the answer is no JSON but {self._look()}") from None

    @property
    def text(self) -> str:
        """The body as text, in the character set that the answer names; what is no text is replaced."""
        return self.body.decode(self._charset() or "utf-8", errors="replace")

    @property
    def server_time(self) -> datetime | None:
        """The tool's clock at the time of the answer, from ``Date`` (RFC 9110, section 6.6.1)."""
        return _http_date(self.headers.get("date", ""))

    def asked_until(self, now: datetime) -> datetime | None:
        """Say until when the tool asks not to be called.

        ``Retry-After`` counts first, in both its forms (RFC 9110, section 10.2.3), then ``X-RateLimit-Reset``. Points
        in time are read by the tool's own clock where it tells it. Only a refusal asks for anything: look at ``status``
        first, because ``X-RateLimit-Reset`` stands in good answers, too.

        Args:
            now: The time now.

        Returns:
            The time; None when the answer asks for nothing that is still to come.
        """
        wait = self._wait(now)
        return now + min(wait, _LONGEST_ASKED) if wait is not None and wait > timedelta(0) else None

    def _wait(self, now: datetime) -> timedelta | None:
        after, reset = self.headers.get("retry-after", "").strip(), self.headers.get("x-ratelimit-reset", "").strip()
        there = self.server_time or now
        if (seconds := _number(after)) is not None:
            return _seconds(seconds)
        if (date := _http_date(after)) is not None:
            return date - there
        if (seconds := _number(reset)) is None:
            return None
        return _seconds(seconds - there.timestamp() if seconds >= _LEAST_UNIX_SECONDS else seconds)

    def _text_of_json(self) -> bytes | str:
        """The body as the JSON reader wants it: UTF-8 (RFC 8259, section 8.1), or what the answer says it is."""
        body = self.body.removeprefix(b"\xef\xbb\xbf")
        charset = self._charset()
        if charset is None or charset in {"utf-8", "utf8", "us-ascii"}:
            return body
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            return body.decode(charset)

    def _charset(self) -> str | None:
        message = Message()
        message["content-type"] = self.headers.get("content-type", "")
        try:
            charset = message.get_content_charset()
            b"".decode(charset or "utf-8")
        except (LookupError, ValueError):
            return None
        return charset

    def _look(self) -> str:
        """What a body that is no JSON looks like, in words of ours."""
        if not self.body.strip():
            return "empty"
        named = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if "html" in named or self.body.lstrip()[:1] == b"<":
            return "a web page"
        return "broken" if self.body.lstrip()[:1] in {b"{", b"["} else "some other text"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None  # noqa: PLR2004 - 64 bits


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, _LONGEST_ASKED.total_seconds()))


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
