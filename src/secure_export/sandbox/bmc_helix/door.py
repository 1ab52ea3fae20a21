"""The way of a request: counted, signed in, faulted, limited, answered, and faulted again."""

import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Final

from secure_export.sandbox.bmc_helix import api, login_api
from secure_export.sandbox.bmc_helix.call import Call, jetty_page, read_call, refused
from secure_export.sandbox.bmc_helix.errors import ArError, not_signed_in, other_session
from secure_export.sandbox.bmc_helix.faults import Fault, FaultKind, Faults
from secure_export.sandbox.bmc_helix.misbehaviour import afterwards, happening, hidden, instead
from secure_export.sandbox.bmc_helix.people import Account
from secure_export.sandbox.bmc_helix.server import ArServer
from secure_export.sandbox.bmc_helix.tokens import Tokens
from secure_export.sandbox.counters import Counters, Entry
from secure_export.sandbox.ending import Ending, Wire
from secure_export.sandbox.reply import Reply, json_reply
from secure_export.sandbox.turns import QueueFullError, Semaphore
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

_LOG = logging.getLogger("secure_export.sandbox.bmc_helix")
_API: Final = "api"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the way of a request passes.

    Attributes:
        server: The server.
        tokens: Says who sent a request.
        faults: The faults that are set.
        turns: How many requests run at a time.
        counters: What was asked.
    """

    server: ArServer
    tokens: Tokens
    faults: Faults
    turns: Semaphore
    counters: Counters


class Door:
    """Takes one request after the other to the APIs, and brings the answer back."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._running: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or misbehave."""
        began = time.perf_counter()
        try:
            call = await read_call(scope, receive)
        except ClientGoneError:
            return
        except TooLargeError:
            await write(send, self._finished(jetty_page(413, "Request Entity Too Large")))
            return
        visit = _Visit(self._parts, self._running, receive, call)
        ending = await visit.ending(plain=scope["scheme"] == "http")
        self._count(visit, ending, began)
        if ending.wait_seconds:
            await wait(ending.wait_seconds, receive)
        if ending.wire is Wire.RESET:
            await reset(scope, receive)
        elif ending.wire is Wire.CUT:
            await write_half(send, self._finished(ending.reply))
            await close(scope, receive)
        else:
            await write(send, self._finished(ending.reply))

    def _finished(self, reply: Reply) -> Reply:
        return reply.with_headers({"Date": format_datetime(self._parts.server.clock.now(), usegmt=True)})

    def _count(self, visit: "_Visit", ending: Ending, began: float) -> None:
        call = visit.call
        entry = Entry(
            at=self._parts.server.clock.now().isoformat(timespec="seconds"),
            method=call.method,
            path=call.path,
            query=call.shown_query,
            user=call.user,
            status=0 if ending.wire is Wire.RESET else ending.reply.status,
            faults=tuple(fault.kind.value for fault in visit.faults),
            milliseconds=round((time.perf_counter() - began) * 1000, 3),
        )
        self._parts.counters.count(call.name, entry)


class _Visit:
    """One request on its way."""

    def __init__(self, parts: Parts, running: Counter[str], receive: Receive, call: Call) -> None:
        self._parts = parts
        self._running = running
        self._receive = receive
        self._user: Account | None = None
        self.call = call
        self.faults: tuple[Fault, ...] = ()

    async def ending(self, *, plain: bool) -> Ending:
        """Find out how it ends."""
        refusal = self._sign_in()
        self.faults = self._parts.faults.take(self.call)
        if (ending := await self._before()) is not None:
            return ending
        if self.call.segments in api.OPEN:
            return Ending(api.about())
        if plain and self._parts.server.site.plain_http_refused:
            return Ending(json_reply(403, api.FORBIDDEN))
        if refusal is not None:
            return Ending(refused(refusal))
        with happening(self.faults, self._parts.server) as happened:
            reply = await self._limited()
            return afterwards(self.faults[-1], reply, happened, self._parts.server) if self.faults else Ending(reply)

    def _sign_in(self) -> ArError | None:
        if self.call.segments in {*api.OPEN, login_api.LOGIN} or self.call.segments[:1] != (_API,):
            return None
        try:
            self._user = self._parts.tokens.who(self.call.headers.get("authorization", ""))
        except ArError as refusal:
            return refusal
        self.call = self.call.by(self._user.login)
        return None

    async def _before(self) -> Ending | None:
        for fault in self.faults:
            if fault.kind is FaultKind.DELAY:
                await wait(fault.seconds, self._receive)
            elif fault.kind is FaultKind.TOKEN_REVOKED:
                self._parts.tokens.logout(self.call.headers.get("authorization", ""))
                return Ending(refused(not_signed_in()))
            elif (ending := instead(fault)) is not None:
                return ending
        return None

    async def _limited(self) -> Reply:
        try:
            async with self._session(), self._parts.turns.turn():
                return self._answered()
        except QueueFullError:
            return jetty_page(503, "Service Unavailable")
        except ArError as refusal:
            return refused(refusal)

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncGenerator[None]:
        """Count what one user has under way; too much at a time looks like another session."""
        most = self._parts.server.site.most_parallel
        user = self._user
        if user is None or user.parallel_allowed:
            yield
            return
        if most and self._running[user.login] >= most:
            raise other_session()
        self._running[user.login] += 1
        try:
            yield
        finally:
            self._running[user.login] -= 1

    def _answered(self) -> Reply:
        try:
            reply = self._asked()
        except ArError as refusal:
            reply = refused(refusal)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the reason
            _LOG.exception("The stand-in itself failed at %s %s.", self.call.method, self.call.path)
            return jetty_page(500, "The sandbox itself failed; its log says how")
        if self._meets(FaultKind.HIDDEN):
            return hidden(reply, self.call.entry_id)
        return reply

    def _asked(self) -> Reply:
        if self.call.segments == login_api.LOGIN:
            return login_api.login(self.call, self._parts.tokens, as_guest=self._meets(FaultKind.GUEST))
        if self.call.segments == login_api.LOGOUT:
            return login_api.logout(self.call, self._parts.tokens)
        if self._user is None:
            return jetty_page(404, "Not Found")
        return api.answer(self._parts.server, self.call, self._user)

    def _meets(self, kind: FaultKind) -> bool:
        return any(fault.kind is kind for fault in self.faults)
