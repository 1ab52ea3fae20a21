"""What the standing stand-in remembers: what fired, and what is still under way."""

import asyncio
import itertools
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from secure_export.sandbox.azure_monitor import catalogue
from secure_export.sandbox.azure_monitor.catalogue import Story, Workshop
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, Estate
from secure_export.sandbox.azure_monitor.expectation import Scenario
from secure_export.sandbox.azure_monitor.monitor import AzureMonitor, Message
from secure_export.sandbox.azure_monitor.scenario import MAIN_GROUP, one_round, play

_ROUND_STARTS_BEFORE = timedelta(minutes=30)
_SHORTEST = timedelta(seconds=1)


def utc_now() -> datetime:
    """Give the time now."""
    return datetime.now(UTC)


@dataclass(slots=True)
class FiredAlert:
    """An alert that was fired here.

    Attributes:
        number: Counts up from 1.
        at: When.
        build: Makes its story for the time that it lasts; every time with the same ids.
        story: What it is.
        groups: Who was told.
        is_over: Whether its end was sent too.
        reach: Says anew at each notification who is told, whether it is the end; None: always the same groups.
    """

    number: int
    at: datetime
    build: Callable[[timedelta], Story]
    story: Story
    groups: tuple[str, ...]
    is_over: bool = False
    reach: "Reach | None" = None

    def told(self, *, ended: bool) -> tuple[str, ...]:
        """Say who is told of what fires it, or of what ends it."""
        return self.groups if self.reach is None else self.reach(self.story, ended)


Reach = Callable[[Story, bool], tuple[str, ...]]


class Station:
    """An Azure Monitor that runs by itself and takes orders; deliveries go on in the background.

    Attributes:
        estate: Where alerts happen.
        monitor: Who notifies.
        alerts: What was fired one by one, by number.
        rounds: The rounds that were started.
    """

    def __init__(
        self,
        estate: Estate,
        monitor: AzureMonitor,
        *,
        now: Callable[[], datetime] = utc_now,
        chance: random.Random | None = None,
        test_subscription: str = PRODUCTION,
    ) -> None:
        self.estate = estate
        self.monitor = monitor
        self.alerts: dict[int, FiredAlert] = {}
        self.rounds: list[Scenario] = []
        self._now = now
        self._chance = chance or random.Random()
        self._test_subscription = test_subscription
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[Any]] = set()

    def fire(
        self,
        kind: str,
        *,
        groups: Sequence[str] = (MAIN_GROUP,),
        rule: str | None = None,
        resource: str | None = None,
        ends_first: bool = False,
    ) -> FiredAlert:
        """Fire an alert of a kind, now.

        Args:
            kind: One of the catalogue's kinds.
            groups: The action groups that are told.
            rule: The alert rule's name; None: the kind's own.
            resource: The name of the resource that it happens to; None: the kind's own.
            ends_first: Send what ends it before what fires it.

        Raises:
            LookupError: There is no such kind, resource or group.
        """
        self.monitor.find(groups)
        return self._fired(self.teller(kind, rule, resource), tuple(groups), ends_first=ends_first)

    def teller(self, kind: str, rule: str | None, resource: str | None) -> Callable[[timedelta], Story]:
        """Give what makes the story of an alert that fires now, for the time that it lasts."""
        at, seed = self._now(), self._chance.getrandbits(64)

        def story(lasts: timedelta) -> Story:
            shop = Workshop(self.estate, at, random.Random(seed), rule, resource, lasts)
            return catalogue.build(kind, shop, test_subscription=self._test_subscription)

        return story

    def fire_story(self, build: Callable[[timedelta], Story], reach: Reach) -> FiredAlert:
        """Fire an alert now.

        Args:
            build: Makes its story for the time that it lasts.
            reach: Says who is told.
        """
        return self._fired(build, (), reach)

    def run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something go on by itself, until it ends or the station closes."""
        self._in_background(work)

    def _fired(
        self,
        build: Callable[[timedelta], Story],
        groups: tuple[str, ...],
        reach: Reach | None = None,
        *,
        ends_first: bool = False,
    ) -> FiredAlert:
        alert = FiredAlert(next(self._numbers), self._now(), build, build(_SHORTEST), groups, reach=reach)
        self.alerts[alert.number] = alert
        if reach is not None:
            alert.groups = alert.told(ended=False)
        self._in_background(self._tell(alert, ends_first=ends_first))
        return alert

    def resolve(self, number: int) -> FiredAlert:
        """Send what ends an alert.

        Raises:
            LookupError: There is no such alert, or Azure sends nothing when such a one ends.
        """
        alert = self.alerts.get(number)
        if alert is None:
            raise LookupError(f"There is no alert number {number}.")
        if alert.story.ended is None:
            raise LookupError(f"Azure sends nothing when a {alert.story.kind} ends.")
        self._in_background(self._end(alert))
        return alert

    def start_round(self, *, seed: int | None = None, pause: float = 0.0) -> Scenario:
        """Start a round of every kind; None as seed draws one, so that it differs from the rounds before."""
        drawn = self._chance.getrandbits(32) if seed is None else seed
        start = self._now() - _ROUND_STARTS_BEFORE
        scenario = one_round(self.estate, start, seed=drawn, test_subscription=self._test_subscription)
        self.rounds.append(scenario)
        self._in_background(self._play(scenario, pause))
        return scenario

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Stop what is under way and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.monitor.close()

    async def _tell(self, alert: FiredAlert, *, ends_first: bool) -> None:
        if ends_first and alert.story.ended is not None:
            await self._end(alert)
        await self.monitor.notify(Message.of(alert.story.kind, alert.story.fired), alert.groups)

    async def _end(self, alert: FiredAlert) -> None:
        alert.story = alert.build(max(_SHORTEST, self._now() - alert.at))
        if alert.story.ended is not None:
            alert.is_over = True
            await self.monitor.notify(Message.of(alert.story.kind, alert.story.ended), alert.told(ended=True))

    async def _play(self, scenario: Scenario, pause: float) -> None:
        async for _ in play(self.monitor, scenario, pause=pause):
            pass

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
