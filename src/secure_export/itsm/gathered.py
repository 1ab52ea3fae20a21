"""Many who ask for one thing each, answered by few calls that ask for many."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True, eq=False)
class _Asker(Generic[K, V]):
    """Somebody who waits for some keys: how many of them are still open, and what was found."""

    future: asyncio.Future[dict[K, V]]
    open: int
    found: dict[K, V] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        return not self.future.done()

    def take(self, key: K, found: Mapping[K, V]) -> None:
        if not self.waits:
            return
        if key in found:
            self.found[key] = found[key]
        self.open -= 1
        if not self.open:
            self.future.set_result(self.found)


@dataclass(slots=True, eq=False)
class _Call(Generic[K, V]):
    """One call for many: its keys with those who wait for each."""

    askers: dict[K, list[_Asker[K, V]]]
    task: asyncio.Task[None] | None = None

    @property
    def is_wanted(self) -> bool:
        return any(asker.waits for askers in self.askers.values() for asker in askers)

    def end(self, how: Callable[[_Asker[K, V]], object]) -> None:
        """End all waiting for it in one way."""
        for askers in self.askers.values():
            for asker in askers:
                if asker.waits:
                    how(asker)


class Gathered(Generic[K, V]):
    """Gathers what is asked for while a call is under way into the next call.

    Who asks while nothing is under way is served at once: gathering costs nobody any time. An answer is never older
    than the question: who asks for what a call under way asks for, too, waits for the next one.

    Args:
        fetch: Gets the values of keys, no key twice; keys that have none are left out of its answer. What it raises
            is raised to all who asked in that call.
        most: How many keys a call asks for at most.
        at_a_time: How many calls are under way at most.
    """

    def __init__(
        self, fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, most: int = 50, at_a_time: int = 1
    ) -> None:
        self._fetch = fetch
        self._most = most
        self._at_a_time = at_a_time
        self._waiting: dict[K, list[_Asker[K, V]]] = {}
        self._calls: set[_Call[K, V]] = set()

    async def get(self, key: K) -> V | None:
        """Give the value of a key; None where there is none."""
        return (await self.get_all((key,))).get(key)

    async def get_all(self, keys: Iterable[K]) -> dict[K, V]:
        """Give the values of keys, asked for together; those that have none are left out.

        Raises:
            Exception: What ``fetch`` raised, when it did.
        """
        wanted = dict.fromkeys(keys)
        if not wanted:
            return {}
        asker: _Asker[K, V] = _Asker(asyncio.get_running_loop().create_future(), len(wanted))
        for key in wanted:
            self._waiting.setdefault(key, []).append(asker)
        self._begin()
        try:
            return await asker.future
        except BaseException:
            self._leave(asker, wanted)
            raise

    def _begin(self) -> None:
        """Begin calls for those who wait, as many as may be under way."""
        while self._waiting and len(self._calls) < self._at_a_time:
            keys = list(islice(self._waiting, self._most))
            call = _Call({key: self._waiting.pop(key) for key in keys})
            if call.is_wanted:
                self._calls.add(call)
                call.task = asyncio.create_task(self._run(call), name="gathered call")
                # A task that is cancelled before its first step runs nothing of its own.
                call.task.add_done_callback(partial(self._ended, call))

    async def _run(self, call: _Call[K, V]) -> None:
        try:
            found = await self._fetch(tuple(call.askers))
            for key, askers in call.askers.items():
                for asker in askers:
                    asker.take(key, found)
        except asyncio.CancelledError:
            call.end(lambda asker: asker.future.cancel())
            raise
        except Exception as error:  # noqa: BLE001 - it belongs to those who asked
            failure = error
            call.end(lambda asker: asker.future.set_exception(failure))
        finally:
            self._ended(call)

    def _ended(self, call: _Call[K, V], _: object = None) -> None:
        """Let the next calls begin, once."""
        if call in self._calls:
            self._calls.discard(call)
            self._begin()

    def _leave(self, asker: _Asker[K, V], keys: Iterable[K]) -> None:
        """Ask for nothing for which nobody waits any more, and give calls up that nobody wants."""
        for key in keys:
            others = [other for other in self._waiting.get(key, ()) if other is not asker]
            if others:
                self._waiting[key] = others
            else:
                self._waiting.pop(key, None)
        for call in self._calls:
            if call.task is not None and not call.is_wanted:
                call.task.cancel()
