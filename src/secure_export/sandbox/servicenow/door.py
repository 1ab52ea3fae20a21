"""The way of a request: counted, faulted, signed in, limited, answered, and faulted again."""

import contextlib
import logging
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from email.utils import format_datetime
from http.cookies import CookieError, SimpleCookie
from typing import Final

from secure_export.sandbox.counters import Counters, Entry
from secure_export.sandbox.ending import Ending, Wire
from secure_export.sandbox.reply import Reply, html_reply
from secure_export.sandbox.servicenow.call import OVERRIDE, Call, clipped, error_reply
from secure_export.sandbox.servicenow.caller import STATE_KEY
from secure_export.sandbox.servicenow.clock import as_stamp
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.faults import Fault, FaultKind, Faults
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.limits import Limits, Session, SessionBusyError, queue_full
from secure_export.sandbox.servicenow.misbehaviour import afterwards, happening, instead, remove_choice
from secure_export.sandbox.servicenow.sign_in.door import SignIn
from secure_export.sandbox.servicenow.sign_in.ways import NotSignedInError, SignedIn
from secure_export.sandbox.servicenow.tinyurl_api import expanded
from secure_export.sandbox.servicenow.users import User
from secure_export.sandbox.servicenow.wire import read_call
from secure_export.sandbox.turns import QueueFullError
from secure_export.sandbox.wire import (
    App,
    ClientGoneError,
    Receive,
    Scope,
    Send,
    TooLargeError,
    certificate_of,
    close,
    perform,
    reset,
    wait,
    write,
    write_half,
)

_LOG = logging.getLogger("secure_export.sandbox.servicenow")
_COOKIE: Final = "JSESSIONID"
_LONGEST_PATH: Final = 8_192
_NOT_LOGGED_IN: Final = {"WWW-Authenticate": 'BASIC realm="Service-now"'}
_TOO_LONG_PAGE: Final = "<!DOCTYPE html><html><head><title>Error</title></head><body>The URI is too long.</body></html>"
_OPEN_PATHS: Final = frozenset({"/oauth_token.do"})


@dataclass(frozen=True, slots=True)
class Parts:
    """What the way of a request passes.

    Attributes:
        instance: The instance.
        sign_in: Says who sent a request.
        faults: The faults that are set.
        limits: What is taken at most.
        counters: What was asked.
        api: The application behind all doors.
    """

    instance: Instance
    sign_in: SignIn
    faults: Faults
    limits: Limits
    counters: Counters
    api: App


class Door:
    """Takes one request after the other to the APIs, and brings the answer back."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or misbehave."""
        began = time.perf_counter()
        try:
            call = await read_call(scope, receive)
        except ClientGoneError:
            return
        except TooLargeError:
            await write(send, self._finished(html_reply(413, "<html><body>Request too large</body></html>"), ""))
            return
        if call.table:
            call = replace(call, query=expanded(self._parts.instance, call.query))
        visit = _Visit(self._parts, scope, receive, call)
        ending = await visit.ending()
        self._count(visit, ending, began)
        await self._end(ending, visit, scope, receive, send)

    async def _end(self, ending: Ending, visit: "_Visit", scope: Scope, receive: Receive, send: Send) -> None:
        if ending.wait_seconds:
            await wait(ending.wait_seconds, receive)
        if ending.wire is Wire.RESET:
            await reset(scope, receive)
            return
        reply = self._finished(ending.reply, visit.new_cookie(secure=scope.get("scheme") == "https"))
        if ending.wire is Wire.CUT:
            await write_half(send, reply)
            await close(scope, receive)
            return
        await write(send, reply)

    def _finished(self, reply: Reply, cookie: str) -> Reply:
        headers = {"Server": "ServiceNow", "Date": format_datetime(self._parts.instance.clock.now(), usegmt=True)}
        return reply.with_headers({**headers, "Set-Cookie": cookie} if cookie else headers)

    def _count(self, visit: "_Visit", ending: Ending, began: float) -> None:
        call = visit.call
        entry = Entry(
            at=as_stamp(self._parts.instance.clock.now()),
            method=call.method,
            path=clipped(call.path),
            query=self._parts.sign_in.without_keys(call.query),
            user=call.user,
            status=0 if ending.wire is Wire.RESET else ending.reply.status,
            faults=tuple(fault.kind.value for fault in visit.faults),
            milliseconds=round((time.perf_counter() - began) * 1000, 3),
        )
        self._parts.counters.count(f"{call.method} {clipped(call.pattern)}", entry)


