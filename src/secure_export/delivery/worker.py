"""Keeps the promises of one connection: claims due lanes and works on many of them side by side."""

import asyncio
from datetime import timedelta
from random import Random

import structlog

from secure_export.clock import Clock, utc_now
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import ClaimedLane, Lanes
from secure_export.delivery.lane_run import LaneRunner, Watch
from secure_export.delivery.pace import Pace
from secure_export.errors import LostLane, StoreUnavailable

log = structlog.get_logger(__name__)

_PENDING_AT_A_TIME = 200
_LONGEST_SLEEP_SECONDS = 1.0
_STORE_PAUSE_SECONDS = 1.0


class Worker:
    """Delivers for one connection until it is stopped.

    Args:
        target: The connection.
        lanes: Where lanes are kept.
        watch: Told of the work done.
        clock: The time.
        random: Spreads retries.
    """

    def __init__(
        self,
        target: Target,
        lanes: Lanes,
        *,
        watch: Watch,
        clock: Clock = utc_now,
        random: Random | None = None,
    ) -> None:
        self._target = target
        self._lanes = lanes
        self._clock = clock
        pace = Pace(target.rate_per_second)
        chance = random or Random()  # noqa: S311 - spreads retries, keeps no secret
        self._lease = timedelta(seconds=2 * target.step_timeout_seconds + 30)
        self._runner = LaneRunner(target, lanes, pace=pace, clock=clock, random=chance, lease=self._lease, watch=watch)
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Claim and work until ``stop``; a store that cannot is waited for."""
        while not self._stopping.is_set():
            try:
                claimed = await self._claim()
            except StoreUnavailable as error:
                log.warning("store unavailable", connection=self._target.name, reason=str(error))
                await self._pause(_STORE_PAUSE_SECONDS)
                continue
            for lane in claimed:
                self._start(lane)
            if not claimed:
                await self._until_something_happens()

    async def stop(self, *, grace_seconds: float = 20.0) -> None:
        """Claim nothing more and let the lanes at work finish; what does not is taken over when its lease ends."""
        self._stopping.set()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace_seconds)
            for task in late:
                task.cancel()

    async def _claim(self) -> list[ClaimedLane]:
        free = self._target.concurrency - len(self._running)
        if free <= 0:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            free = self._target.concurrency - len(self._running)
        return list(
            await self._lanes.claim(
                self._target.name,
                limit=free,
                pending_limit=_PENDING_AT_A_TIME,
                now=self._clock(),
                lease=self._lease,
            )
        )

    def _start(self, lane: ClaimedLane) -> None:
        task = asyncio.create_task(self._work(lane), name=f"lane {lane.correlation_key}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _work(self, lane: ClaimedLane) -> None:
        """Run a lane; whatever goes wrong, the lane comes back by itself when its lease ends."""
        try:
            await self._runner.run(lane)
        except LostLane:
            log.warning("lane lost", connection=lane.connection, key=lane.correlation_key)
        except StoreUnavailable as error:
            log.warning("lane left", connection=lane.connection, key=lane.correlation_key, reason=str(error))
        except Exception:
            log.exception("lane failed", connection=lane.connection, key=lane.correlation_key)

    async def _until_something_happens(self) -> None:
        """Sleep until a lane may be due, at most a second: other processes and clocks are not heard."""
        await self._lanes.wait(timeout_seconds=_LONGEST_SLEEP_SECONDS)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass
