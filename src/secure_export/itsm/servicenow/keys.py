"""What a record of ours is known by in ServiceNow: pure.

``correlation_id`` is a plain text of 100 characters without an index or uniqueness of its own, so that it holds a short
key of letters, digits and colons; ``sys_id`` is the primary key, and one that a client chooses is kept (PySNC's live
tests, ``test_insert_custom_guid``), so that a record that is asked for twice can be made once at most.
"""

import hashlib
import re

from secure_export.itsm.record_keys import PREFIX, connection_prefix, work_item_key
from secure_export.itsm.record_keys import record_key as correlation_id

__all__ = ["PREFIX", "connection_prefix", "correlation_id", "is_sys_id", "sys_id", "work_item_key"]


def sys_id(table: str, *parts: str) -> str:
    """Give the ``sys_id`` that a record of a table is made with: the same for the same parts."""
    return hashlib.sha256("\0".join((table, *parts)).encode()).hexdigest()[:32]


def is_sys_id(text: str) -> bool:
    """Whether a text has the form of a ``sys_id``."""
    return re.fullmatch(r"[0-9a-fA-F]{32}", text) is not None
