"""The messages of an AR server: in the body of an error, and in the header ``X-AR-Messages`` of a good answer. Pure.

Their form is documented with the AR REST API ("Access and authentication for the REST API"): a list, in which servers
leave nulls, and whose members are spelled in two ways.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from secure_export.itsm.texts import cut

_LONGEST_WORDS = 300
HEADER = "x-ar-messages"


@dataclass(frozen=True, slots=True)
class ArMessage:
    """One message.

    Attributes:
        kind: ``ERROR``, ``WARNING``, ``NOTE``, ``FATAL`` or ``BAD STATUS``, as the server wrote it.
        number: Its number; 0 when it has none.
        text: What it says.
        appended: What it says more exactly; empty when there is nothing.
    """

    kind: str
    number: int
    text: str
    appended: str = ""

    @property
    def words(self) -> str:
        """Number and texts for people, shortened."""
        said = " / ".join(part for part in (self.text, self.appended) if part) or "no words"
        words = f"{'ARERR' if self.kind != 'WARNING' else 'ARWARN'} {self.number}: {said}" if self.number else said
        return cut(words, _LONGEST_WORDS, size=len)


def messages_of(body: Any) -> tuple[ArMessage, ...] | None:
    """Read a decoded body as a list of messages; None when it is no such list."""
    if not isinstance(body, list):
        return None
    found = [_message(one) for one in body if one is not None]
    return tuple(one for one in found if one is not None) if None not in found else None


def messages_in_header(text: str) -> tuple[ArMessage, ...]:
    """Read the header ``X-AR-Messages``; what cannot be read is one message without a number."""
    if not text.strip():
        return ()
    try:
        found = messages_of(msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError):
        found = None
    return found if found is not None else (ArMessage("WARNING", 0, _one_line(text)),)


def told(messages: Sequence[ArMessage]) -> str:
    """Put all messages into one line."""
    return "; ".join(one.words for one in messages) or "no words"


def _message(one: Any) -> ArMessage | None:
    if not isinstance(one, dict) or not ({"messageType", "messageNumber", "messageText"} & one.keys()):
        return None
    number = one.get("messageNumber")
    appended = one.get("messageAppendedText") or one.get("appendedText")
    return ArMessage(
        kind=_one_line(one.get("messageType")).upper() or "ERROR",
        number=number if isinstance(number, int) and not isinstance(number, bool) else _as_number(number),
        text=_one_line(one.get("messageText")),
        appended=_one_line(appended),
    )


def _as_number(told: Any) -> int:
    text = str(told).strip() if isinstance(told, str) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0  # noqa: PLR2004 - sane numbers


def _one_line(text: Any) -> str:
    return " ".join(text.split()) if isinstance(text, str) else ""
