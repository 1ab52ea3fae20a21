"""The way of a request: signed in, faulted, limited, answered, and faulted again."""

import contextlib
from collections import Counter
from collections.abc import AsyncGenerator
from typing import Final

from secure_export.sandbox import door
from secure_export.sandbox.bmc_helix import api, login_api
from secure_export.sandbox.bmc_helix.call import Call, jetty_page, refused
from secure_export.sandbox.bmc_helix.errors import ArError, not_signed_in, other_session
from secure_export.sandbox.bmc_helix.faults import Fault, FaultKind
from secure_export.sandbox.bmc_helix.misbehaviour import afterwards, happening, hidden, instead
from secure_export.sandbox.bmc_helix.people import Account
from secure_export.sandbox.bmc_helix.station import Station
from secure_export.sandbox.call import read_segmented
from secure_export.sandbox.ending import Ending
from secure_export.sandbox.reply import Reply, json_reply
from secure_export.sandbox.turns import QueueFullError
from secure_export.sandbox.wire import Receive, Scope

_API: Final = "api"


class Door(door.Door["_Visit"]):
    """Takes one request after the other to the APIs, and brings the answer back."""

    def __init__(self, station: Station) -> None:
        super().__init__(station.server.clock, station.counters)
        self._station = station
        self._running: Counter[str] = Counter()

    async def visit(self, scope: Scope, receive: Receive) -> "_Visit":
        """Read a request whole."""
        call = await read_segmented(Call, scope, receive)
        return _Visit(self._station, self._running, call, receive, plain=scope["scheme"] == "http")

    def too_large(self) -> Reply:
        """Refuse a body that is too large."""
        return jetty_page(413, "Request Entity Too Large")


class _Visit(door.Visit[Call, Fault]):
    """One request on its way."""

    def __init__(self, station: Station, running: Counter[str], call: Call, receive: Receive, *, plain: bool) -> None:
        super().__init__(call, station.faults, receive)
        self._station = station
        self._running = running
        self._plain = plain
        self._user: Account | None = None
        self._refusal: ArError | None = None

    async def ending(self) -> Ending:
        """Sign in, and find out how it ends."""
        self._refusal = self._sign_in()
        return await super().ending()

    async def done(self) -> Ending:
        """Answer, and misbehave while it is done and afterwards."""
        if self.call.segments in api.OPEN:
            return Ending(api.about())
        if self._plain and self._station.server.site.plain_http_refused:
            return Ending(json_reply(403, api.FORBIDDEN))
        if self._refusal is not None:
            return Ending(refused(self._refusal))
        with happening(self.faults, self._station.server) as happened:
            reply = await self._limited()
            return afterwards(self.faults[-1], reply, happened, self._station.server) if self.faults else Ending(reply)

    def _sign_in(self) -> ArError | None:
        if self.call.segments in {*api.OPEN, login_api.LOGIN} or self.call.segments[:1] != (_API,):
            return None
        try:
            self._user = self._station.tokens.who(self.call.headers.get("authorization", ""))
        except ArError as refusal:
            return refusal
        self.call = self.call.by(self._user.login)
        return None

    def instead(self, fault: Fault) -> Ending | None:
        """Give the ending of a request that is not done at all; None: it goes on."""
        if fault.kind is FaultKind.TOKEN_REVOKED:
            self._station.tokens.logout(self.call.headers.get("authorization", ""))
            return Ending(refused(not_signed_in()))
        return instead(fault)

    async def _limited(self) -> Reply:
        try:
            async with self._session(), self._station.turns.turn():
                return await self.answered()
        except QueueFullError:
            return jetty_page(503, "Service Unavailable")
        except ArError as refusal:
            return refused(refusal)

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncGenerator[None]:
        """Count what one user has under way; too much at a time looks like another session."""
        most = self._station.server.site.most_parallel
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

    async def answer(self) -> Reply:
        """Let the APIs answer; a hidden entry is not there."""
        try:
            reply = self._asked()
        except ArError as refusal:
            reply = refused(refusal)
        return hidden(reply, self.call.entry_id) if self._meets(FaultKind.HIDDEN) else reply

    def failed(self) -> Reply:
        """Say that the stand-in itself failed."""
        return jetty_page(500, "The sandbox itself failed; its log says how")

    def _asked(self) -> Reply:
        if self.call.segments == login_api.LOGIN:
            return login_api.login(self.call, self._station.tokens, as_guest=self._meets(FaultKind.GUEST))
        if self.call.segments == login_api.LOGOUT:
            return login_api.logout(self.call, self._station.tokens)
        if self._user is None:
            return jetty_page(404, "Not Found")
        return api.answer(self._station.server, self.call, self._user)

    def _meets(self, kind: FaultKind) -> bool:
        return any(fault.kind is kind for fault in self.faults)
