"""One lane, from what is pending to nothing owed, or to a reason why not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from secure_export.clock import Clock
from secure_export.cmdb.bind import bind_again
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import Change, ClaimedLane, Lanes, Outdated, Release, StepResult
from secure_export.delivery.folding import concerning, fold_all, strays
from secure_export.delivery.lease import step_needs
from secure_export.delivery.owned_lane import OwnedLane, Sleep
from secure_export.delivery.pace import Pace
from secure_export.delivery.reading import CmdbFailed, Told, read, spelled_alike
from secure_export.delivery.step import perform
from secure_export.delivery.telling import Telling
from secure_export.delivery.turns import Turns
from secure_export.errors import LostLane, SecureExportError, StoreUnavailable
from secure_export.itsm.share import NO_PLACE
from secure_export.telemetry.complaints import Complaints
from secure_export.workitems.fold import Situation
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater
from secure_export.workitems.plan import Do, Park, Plan, Rest, Wait, expire, plan, rebind
from secure_export.workitems.settle import begin, settle
from secure_export.workitems.work_item import StepKind, WorkItem

_LONGEST_SLEEP_SECONDS = 5.0
_CMDB_PAUSE_SECONDS = 30.0
_NO_PLACE_SECONDS = 5.0
_EVERYTHING = 2**63 - 1


class Watch(Protocol):
    """What is told of the work done."""

    def stepped(self, connection: str, kind: str, outcome: str, seconds: float) -> None:
        """A step was taken."""
        ...

    def delivered(self, connection: str, seconds: float) -> None:
        """A work item is as it should be, this long after the notification that asked for it was received."""
        ...


@dataclass(slots=True)
class _Run:
    """What changes while a lane is worked on.

    Attributes:
        own: The lane.
        item: The work item as it is now.
        waiting: Arrivals not folded yet.
        look: Whether somebody asked to read the work item back.
        late_binding: Whether what the CMDB did not have is still to be looked up again.
        asked_at: When what is delivered was asked for; None: nothing was, or it is not known.
    """

    own: OwnedLane
    item: WorkItem | None
    waiting: Sequence[Told]
    look: bool
    late_binding: bool
    asked_at: datetime | None


class LaneRunner:
    """Works on the lanes of one connection.

    Args:
        target: The connection.
        lanes: Where lanes are kept.
        pace: How fast the tool may be called.
        clock: The time.
        random: Spreads retries.
        lease: How long a lane is kept without a word; longer than a step can take.
        watch: Told of the work done.
        complaints: Told of trouble.
        sleep: Waits for seconds.

    Raises:
        ValueError: The lease is shorter than what a step needs.
    """

    def __init__(  # noqa: PLR0913 - the parts that a lane needs
        self,
        target: Target,
        lanes: Lanes,
        *,
        pace: Pace,
        clock: Clock,
        random: Random,
        lease: timedelta,
        watch: Watch,
        complaints: Complaints | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._target = target
        self._lanes = lanes
        self._clock = clock
        self._random = random
        self._lease = lease
        self._watch = watch
        self._complaints = complaints or Complaints(connection=target.name)
        self._telling = Telling(target.name, self._complaints)
        self._sleep = sleep
        self._step_needs = step_needs(target.step_timeout_seconds)
        if lease <= self._step_needs:  # no renewal would ever leave the time that a step needs
            needed = self._step_needs.total_seconds()
            raise ValueError(
                f"a lease of {lease.total_seconds():g} s is too short: a step needs more than {needed:g} s"
            )
        self.turns = Turns(pace, clock, longest_calm_seconds=target.retry.longest_asked_seconds, sleep=sleep)

    async def run(self, lane: ClaimedLane) -> None:
        """Fold what is pending and take steps until nothing is owed, or nothing can be done now.

        A fault of the program or of the CMDB makes the lane wait, with the reason.

        Raises:
            LostLane: Another owner took the lane.
            StoreUnavailable: The store cannot be used; the lane comes back when its lease ends.
        """
        refused = self._target.share.refused
        try:
            await self._run(lane)
        except (LostLane, StoreUnavailable):
            raise
        except Outdated:
            await self.give_back(lane)
        except CmdbFailed as error:
            if isinstance(error.__cause__, SecureExportError):  # the tool's own word for trouble that passes
                self._complaints.waits("binding waits", error, key=lane.correlation_key)
            else:
                self._complaints.failed("binding failed", error, key=lane.correlation_key)
            was_asked = self._target.share.refused == refused
            await self._put_off(lane, _CMDB_PAUSE_SECONDS if was_asked else _NO_PLACE_SECONDS, str(error))
        except Exception as error:  # noqa: BLE001 - the lane must neither be lost nor be tried without a pause
            self._complaints.failed("lane failed", error, key=lane.correlation_key)
            reason = f"the program failed on this lane ({type(error).__name__}); the log says more. Please report it."
            await self._put_off(lane, self._target.retry.longest_seconds, reason)

    async def give_back(self, lane: ClaimedLane) -> None:
        """Let a lane be claimed anew at once, as it was; raises as ``run`` does."""
        now = self._clock()
        await self._lanes.save(lane, Change(release=Release(wake_at=now)), now=now)

    async def _put_off(self, lane: ClaimedLane, seconds: float, reason: str) -> None:
        """Let the lane wait; a step that was begun is closed, and leaves doubt, when the lane is claimed again."""
        now = self._clock()
        wake_at = now + timedelta(seconds=seconds * (0.5 + self._random.random() / 2))
        release = Release(seen=_EVERYTHING, wake_at=wake_at, waiting=reason)
        await self._lanes.save(lane, Change(release=release), now=now)

    async def _run(self, lane: ClaimedLane) -> None:
        run = await self._begun(lane)
        while True:
            if run.waiting:
                await self._fold(run)
            await self._bind_late(run)
            if run.item is not None:
                run.item = expire(run.item, now=self._clock())
            decided = self._in_turn(plan(run.item, now=self._clock(), look=run.look))
            if not isinstance(decided, Do) or run.item is None:
                await self._release(run, decided)
                return
            await self._step(run, run.item, decided.step)

    async def _begun(self, lane: ClaimedLane) -> _Run:
        own = OwnedLane(lane, self._lanes, clock=self._clock, random=self._random, sleep=self._sleep)
        # The desk's CMDB is in the store, which may be away for a moment.
        reading = await own.patiently(lambda: read(self._target, lane.correlation_key, lane.pending, self._complaints))
        own.unreadable(reading.unreadable)
        self._telling.quarantined(reading.unreadable)
        return _Run(
            own=own,
            item=lane.item,
            waiting=reading.arrivals,
            look=lane.look,
            late_binding=lane.item is not None and not lane.pending,
            asked_at=lane.pending[0].received_at if lane.pending else None,
        )

    async def _fold(self, run: _Run) -> None:
        """Fold arrivals up to the first that has to wait."""
        lane = run.own.claimed
        known = await run.own.known(
            run.item,
            alert_ids=sorted({arrival.alert_id for arrival, _ in run.waiting}),
            problems=sorted({a.problem for a, _ in run.waiting if a.problem != a.alert_id}),
        )
        told = spelled_alike(run.waiting, known.alerts)
        elsewhere = strays(told, known, item=run.item, own_key=lane.correlation_key)
        run.own.moved(elsewhere.items())
        self._telling.moved(elsewhere.items())
        own = [one for one in told if one[0].notification not in elsewhere]
        alerts = concerning(own, known, own_key=lane.correlation_key)
        situation = Situation(lane.connection, lane.correlation_key, run.item, alerts, known.others_firing)
        folded = fold_all(situation, own, now=self._clock())
        run.own.folded(folded.notifications, folded.alerts)
        self._telling.folded(run.item, folded.item, folded.alerts)
        run.item, run.waiting = _in_doubt(lane, run.item, folded.item), folded.waiting

    async def _bind_late(self, run: _Run) -> None:
        """Look once more for the CIs that the CMDB did not have when earlier alerts came."""
        item = run.item
        if not run.late_binding or item is None or item.over or item.doubt:
            return
        run.late_binding = False
        bindings = item.desired.content.bindings
        if all(binding.id is not None for binding in bindings):
            return
        try:
            async with asyncio.timeout(self._target.step_timeout_seconds):
                found = await bind_again(self._target.connector.cmdb, bindings, self._target.subscriptions)
        except Exception as error:  # noqa: BLE001 - what is owed need not wait for it: upkeep asks for it again
            self._complaints.failed("late binding failed", error, key=item.correlation_key)
            return
        run.item = rebind(item, found)

    def _in_turn(self, decided: Plan) -> Plan:
        """Put a step off rather than keep the lane for long while nothing is done."""
        if not isinstance(decided, Do):
            return decided
        if not self._target.share.is_open_for_work:
            return Wait(self._clock() + timedelta(seconds=_NO_PLACE_SECONDS), NO_PLACE)
        seconds, why = self.turns.wait()
        return Wait(self._clock() + timedelta(seconds=seconds), why) if seconds > _LONGEST_SLEEP_SECONDS else decided

    async def _step(self, run: _Run, item: WorkItem, step: StepKind) -> None:
        """Write down that the step begins, take it, and keep what came of it for the next transaction."""
        await self.turns.take()
        begun = begin(item, step)
        await run.own.write(begun, begin=step)
        await run.own.keep_for(self._step_needs, self._lease)  # as the last thing: the step must end within the lease
        started = self._clock()
        # Asked as the very last thing: the process may have been stopped for long since it was let in.
        outcome: Outcome = TryLater(NO_PLACE)
        if self._target.share.is_open_for_work:
            outcome = await perform(self._target, step, begun, self._complaints)
        now = self._clock()
        self._watch.stepped(item.connection, step.value, type(outcome).__name__, (now - started).total_seconds())
        self.turns.heed(outcome)
        run.item = settle(begun, step, outcome, now=now, jitter=self._random.random(), retry=self._target.retry)
        self._telling.settled(begun, step, outcome, run.item, took=now - started)
        run.own.finished(StepResult(outcome, now))
        if step is StepKind.LOOK and isinstance(outcome, Done | Refused):
            run.look = False
            run.own.looked()
        if run.asked_at is None and begun.owed and not run.item.owed:
            run.asked_at = begun.created_at if begun.confirmed is None else begun.resolved_at

    async def _release(self, run: _Run, decided: Plan) -> None:
        """Write what is left to write, and give the lane back."""
        pending = run.own.claimed.pending
        # What cannot be folded now must not keep the lane ready, however much of it is not even read.
        seen = _EVERYTHING if run.waiting else max((one.notification for one in pending), default=0)
        match decided:
            case Wait(until, reason):
                release = Release(seen=seen, wake_at=until, waiting=reason)
            case Park(reason):
                release = Release(seen=seen, parked=reason)
            case _:
                release = Release(seen=seen)
        if run.look and not isinstance(decided, Wait):
            run.own.looked()
        await run.own.write(run.item, release=release)
        if isinstance(decided, Rest) and run.asked_at is not None:
            self._watch.delivered(run.own.claimed.connection, (self._clock() - run.asked_at).total_seconds())


def _in_doubt(lane: ClaimedLane, before: WorkItem | None, item: WorkItem | None) -> WorkItem | None:
    """Leave doubt about a new work item where the tool may have it already, so that a look comes first."""
    if not lane.wary or item is None or (before is not None and before.id == item.id):
        return item
    return replace(item, doubt=True)
