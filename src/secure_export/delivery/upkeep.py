"""What is done by timer: reading back, trying again what is parked, ending by time, binding late, forgetting."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

from secure_export.clock import Clock, utc_now
from secure_export.delivery.alone import Alone
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import Retention
from secure_export.delivery.contract import Upkeep as UpkeepStore
from secure_export.delivery.owned_lane import Sleep
from secure_export.errors import StoreUnavailable
from secure_export.telemetry.complaints import Complaints

_AT_A_TIME = 500
_LOOKS_AT_A_TIME = 20
_LOOKS_PER_SECOND = 20.0
_SHARE_OF_RATE = 0.5
_BETWEEN_DELETIONS_SECONDS = 0.1
_AFTER_START_SECONDS = 60.0
_ENDED_ARE_READ_BACK_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often each job runs, in seconds."""

    expire: float = 30.0
    read_back: float = 3600.0
    retry_parked: float = 3600.0
    read_back_ended: float = 86400.0
    bind_late: float = 10.0
    forget: float = 3600.0


class Upkeep:
    """Runs the timers of a service until it is stopped.

    Every job of every connection has a timer of its own, so that a tool that fails or hangs stops nobody else's. A
    job that takes longer than its interval is not started a second time beside itself.

    Args:
        store: What is kept.
        targets: The connections.
        retention: How long what is finished is kept.
        intervals: How often.
        alone: Has one process at a time, of all that deliver, read everything back and try what is parked again:
            each would do it once more. What needs a place in the connection's limits is done by whoever has one.
        clock: The time.
        sleep: Waits for seconds.
    """

    def __init__(  # noqa: PLR0913 - clocks are given by tests only
        self,
        store: UpkeepStore,
        targets: Sequence[Target],
        *,
        retention: Retention | None = None,
        intervals: Intervals | None = None,
        alone: Alone | None = None,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._store = store
        self._targets = targets
        self._retention = retention or Retention()
        self._intervals = intervals or Intervals()
        self._alone = alone
        self._clock = clock
        self._sleep = sleep

    async def run(self) -> None:
        """Run every job at its interval until cancelled."""
        every = self._intervals
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every(every.expire, self.expire))
            group.create_task(self._every(every.forget, self.forget))
            for target in self._targets:
                # At once, too: what people change from now on must not be missed.
                group.create_task(self._every(target.poll_seconds, self.take_in_changes, target, first=0.0))
                group.create_task(self._every(every.read_back, self.read_back, target, turn=self._alone))
                # Soon after a start, too, whoever starts: a person may have mended the configuration for it.
                first = min(_AFTER_START_SECONDS, every.retry_parked)
                retrying = self._every(
                    every.retry_parked, self.retry_parked, target, first=first, turn=self._alone, first_is_free=True
                )
                group.create_task(retrying)
                first = min(every.read_back, every.read_back_ended)
                group.create_task(
                    self._every(every.read_back_ended, self.read_back_ended, target, first=first, turn=self._alone)
                )
                group.create_task(self._every(every.bind_late, self.bind_late, target))

    async def expire(self) -> None:
        """Wake the lanes whose work item's time is over."""
        while await self._store.wake_expired(now=self._clock(), limit=_AT_A_TIME) >= _AT_A_TIME:
            await self._sleep(0)

    async def take_in_changes(self, target: Target) -> None:
        """Ask a tool what people changed, and have those work items read back."""
        name = f"changes:{target.name}"
        cursor, more = await self._store.cursor(name), True
        while more:
            await target.share.opened()
            async with asyncio.timeout(target.step_timeout_seconds):
                changes = await target.connector.changes(cursor)
            if changes.keys:
                await self._store.wake_for_look(target.name, changes.keys, now=self._clock())
            await self._store.keep_cursor(name, changes.cursor)
            # A tool that says "more" and stands still would never let go.
            more, cursor = changes.more and changes.cursor != cursor, changes.cursor

    async def read_back(self, target: Target) -> None:
        """Have every open work item read back: what no change told of is found here.

        They are woken slowly, so that new alerts need not queue behind thousands of looks.
        """
        after = ""
        while keys := await self._store.open_keys(target.name, after=after, limit=_LOOKS_AT_A_TIME):
            await self._store.wake_for_look(target.name, keys, now=self._clock())
            after = keys[-1]
            await self._leave_room(target, len(keys))

    async def read_back_ended(self, target: Target) -> None:
        """Have the work items that ended lately read back, slowly.

        A tool that was restored from an old copy of its data has them open again, and tells of no change.
        """
        after, more = "", True
        while more:
            since = self._clock() - _ENDED_ARE_READ_BACK_FOR
            keys, after = await self._store.ended_keys(target.name, since=since, after=after, limit=_LOOKS_AT_A_TIME)
            await self._store.wake_for_look(target.name, keys, now=self._clock())
            await self._leave_room(target, len(keys))
            more = bool(after)

    async def retry_parked(self, target: Target) -> None:
        """Have what is parked tried once more, slowly: a person may have mended the cause without a word to us."""
        after, more = "", True
        while more:
            count, after = await self._store.retry_parked(
                target.name, after=after, limit=_LOOKS_AT_A_TIME, now=self._clock()
            )
            await self._leave_room(target, count)
            more = bool(after)

    async def _leave_room(self, target: Target, lanes: int) -> None:
        """Wait for as long as the tool may be kept busy with lanes that were woken by timer."""
        rate = min(_LOOKS_PER_SECOND, _SHARE_OF_RATE * (target.rate_per_second or float("inf")))
        await self._sleep(lanes / rate)

    async def bind_late(self, target: Target) -> None:
        """Wake the open work items that lack a CI which the CMDB has by now."""
        names = await self._store.unbound_names(target.name, limit=_AT_A_TIME)
        if not names:
            return
        resource_ids = [name for name in names if name.startswith("/")]
        others = [name for name in names if not name.startswith("/")]
        cmdb = target.connector.cmdb
        await target.share.opened()
        async with asyncio.timeout(target.step_timeout_seconds):
            by_id = await cmdb.by_resource_ids(resource_ids) if resource_ids else ()
            by_name = await cmdb.by_names(others) if others else ()
        found = [*(ci.resource_id for ci in by_id if ci.resource_id), *(ci.name.lower() for ci in by_name)]
        if found:
            await self._store.wake_unbound(target.name, found, now=self._clock(), limit=_AT_A_TIME)

    async def forget(self) -> None:
        """Delete what retention no longer keeps, a little at a time."""
        while await self._store.forget(self._retention, now=self._clock(), limit=_AT_A_TIME):
            await self._sleep(_BETWEEN_DELETIONS_SECONDS)

    async def _every(
        self,
        seconds: float,
        job: Callable[..., Awaitable[None]],
        *of: Target,
        first: float | None = None,
        turn: AbstractAsyncContextManager[None] | None = None,
        first_is_free: bool = False,
    ) -> None:
        """Run a job at its interval when it has its turn; ``first_is_free``: until it was done once it needs none."""
        needed = None if first_is_free else turn
        complaints = Complaints(job=job.__name__, connection=of[0].name if of else "")
        await self._sleep(seconds if first is None else first)
        while True:
            try:
                async with needed or nullcontext():
                    await job(*of)
                needed = turn
            except StoreUnavailable as error:
                complaints.waits("upkeep waits for the store", error)
            except asyncio.CancelledError as error:
                if (task := asyncio.current_task()) is None or task.cancelling():
                    raise
                complaints.failed("upkeep failed", error)  # a connector's own, and no reason to end
            except Exception as error:  # noqa: BLE001 - the timer goes on
                complaints.failed("upkeep failed", error)
            await self._sleep(seconds)
