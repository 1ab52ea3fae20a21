"""What intake needs of a store."""

from datetime import datetime
from typing import Protocol

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A notification to be recorded.

    Attributes:
        connection: Which connection's webhook took it.
        body: The body as it came, at most 1 MiB; the head of it where the quarantine was full.
        received_at: When.
        caller: Who sent it: compact JSON with tenant, application, token version and token id, never the token.
        dedupe_key: 24 bytes: the event time, then a digest of what was said; None: never a duplicate (quarantine,
            tests).
        correlation_key: Which lane it goes to; None: to quarantine.
        alert_id: Whose notification it is; for the records, not looked up at intake; None in quarantine.
        quarantine_reason: Why it was not understood; None when it was.
    """

    connection: str
    body: bytes
    received_at: datetime
    caller: bytes
    dedupe_key: bytes | None = None
    correlation_key: str | None = None
    alert_id: str | None = None
    quarantine_reason: str | None = None


class Receipt(msgspec.Struct, frozen=True):
    """What became of an entry, told only after it is on disk.

    Attributes:
        notification: Its id; for a duplicate the id of the one that is already there.
        status: ``accepted``, ``duplicate`` or ``quarantined``.
    """

    notification: int
    status: str


class Journal(Protocol):
    """Takes notifications durably."""

    async def append(self, entry: Entry) -> Receipt:
        """Record a notification and mark its lane ready, in one transaction that is on disk when this returns.

        Raises:
            StoreUnavailable: It could not be recorded, or too many others wait; nothing of it was kept.
        """
        ...
