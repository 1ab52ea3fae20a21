"""Texts as PostgreSQL keeps them: it has no place for the character NUL, which an alert may well contain."""

from collections.abc import Iterable

_SUBSTITUTE = "\x1a"  # what stands for a NUL begins with it, and it is itself written twice
_NUL = f"{_SUBSTITUTE}0"
_ITSELF = f"{_SUBSTITUTE}{_SUBSTITUTE}"


def kept(text: str) -> str:
    """Give a text as it is kept."""
    if "\0" not in text and _SUBSTITUTE not in text:
        return text
    return text.replace(_SUBSTITUTE, _ITSELF).replace("\0", _NUL)


def told(text: str) -> str:
    """Give back a kept text."""
    if _SUBSTITUTE not in text:
        return text
    return _SUBSTITUTE.join(part.replace(_NUL, "\0") for part in text.split(_ITSELF))


def all_kept(texts: Iterable[str | None]) -> list[str | None]:
    """Give texts of a list as they are kept: what converts single texts (``connect``) does not see those of lists."""
    return [None if text is None else kept(text) for text in texts]


def encoded(text: str) -> bytes:
    """Give a text as it is sent to the database."""
    return kept(text).encode()


def decoded(data: bytes) -> str:
    """Give a text as it comes from the database."""
    return told(bytes(data).decode())
