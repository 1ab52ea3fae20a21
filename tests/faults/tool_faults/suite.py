"""What must be so after every fault, whichever remote tool it is: one work item, in the right state, explained.

A tool's own test module gives a subclass of ``ToolFaultSuite`` the fixture ``open_tool`` (``adapter.OpenTool``), and
thereby passes all of this: the real delivery on a real database, the real connector over real HTTP to the tool's
sandbox, and a clock that both sides go by and that nobody waits for. ``chance.py`` tells random stories.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.connector_suite_steps import noted, to_resolve, work_item
from tests.conformance.connector_suite_tool import CONNECTION as SUITE_CONNECTION
from tests.faults.seeds import seeds
from tests.faults.tool_faults.adapter import (
    BUSY_SECONDS,
    DONE_ALL_THE_SAME,
    Ability,
    Deed,
    OpenTool,
    ToolUnderFault,
    Trouble,
)
from tests.faults.tool_faults.chance import told_by_chance
from tests.faults.tool_faults.judge import OPEN, OVER, Expected, judge, usual
from tests.faults.tool_faults.mortal import Died, Life
from tests.faults.tool_faults.world import World, resource_id
from tests.unit.delivery.scene import LEASE, ManualClock

from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import StepKind, ToolState, WorkItem

CREATE, UPDATE, RESOLVE = StepKind.CREATE, StepKind.UPDATE, StepKind.RESOLVE
STEPS = (CREATE, UPDATE, RESOLVE)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
VM = "vm1"

OpenWorld = Callable[..., AbstractAsyncContextManager[World]]
Act = Callable[[], Awaitable[None] | None]


def lacks(tool: ToolUnderFault, *needed: Ability | Trouble | Deed) -> None:
    """Leave a test out when the tool does not know such a thing."""
    known = {*tool.abilities, *tool.troubles, *tool.deeds}
    if missing := [one.value for one in needed if one not in known]:
        pytest.skip(f"this tool does not know: {', '.join(missing)}")


async def lives(world: World, *, at: StepKind | None = None, act: Act | None = None) -> None:
    """Let a machine's problem go through all steps, and have something happen just before one of them."""
    for step in STEPS:
        if step is at is RESOLVE:  # or what happens would meet the note of the first end, delivered by itself
            await world.ends(VM, "a")
            await world.rests()
        if step is at and act is not None and (doing := act()) is not None:
            await doing
        if step is CREATE:
            await world.fires(VM)
        elif step is UPDATE:
            await world.fires(VM, "b")
        else:
            await world.ends(VM)
        await world.rests()


@pytest.fixture
async def open_world(open_tool: OpenTool, tmp_path: Path) -> OpenWorld:
    """Give what makes worlds, each with a database and a sandbox of its own."""
    numbers = count(1)

    @asynccontextmanager
    async def make(**start: Any) -> AsyncIterator[World]:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        clock = ManualClock()
        async with open_tool(clock, folder) as tool:
            world = World(folder, tool, clock)
            try:
                await world.start(**start)
                yield world
            finally:
                await world.stop()

    return make


@pytest.fixture
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """Give a world with one process in it."""
    async with open_world() as made:
        yield made


