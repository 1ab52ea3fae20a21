"""How long a restored database looks for work items in their tools before it makes them: pure."""

from datetime import datetime, timedelta
from typing import Final

from secure_export.store.instants import micros

RESTORED_AT: Final = "store:restored-at"
# Azure keeps alerts for 30 days, so that what was recorded after the backup may come again for that long (Azure docs,
# "Manage your alert instances").
_LOOKS_FOR = timedelta(days=31)


def may_be_there(restored_at: str | None, now: datetime) -> bool:
    """Whether a tool may have a work item that this database knows nothing of.

    Args:
        restored_at: When the database was restored, as it is kept; None where it never was.
        now: The time now.
    """
    return restored_at is not None and micros(now) - int(restored_at) < _LOOKS_FOR // timedelta(microseconds=1)
