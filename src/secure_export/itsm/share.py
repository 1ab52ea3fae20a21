"""Which part of a connection's limits this process has: several processes call one tool, and share what it allows.

The limits of a connection are handed out in *places*. Whoever holds ``k`` of ``n`` places may make ``k/n`` of the
calls at a time, work on ``k/n`` of the lanes, and take ``k/n`` of the steps a second. What is rounded is rounded down,
so that all processes together never have more than the whole.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from types import TracebackType

from secure_export.clock import steady_seconds
from secure_export.errors import SecureExportError

NO_PLACE = "this process has no place in the connection's limits now, which all processes share"

TOO_LATE = "the step that this call is part of has had its time: the process was stopped, or very busy"

_MOST_PLACES = 64
_LAST_CALL: ContextVar[float] = ContextVar("_LAST_CALL", default=inf)


class NoPlace(SecureExportError):  # noqa: N818 - reads as what it says
    """A call was not made, because this process may make none now."""

    def __init__(self, reason: str = NO_PLACE) -> None:
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class _Use:
    """One kind of use: how much of it there is now, and how much the whole connection may have."""

    now: Callable[[], int]
    most: int


class Share:
    """What one process has of one connection's places. Without anybody who hands places out it has the whole.

    Args:
        seconds: A clock that never goes back.

    Attributes:
        held: How many places it holds: nobody else uses them.
        goal: How many of those it is to keep; the rest goes to others when what is under way there has ended.
        of: How many places there are.
        refused: How many calls were not made so far, because there was no place for them.
    """

    def __init__(self, *, seconds: Callable[[], float] = steady_seconds) -> None:
        self.held = self.goal = self.of = 1
        self.refused = 0
        self._until = inf
        self._seconds = seconds
        self._calls: list[_Use] = []
        self._work: list[_Use] = []
        self._longest_seconds = 0.0
        self._told: list[Callable[[], None]] = []
        self._changed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether a call may begin now."""
        return self._in_use() > 0 and self._seconds() < self._until

    @property
    def is_open_for_work(self) -> bool:
        """Whether work on a lane may go on now: a process that was stopped for long has lost places under its lanes."""
        return self.is_open and self._need(self._work) <= self.held

    @property
    def part(self) -> float:
        """The part of the whole that it holds."""
        return self.held / self.of

    def calls(self, most: int) -> int:
        """Say how many of ``most`` calls at a time it may make.

        Places that go to others are not used for new calls, but for those of the lanes that are still worked on there.
        """
        return most * self._in_use() // self.of

    def lanes(self, most: int) -> int:
        """Say how many of ``most`` lanes it may work on at a time."""
        return most * self.goal // self.of if self.is_open else 0

    def needed(self) -> int:
        """Say how many places it needs for what is under way."""
        return max(self._need(self._work), self._need(self._calls))

    def places(self, *limits: int) -> int:
        """Say how many places the connection has: so many that each is worth one of everything that is limited."""
        return min(*limits, *(use.most for use in self._calls), _MOST_PLACES)

    def longest_call_seconds(self, otherwise: float) -> float:
        """Say how long a call lasts at most; ``otherwise`` where nobody has told."""
        return self._longest_seconds or otherwise

    def turns(self, most: int, *, longest_seconds: float = 0.0) -> "CallTurns":
        """Make a queue in which those wait who make calls.

        Args:
            most: How many calls the connection allows at a time.
            longest_seconds: How long one lasts at most; 0: others tell.
        """
        turns = CallTurns(self, most)
        self._longest_seconds = max(self._longest_seconds, longest_seconds)
        self._calls.append(_Use(lambda: turns.in_use, most))
        self.watch(turns.wake)
        return turns

    def works(self, now: Callable[[], int], most: int) -> None:
        """Take notice of those who work on lanes: the places that they need are kept until they have ended.

        Args:
            now: Says how many lanes are worked on now.
            most: How many the whole connection may have.
        """
        self._work.append(_Use(now, most))

    def watch(self, told: Callable[[], None]) -> None:
        """Have somebody told when the share has changed."""
        self._told.append(told)

    def change(self, *, held: int, goal: int, of: int, until: float) -> None:
        """Have other places from now on.

        Args:
            held: How many it holds.
            goal: How many of those it is to keep.
            of: How many there are.
            until: When no call may begin any more, on the clock.
        """
        self.held, self.goal, self.of, self._until = held, goal, of, until
        for told in self._told:
            told()
        self._changed.set()
        self._changed = asyncio.Event()

    def no_place(self) -> NoPlace:
        """Count a call that is not made, and give what is raised for it."""
        self.refused += 1
        return NoPlace()

    @contextmanager
    def calls_for(self, seconds: float) -> Iterator[None]:
        """Let no call begin within the block after so many seconds.

        A process that was stopped in the middle of a step hears the answer to its last call before its time limit
        strikes, and would make the next one while another process works on the lane.
        """
        token = _LAST_CALL.set(self._seconds() + seconds)
        try:
            yield
        finally:
            _LAST_CALL.reset(token)

    def refuse_what_is_late(self) -> None:
        """Raise ``NoPlace`` where the time for calls is over."""
        if self._seconds() >= _LAST_CALL.get():
            raise NoPlace(TOO_LATE)

    async def opened(self) -> None:
        """Wait until a call may begin."""
        while not self.is_open:
            await self._changed.wait()

    def _in_use(self) -> int:
        """How many places new calls may use."""
        return self.held if self.goal >= self.held else min(self.held, max(self.goal, self._need(self._work)))

    def _need(self, uses: Sequence[_Use]) -> int:
        return max((-(-use.now() * self.of // use.most) for use in uses), default=0)


class CallTurns:
    """Lets so many in at a time as the share of ``most`` says, first come, first served: ``async with turns:``.

    Args:
        share: What this process has.
        most: What the whole connection allows.

    Attributes:
        in_use: How many are in now.
    """

    def __init__(self, share: Share, most: int) -> None:
        self._share = share
        self._most = most
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.in_use = 0

    async def __aenter__(self) -> None:
        """Wait for a turn.

        Raises:
            NoPlace: This process may make no call now.
        """
        self._share.refuse_what_is_late()
        if not self._share.is_open:
            raise self._share.no_place()
        if not self._waiting and self.in_use < self._share.calls(self._most):
            self.in_use += 1
            return
        await self._called_in()
        try:  # the process may have been stopped in between
            self._share.refuse_what_is_late()
            if not self._share.is_open:
                raise self._share.no_place()
        except NoPlace:
            self._leave()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        self._leave()

    def wake(self) -> None:
        """Let those in who may be; when nobody may be for now, say so to all who wait."""
        is_open = self._share.is_open
        while self._waiting and (not is_open or self.in_use < self._share.calls(self._most)):
            turn = self._waiting.popleft()
            if turn.done():
                continue
            if is_open:
                self.in_use += 1
                turn.set_result(None)
            else:
                turn.set_exception(self._share.no_place())

    async def _called_in(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._leave()
            raise

    def _leave(self) -> None:
        self.in_use -= 1
        self.wake()
