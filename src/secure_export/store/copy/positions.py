"""Positions in tables as texts, as the target of a copy keeps them: pure."""

from typing import Any

import msgspec

_COMPLETE = "complete"


def kept(position: tuple[Any, ...] | None) -> str:
    """Give a position as it is kept; None: everything of the table was copied."""
    return _COMPLETE if position is None else msgspec.msgpack.encode(position).hex()


def told(text: str) -> tuple[Any, ...] | None:
    """Give back a kept position."""
    return None if text == _COMPLETE else tuple(msgspec.msgpack.decode(bytes.fromhex(text)))
