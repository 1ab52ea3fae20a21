"""Several processes that share a connection's limits, in virtual time, with a tool that counts what is under way."""

import asyncio
from dataclasses import dataclass, field
from random import Random

from tests.unit.delivery.virtual_time import VirtualTime

from secure_export.delivery.contract import Allotment, PlacesAsked
from secure_export.delivery.fair_shares import renewed
from secure_export.delivery.pace import Pace
from secure_export.delivery.place_keeper import PlaceKeeper, Terms
from secure_export.errors import StoreUnavailable
from secure_export.itsm.share import NoPlace, Share
from secure_export.store.sightings import Renewed, Sightings

CONNECTION = "prod"
LONGEST_CALL = 4.0
TERMS = Terms(window=5.0, margin=1.0, between_renewals=1.0, soon=0.25)
LEASE = TERMS.window + LONGEST_CALL + TERMS.margin
LANES = 6
_LIVELY_SECONDS = 2 * TERMS.between_renewals
_EVENTS = ("join", "join", "kill", "stop", "go on", "end", "away", "back", "back", "cut", "cut", "heal")
_STORY_SECONDS = 90.0
_MOST_ALIVE = 5


@dataclass
class Table:
    """What the store holds; whoever asks is the only one at that moment.

    Attributes:
        rows: Places, number and lease by holder.
        away: Whether it cannot be reached.
    """

    rows: dict[str, tuple[int, int, float]] = field(default_factory=dict)
    away: bool = False
    numbers: int = 0


@dataclass
class Tool:
    """A tool: what is under way in it goes on whatever becomes of the caller."""

    time: VirtualTime
    ends: list[float] = field(default_factory=list)
    most: int = 0
    steps: list[tuple[float, str]] = field(default_factory=list)
    calls: int = 0

    def begin(self, seconds: float) -> None:
        self.ends = [end for end in self.ends if end > self.time.now]
        self.ends.append(self.time.now + seconds)
        self.most = max(self.most, len(self.ends))
        self.calls += 1


