"""Texts for people: on one line, within bounds, without characters that only confuse or mislead."""

import re
from datetime import datetime

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffb]"
)
_SPACES = re.compile(r"\s+")


def one_line(text: str, longest: int) -> str:
    """Put a text on one line of at most so many characters."""
    if not text.isprintable():
        text = _CONTROLS.sub("", _SPACES.sub(" ", text[: longest * 8]))
    return shortened(" ".join(text[: longest * 8].split()), longest)


def lines(text: str, longest: int) -> str:
    """Keep the lines of a text, within so many characters."""
    if not text.isprintable():
        text = _CONTROLS.sub("", text[: longest * 4].replace("\r\n", "\n").replace("\r", "\n"))
    return shortened(text.strip(), longest)


def shortened(text: str, longest: int) -> str:
    """Cut a text that is too long, and show that it was cut."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def clock(at: datetime | None) -> str:
    """Write a time for people, in UTC; empty for none."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at is not None else ""
