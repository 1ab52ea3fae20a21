"""Ids that sort by time, so that an index grows at its end."""

import secrets
from datetime import datetime


def new_id(now: datetime) -> str:
    """Make a UUID of version 7 (RFC 9562, section 5.7) as 32 hexadecimal digits."""
    milliseconds = int(now.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    rest = secrets.randbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (rest >> 62) << 64 | 0b10 << 62 | rest & 0x3FFF_FFFF_FFFF_FFFF
    return f"{value:032x}"
