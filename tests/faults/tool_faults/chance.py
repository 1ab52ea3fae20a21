"""Random stories: anything may happen in any order."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from tests.faults.tool_faults.adapter import Ability, Deed, Trouble
from tests.faults.tool_faults.judge import OPEN, OVER, Expected, judge
from tests.faults.tool_faults.mortal import Life
from tests.faults.tool_faults.world import World

from secure_export.workitems.work_item import ToolState

_FEWEST_ACTS, _MOST_ACTS = 6, 16
_MACHINES = ("vm1", "vm2", "vm3")
_ALERTS = ("a", "b", "c")
_EVERY_CALL = (Trouble.UNAVAILABLE, Trouble.BUSY, Trouble.BUSY_SILENT, Trouble.REQUEST_LOST, Trouble.ERROR_BEFORE)


async def told_by_chance(world: World, seed: int) -> None:
    """Tell a story that a seed decides, and judge its end; a failure names the seed and the whole schedule."""
    world.say(f"seed {seed}")
    story = _Story(world, Random(seed))  # noqa: S311 - chance, no secret
    for _ in range(story.chance.randint(_FEWEST_ACTS, _MOST_ACTS)):
        await story.goes_on()
    await story.ends()


@dataclass
class _Story:
    """A story that is being told.

    Attributes:
        world: Its stage.
        chance: What decides.
        touched: The machines whose records people ended, opened or deleted.
        opened: How often people opened records of a machine.
    """

    world: World
    chance: Random
    touched: set[str] = field(default_factory=set)
    opened: Counter[str] = field(default_factory=Counter)

    async def goes_on(self) -> None:
        """Let one thing happen, with some time before it or none."""
        acts: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (6, self._azure),
            (4, self._trouble),
            (2, self._people),
            (2, self._outage),
            (2, self._crash),
            (1, self._rights),
            (1, self._sign_in),
            (2, self.world.looks_round),
        ]
        (act,) = self.chance.choices([act for _, act in acts], [weight for weight, _ in acts])
        await act()
        pause = self.chance.choice([0, 0, 1, 30, 600])
        await self.world.rests(at_most=timedelta(seconds=pause))
        self.world.clock.forward(pause / 10)

    async def ends(self) -> None:
        """Let calm return, everything be tried again, and judge."""
        world = self.world
        world.tool.calm()
        await world.tool.show()
        for _ in range(3):
            await world.rests()
            await world.tries_again()
            await world.rests()
            world.clock.forward(60)
            await world.looks_round()
        await judge(world, {vm: await self._expected(vm) for vm in world.problems})

    async def _expected(self, vm: str) -> Expected:
        """What must be so: people may have ended records, and then there are more; two are open only by their doing."""
        firing = bool(self.world.problems[vm].firing)
        if vm not in self.touched:
            outages = self.world.problems[vm].outages
            found = await self.world.records_of(vm)
            assert 1 <= len(found) <= outages, f"{len(found)} records of {outages} outages:\n{self._told(found)}"
            return Expected((OVER,) * (len(found) - 1) + ((OPEN,) if firing else (OVER,)), tells=True)
        found = await self.world.records_of(vm)
        states = tuple(OPEN if one.state is ToolState.OPEN else OVER for one in found)
        assert states.count(OPEN) <= 1 + self.opened[vm], f"several records of {vm} are open:\n{self._told(found)}"
        return Expected(states, tells=False)

    def _told(self, found: object) -> str:
        return "\n".join([str(found), *self.world.log])

    async def _azure(self) -> None:
        """Something fires, or ends."""
        vm = self.chance.choice(_MACHINES)
        firing = self.world.problems[vm].firing if vm in self.world.problems else {}
        quiet = [name for name in _ALERTS if name not in firing]
        if firing and (not quiet or self.chance.random() < 0.5):
            await self.world.ends(vm, *([self.chance.choice(sorted(firing))] if self.chance.random() < 0.5 else []))
        else:
            await self.world.fires(vm, self.chance.choice(quiet))

    async def _trouble(self) -> None:
        """Some of the next calls meet trouble."""
        trouble = self.chance.choice(sorted(self.world.tool.troubles))
        times = self.chance.randint(1, 4)
        meet = self.chance.choice(["writes", "reads"])
        self.world.say(f"the next {times} {meet} meet {trouble.value}")
        (self.world.tool.next_writes if meet == "writes" else self.world.tool.next_reads)(trouble, times)

    async def _outage(self) -> None:
        """No call gets through for a while."""
        trouble = self.chance.choice([one for one in _EVERY_CALL if one in self.world.tool.troubles])
        minutes = self.chance.choice([1, 10, 60])
        self.world.say(f"all calls meet {trouble.value} for {minutes} min")
        self.world.tool.all_calls(trouble)
        self.world.later(timedelta(minutes=minutes), self.world.tool.calm)

    async def _people(self) -> None:
        """A person does something to some record."""
        records = [one for vm in self.world.problems for one in await self.world.records_of(vm)]
        if not records:
            return
        record = self.chance.choice(records)
        is_open = record.state is ToolState.OPEN
        deeds = [Deed.RESOLVE, Deed.CLOSE, Deed.DELETE, Deed.MERGE] if is_open else [Deed.REOPEN]
        known = [one for one in deeds if one in self.world.tool.deeds]
        if not known or (not is_open and record.state is ToolState.CLOSED):
            return
        deed = self.chance.choice(known)
        self.world.say(f"a person does {deed.value} to {record.number} ({record.title})")
        whose = {vm for vm in self.world.problems if f" {vm} " in f"{record.title} "}
        self.touched |= whose
        self.opened.update(whose if deed is Deed.REOPEN else ())
        await self.world.tool.act(record.number, deed)

    async def _crash(self) -> None:
        """The process dies soon, and another takes over."""
        life = Life(self.chance.randint(1, 12), after=self.chance.random() < 0.5)
        await self.world.stop()
        node = await self.world.start(life=life)
        await self._azure()
        await self.world.rests(at_most=timedelta(minutes=1), or_death=True)
        if life.over.is_set():
            await self.world.dies(node)
        else:
            await self.world.stop()
        await self.world.start()

    async def _rights(self) -> None:
        """Our own records are hidden from us for ten minutes."""
        if Ability.ROW_RIGHTS in self.world.tool.abilities:
            self.world.say("our records are hidden for 10 min")
            await self.world.tool.hide()
            self.world.later(timedelta(minutes=10), self.world.tool.show)

    async def _sign_in(self) -> None:
        """Tokens, or the value that a resolve needs, are of no use any more."""
        if Ability.TOKENS in self.world.tool.abilities and self.chance.random() < 0.7:
            self.world.say("the tokens are revoked")
            await self.world.tool.revoke_tokens()
        elif Ability.RESOLVE_VALUE in self.world.tool.abilities:
            self.world.say("the resolve value is another")
            await self.world.tool.take_resolve_value()
