"""The way of a request: signed in, faulted, limited, answered, and faulted again."""

import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import Final

from secure_export.sandbox import door
from secure_export.sandbox.ending import Ending
from secure_export.sandbox.reply import Reply, html_reply
from secure_export.sandbox.servicenow.call import OVERRIDE, Call, error_reply
from secure_export.sandbox.servicenow.caller import STATE_KEY
from secure_export.sandbox.servicenow.clock import as_stamp
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.faults import Fault, FaultKind
from secure_export.sandbox.servicenow.limits import Session, SessionBusyError, queue_full
from secure_export.sandbox.servicenow.misbehaviour import afterwards, happening, instead, remove_choice
from secure_export.sandbox.servicenow.sign_in.ways import NotSignedInError, SignedIn
from secure_export.sandbox.servicenow.station import Station
from secure_export.sandbox.servicenow.tinyurl_api import expanded
from secure_export.sandbox.servicenow.wire import read_call
from secure_export.sandbox.turns import QueueFullError
from secure_export.sandbox.wire import App, Receive, Scope, certificate_of, perform

_COOKIE: Final = "JSESSIONID"
_LONGEST_PATH: Final = 8_192
_NOT_LOGGED_IN: Final = {"WWW-Authenticate": 'BASIC realm="Service-now"'}
_TOO_LONG_PAGE: Final = "<!DOCTYPE html><html><head><title>Error</title></head><body>The URI is too long.</body></html>"
_OPEN_PATHS: Final = frozenset({"/oauth_token.do"})


class Door(door.Door["_Visit"]):
    """Takes one request after the other to the APIs, and brings the answer back.

    Args:
        station: The stand-in.
        api: The application behind the door.
    """

    def __init__(self, station: Station, api: App) -> None:
        super().__init__(station.instance.clock, station.counters)
        self._station = station
        self._api = api

    async def visit(self, scope: Scope, receive: Receive) -> "_Visit":
        """Read a request whole."""
        call = await read_call(scope, receive)
        if call.table:
            call = replace(call, query=expanded(self._station.instance, call.query))
        return _Visit(self._station, self._api, scope, call, receive)

    def too_large(self) -> Reply:
        """Refuse a body that is too large."""
        return html_reply(413, "<html><body>Request too large</body></html>")

    def headers(self, visit: "_Visit | None", scope: Scope) -> Mapping[str, str]:
        """Say who answers, and give the cookie of a new session."""
        cookie = visit.new_cookie(secure=scope.get("scheme") == "https") if visit else ""
        return {"Server": "ServiceNow", **({"Set-Cookie": cookie} if cookie else {})}

    def stamp(self, moment: datetime) -> str:
        """Write a moment as the tables hold it."""
        return as_stamp(moment)


class _Visit(door.Visit[Call, Fault]):
    """One request on its way."""

    def __init__(self, station: Station, api: App, scope: Scope, call: Call, receive: Receive) -> None:
        super().__init__(call, station.faults, receive)
        self._station = station
        self._api = api
        self._scope = scope
        self._session: Session | None = None
        self._signed_in: SignedIn | None = None
        self._refusal: NotSignedInError | None = None

    async def ending(self) -> Ending:
        """Sign in, and find out how it ends."""
        if len(self.call.path) > _LONGEST_PATH:
            return Ending(html_reply(400, _TOO_LONG_PAGE))
        self._refusal = await self._sign_in()
        return await super().ending()

    async def done(self) -> Ending:
        """Answer, and misbehave while it is done and afterwards."""
        if self._refusal is not None:
            self._station.sign_in.refused(self._refusal)
            return Ending(unauthorized())
        with happening(self.faults) as happened:
            reply = await self._limited()
            return (
                afterwards(self.faults[-1], reply, happened, self._station.instance) if self.faults else Ending(reply)
            )

    def shown_query(self) -> str:
        """Give its query string without API keys."""
        return self._station.sign_in.without_keys(self.call.query)

    def new_cookie(self, *, secure: bool) -> str:
        """Give the cookie of a new session; empty: the request brought one, or nobody signed in."""
        if self._signed_in is None or self._session is not None:
            return ""
        session_id = self._station.limits.sessions.start(self._signed_in.user.user_name)
        return f"{_COOKIE}={session_id}; Path=/; HttpOnly; SameSite=None" + ("; Secure" if secure else "")

    async def _sign_in(self) -> NotSignedInError | None:
        if self.call.path in _OPEN_PATHS:
            return None
        self._session = self._station.limits.sessions.find(_session_id(self.call))
        try:
            self._signed_in = await self._station.sign_in.who(self.call, certificate_of(self._scope), self._session)
        except NotSignedInError as refusal:
            return refusal
        self.call = self.call.by(self._signed_in.user.user_name)
        return None

    def instead(self, fault: Fault) -> Ending | None:
        """Give the ending of a request that is not done at all; None: it goes on."""
        if fault.kind is FaultKind.CHOICE_REMOVED:
            remove_choice(fault, self._station.instance)
        if fault.kind is FaultKind.TOKEN_REVOKED:
            self._station.sign_in.revoke(self._signed_in)
            return Ending(unauthorized())
        return instead(fault, self.call, self._station.instance)

    async def _limited(self) -> Reply:
        if self._signed_in is None:
            return await self.answered()
        allowance = self._station.limits.rates.count(self.call, self._signed_in.user.roles)
        if allowance.refusal is not None:
            return allowance.refusal
        try:
            async with self._turn():
                reply = await self.answered()
        except SessionBusyError:
            return Reply(202).with_body(b"")
        except QueueFullError:
            return queue_full()
        return reply.with_headers(allowance.headers)

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        async with self._station.limits.sessions.turn(self._session), self._station.limits.semaphore.turn():
            yield

    async def answer(self) -> Reply:
        """Let the APIs answer."""
        try:
            if self._signed_in is not None:
                self._station.sign_in.check_scope(self.call.path, self._signed_in)
            return await perform(self._api, self._inner_scope(), self.call.body)
        except SnowError as refusal:
            return error_reply(refusal.status, refusal.message, refusal.detail)

    def failed(self) -> Reply:
        """Say that the stand-in itself failed."""
        return error_reply(500, "The sandbox itself failed", "Its log says how. This is a fault of the sandbox.")

    def _inner_scope(self) -> Scope:
        user = None if self._signed_in is None else self._signed_in.user
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
