"""Keeps the promises of one connection: claims due lanes and works on many of them side by side."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from random import Random
from time import monotonic

from secure_export.clock import Clock, utc_now
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import ClaimedLane, Lanes
from secure_export.delivery.lane_run import LaneRunner, Watch
from secure_export.delivery.lease import lease_for, step_needs
from secure_export.delivery.owned_lane import Sleep
from secure_export.delivery.pace import Pace
from secure_export.errors import LostLane, StoreUnavailable
from secure_export.telemetry.complaints import Complaints

_PENDING_AT_A_TIME = 200
_LONGEST_SLEEP_SECONDS = 1.0
_LONGEST_CALM_SECONDS = 30.0
_STORE_PAUSE_SECONDS = 1.0
_BETWEEN_TAKE_OVERS_SECONDS = 4.0
_MORE_ROOM_SECONDS = 0.05
_CANCEL_SECONDS = 5.0


class Worker:
    """Delivers for one connection until it is stopped.

    Args:
        target: The connection.
        lanes: Where lanes are kept.
        watch: Told of the work done.
        clock: The time.
        random: Spreads retries.
        seconds: A clock that never goes back, for the connection's rate.
        sleep: Waits for seconds.
    """

    def __init__(  # noqa: PLR0913 - clocks and chance are given by tests only
        self,
        target: Target,
        lanes: Lanes,
        *,
        watch: Watch,
        clock: Clock = utc_now,
        random: Random | None = None,
        seconds: Callable[[], float] = monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._target = target
        self._lanes = lanes
        self._clock = clock
        self._sleep = sleep
        self._complaints = Complaints(connection=target.name)
        # A step is written down, and then begins as long as the lease has so much left.
        self._patience = timedelta(0) if target.in_process else step_needs(target.step_timeout_seconds)
        self._lease = lease_for(target.step_timeout_seconds)
        self._share = target.share
        self._pace = Pace(target.rate_per_second, seconds=seconds)
        self._runner = LaneRunner(
            target,
            lanes,
            pace=self._pace,
            clock=clock,
            random=random or Random(),  # noqa: S311 - spreads retries, keeps no secret
            lease=self._lease,
            watch=watch,
            complaints=self._complaints,
            sleep=sleep,
        )
        self._running: set[asyncio.Task[None]] = set()
        self._claiming = 0
        self._stopping = asyncio.Event()
        self._room = asyncio.Event()
        self._idling: asyncio.Timeout | None = None
        self._wanted = 1
        self._trouble: str | None = None
        self._share.works(lambda: len(self._running) + self._claiming, target.concurrency)
        self._share.watch(self._share_changed)
        self._seconds = seconds
        self._took_over_at: float | None = None

    async def run(self) -> None:
        """Claim and work until ``stop``; whatever goes wrong, it goes on after a pause."""
        while not self._stopping.is_set():
            try:
                await self._take_over()
                await self._claim_some()
                self._trouble = None
            except StoreUnavailable as error:
                self._trouble = str(error)
                self._complaints.waits("store unavailable", error)
                await self._pause(_STORE_PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - delivery must not end for good without a word
                self._trouble = f"claiming lanes failed ({type(error).__name__}); the log says more"
                self._complaints.failed("claiming failed", error)
                await self._pause(_STORE_PAUSE_SECONDS)

    async def ready(self) -> str | None:
        """Say why nothing is delivered; None while lanes are claimed, or while it is being stopped."""
        return self._trouble

    async def stop(self, *, grace_seconds: float = 20.0) -> None:
        """Claim nothing more and let the lanes at work finish; what does not is taken over when its lease ends."""
        self._stopping.set()
        self._room.set()
        if self._idling is not None:
            self._idling.reschedule(0.0)
        if self._running:
            await asyncio.wait(set(self._running), timeout=grace_seconds)
        late = set(self._running)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_CANCEL_SECONDS)

    async def _take_over(self) -> None:
        """Now and then have the lanes made due whose owner died, wherever it ran."""
        if self._took_over_at is None or self._seconds() - self._took_over_at >= _BETWEEN_TAKE_OVERS_SECONDS:
            await self._lanes.take_over(self._target.name, now=self._clock(), patience=self._patience)
            self._took_over_at = self._seconds()

    async def _claim_some(self) -> None:
        """Claim as many lanes as there is room for and start them; with nothing to claim, wait for something."""
        seconds, _ = self._runner.turns.wait()
        if _LONGEST_SLEEP_SECONDS < seconds <= _LONGEST_CALM_SECONDS:
            await self._pause(seconds)
            return
        room = await self._room_for()
        if room < 1 or self._stopping.is_set():
            return
        if await self._claim(room) < room and not self._stopping.is_set():
            await self._idle()

    async def _idle(self) -> None:
        """Wait for something to claim, but not beyond ``stop``.

        Within this task: a store knows by the task what happened since it searched.
        """
        try:
            async with asyncio.timeout(None) as self._idling:
                # At most a second: other processes, and lanes that become due by time, are not heard.
                await self._lanes.wait(timeout_seconds=_LONGEST_SLEEP_SECONDS)
        except TimeoutError:
            """It is being stopped."""
        finally:
            self._idling = None

    async def _claim(self, room: int) -> int:
        """Claim and start as many lanes at most, and say how many; their places are needed from before it is asked."""
        self._claiming = room
        try:
            claimed = await self._lanes.claim(
                self._target.name, limit=room, pending_limit=_PENDING_AT_A_TIME, now=self._clock(), lease=self._lease
            )
            for lane in () if self._stopping.is_set() else claimed:
                self._start(lane)
        finally:
            self._claiming = 0
        if self._stopping.is_set():
            await self._give_back(claimed)
        return len(claimed)

    async def _room_for(self) -> int:
        """Wait until more lanes may be worked on, and say how many.

        A few at a time are claimed at less cost, so lanes that are as good as done are given the time to end.
        """
        await self._until_free(1)
        with suppress(TimeoutError):
            async with asyncio.timeout(_MORE_ROOM_SECONDS):
                await self._until_free(max(1, self._share.lanes(self._target.concurrency) // 4))
        free, rate = self._free(), self._target.rate_per_second
        return free if rate is None else min(free, max(1, int(rate * self._share.part)))

    async def _until_free(self, places: int) -> None:
        self._wanted = places
        while self._free() < places and not self._stopping.is_set():
            self._room.clear()
            await self._room.wait()

    def _free(self) -> int:
        return self._share.lanes(self._target.concurrency) - len(self._running)

    def _share_changed(self) -> None:
        self._pace.have(self._share.part)
        self._room.set()

    async def _give_back(self, claimed: Sequence[ClaimedLane]) -> None:
        for lane in claimed:
            try:
                await self._runner.give_back(lane)
            except LostLane:
                continue

    def _start(self, lane: ClaimedLane) -> None:
        task = asyncio.create_task(self._work(lane))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._free() >= self._wanted:
            self._room.set()

    async def _work(self, lane: ClaimedLane) -> None:
        """Run a lane; one that is left comes back by itself when its lease ends."""
        try:
            await self._runner.run(lane)
        except LostLane as error:
            self._complaints.waits("lane lost", error)
        except StoreUnavailable as error:
            self._complaints.waits("lane left", error, key=lane.correlation_key)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not beyond ``stop``."""
        waiting = {asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._stopping.wait())}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