class Process:
    """A process with a clock of its own, a keeper, and callers that always have something to do.

    Attributes:
        cut_off: Whether it, and no other, cannot reach the store.
    """

    def __init__(self, name: str, table: Table, tool: Tool, random: Random, *, places: int, rate: float) -> None:
        self.name = name
        self._table = table
        self._tool = tool
        self._time = tool.time
        self._random = random
        self._rate = rate
        self._running = asyncio.Event()
        self._running.set()
        self._sightings = Sightings()
        self._ahead = random.uniform(-1e6, 1e6)
        self.share = Share(seconds=self.seconds)
        self._turns = self.share.turns(places, longest_seconds=LONGEST_CALL)
        self._keeper = PlaceKeeper(
            CONNECTION,
            self.share,
            places=places,
            longest_call_seconds=LONGEST_CALL,
            allotments=self,
            terms=TERMS,
            seconds=self.seconds,
            sleep=self.sleep,
        )
        self._at_work = 0
        self._ending = False
        self.cut_off = False
        self.share.works(lambda: self._at_work, LANES)
        self._pace = Pace(rate, seconds=self.seconds)
        self._pace.have(0)
        self.share.watch(lambda: self._pace.have(self.share.part))
        self._tasks = [asyncio.create_task(self._keeper.run()), asyncio.create_task(self._step())]
        self._tasks += [asyncio.create_task(self._work()) for _ in range(LANES)]

    def seconds(self) -> float:
        return self._time.now + self._ahead

    async def sleep(self, seconds: float) -> None:
        await self._time.sleep(seconds)
        await self._running.wait()

    def stop(self) -> None:
        self._running.clear()

    def go_on(self) -> None:
        self._running.set()

    async def kill(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def end(self) -> None:
        """End in order: no further lane, then the places."""
        self._ending = True
        await asyncio.gather(*self._tasks[2:])
        await self.kill()
        await self._keeper.leave()

    async def renew(self, connection: str, asked: PlacesAsked) -> Allotment:
        """Answer as a store does: it takes a while, and it may not be known what came of it."""
        await self.sleep(self._random.choice((0.0, 0.0, 0.05, 1.0)))
        if self._table.away or self.cut_off:
            raise StoreUnavailable("away")
        if self._random.random() < 0.05:
            raise StoreUnavailable("lost on its way there")
        answer = self._renewed(connection, asked)
        if self._random.random() < 0.05:
            raise StoreUnavailable("lost on its way back")
        await self.sleep(self._random.choice((0.0, 0.0, 0.05, 1.0)))
        return answer

    async def leave(self, connection: str) -> None:
        self._table.rows.pop(self.name, None)

    def _renewed(self, connection: str, asked: PlacesAsked) -> Allotment:
        rows = self._table.rows
        seen = {one: Renewed(number, lease) for one, (_, number, lease) in rows.items() if one != self.name}
        for one in self._sightings.over(seen, now=self.seconds()):
            del rows[one]
        holdings = {one: places for one, (places, _, _) in rows.items()}
        living = self._sightings.lively(now=self.seconds(), within_seconds=_LIVELY_SECONDS)
        now = renewed(connection, self.name, holdings, living=living, keep=asked.keep, places=asked.places)
        self._table.numbers += 1
        rows[self.name] = (now.held, self._table.numbers, asked.lease.total_seconds())
        return Allotment(now.held, now.fair)

    async def _work(self) -> None:
        """Work on lanes for as long as there is room for one more, each with several calls."""
        while not self._ending:
            if self._at_work >= self.share.lanes(LANES):
                await self.sleep(0.2)
                continue
            self._at_work += 1
            try:
                for _ in range(3):
                    await self._call()
            except NoPlace:
                await self.sleep(0.2)
            finally:
                self._at_work -= 1

    async def _call(self) -> None:
        async with self._turns:
            seconds = self._random.choice((0.1, 1.0, LONGEST_CALL))
            self._tool.begin(seconds)
            await self.sleep(seconds)

    async def _step(self) -> None:
        while True:
            await self._pace.turn(self.sleep)
            if self.share.is_open:
                self._tool.steps.append((self._time.now, self.name))


def most_beyond(steps: list[tuple[float, str]], rate: float) -> float:
    """Say by how many steps, at the worst time, there were more than the rate and one for each process."""
    worst = float("-inf")
    for first, (since, _) in enumerate(steps):
        who: set[str] = set()
        for last in range(first, len(steps)):
            at, name = steps[last]
            who.add(name)
            worst = max(worst, last - first + 1 - (at - since) * rate - len(who))
    return worst


class Story:
    """Joins, deaths, stops, ends and outages of the store, by chance.

    Attributes:
        tool: What all call.
        held: How many places each process holds at the end.
    """

    def __init__(self, seed: int, *, places: int, rate: float) -> None:
        self._random = Random(seed)  # noqa: S311 - a schedule, no secret
        self._limits = (places, rate)
        self._table = Table()
        self.time = VirtualTime()
        self.tool = Tool(self.time)
        self.held: list[int] = []
        self._made = 0
        self._alive: list[Process] = []
        self._stopped: list[Process] = []
        self._ending: list[asyncio.Task[None]] = []

    async def tell(self) -> None:
        """Have things happen, and then leave those that live in peace."""
        self._join()
        while self.time.now < _STORY_SECONDS:
            await self.time.sleep(self._random.choice((0.3, 2.0, 6.0, LEASE)))
            self._happen(self._random.choice(_EVENTS))
        self._table.away = False
        self._heal()
        for one in self._stopped:
            one.go_on()
        self._join()
        await asyncio.gather(*self._ending)
        await self.time.sleep(6 * LEASE)

    async def close(self) -> None:
        self.held = [one.share.held for one in self._alive]
        for one in self._alive:
            await one.kill()

    def _happen(self, what: str) -> None:
        if what == "join" and len(self._alive) < _MOST_ALIVE:
            self._join()
        elif what in {"back", "away"}:
            self._table.away = what == "away"
        elif what == "heal":
            self._heal()
        elif what == "go on" and self._stopped:
            self._stopped.pop(0).go_on()
        elif running := [one for one in self._alive if one not in self._stopped]:
            self._happen_to(self._random.choice(running), what)

    def _happen_to(self, one: Process, what: str) -> None:
        if what == "cut":
            one.cut_off = True
        elif what == "stop":
            self._stopped.append(one)
            one.stop()
        elif what in {"kill", "end"}:
            self._alive.remove(one)
            self._ending.append(asyncio.create_task(one.kill() if what == "kill" else one.end()))

    def _heal(self) -> None:
        for one in self._alive:
            one.cut_off = False

    def _join(self) -> None:
        self._made += 1
        places, rate = self._limits
        name = f"process-{self._made}"
        self._alive.append(Process(name, self._table, self.tool, self._random, places=places, rate=rate))


async def live(seed: int, *, places: int, rate: float) -> Story:
    """Let a cluster live through a story."""
    story = Story(seed, places=places, rate=rate)
    await story.time.run(asyncio.create_task(story.tell()))
    await story.close()
    return story
