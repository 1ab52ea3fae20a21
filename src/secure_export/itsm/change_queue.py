"""How many changes may be on their way at a time: as many as are done soon, so that what was begun can be finished.

A step consists of several requests and has a time limit. Where the tool answers slowly, very many changes at once
would let the readings behind them wait for so long that no step ends in time: each change would be in doubt.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from secure_export.errors import SecureExportError
from secure_export.itsm.share import Share

_QUEUE_SECONDS = 3.0
LONGEST_WAIT_SECONDS = 20.0
_WEIGHT = 1 / 8


class NoTurn(SecureExportError):  # noqa: N818 - reads as what it says
    """The turn of a change did not come in time."""


class ChangeQueue:
    """Lets changes go on their way one after the other.

    Args:
        connections: How many requests are made at a time.
        share: What this process has of them; None: all.
        longest_wait_seconds: How long a change waits for its turn at most.
    """

    def __init__(
        self, connections: int, *, share: Share | None = None, longest_wait_seconds: float = LONGEST_WAIT_SECONDS
    ) -> None:
        self._connections = connections
        self._share = share or Share()
        self._share.watch(self._let_in)
        self._longest_wait_seconds = longest_wait_seconds
        self._answer_seconds = 0.0
        self._on_their_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn of a change, and keep it until the change is answered.

        Raises:
            NoTurn: It did not come in time; the change was not begun.
        """
        try:
            await self._admitted()
        except TimeoutError:
            raise NoTurn from None
        try:
            yield
        finally:
            self._leave()

    def answered(self, seconds: float) -> None:
        """Take notice of how long the tool took for an answer."""
        self._answer_seconds += (seconds - self._answer_seconds) * _WEIGHT

    @property
    def _room(self) -> int:
        """How many may be on their way: those that are answered within some seconds, and one for each connection."""
        connections = max(1, self._share.calls(self._connections))  # without any it is the call that says so
        return int(connections * max(1.0, _QUEUE_SECONDS / max(self._answer_seconds, 0.001)))

    async def _admitted(self) -> None:
        if not self._waiting and self._on_their_way < self._room:
            self._on_their_way += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._longest_wait_seconds):
                await place
        except BaseException:
            if place.done() and not place.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        self._on_their_way -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._on_their_way < self._room:
            place = self._waiting.popleft()
            if not place.done():
                self._on_their_way += 1
                place.set_result(None)
