"""One lane, from what is pending to nothing owed, or to a reason why not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

import structlog

from secure_export.clock import Clock
from secure_export.cmdb.bind import bind_again
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import AlertRecord, Change, ClaimedLane, Lanes, Release, StepResult
from secure_export.delivery.facts import merged
from secure_export.delivery.pace import Pace
from secure_export.delivery.reading import Reading, read
from secure_export.ids import new_id
from secure_export.workitems.arrival import Arrival
from secure_export.workitems.fold import Situation, fold
from secure_export.workitems.outcome import Outcome, Unclear
from secure_export.workitems.plan import Do, Park, Plan, Rest, Wait, expire, plan, rebind
from secure_export.workitems.settle import begin, settle
from secure_export.workitems.work_item import StepKind, WorkItem

log = structlog.get_logger(__name__)

_LEASE_MARGIN_SECONDS = 15.0


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
        item: The work item as it is now.
        waiting: Arrivals not folded yet.
        look: Whether somebody asked to read the work item back.
        change: What the next transaction writes.
        lease_until: When others may take the lane over.
    """

    item: WorkItem | None
    waiting: list[tuple[Arrival, bytes]]
    look: bool
    change: Change
    lease_until: datetime


class LaneRunner:
    """Works on the lanes of one connection.

    Args:
        target: The connection.
        lanes: Where lanes are kept.
        pace: How fast the tool may be called.
        clock: The time.
        random: Spreads retries.
        lease: How long a lane is kept without a word.
        watch: Told of the work done.
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
    ) -> None:
        self._target = target
        self._lanes = lanes
        self._pace = pace
        self._clock = clock
        self._random = random
        self._lease = lease
        self._watch = watch

    async def run(self, lane: ClaimedLane) -> None:
        """Fold what is pending and take steps until nothing is owed, or nothing can be done now.

        Raises:
            LostLane: Another owner took the lane.
            StoreUnavailable: The store cannot be written; the lane comes back when its lease ends.
        """
        reading = await read(self._target, lane.correlation_key, lane.pending)
        run = _Run(lane.item, list(reading.arrivals), lane.look, _first_change(reading), lane.lease_until)
        while True:
            await self._fold(lane, run)
            run.item = await self._bound_late(expire(run.item, now=self._clock())) if run.item else None
            next_step = self._paced(plan(run.item, now=self._clock(), look=run.look))
            if not isinstance(next_step, Do) or run.item is None:
                release = _release(lane, next_step)
                idle_look = run.look and not isinstance(next_step, Wait)
                change = replace(
                    run.change, item=run.item, release=release, look_done=run.change.look_done or idle_look
                )
                await self._lanes.save(lane, change, now=self._clock())
                self._tell_delivered(lane, next_step)
                return
            await self._step(lane, run, run.item, next_step.step)

    def _tell_delivered(self, lane: ClaimedLane, decided: Plan) -> None:
        if isinstance(decided, Rest) and lane.pending:
            waited = self._clock() - lane.pending[0].received_at
            self._watch.delivered(lane.connection, waited.total_seconds())

    async def _fold(self, lane: ClaimedLane, run: _Run) -> None:
        """Fold arrivals up to the first that has to wait."""
        if not run.waiting:
            return
        arrivals = [arrival for arrival, _ in run.waiting]
        known = await self._lanes.known(
            replace(lane, item=run.item),
            alert_ids=sorted({a.alert_id for a in arrivals}),
            problems=sorted({a.problem for a in arrivals if a.problem != a.alert_id}),
        )
        before = Situation(lane.connection, lane.correlation_key, run.item, known.alerts, known.others_firing)
        situation, done = before, 0
        for arrival in arrivals:
            after = fold(situation, arrival, now=self._clock(), new_id=new_id(self._clock()))
            if after is None:
                break
            situation, done = after, done + 1
        folded, run.waiting = run.waiting[:done], run.waiting[done:]
        run.item = situation.item
        run.change = replace(
            run.change,
            folded=(*run.change.folded, *(arrival.notification for arrival, _ in folded)),
            alerts=(*run.change.alerts, *_records(before, situation, folded)),
        )

    async def _bound_late(self, item: WorkItem) -> WorkItem:
        """Look again for the CIs that were not in the CMDB when the alert came."""
        bindings = item.desired.content.bindings
        if item.over or item.doubt or all(binding.id is not None for binding in bindings):
            return item
        return rebind(item, await bind_again(self._target.connector.cmdb, bindings))

    def _paced(self, decided: Plan) -> Plan:
        """Put a step off when the connection's rate would make it wait for long."""
        seconds = self._pace.wait_seconds()
        if isinstance(decided, Do) and seconds > self._target.step_timeout_seconds / 4:
            until = self._clock() + timedelta(seconds=seconds)
            return Wait(until, "the connection's rate_per_second is used up")
        return decided

    async def _step(self, lane: ClaimedLane, run: _Run, item: WorkItem, step: StepKind) -> None:
        """Write down that the step begins, take it, and keep what came of it for the next transaction."""
        await asyncio.sleep(self._pace.reserve())
        await self._keep_lease(lane, run)
        begun = begin(item, step)
        await self._lanes.save(lane, replace(run.change, item=begun, begin=step), now=self._clock())
        started = self._clock()
        outcome = await self._perform(step, begun)
        now = self._clock()
        self._watch.stepped(lane.connection, step.value, type(outcome).__name__, (now - started).total_seconds())
        run.item = settle(begun, step, outcome, now=now, jitter=self._random.random(), retry=self._target.retry)
        run.look = run.look and step is not StepKind.LOOK
        run.change = Change(finish=StepResult(outcome, now), look_done=step is StepKind.LOOK and run.item.waiting == "")

    async def _keep_lease(self, lane: ClaimedLane, run: _Run) -> None:
        """Keep the lane for longer than the next step can take, so that nobody takes it over in the middle."""
        needed = timedelta(seconds=self._target.step_timeout_seconds + _LEASE_MARGIN_SECONDS)
        if run.lease_until - self._clock() < needed:
            run.lease_until = self._clock() + self._lease
            await self._lanes.renew(lane, until=run.lease_until)

    async def _perform(self, step: StepKind, item: WorkItem) -> Outcome:
        connector = self._target.connector
        call = {
            StepKind.LOOK: connector.look,
            StepKind.CREATE: connector.create,
            StepKind.UPDATE: connector.update,
            StepKind.RESOLVE: connector.resolve,
        }[step]
        try:
            async with asyncio.timeout(self._target.step_timeout_seconds):
                return await call(item)
        except TimeoutError:
            return Unclear(f"no answer from the tool within {self._target.step_timeout_seconds:g} s")
        except Exception:  # a fault of a connector must not lose the lane: what it did is unknown, so look
            log.exception("connector failed", connection=self._target.name, step=step.value, work_item=item.id)
            return Unclear("the connector failed unexpectedly; the log of this time tells how")


def _first_change(reading: Reading) -> Change:
    return Change(folded=[number for number, _ in reading.unreadable], quarantined=reading.unreadable)


def _records(before: Situation, after: Situation, folded: Sequence[tuple[Arrival, bytes]]) -> list[AlertRecord]:
    """The alerts that folding changed; those that no arrival spoke of keep their facts (empty here)."""
    told: dict[str, tuple[bytes, datetime]] = {}
    for arrival, facts in folded:
        earlier = told.get(arrival.alert_id)
        told[arrival.alert_id] = (merged(earlier[0], facts) if earlier else facts, arrival.received_at)
    changed = [s for s in after.alerts.values() if before.alerts.get(s.alert_id) != s or s.alert_id in told]
    nothing = (b"", None)
    return [AlertRecord(s, *told.get(s.alert_id, nothing)) for s in changed]


def _release(lane: ClaimedLane, decided: Plan) -> Release:
    seen = max((p.notification for p in lane.pending), default=0)
    match decided:
        case Wait(until, reason):
            return Release(seen=seen, wake_at=until, waiting=reason)
        case Park(reason):
            return Release(seen=seen, parked=reason)
        case Do() | Rest():
            return Release(seen=seen)