class _Visit:
    """One request on its way."""

    def __init__(self, parts: Parts, scope: Scope, receive: Receive, call: Call) -> None:
        self._parts = parts
        self._scope = scope
        self._receive = receive
        self._session: Session | None = None
        self._signed_in: SignedIn | None = None
        self.call = call
        self.faults: tuple[Fault, ...] = ()

    async def ending(self) -> Ending:
        """Find out how it ends."""
        if len(self.call.path) > _LONGEST_PATH:
            return Ending(html_reply(400, _TOO_LONG_PAGE))
        refusal = await self._sign_in()
        self.faults = self._parts.faults.take(self.call)
        if (ending := await self._before()) is not None:
            return ending
        if refusal is not None:
            return Ending(self._refused(refusal))
        with happening(self.faults) as happened:
            reply = await self._limited()
            ending = Ending(reply)
            if self.faults:
                ending = afterwards(self.faults[-1], reply, happened, self._parts.instance)
            return ending

    def new_cookie(self, *, secure: bool) -> str:
        """Give the cookie of a new session; empty: the request brought one, or nobody signed in."""
        if self._signed_in is None or self._session is not None:
            return ""
        session_id = self._parts.limits.sessions.start(self._signed_in.user.user_name)
        return f"{_COOKIE}={session_id}; Path=/; HttpOnly; SameSite=None" + ("; Secure" if secure else "")

    async def _sign_in(self) -> NotSignedInError | None:
        if self.call.path in _OPEN_PATHS:
            return None
        self._session = self._parts.limits.sessions.find(_session_id(self.call))
        try:
            self._signed_in = await self._parts.sign_in.who(self.call, certificate_of(self._scope), self._session)
        except NotSignedInError as refusal:
            return refusal
        self.call = self.call.by(self._signed_in.user.user_name)
        return None

    def _refused(self, refusal: NotSignedInError) -> Reply:
        self._parts.sign_in.refused(refusal)
        return unauthorized()

    async def _before(self) -> Ending | None:
        for fault in self.faults:
            if fault.kind is FaultKind.DELAY:
                await wait(fault.seconds, self._receive)
            elif fault.kind is FaultKind.CHOICE_REMOVED:
                remove_choice(fault, self._parts.instance)
            elif fault.kind is FaultKind.TOKEN_REVOKED:
                self._parts.sign_in.revoke(self._signed_in)
                return Ending(unauthorized())
            elif (ending := instead(fault, self.call, self._parts.instance)) is not None:
                return ending
        return None

    async def _limited(self) -> Reply:
        if self._signed_in is None:
            return await self._answered(None)
        user = self._signed_in.user
        allowance = self._parts.limits.rates.count(self.call, user.roles)
        if allowance.refusal is not None:
            return allowance.refusal
        try:
            async with self._turn():
                reply = await self._answered(user)
        except SessionBusyError:
            return Reply(202).with_body(b"")
        except QueueFullError:
            return queue_full()
        return reply.with_headers(allowance.headers)

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        async with self._parts.limits.sessions.turn(self._session), self._parts.limits.semaphore.turn():
            yield

    async def _answered(self, user: User | None) -> Reply:
        try:
            if self._signed_in is not None:
                self._parts.sign_in.check_scope(self.call.path, self._signed_in)
            return await perform(self._parts.api, self._inner_scope(user), self.call.body)
        except SnowError as refusal:
            return error_reply(refusal.status, refusal.message, refusal.detail)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the reason
            _LOG.exception("The stand-in itself failed at %s %s.", self.call.method, self.call.path)
            return error_reply(500, "The sandbox itself failed", "Its log says how. This is a fault of the sandbox.")

    def _inner_scope(self, user: User | None) -> Scope:
        headers = [one for one in self._scope["headers"] if one[0].lower() != OVERRIDE.encode()]
        state = {**self._scope.get("state", {}), STATE_KEY: user}
        query = self.call.query.encode("latin-1")
        return {**self._scope, "method": self.call.method, "query_string": query, "headers": headers, "state": state}


def unauthorized() -> Reply:
    """Answer somebody who did not sign in; the reason is not told."""
    return error_reply(401, "User Not Authenticated", "Required to provide Auth information", _NOT_LOGGED_IN)


def _session_id(call: Call) -> str:
    try:
        cookie = SimpleCookie(call.headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return ""
    return "" if cookie is None else cookie.value
