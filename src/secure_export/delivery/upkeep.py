"""What is done by timer: reading back, ending by time, binding late, forgetting."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from secure_export.clock import Clock, utc_now
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import Retention
from secure_export.delivery.contract import Upkeep as UpkeepStore
from secure_export.errors import StoreUnavailable

log = structlog.get_logger(__name__)

_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often each job runs, in seconds."""

    expire: float = 30.0
    peoples_changes: float = 15.0
    read_back: float = 3600.0
    bind_late: float = 30.0
    forget: float = 3600.0


class Upkeep:
    """Runs the timers of a service until it is stopped.

    Args:
        store: What is kept.
        targets: The connections.
        retention: How long what is finished is kept.
        intervals: How often.
        clock: The time.
    """

    def __init__(
        self,
        store: UpkeepStore,
        targets: Sequence[Target],
        *,
        retention: Retention | None = None,
        intervals: Intervals | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._targets = targets
        self._retention = retention or Retention()
        self._intervals = intervals or Intervals()
        self._clock = clock

    async def run(self) -> None:
        """Run every job at its interval until cancelled."""
        jobs: list[tuple[float, Callable[[], Awaitable[None]]]] = [
            (self._intervals.expire, self.expire),
            (self._intervals.peoples_changes, self.take_in_changes),
            (self._intervals.read_back, self.read_back),
            (self._intervals.bind_late, self.bind_late),
            (self._intervals.forget, self.forget),
        ]
        async with asyncio.TaskGroup() as group:
            for seconds, job in jobs:
                group.create_task(_every(seconds, job))

    async def expire(self) -> None:
        """Wake the lanes whose work item's time is over."""
        while await self._store.wake_expired(now=self._clock(), limit=_AT_A_TIME) >= _AT_A_TIME:
            await asyncio.sleep(0)

    async def take_in_changes(self) -> None:
        """Ask each tool what people changed, and have those work items read back."""
        for target in self._targets:
            name = f"changes:{target.name}"
            more = True
            while more:
                changes = await target.connector.changes(await self._store.cursor(name))
                if changes.keys:
                    await self._store.wake_for_look(target.name, changes.keys, now=self._clock())
                await self._store.keep_cursor(name, changes.cursor)
                more = changes.more

    async def read_back(self) -> None:
        """Have every open work item read back: what no change told of is found here."""
        for target in self._targets:
            after = ""
            while keys := await self._store.open_keys(target.name, after=after, limit=_AT_A_TIME):
                await self._store.wake_for_look(target.name, keys, now=self._clock())
                after = keys[-1]

    async def bind_late(self) -> None:
        """Wake the open work items that lack a CI which the CMDB has by now."""
        for target in self._targets:
            names = await self._store.unbound_names(target.name, limit=_AT_A_TIME)
            resource_ids = [name for name in names if name.startswith("/")]
            found = [ci.resource_id or "" for ci in await target.connector.cmdb.by_resource_ids(resource_ids)]
            others = [name for name in names if not name.startswith("/")]
            found += [ci.name.lower() for ci in await target.connector.cmdb.by_names(others)]
            if found:
                await self._store.wake_unbound(target.name, found, now=self._clock(), limit=_AT_A_TIME)

    async def forget(self) -> None:
        """Delete what retention no longer keeps, a little at a time."""
        while await self._store.forget(self._retention, now=self._clock(), limit=_AT_A_TIME):
            await asyncio.sleep(0.1)


async def _every(seconds: float, job: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await job()
        except StoreUnavailable as error:
            log.warning("upkeep waits for the store", job=job.__name__, reason=str(error))
        except Exception:
            log.exception("upkeep failed", job=job.__name__)
