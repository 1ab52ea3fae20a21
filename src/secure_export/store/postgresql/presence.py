"""The session by which a process that delivers is present: it listens, and shows that the process lives."""

import asyncio
from contextlib import suppress
from time import monotonic

import asyncpg
import structlog

from secure_export.store.postgresql.announcing import CHANNEL, Announcing
from secure_export.store.postgresql.connect import connect
from secure_export.store.postgresql.outages import text_of
from secure_export.store.postgresql.place import Place

LOCKS = 1397310821  # the class of the locks on processes' numbers

log = structlog.get_logger(__name__)

_PULSE_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
_AGAIN_SECONDS = 0.5
_CLOSE_SECONDS = 3.0
_SETTLED_SECONDS = 5.0


class Presence:
    """Holds one session open, beside the pool, for as long as the process delivers.

    The session holds a lock on the process's number, which every lane that it claims carries. The server takes the
    lock back when the process ends, however it ends, so that others see that the owner is gone. A stopped process
    keeps its lock, and its lanes until their leases end. Through a pooler that hands out sessions for a transaction at
    a time there is none of this: lanes carry no number then, leases decide, and lanes are found by polling.

    Args:
        place: Where the database is.
        announcing: Told of the notices that come.
    """

    def __init__(self, place: Place, announcing: Announcing) -> None:
        self._place = place
        self._announcing = announcing
        self._number: int | None = None
        self._present = False
        self._sessions = 0
        self._since = 0.0
        self._complained = False
        self._task: asyncio.Task[None] | None = None
        self._first_try = asyncio.Event()

    @property
    def owner(self) -> int | None:
        """The number of this process, while it holds the lock on it."""
        return self._number if self._present else None

    @property
    def listens(self) -> bool:
        """Whether notices of other processes are heard."""
        return self._present

    @property
    def settled(self) -> bool:
        """Whether others who lost their sessions when this one did have had the time to open new ones.

        A failover ends the sessions of all at once: who is back first is not to take the others for dead. Of one who
        has just begun nobody knows.
        """
        return self._present and (self._sessions == 1 or monotonic() - self._since >= _SETTLED_SECONDS)

    async def begin(self) -> None:
        """Be present from now on; returns when that was tried for the first time."""
        if self._place.through_pooler:
            return
        if self._task is None:
            self._task = asyncio.create_task(self._stay())
        await self._first_try.wait()

    async def close(self) -> None:
        """Be gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,), timeout=_CLOSE_SECONDS)

    async def _stay(self) -> None:
        while True:
            try:
                await self._session()
            except Exception as error:  # noqa: BLE001 - polling goes on without it, and it is tried again
                self._complain(text_of(error))
            finally:
                self._present = False
                self._first_try.set()
            await asyncio.sleep(_AGAIN_SECONDS)

    def _complain(self, reason: str) -> None:
        """Say once that nothing is heard, until something is again."""
        if not self._complained:
            self._complained = True
            log.warning("not listening to the database; lanes are found by looking", reason=reason)

    async def _session(self) -> None:
        """Open a session and keep it until it breaks."""
        connection = await connect(self._place)
        broken = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: broken.set())
            await self._take_number(connection)
            await connection.add_listener(CHANNEL, lambda *told: self._announcing.hear(str(told[3])))
            self._present, self._complained = True, False
            self._sessions, self._since = self._sessions + 1, monotonic()
            self._first_try.set()
            # What was announced before is not told again.
            self._announcing.signals.ready()
            while not broken.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(broken.wait(), _PULSE_SECONDS)
                await connection.execute("SELECT 1", timeout=_ANSWER_SECONDS)
        finally:
            self._present = False
            connection.terminate()

    async def _take_number(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Lock this process's number; while a broken session still holds it, another one is taken."""
        if self._number is not None and await _locked(connection, self._number):
            return
        number = await connection.fetchval("SELECT nextval('deliverers')::integer")
        while not await _locked(connection, number):
            number = await connection.fetchval("SELECT nextval('deliverers')::integer")
        self._number = number


async def _locked(connection: "asyncpg.Connection[asyncpg.Record]", number: int) -> bool:
    return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", LOCKS, number))
