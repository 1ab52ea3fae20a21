"""The key that a record of ours carries in a tool, kept apart by connections: pure.

It is made of letters, digits and colons alone, so that every tool's queries can hold it, and is short enough for a text
field of 60 characters.
"""

import hashlib
import re

PREFIX = "azmon1"
LONGEST = 60
_KEY = re.compile(r"[0-9a-z]{1,64}")
_WHOLE = re.compile(rf"{PREFIX}:([0-9a-f]{{8}}):([0-9a-z]{{1,64}})")


def connection_prefix(connection: str) -> str:
    """Give what the key of every record of a connection begins with."""
    return f"{PREFIX}:{hashlib.sha256(connection.encode()).hexdigest()[:8]}:"


def record_key(connection: str, key: str) -> str:
    """Give the key that the record of a work item carries.

    Args:
        connection: The connection's name.
        key: ``WorkItem.key``.

    Raises:
        ValueError: The key is empty or has other characters than a query can hold.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no key of a work item")
    return f"{connection_prefix(connection)}{key}"


def work_item_key(connection: str, text: str) -> str | None:
    """Give the ``WorkItem.key`` in a record's key; None when it belongs to another connection or to no one."""
    match = _WHOLE.fullmatch(text)
    if match is None or not text.startswith(connection_prefix(connection)):
        return None
    return match.group(2)
