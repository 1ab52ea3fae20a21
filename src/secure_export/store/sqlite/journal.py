"""The journal in SQLite (``secure_export.intake.contract.Journal``)."""

from secure_export.intake.contract import Entry, Receipt
from secure_export.store.sqlite.database import Database


class SqliteJournal:
    """Takes notifications durably.

    Args:
        database: The database, opened and migrated.
    """

    def __init__(self, database: Database) -> None:
        self._append = database.append

    async def append(self, entry: Entry) -> Receipt:
        """See ``Journal.append``."""
        return await self._append(entry)
