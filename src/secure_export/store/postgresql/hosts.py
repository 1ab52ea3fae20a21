"""Connects to that one of several hosts which takes writes, also while others neither answer nor refuse."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeAlias

import asyncpg

from secure_export.errors import StoreUnavailable
from secure_export.store.postgresql.place import Place
from secure_export.store.postgresql.timelines import Session, timeline_of

# A primary that answers at all does so in less; the next host need not wait for one that does not.
_AHEAD_SECONDS = 0.3
# Once one takes writes, another that does, and is the latest, has this time to say so: more while nothing is known yet.
_OTHERS_SECONDS = 0.3
_OTHERS_AT_FIRST_SECONDS = 1.5
_BETWEEN_QUESTIONS_SECONDS = 5.0

_Host: TypeAlias = tuple[str, int]


@dataclass(frozen=True)
class _Found:
    """A host that takes writes, its session, and its timeline."""

    host: _Host
    session: Session
    timeline: int


class Hosts:
    """Tries every host of a database, beginning with the one that took writes the last time.

    asyncpg tries one after the other within one time limit, so that the first of them, when its machine is gone and
    nobody refuses, uses up the time of all. It also takes the first that takes writes. Where that is an old primary,
    started again by mistake after a standby took its place, what is written to it is lost: so all are asked, and the
    one on the highest timeline is taken.

    Args:
        place: Where the database is, and what was seen of its servers.
    """

    def __init__(self, place: Place) -> None:
        self._hosts = list(zip(place.hosts, place.ports, strict=True))
        self._timelines = place.timelines
        self._through_pooler = place.through_pooler
        self._asked_at = float("-inf")

    async def connect(self, *args: Any, **arguments: Any) -> Session:
        """Connect as ``asyncpg.connect`` does with these arguments; hosts and ports among them are not looked at.

        Raises:
            StoreUnavailable: The only one that takes writes is an older primary.
            Exception: What the most telling host said; none takes writes.
        """
        found, errors = await self._ask(lambda host: self._open_to(host, args, arguments))
        if not found:
            raise _most_telling(errors)
        latest = max(found, key=lambda one: one.timeline)
        for one in found:
            if one is not latest:
                one.session.terminate()
        try:
            self._timelines.admit(latest.timeline)
        except StoreUnavailable:
            latest.session.terminate()
            raise
        self._hosts.sort(key=lambda host: host != latest.host)
        return latest.session

    async def _ask(
        self, open_to: Callable[[_Host], Coroutine[Any, Any, _Found]]
    ) -> tuple[list[_Found], list[Exception]]:
        """Open sessions to hosts until one takes writes, and to all others then; gives those that do, and errors."""
        waiting, until = list(self._hosts), None
        found: list[_Found] = []
        errors: list[Exception] = []
        pending: set[asyncio.Task[_Found]] = set()
        try:
            while waiting or pending:
                many = len(waiting) if found else 1
                pending |= {asyncio.ensure_future(open_to(host)) for host in waiting[:many]}
                del waiting[:many]
                limit = _AHEAD_SECONDS if waiting else None
                done, pending = await asyncio.wait(
                    pending,
                    timeout=limit if until is None else max(0.0, until - monotonic()),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in done:
                    _sort(task, found, errors)
                if found and self._is_latest(found[0]):
                    break
                if found and until is None:
                    until = monotonic() + (_OTHERS_SECONDS if self._timelines.highest else _OTHERS_AT_FIRST_SECONDS)
                elif until is not None and not done:
                    break
        except BaseException:
            for one in found:
                one.session.terminate()
            raise
        finally:
            for task in pending:
                task.cancel()
                task.add_done_callback(_end)
        if found and not self._is_latest(found[0]):
            self._asked_at = monotonic()
        return found, errors

    def _is_latest(self, found: _Found) -> bool:
        """Whether all were asked so lately that one on the highest timeline is taken at once."""
        return found.timeline >= self._timelines.highest and monotonic() - self._asked_at < _BETWEEN_QUESTIONS_SECONDS

    async def _open_to(self, host: _Host, args: Sequence[Any], arguments: Mapping[str, Any]) -> _Found:
        session = await asyncpg.connect(*args, **{**arguments, "host": host[0], "port": host[1]})
        try:
            told = await timeline_of(session, through_pooler=self._through_pooler, seconds=arguments["timeout"])
        except BaseException:
            session.terminate()
            raise
        return _Found(host, session, told)


def _sort(task: "asyncio.Task[_Found]", found: list[_Found], errors: list[Exception]) -> None:
    """Put what came of asking a host to what was found, or to the errors."""
    try:
        found.append(task.result())
    except Exception as error:  # noqa: BLE001 - told if no host takes writes
        errors.append(error)


def _most_telling(errors: Sequence[Exception]) -> Exception:
    """Of what hosts said tell rather what is wrong with one than that another is only a standby."""
    return min(errors, key=lambda one: isinstance(one, asyncpg.TargetServerAttributeNotMatched))


def _end(task: "asyncio.Task[_Found]") -> None:
    """End the session with a host that was not waited for."""
    if not task.cancelled() and task.exception() is None:
        task.result().session.terminate()