class ToolFaultSuite:
    """The stories that every remote tool and its connector must survive."""

    async def test_without_trouble(self, world: World) -> None:
        """The story that the others disturb: one record, noted and resolved, and nobody asked more than is needed."""
        await lives(world)
        await judge(world)
        taken = [kind for kind, _ in world.nodes[0].connector.steps]
        # The first of two ends is a note of its own, if it is delivered before the second comes.
        assert taken in ([CREATE, UPDATE, RESOLVE], [CREATE, UPDATE, UPDATE, RESOLVE])

    @pytest.mark.parametrize("trouble", list(Trouble))
    @pytest.mark.parametrize("step", STEPS)
    async def test_a_write_meets_trouble(self, world: World, step: StepKind, trouble: Trouble) -> None:
        """Whatever the answer to a write was, and whether it was done or not: looked at, and put right."""
        lacks(world.tool, trouble)
        if trouble is Trouble.RESOLVE_IGNORED and step is not RESOLVE:
            pytest.skip("only a resolve can be ignored in this way")
        await lives(world, at=step, act=lambda: world.tool.next_writes(trouble))
        assert world.tool.met() == 1
        if trouble is Trouble.ABORTED:
            await self._tried_again(world)
        await judge(world)
        told = [outcome for _, outcome in world.nodes[0].connector.steps if outcome != "Done"]
        assert told or trouble in DONE_ALL_THE_SAME | {Trouble.RESOLVE_IGNORED}, "what was not done was called done"

    @pytest.mark.parametrize("trouble", list(Trouble))
    @pytest.mark.parametrize("step", STEPS)
    async def test_a_read_meets_trouble(self, world: World, step: StepKind, trouble: Trouble) -> None:
        """What could not be read is not taken for something that is not there."""
        lacks(world.tool, trouble)
        if trouble in {Trouble.RESOLVE_IGNORED, Trouble.ABORTED}:
            pytest.skip("nothing is aborted or ignored when something is read")
        await lives(world, at=step, act=lambda: world.tool.next_reads(trouble))
        assert world.tool.met() == 1
        await judge(world)

    @pytest.mark.parametrize("times", [2, 5])
    @pytest.mark.parametrize("trouble", sorted(DONE_ALL_THE_SAME))
    async def test_every_answer_is_lost_for_a_while(self, world: World, trouble: Trouble, times: int) -> None:
        """However often a write is answered like this, it is one record, and each note is there once."""
        lacks(world.tool, trouble)
        for step in STEPS:
            world.tool.next_writes(trouble, times)
            await (world.ends(VM) if step is RESOLVE else world.fires(VM, step.value))
            await world.rests()
        world.tool.calm()
        await world.rests()
        await judge(world)

    @pytest.mark.parametrize("trouble", [Trouble.BUSY, Trouble.BUSY_SILENT])
    async def test_a_storm_of_too_many_requests(self, world: World, trouble: Trouble) -> None:
        """A tool that has enough is left alone for as long as it says, or more and more rarely when it says nothing."""
        lacks(world.tool, trouble)
        machines = [f"vm{number}" for number in range(1, 7)]
        for vm in machines[:-1]:
            await world.tool.add_ci(vm, resource_id(vm))
            await world.fires(vm)
        await world.rests()
        world.tool.all_calls(trouble)
        world.later(10 * MINUTE, world.tool.calm)
        for vm in machines[:-1]:
            await world.fires(vm, "b")
        await world.ends("vm1")
        await world.passes(9 * MINUTE)
        calls = world.tool.met()
        await world.fires("vm6")
        await world.ends("vm2")
        await world.rests()
        await judge(world)
        assert calls <= 75, "a tool that has enough was asked again and again"

    async def test_a_tool_that_names_a_time_is_left_alone_until_then(self, world: World) -> None:
        """What one lane was told counts for all of them."""
        lacks(world.tool, Trouble.BUSY)
        until = world.clock() + timedelta(seconds=BUSY_SECONDS)
        world.tool.next_writes(Trouble.BUSY)
        await world.fires("vm1")
        await world.rests(at_most=timedelta(0))
        await world.fires("vm2")
        await world.rests()
        await judge(world)
        steps = [step for vm in ("vm1", "vm2") for item in await world.items_of(vm) for step in item["steps"]]
        refused = min(steps, key=lambda step: str(step["started_at"]))
        assert refused["outcome"] == "try-later"
        assert all(datetime.fromisoformat(step["started_at"]) >= until for step in steps if step is not refused)

    async def test_an_hour_of_503(self, world: World) -> None:
        """What happened in an hour without the tool is brought in afterwards: one record each, in the right state."""
        lacks(world.tool, Trouble.UNAVAILABLE)
        await world.fires("vm1")
        await world.fires("vm2")
        await world.rests()
        world.tool.all_calls(Trouble.UNAVAILABLE)
        world.later(HOUR, world.tool.calm)
        await world.fires("vm1", "b")
        await world.ends("vm2")
        await world.fires("vm3")
        await world.passes(20 * MINUTE)
        await world.ends("vm1", "a")
        await world.fires("vm4")
        await world.ends("vm4")
        await world.passes(10 * MINUTE)
        waits = [lane["reason"] for lane in await world.lanes()]
        assert all("503" in str(reason) for reason in waits), waits
        assert len(waits) == 4
        await world.rests()
        await judge(world, {vm: usual(world, vm, "503") for vm in ("vm1", "vm2")})

    async def test_the_cmdb_alone_does_not_answer(self, world: World) -> None:
        """A record is made without its CI after some minutes, and gets it when the CMDB answers again."""
        lacks(world.tool, Ability.CMDB_APART)
        key = await world.tool.add_ci(VM, resource_id(VM))
        world.tool.cmdb_meets(Trouble.UNAVAILABLE)
        await world.fires(VM)
        await world.passes(HOUR)
        await judge(world)
        (item,) = await world.items_of(VM)
        assert [one["id"] for one in item["configuration_items"]] == [None]
        world.tool.calm()
        await world.passes(HOUR)
        await world.looks_round()
        (item,) = await world.items_of(VM)
        assert [one["id"] for one in item["configuration_items"]] == [key]

    @pytest.mark.parametrize("step", STEPS)
    async def test_the_token_is_revoked(self, world: World, step: StepKind) -> None:
        """A token that is worth nothing any more is replaced, and the step is taken after all."""
        lacks(world.tool, Ability.TOKENS)
        await lives(world, at=step, act=world.tool.revoke_tokens)
        await judge(world)

    async def test_the_value_that_a_resolve_needs_is_removed(self, world: World) -> None:
        """The list is read again, and the record is resolved with what it has now."""
        lacks(world.tool, Ability.RESOLVE_VALUE)
        await world.fires("vm1")
        await world.ends("vm1")
        await world.fires("vm2")
        await world.rests()
        await world.tool.take_resolve_value()
        await world.ends("vm2")
        await world.rests()
        await judge(world)

    @pytest.mark.parametrize("step", STEPS)
    async def test_rights_hide_our_own_records(self, world: World, step: StepKind) -> None:
        """Hidden is not gone: nothing is made twice, it waits or is parked, and goes on when the rights are back."""
        lacks(world.tool, Ability.ROW_RIGHTS)
        if step is CREATE:  # its answer is lost, too, so that only a look could tell whether it is there
            world.tool.next_writes(Trouble.ANSWER_LOST)
            await world.fires(VM)
            await world.rests(at_most=timedelta(0))
        else:
            await world.fires(VM)
            await world.rests()
        await world.tool.hide()
        await (world.ends(VM) if step is RESOLVE else world.fires(VM, "b"))
        await world.rests(at_most=HOUR)
        await world.looks_round()
        assert len(await world.tool.found()) == 1, "what could not be seen was made a second time"
        await world.tool.show()
        await self._tried_again(world)
        await judge(world)

    @pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "unnoticed"])
    @pytest.mark.parametrize("deed", [Deed.RESOLVE, Deed.CLOSE, Deed.MERGE, Deed.DELETE])
    async def test_a_colleague_ends_it(self, world: World, deed: Deed, *, noticed: bool) -> None:
        """A person's word counts: nothing is reopened or made again for this outage, and the next one gets its own."""
        lacks(world.tool, deed)
        await world.fires(VM)
        await world.rests()
        await world.tool.act((await world.record_of(VM)).number, deed)
        theirs = [record.resolution for record in await world.records_of(VM)]
        if noticed:
            await world.looks_round()
        await world.ends(VM)
        await world.rests()
        await world.looks_round()
        left = () if deed is Deed.DELETE else (OVER,)
        assert [record.resolution for record in await world.records_of(VM)] == theirs
        await judge(world, {VM: Expected(left, tells=deed is not Deed.DELETE)})
        await world.fires(VM)
        await world.rests()
        await judge(world, {VM: Expected((*left, OPEN), tells=deed is not Deed.DELETE)})

    @pytest.mark.parametrize("deed", [Deed.RESOLVE, Deed.CLOSE, Deed.MERGE, Deed.DELETE])
    async def test_a_colleague_ends_it_while_more_fires(self, world: World, deed: Deed) -> None:
        """What fired after a person ended it cannot be in their record: it gets a work item of its own."""
        lacks(world.tool, deed)
        await world.fires(VM)
        await world.rests()
        await world.tool.act((await world.record_of(VM)).number, deed)
        world.clock.forward(5)
        await world.fires(VM, "b")
        await world.rests()
        left = () if deed is Deed.DELETE else (OVER,)
        told = Expected((*left, OPEN), tells=False, explained=("over in the tool|deleted",))
        await judge(world, {VM: told})
        await world.ends(VM)
        await world.rests()
        await judge(world, {VM: Expected((*left, OVER), tells=False)})

    async def test_a_colleague_reopens_it(self, world: World) -> None:
        """What a person opened again after its end is theirs, and a new firing joins it."""
        lacks(world.tool, Deed.REOPEN)
        await lives(world)
        await world.tool.act((await world.record_of(VM)).number, Deed.REOPEN)
        await world.looks_round()
        await judge(world, {VM: Expected((OPEN,), explained=("person reopened",))})
        await world.fires(VM, "c")
        await world.rests()
        await judge(world)
        await world.ends(VM)
        await world.rests()
        await judge(world)

    @pytest.mark.parametrize("deed", [Deed.RESOLVE, Deed.CLOSE, Deed.DELETE])
    @pytest.mark.parametrize("trouble", [Trouble.ANSWER_LOST, Trouble.ERROR_AFTER])
    async def test_a_colleague_ends_what_we_do_not_know_of_yet(
        self, world: World, trouble: Trouble, deed: Deed
    ) -> None:
        """The answer to the create is lost, and a person ends the record before we look: never a second one."""
        lacks(world.tool, trouble, deed)
        world.tool.next_writes(trouble)
        await world.fires(VM)
        await world.rests(at_most=timedelta(0))
        assert [outcome for _, outcome in world.nodes[0].connector.steps] == ["Unclear"]
        await world.tool.act((await world.record_of(VM)).number, deed)
        await world.rests()
        records = await world.records_of(VM)
        # A record that was deleted before anybody saw it cannot be told from one that was never made.
        expected = (OPEN,) if deed is Deed.DELETE else (OVER,)
        await judge(world, {VM: Expected(expected, tells=len(records) > 0)})

    async def test_the_ci_is_retired_in_between(self, world: World) -> None:
        """A CI that is out of use by the end of the problem does not keep the record from being resolved."""
        key = await world.tool.add_ci(VM, resource_id(VM))
        await world.fires(VM)
        await world.rests()
        await world.tool.retire_ci(key)
        await world.fires(VM, "b")
        await world.rests()
        await world.ends(VM)
        await world.rests()
        await judge(world)
        (item,) = await world.items_of(VM)
        assert [one["id"] for one in item["configuration_items"]] == [key]

    async def test_old_records_come_back(self, world: World) -> None:
        """A copy from before our resolve is put over the tool: its record is open again, and is resolved again."""
        lacks(world.tool, Ability.COPIES)
        await world.fires(VM)
        await world.rests()
        copy = await world.tool.copied()
        world.clock.forward(60)
        await world.ends(VM)
        await world.rests()
        world.clock.forward(60)
        await world.tool.put_back(copy)
        await world.looks_round()
        await world.rests()
        await judge(world, {VM: Expected((OVER,), explained=("old|copy|clone|restored",))})

    async def test_records_are_gone_after_a_copy_came_back(self, world: World) -> None:
        """A copy from before our create is put over the tool: what fires next is told of, and nothing is doubled."""
        lacks(world.tool, Ability.COPIES)
        copy = await world.tool.copied()
        await world.fires(VM)
        await world.rests()
        await world.tool.put_back(copy)
        await world.looks_round()
        await world.fires(VM, "b")
        await world.rests()
        await judge(world, {VM: Expected((OPEN,), tells=False, explained=("deleted|gone",))})

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("step", STEPS)
    async def test_a_node_stalls_longer_than_its_lease(self, world: World, step: StepKind, *, after: bool) -> None:
        """Two nodes believe that they own a lane: the one that stalled acts all the same, and nothing is doubled."""
        life = Life()

        async def stall(kind: StepKind, _: WorkItem) -> None:
            if kind is step:
                life.goes.clear()
                await life.goes.wait()

        await world.stop()
        await world.start(life=life, **{"after" if after else "before": stall})
        for one in STEPS[: STEPS.index(step) + 1]:
            await (world.ends(VM) if one is RESOLVE else world.fires(VM, one.value))
            if one is not step:
                await world.rests()
        await self._until(lambda: not life.goes.is_set())
        await self._another_takes_over(world)
        await judge(world)

    async def test_a_create_is_under_way_in_the_tool_when_another_node_takes_over(self, world: World) -> None:
        """The first create is only done when the second one has been: one record, or a double that is put aside."""
        lacks(world.tool, Ability.SLOW_WRITES)
        (node,) = world.nodes
        world.tool.slow_write(0.3)
        await world.fires(VM)
        await self._until(lambda: world.tool.met() == 1)
        node.life.goes.clear()
        await self._another_takes_over(world)
        await judge(world)
        await world.ends(VM)
        await world.rests()
        await judge(world)

    @pytest.mark.parametrize("step", STEPS)
    async def test_two_connectors_take_the_same_step_at_once(self, world: World, step: StepKind) -> None:
        """Even without lanes and leases: one record, in the right state, and both know it by the same number."""
        one, two = [await world.tool.connector(SUITE_CONNECTION) for _ in range(2)]
        try:
            item = _work_item(world.tool.work_item)
            if step is not CREATE:
                made = await one.create(item)
                assert isinstance(made, Done), made
                item = to_resolve(item) if step is RESOLVE else noted(item, "Fired: disk")
                item = _with(item, made)
            steps = {CREATE: "create", UPDATE: "update", RESOLVE: "resolve"}
            outcomes = await asyncio.gather(*(getattr(node, steps[step])(item) for node in (one, two)))
            seen = await one.look(item)
            assert isinstance(seen, Done), (seen, outcomes)
            assert seen.confirmed is not None
            for outcome in outcomes:
                told = outcome.confirmed.number if isinstance(outcome, Done) and outcome.confirmed else None
                assert told in {None, seen.confirmed.number}
            records = [record for record in await world.tool.found() if not record.aside]
            assert [(record.number, record.state is ToolState.OPEN) for record in records] == [
                (seen.confirmed.number, step is not RESOLVE)
            ]
        finally:
            await one.close()
            await two.close()

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    async def test_a_process_may_die_at_any_point(self, open_world: OpenWorld, *, after: bool) -> None:
        """Whatever was the last thing it did, the next one makes everything right, and nothing twice."""
        for number in count(1):
            life = Life(number, after=after)
            async with open_world(life=life) as world:
                await _until_death(world, lives(world))
                if not life.over.is_set():
                    await judge(world)
                    assert number > 8, "the story is too short to prove anything"
                    return
                await self._taken_over(world)
                await judge(world)

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("trouble", list(Trouble))
    @pytest.mark.parametrize("step", STEPS)
    async def test_a_process_dies_at_a_step_that_meets_trouble(
        self, open_world: OpenWorld, step: StepKind, trouble: Trouble, *, after: bool
    ) -> None:
        """A crash before the step, or after it and before anybody wrote down what came of it."""
        life = Life()

        async def die(kind: StepKind, _: WorkItem) -> None:
            if kind is step:
                life.over.set()
                raise Died

        async with open_world(life=life, **{"after" if after else "before": die}) as world:
            lacks(world.tool, trouble)
            if trouble is Trouble.RESOLVE_IGNORED and step is not RESOLVE:
                pytest.skip("only a resolve can be ignored in this way")
            await _until_death(world, lives(world, at=step, act=lambda: world.tool.next_writes(trouble)))
            assert life.over.is_set()
            await self._taken_over(world)
            if trouble is Trouble.ABORTED:
                await self._tried_again(world)
            await judge(world)

    @pytest.mark.parametrize("seed", seeds())
    async def test_anything_may_happen(self, open_world: OpenWorld, seed: int) -> None:
        """Troubles, crashes, people and outages in any order: at most one open record, and we know all of it."""
        async with open_world() as world:
            await told_by_chance(world, seed)

    async def _taken_over(self, world: World) -> None:
        """Let another process take over from the dead one, and Azure's messages come that it did not live to see."""
        (dead,) = world.nodes
        await world.dies(dead)
        await world.start()
        await world.rests()
        problem = world.problems[VM]
        if len(problem.told) == 1 and problem.firing:
            await world.fires(VM, "b")
            await world.rests()
        if problem.firing:
            await world.ends(VM)
        await world.rests()

    async def _another_takes_over(self, world: World) -> None:
        """Let the lease of a node that stands still end, another do its work, and the first go on where it was."""
        (stalled,) = world.nodes
        world.clock.forward(LEASE.total_seconds() + 1)
        other = await world.start()
        await self._until(lambda: other.connector.steps)
        await world.rests()
        stalled.life.goes.set()
        await self._until(lambda: not stalled.worker._running)
        await world.rests()
        await world.looks_round()

    async def _tried_again(self, world: World) -> None:
        """A person has everything tried again that is parked."""
        await world.tries_again()
        await world.rests()

    async def _until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - what is tested knows no event that a test could wait for
                await asyncio.sleep(0.001)


async def _until_death(world: World, story: Awaitable[None]) -> None:
    """Let a story go on until it is told, or its process dies."""
    telling = asyncio.ensure_future(story)
    dying = asyncio.ensure_future(world.nodes[0].life.over.wait())
    await asyncio.wait({telling, dying}, return_when=asyncio.FIRST_COMPLETED)
    for one in (telling, dying):
        one.cancel()
    await asyncio.gather(telling, dying, return_exceptions=True)
    if telling.done() and not telling.cancelled() and (error := telling.exception()) is not None:
        raise error


def _work_item(kind: str) -> WorkItem:
    item = work_item()
    return replace(item, desired=replace(item.desired, content=replace(item.desired.content, work_item=kind)))


def _with(item: WorkItem, made: Done) -> WorkItem:
    return replace(item, confirmed=made.confirmed)
