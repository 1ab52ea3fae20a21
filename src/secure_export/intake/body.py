"""Reading bodies within bounds, so that neither a large nor a slow one can hold up the others."""

import asyncio
from dataclasses import dataclass

from secure_export.intake.answers import NotTaken, Receive

MAX_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much intake takes on at a time.

    Attributes:
        at_gate: Requests whose token is being checked: that may have to wait for keys, and a stranger can cause it.
        in_flight: Requests that passed the gate and have no answer yet.
        buffered_bytes: Bytes of their bodies, together.
        reading: Bodies that are being read; when there are more, the one that takes longest makes room.
        patience_seconds: How long a body may take to arrive.
        unhurried_seconds: How long a body has before it may be asked to make room.
        quarantine_bytes_per_hour: How much each connection may put into quarantine whole.
    """

    at_gate: int = 256
    in_flight: int = 2048
    buffered_bytes: int = 64 * 1024 * 1024
    reading: int = 512
    patience_seconds: float = 20.0
    unhurried_seconds: float = 1.0
    quarantine_bytes_per_hour: int = 256 * 1024 * 1024


class TooLarge(NotTaken):
    """The body is larger than 1 MiB. Azure sends at most 256 KB: look for what is between it and this service."""

    status = 413
    code = "too-large"


class TooSlow(NotTaken):
    """The body did not arrive in time, or took longest while many others were arriving. Azure sends it again."""

    status = 408
    code = "too-slow"


class Overloaded(NotTaken):
    """Intake has as much to do as it takes on. Azure sends it again; if this lasts, add processes or a faster disk."""

    status = 503
    code = "overloaded"


class Gone(Exception):  # noqa: N818 - nobody is there to be answered
    """The client closed the connection before the body was whole."""


class Bodies:
    """Keeps account of what is under way. All calls come from one event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._reading: dict[asyncio.Timeout, float] = {}
        self.in_flight = 0
        self.buffered_bytes = 0

    def enter(self) -> None:
        """Take on a request; ``leave`` gives it back.

        Raises:
            Overloaded: There are too many already.
        """
        if self.in_flight >= self._limits.in_flight:
            raise Overloaded
        self.in_flight += 1

    def has_room(self, length: int) -> bool:
        """Say whether a body of this length may come."""
        return (
            length <= MAX_BODY_BYTES
            and self.in_flight < self._limits.in_flight
            and self.buffered_bytes + length <= self._limits.buffered_bytes
        )

    def hold(self, length: int) -> None:
        """Count a body that came whole until ``leave``."""
        self.buffered_bytes += length

    def leave(self, held: int) -> None:
        """Give back a request and the bytes that ``read`` held for it."""
        self.in_flight -= 1
        self.buffered_bytes -= held

    async def read(self, receive: Receive, declared: int | None) -> bytes:
        """Read a body; its length counts as buffered until ``leave``.

        Raises:
            TooLarge: It is larger than 1 MiB.
            TooSlow: It took too long, or longer than others while places were short.
            Gone: The client went away.
            Overloaded: There is no room. In each of these cases nothing counts as buffered.
        """
        if declared is not None and declared > MAX_BODY_BYTES:
            raise TooLarge
        self._make_room()
        parts: list[bytes] = []
        timeout = asyncio.timeout(self._limits.patience_seconds)
        try:
            async with timeout:
                self._reading[timeout] = asyncio.get_running_loop().time()
                await self._collect(receive, parts)
        except BaseException as error:
            self.buffered_bytes -= sum(map(len, parts))
            if isinstance(error, TimeoutError) and timeout.expired():
                raise TooSlow from None
            raise
        finally:
            self._reading.pop(timeout, None)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _collect(self, receive: Receive, parts: list[bytes]) -> None:
        length = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            part = message.get("body", b"")
            length += len(part)
            if length > MAX_BODY_BYTES:
                raise TooLarge
            if self.buffered_bytes + len(part) > self._limits.buffered_bytes:
                raise Overloaded
            self.buffered_bytes += len(part)
            parts.append(part)
            if not message.get("more_body", False):
                return

    def _make_room(self) -> None:
        """Have the body that takes longest give up its place when all places are taken."""
        if len(self._reading) < self._limits.reading:
            return
        now = asyncio.get_running_loop().time()
        longest, since = next(iter(self._reading.items()))
        if now - since < self._limits.unhurried_seconds:
            raise Overloaded
        del self._reading[longest]
        if not longest.expired():
            longest.reschedule(now)
