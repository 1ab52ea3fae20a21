"""The one place that calls the instance's REST APIs: signs in, judges each answer, and stops knocking when not let in.

``sysparm_query_category`` is never sent, so that a reading sees what was written just before it.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from secure_export.clock import Clock
from secure_export.itsm.answer import Answer
from secure_export.itsm.http_errors import AnswerLost, NotSent
from secure_export.itsm.servicenow import verdict
from secure_export.itsm.servicenow.change_queue import ChangeQueue, NoTurn
from secure_export.itsm.servicenow.verdict import Later, Method, NotSignedIn, Ok, Verdict, in_doubt, judge
from secure_export.itsm.sign_in import SignIn, SignInFailed

_TABLE = "/api/now/table"
_CONNECTIONS = 4
_FIRST_PAUSE_SECONDS = 15.0
_LONGEST_PAUSE_SECONDS = 300.0


class Requests(Protocol):
    """What this needs of ``secure_export.itsm.http.Http``."""

    async def request(  # noqa: PLR0913 - what an HTTP request consists of
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as Http has it
    ) -> Answer:
        """Make a request; see ``Http.request``."""
        ...


@dataclass(frozen=True, slots=True)
class Query:
    """What rows to read.

    Attributes:
        text: An encoded query; never empty, and never with an empty value.
        fields: Which fields to give.
        limit: How many rows at most.
        offset: How many rows to pass over.
        display: Whether each field comes as ``{"value", "display_value"}`` rather than as its value.
    """

    text: str
    fields: Sequence[str]
    limit: int = 100
    offset: int = 0
    display: bool = False


@dataclass(frozen=True, slots=True)
class _Call:
    method: Method
    path: str
    query: Mapping[str, str] | None
    json: Any


class TableApi:
    """Calls one instance.

    After a 401 that new credentials do not mend nothing is sent for a while, which grows, nor what waits for its turn
    then: an account that is tried in vain many times is locked.

    Args:
        http: Makes requests.
        sign_in: Gives the header fields that show who we are.
        clock: The time.
        connections: How many requests are made at a time.
        changes: In which turn changes are made; None: as suits the connections.
    """

    def __init__(
        self,
        http: Requests,
        sign_in: SignIn,
        *,
        clock: Clock,
        connections: int = _CONNECTIONS,
        changes: ChangeQueue | None = None,
    ) -> None:
        self._http = http
        self._sign_in = sign_in
        self._clock = clock
        self._turns = asyncio.Semaphore(connections)
        self._changes = changes or ChangeQueue(connections)
        self._pause_seconds = 0.0
        self._shut_until: datetime | None = None
        self._why_shut = ""
        self._refusals = 0

    async def rows(self, table: str, query: Query) -> Verdict:
        """Read rows of a table: ``Ok`` with a list of them, and ``total`` as it is before access rules hide any."""
        parameters = {
            "sysparm_query": query.text,
            "sysparm_limit": str(query.limit),
            "sysparm_suppress_pagination_header": "true",
            **_shape(query.fields, display=query.display),
        }
        if query.offset:
            parameters["sysparm_offset"] = str(query.offset)
        told = await self.call(Method.GET, f"{_TABLE}/{table}", query=parameters)
        if isinstance(told, Ok) and not _is_rows(told.result):
            return Later("ServiceNow answered a query with something that is no list of records")
        return told

    async def row(self, table: str, sys_id: str, fields: Sequence[str], *, display: bool = False) -> Verdict:
        """Read one row: ``Ok`` with it, or ``NotThere``."""
        told = await self.call(Method.GET, f"{_TABLE}/{table}/{sys_id}", query=_shape(fields, display=display))
        return _with_row(told, Method.GET)

    async def insert(self, table: str, values: Mapping[str, str], fields: Sequence[str]) -> Verdict:
        """Make a row: ``Ok`` with these fields of it, each with value and display value."""
        told = await self.call(Method.POST, f"{_TABLE}/{table}", query=_shape(fields, display=True), json=dict(values))
        return _with_row(told, Method.POST)

    async def patch(self, table: str, sys_id: str, values: Mapping[str, str], fields: Sequence[str]) -> Verdict:
        """Change a row: ``Ok`` with these fields of it, each with value and display value."""
        path = f"{_TABLE}/{table}/{sys_id}"
        told = await self.call(Method.PATCH, path, query=_shape(fields, display=True), json=dict(values))
        return _with_row(told, Method.PATCH)

    async def delete(self, table: str, sys_id: str) -> Verdict:
        """Delete a row."""
        return await self.call(Method.DELETE, f"{_TABLE}/{table}/{sys_id}")

    async def call(
        self, method: Method, path: str, *, query: Mapping[str, str] | None = None, json: Any = None
    ) -> Verdict:
        """Call any REST API of the instance, and say what came of it.

        Raises nothing for what the instance or the network does.
        """
        call = _Call(method, path, query, json)
        if method is Method.GET:
            return await self._in_turn(call)
        try:
            async with self._changes.turn():
                return await self._in_turn(call)
        except NoTurn:
            return Later("ServiceNow answers so slowly that the turn of this change did not come: nothing was sent")

    async def _in_turn(self, call: _Call) -> Verdict:
        async with self._turns:
            if self._shut_until is not None and self._clock() < self._shut_until:
                return Later(self._why_shut, self._shut_until)
            try:
                return await self._called(call)
            except SignInFailed as failed:
                return Later(failed.reason, failed.not_before)

    async def _called(self, call: _Call) -> Verdict:
        """Call, and once more with new credentials if there are any: a token may be revoked before its time."""
        refusals = self._refusals
        headers = await self._sign_in.headers()
        told = await self._judged(call, headers)
        if isinstance(told, NotSignedIn):
            self._sign_in.rejected(headers)
            newer = await self._sign_in.headers()
            if dict(newer) != dict(headers):
                told = await self._judged(call, newer)
                if isinstance(told, NotSignedIn):
                    self._sign_in.rejected(newer)
        return self._shut(told) if isinstance(told, NotSignedIn) else self._let_in(told, refusals)

    async def _judged(self, call: _Call, headers: Mapping[str, str]) -> Verdict:
        began = time.monotonic()
        try:
            answer = await self._http.request(call.method, call.path, query=call.query, json=call.json, headers=headers)
        except NotSent as error:
            return Later(error.reason)
        except AnswerLost as error:
            return in_doubt(error.reason, call.method)
        finally:
            self._changes.answered(time.monotonic() - began)
        return judge(answer, call.method, now=self._clock())

    def _let_in(self, told: Verdict, refusals: int) -> Verdict:
        """Take notice that we are let in, unless we were refused after this call began."""
        if refusals == self._refusals and isinstance(told, Ok | verdict.NotThere | verdict.Refused):
            self._pause_seconds, self._shut_until = 0.0, None
        return told

    def _shut(self, told: NotSignedIn) -> Later:
        """Send nothing for a while; those who were under way at the same time do not make it longer."""
        now = self._clock()
        self._refusals += 1
        if self._shut_until is None or now >= self._shut_until:
            self._pause_seconds = min(max(_FIRST_PAUSE_SECONDS, 2 * self._pause_seconds), _LONGEST_PAUSE_SECONDS)
            self._shut_until = now + timedelta(seconds=self._pause_seconds)
        self._why_shut = (
            f"{told.reason}: mend the credentials of this connection, or what the user may do in ServiceNow (is it "
            "locked out, or is it under the basic authentication restriction?); secure-export check says more"
        )
        return Later(self._why_shut, self._shut_until)


def _shape(fields: Sequence[str], *, display: bool) -> dict[str, str]:
    return {
        "sysparm_fields": ",".join(fields),
        "sysparm_exclude_reference_link": "true",
        **({"sysparm_display_value": "all"} if display else {}),
    }


def _is_rows(result: Any) -> bool:
    return isinstance(result, list) and all(isinstance(row, dict) for row in result)


def _with_row(told: Verdict, method: Method) -> Verdict:
    if isinstance(told, Ok) and not isinstance(told.result, dict):
        return in_doubt("ServiceNow answered with something that is no record", method)
    return told
