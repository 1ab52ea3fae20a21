"""The journal in PostgreSQL (``secure_export.intake.contract.Journal``)."""

from secure_export.intake.contract import Entry, Receipt
from secure_export.store.postgresql.appender import Appender


class PostgresJournal:
    """Takes notifications durably.

    Args:
        appender: Records entries.
    """

    def __init__(self, appender: Appender) -> None:
        self._append = appender.append

    async def append(self, entry: Entry) -> Receipt:
        """See ``Journal.append``."""
        return await self._append(entry)
