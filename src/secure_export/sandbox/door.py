"""The way of a request to a stand-in: read whole, faulted, answered, faulted again, counted, and brought back."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Generic, TypeVar

from secure_export.sandbox.call import Call
from secure_export.sandbox.clock import Clock
from secure_export.sandbox.counters import Counters, Entry
from secure_export.sandbox.ending import Ending, Wire
from secure_export.sandbox.faults import DELAY, AnyFault, Faults
from secure_export.sandbox.reply import Reply
from secure_export.sandbox.wire import (
    ClientGoneError,
    Receive,
    Scope,
    Send,
    TooLargeError,
    close,
    reset,
    wait,
    write,
    write_half,
)

_LOG = logging.getLogger("secure_export.sandbox")

C = TypeVar("C", bound=Call)
F = TypeVar("F", bound=AnyFault[Any])


class Visit(ABC, Generic[C, F]):
    """One request on its way.

    Args:
        call: The request.
        faults: The faults that are set.
        receive: Tells whether the client is still there.

    Attributes:
        call: The request.
        faults: The faults that it meets.
    """

    def __init__(self, call: C, faults: Faults[F, C], receive: Receive) -> None:
        self.call = call
        self.faults: tuple[F, ...] = ()
        self._set = faults
        self._receive = receive

    async def ending(self) -> Ending:
        """Find out how it ends."""
        self.faults = self._set.take(self.call)
        for fault in self.faults:
            if fault.kind == DELAY:
                await wait(fault.seconds, self._receive)
            elif (ending := self.instead(fault)) is not None:
                return ending
        return await self.done()

    async def answered(self) -> Reply:
        """Answer it, also where the stand-in itself fails; the log says how."""
        try:
            return await self.answer()
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer
            _LOG.exception("The stand-in itself failed at %s %s.", self.call.method, self.call.path)
            return self.failed()

    @abstractmethod
    def instead(self, fault: F) -> Ending | None:
        """Give the ending of a request that is not done at all; None: it goes on."""

    @abstractmethod
    async def done(self) -> Ending:
        """Do what is asked for, and give the ending by the last of its faults."""

    @abstractmethod
    async def answer(self) -> Reply:
        """Answer it, or refuse it."""

    @abstractmethod
    def failed(self) -> Reply:
        """Say that the stand-in itself failed."""

    def shown_query(self) -> str:
        """Give its query string without secrets."""
        return self.call.shown_query


V = TypeVar("V", bound=Visit[Any, Any])


class Door(ABC, Generic[V]):
    """Takes one request after the other, and brings the answer back: an ASGI application.

    Args:
        clock: The stand-in's time.
        counters: Counts requests.
    """

    def __init__(self, clock: Clock, counters: Counters) -> None:
        self._clock = clock
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or misbehave."""
        began = time.perf_counter()
        try:
            visit = await self.visit(scope, receive)
        except ClientGoneError:
            return
        except TooLargeError:
            await write(send, self._finished(self.too_large(), None, scope))
            return
        ending = await visit.ending()
        self._count(visit, ending, began)
        if ending.wait_seconds:
            await wait(ending.wait_seconds, receive)
        if ending.wire is Wire.RESET:
            await reset(scope, receive)
            return
        reply = self._finished(ending.reply, visit, scope)
        if ending.wire is Wire.CUT:
            await write_half(send, reply)
            await close(scope, receive)
            return
        await write(send, reply)

    @abstractmethod
    async def visit(self, scope: Scope, receive: Receive) -> V:
        """Read a request whole.

        Raises:
            ClientGoneError: It never became whole.
            TooLargeError: Its body is larger than 64 MiB.
        """

    @abstractmethod
    def too_large(self) -> Reply:
        """Refuse a body that is too large."""

    def headers(self, visit: V | None, scope: Scope) -> Mapping[str, str]:  # noqa: ARG002 - for those that have some
        """Give the headers of every answer, beside its date; those that it has already stay.

        Args:
            visit: The request; None: it was too large.
            scope: How it came.
        """
        return {}

    def stamp(self, moment: datetime) -> str:
        """Write a moment as the counters tell it."""
        return moment.isoformat(timespec="seconds")

    def _finished(self, reply: Reply, visit: V | None, scope: Scope) -> Reply:
        more = {"Date": format_datetime(self._clock.now(), usegmt=True), **self.headers(visit, scope)}
        there = {name.lower() for name, _ in reply.headers}
        return reply.with_headers({name: value for name, value in more.items() if name.lower() not in there})

    def _count(self, visit: V, ending: Ending, began: float) -> None:
        call = visit.call
        entry = Entry(
            at=self.stamp(self._clock.now()),
            method=call.method,
            path=call.shown_path,
            query=visit.shown_query(),
            user=call.user,
            status=0 if ending.wire is Wire.RESET else ending.reply.status,
            faults=tuple(fault.kind.value for fault in visit.faults),
            milliseconds=round((time.perf_counter() - began) * 1000, 3),
        )
        self._counters.count(call.name, entry)
