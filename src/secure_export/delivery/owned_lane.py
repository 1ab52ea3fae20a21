"""A lane while it is ours: what its next transaction writes, and for how long nobody else may work on it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import TypeVar

from secure_export.clock import Clock
from secure_export.delivery.contract import AlertRecord, Basis, Change, ClaimedLane, Known, Lanes, Release, StepResult
from secure_export.errors import StoreUnavailable
from secure_export.workitems.work_item import StepKind, WorkItem

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[object]]

_STORE_PAUSE_SECONDS = 0.5


class OwnedLane:
    """Collects changes of a lane and writes them together.

    A store that cannot be used is asked again for as long as the lease lasts: what a step brought about is known
    here, and only here.

    Args:
        lane: The lane as it was claimed.
        lanes: Where lanes are kept.
        clock: The time.
        random: Spreads what is tried again.
        sleep: Waits for seconds.
    """

    def __init__(self, lane: ClaimedLane, lanes: Lanes, *, clock: Clock, random: Random, sleep: Sleep) -> None:
        self.claimed = lane
        self._lanes = lanes
        self._clock = clock
        self._random = random
        self._sleep = sleep
        self._lease_until = lane.lease_until
        self._stored = lane.item
        self._folded: list[int] = []
        self._moved: list[tuple[int, str]] = []
        self._quarantined: list[tuple[int, str]] = []
        self._alerts: list[AlertRecord] = []
        self._basis: Basis | None = None
        self._result: StepResult | None = None
        self._looked = False

    def unreadable(self, notifications: Iterable[tuple[int, str]]) -> None:
        """Have notifications put into quarantine, each with its reason."""
        self._quarantined.extend(notifications)

    def folded(self, notifications: Iterable[int], alerts: Iterable[AlertRecord]) -> None:
        """Have notifications struck off, and alerts kept as they are after folding."""
        self._folded.extend(notifications)
        self._alerts.extend(alerts)

    def moved(self, notifications: Iterable[tuple[int, str]]) -> None:
        """Have notifications folded by other lanes, each by the one with the correlation key."""
        self._moved.extend(notifications)

    def finished(self, result: StepResult) -> None:
        """Have the result of the begun step kept."""
        self._result = result

    def looked(self) -> None:
        """Have it kept that the work item was read back."""
        self._looked = True

    async def known(self, item: WorkItem | None, *, alert_ids: Sequence[str], problems: Sequence[str]) -> Known:
        """Read what is known of alerts and problems, and of the further alerts of a work item.

        The next transaction is written only if that is still so then.
        """
        known = await self._known(item, alert_ids, problems)
        self._basis = Basis(item.id if item is not None else None, alert_ids, problems, known.alerts)
        return known

    async def _known(self, item: WorkItem | None, alert_ids: Sequence[str], problems: Sequence[str]) -> Known:
        lane = self.claimed
        if item is not lane.item:
            lane = replace(lane, item=item)
        elif lane.known is not None and not problems and lane.known_of.issuperset(alert_ids):
            return lane.known
        return await self.patiently(lambda: self._lanes.known(lane, alert_ids=alert_ids, problems=problems))

    async def write(
        self, item: WorkItem | None, *, begin: StepKind | None = None, release: Release | None = None
    ) -> None:
        """Write everything that was collected, in one transaction.

        Raises:
            LostLane: The lane has another owner; nothing was written.
            Outdated: What was known has changed; nothing was written.
            StoreUnavailable: It could not be written before the lease ended.
        """
        change = Change(
            folded=self._folded,
            moved=self._moved,
            quarantined=self._quarantined,
            alerts=self._alerts,
            basis=self._basis,
            item=item if item is not self._stored else None,
            begin=begin,
            finish=self._result,
            look_done=self._looked,
            release=release,
        )
        await self.patiently(lambda: self._lanes.save(self.claimed, change, now=self._clock()))
        self._stored = item
        self._clear()

    async def keep_for(self, needed: timedelta, lease: timedelta) -> None:
        """See to it that nobody takes the lane for so long; raises like ``write``.

        Asked again after each renewal: a process that is stopped while it waits for the store's answer wakes up when
        the lease that it asked for is over.
        """
        while self._lease_until - self._clock() < needed:
            until = self._clock() + lease
            await self.patiently(partial(self._lanes.renew, self.claimed, until=until))
            self._lease_until = until

    async def patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Ask the store, again while it cannot be used; raises ``StoreUnavailable`` at the end of the lease."""
        while True:
            try:
                return await call()
            except StoreUnavailable:
                pause = _STORE_PAUSE_SECONDS * (0.5 + self._random.random())
                if self._clock() + timedelta(seconds=pause) >= self._lease_until:
                    raise
                await self._sleep(pause)

    def _clear(self) -> None:
        """Begin to collect for the next transaction."""
        self._folded, self._moved, self._quarantined, self._alerts = [], [], [], []
        self._basis, self._result, self._looked = None, None, False
