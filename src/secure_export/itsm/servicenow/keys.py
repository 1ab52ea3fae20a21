"""What a record of ours is known by in ServiceNow: pure.

``correlation_id`` is a plain text of 100 characters without an index or uniqueness of its own, so that it holds a short
key of letters, digits and colons; ``sys_id`` is the primary key, and one that a client chooses is kept (PySNC's live
tests, ``test_insert_custom_guid``), so that a record that is asked for twice can be made once at most.
"""

import hashlib
import re

PREFIX = "azmon1"
_KEY = re.compile(r"[0-9a-z]{1,64}")
_CORRELATION = re.compile(rf"{PREFIX}:([0-9a-f]{{8}}):([0-9a-z]{{1,64}})")


def connection_prefix(connection: str) -> str:
    """Give what every ``correlation_id`` of a connection begins with."""
    return f"{PREFIX}:{hashlib.sha256(connection.encode()).hexdigest()[:8]}:"


def correlation_id(connection: str, key: str) -> str:
    """Give the ``correlation_id`` of a work item.

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
    """Give the ``WorkItem.key`` in a ``correlation_id``; None when it belongs to another connection or to no one."""
    match = _CORRELATION.fullmatch(text)
    if match is None or not text.startswith(connection_prefix(connection)):
        return None
    return match.group(2)


def sys_id(table: str, *parts: str) -> str:
    """Give the ``sys_id`` that a record of a table is made with: the same for the same parts."""
    return hashlib.sha256("\0".join((table, *parts)).encode()).hexdigest()[:32]


def is_sys_id(text: str) -> bool:
    """Whether a text has the form of a ``sys_id``."""
    return re.fullmatch(r"[0-9a-fA-F]{32}", text) is not None
