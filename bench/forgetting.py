"""Forgets what retention no longer keeps, as the service's timer does: ``python -m bench.forgetting URL DAYS SECONDS``.

The timer runs once an hour; here it runs at once, for some seconds. Prints how many rows were deleted.
"""

import asyncio
import sys
from datetime import datetime, timedelta
from typing import Any, cast

from secure_export.delivery.contract import Retention
from secure_export.delivery.contract import Upkeep as UpkeepStore
from secure_export.delivery.upkeep import Upkeep
from secure_export.store.open import open_store


class _Counting:
    """A store's upkeep whose deletions are counted."""

    def __init__(self, upkeep: UpkeepStore) -> None:
        self._upkeep = upkeep
        self.deleted = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._upkeep, name)

    async def forget(self, retention: Retention, *, now: datetime, limit: int) -> int:
        """See ``Upkeep.forget``."""
        deleted = await self._upkeep.forget(retention, now=now, limit=limit)
        self.deleted += deleted
        return deleted


async def _forget(url: str, days: float, seconds: float) -> int:
    store = await open_store(url)
    counting = _Counting(store.upkeep)
    try:
        kept = timedelta(days=days)
        upkeep = Upkeep(cast("UpkeepStore", counting), [], retention=Retention(kept, kept, kept))
        async with asyncio.timeout(seconds):
            await upkeep.forget()
    except TimeoutError:
        """There is more; it was about how fast it goes."""
    finally:
        await store.close()
    return counting.deleted


if __name__ == "__main__":
    print(asyncio.run(_forget(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))))
