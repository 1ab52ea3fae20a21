"""Gathering: few calls for many who ask, and nobody pays for another's trouble."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.itsm.gathered import Gathered


@dataclass
class Calls:
    """What was asked for, answered when a test says so; a key that begins with "no" has no value."""

    begun: list[tuple[str, ...]] = field(default_factory=list)
    under_way: list[tuple[int, asyncio.Future[bool]]] = field(default_factory=list)
    most: int = 0

    async def fetch(self, keys: Sequence[str]) -> Mapping[str, str]:
        number = len(self.begun)
        self.begun.append(tuple(keys))
        held: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.under_way.append((number, held))
        self.most = max(self.most, len(self.under_way))
        try:
            if not await held:
                raise ConnectionError(f"call {number}")
        finally:
            self.under_way = [one for one in self.under_way if one[0] != number]
        return {key: f"{key}@{number}" for key in keys if not key.startswith("no")}

    async def end(self, *, well: bool = True, place: int = 0) -> None:
        await settled()
        self.under_way[place % len(self.under_way)][1].set_result(well)
        await settled()


async def settled() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


async def test_a_lone_asker_is_served_at_once() -> None:
    """No time is added to gather others."""
    calls = Calls()
    asked = asyncio.create_task(Gathered(calls.fetch).get("a"))
    await settled()
    assert calls.begun == [("a",)]
    await calls.end()
    assert asked.result() == "a@0"


async def test_those_who_ask_meanwhile_share_the_next_call() -> None:
    """However many: one call, each key once; who asks for a key that is under way waits for the next answer."""
    calls = Calls()
    gathered = Gathered(calls.fetch)
    asked = [asyncio.create_task(gathered.get(key)) for key in ("a", "b", "c", "b", "a", "none")]
    await calls.end()
    assert calls.begun == [("a",), ("b", "c", "a", "none")]
    await calls.end()
    assert [one.result() for one in asked] == ["a@0", "b@1", "c@1", "b@1", "a@1", None]


async def test_keys_that_are_asked_for_together_go_together() -> None:
    """One who needs several does not begin with one of them alone."""
    calls = Calls()
    asked = asyncio.create_task(Gathered(calls.fetch).get_all(["a", "b", "none", "a"]))
    await calls.end()
    assert calls.begun == [("a", "b", "none")]
    assert asked.result() == {"a": "a@0", "b": "b@0"}
    assert await Gathered(calls.fetch).get_all([]) == {}


async def test_a_call_has_a_bound() -> None:
    """More than that are asked for in several calls, one after the other."""
    calls = Calls()
    asked = asyncio.create_task(Gathered(calls.fetch, most=2).get_all("abcde"))
    for _ in range(3):
        await calls.end()
    assert calls.begun == [("a", "b"), ("c", "d"), ("e",)]
    assert calls.most == 1
    assert asked.result() == {"a": "a@0", "b": "b@0", "c": "c@1", "d": "d@1", "e": "e@2"}


async def test_several_calls_may_be_under_way() -> None:
    """As many as were said, and the later one may end first."""
    calls = Calls()
    gathered = Gathered(calls.fetch, at_a_time=2)
    asked = [asyncio.create_task(gathered.get(key)) for key in "abcd"]
    await settled()
    assert calls.begun == [("a",), ("b",)]
    await calls.end(place=1)
    assert asked[1].result() == "b@1"
    assert calls.begun[2:] == [("c", "d")]
    await calls.end()
    await calls.end()
    assert [one.result() for one in asked] == ["a@0", "b@1", "c@2", "d@2"]


async def test_a_failed_call_fails_those_who_asked_in_it() -> None:
    """And nobody else: the next call is made as if nothing had been."""
    calls = Calls()
    gathered = Gathered(calls.fetch)
    asked = [asyncio.create_task(gathered.get(key)) for key in "abc"]
    await calls.end(well=False)
    await calls.end()
    got = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(one) for one in got] == ["call 0", "b@1", "c@1"]


async def test_a_faulty_answer_fails_those_who_asked() -> None:
    """Nobody waits for ever because of a fault in what fetches."""

    async def faulty(_: Sequence[str]) -> Mapping[str, str]:
        return None  # type: ignore[return-value]

    gathered = Gathered(faulty)
    with pytest.raises(TypeError):
        await gathered.get("a")


async def test_one_who_leaves_hurts_nobody() -> None:
    """The others get their answer, from the call that was under way already."""
    calls = Calls()
    gathered = Gathered(calls.fetch)
    first = asyncio.create_task(gathered.get("x"))
    await settled()
    asked = [asyncio.create_task(gathered.get("a")) for _ in range(3)]
    await calls.end()
    asked[0].cancel()
    await calls.end()
    assert await asyncio.gather(*asked, return_exceptions=True) != []
    assert [one.result() for one in (first, *asked[1:])] == ["x@0", "a@1", "a@1"]
    assert asked[0].cancelled()


async def test_what_nobody_waits_for_is_not_asked() -> None:
    """A key whose only asker left is left out, and a call that nobody wants is given up."""
    calls = Calls()
    gathered = Gathered(calls.fetch)
    asked = [asyncio.create_task(gathered.get(key)) for key in "abc"]
    await settled()
    asked[1].cancel()
    asked[0].cancel()
    await settled()
    assert calls.begun == [("a",), ("c",)]
    assert len(calls.under_way) == 1
    await calls.end()
    assert asked[2].result() == "c@1"


async def test_one_with_keys_in_two_calls_leaves_both() -> None:
    """After that nothing is under way, and the next is served at once."""
    calls = Calls()
    gathered = Gathered(calls.fetch, most=1, at_a_time=2)
    asked = asyncio.create_task(gathered.get_all("abc"))
    await settled()
    asked.cancel()
    await settled()
    assert calls.begun == [("a",), ("b",)]
    assert not calls.under_way
    again = asyncio.create_task(gathered.get("d"))
    await calls.end()
    assert again.result() == "d@2"


_KEYS = st.sampled_from(["a", "b", "c", "d", "none"])
_DOINGS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.lists(_KEYS, min_size=1, max_size=4)),
        st.tuples(st.just("leave"), st.integers(0, 30)),
        st.tuples(st.just("end"), st.tuples(st.booleans(), st.integers(0, 3))),
        st.tuples(st.just("pause"), st.none()),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(doings=_DOINGS, most=st.integers(1, 3), at_a_time=st.integers(1, 3))
def test_whatever_happens_everybody_is_served_once(doings: list[tuple[str, Any]], most: int, at_a_time: int) -> None:
    """In every order of asking, leaving, failing and answering: bounds are kept, each who stays gets an answer of a
    call that began after the question, who leaves hurts nobody, and in the end nothing is left.
    """
    asyncio.run(_whatever_happens(doings, most, at_a_time))


@dataclass
class Asker:
    """Somebody who asked: for what, after how many calls had begun, and whether they left again."""

    keys: list[str]
    begun_before: int
    task: asyncio.Task[dict[str, str]]
    left: bool = False

    def leave(self) -> None:
        if not self.task.done():
            self.left = self.task.cancel()

    def was_served(self) -> bool:
        if self.task.cancelled():
            return self.left
        if self.task.exception() is not None:
            return isinstance(self.task.exception(), ConnectionError)
        answered_by = [int(value.split("@")[1]) for value in self.task.result().values()]
        return (
            self.task.result().keys() == {key for key in self.keys if key != "none"}
            and all(value.startswith(f"{key}@") for key, value in self.task.result().items())
            and all(number >= self.begun_before for number in answered_by)
        )


def _end(calls: Calls, place: int, *, well: bool) -> None:
    if calls.under_way and not (held := calls.under_way[place % len(calls.under_way)][1]).done():
        held.set_result(well)


async def _whatever_happens(doings: list[tuple[str, Any]], most: int, at_a_time: int) -> None:
    calls = Calls()
    gathered = Gathered(calls.fetch, most=most, at_a_time=at_a_time)
    askers: list[Asker] = []
    for what, how in doings:
        if what == "ask":
            askers.append(Asker(how, len(calls.begun), asyncio.create_task(gathered.get_all(how))))
            await asyncio.sleep(0)
        elif what == "leave" and askers:
            askers[how % len(askers)].leave()
        elif what == "end":
            _end(calls, how[1], well=how[0])
        elif what == "pause":
            await settled()
    for _ in range(len(askers) * 12 + 1):
        await settled()
        _end(calls, 0, well=True)
    await settled()
    assert all(len(keys) <= most and len(set(keys)) == len(keys) for keys in calls.begun)
    assert calls.most <= at_a_time
    assert all(asker.task.done() and asker.was_served() for asker in askers)
    assert not gathered._waiting
    assert not gathered._calls
