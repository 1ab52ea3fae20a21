"""The one place that calls the AR server's entry API: signs in, judges answers, and stops knocking when not let in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from secure_export.clock import Clock
from secure_export.itsm.answer import Answer
from secure_export.itsm.bmc_helix import verdict
from secure_export.itsm.bmc_helix.forms import shape_of
from secure_export.itsm.bmc_helix.rows import row_of
from secure_export.itsm.bmc_helix.verdict import Later, Method, NotSignedIn, Ok, Verdict, in_doubt, judge
from secure_export.itsm.http_errors import AnswerLost, NotSent
from secure_export.itsm.sign_in import SignIn, SignInFailed

_ENTRY = "/api/arsys/v1/entry"
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
    """What records to read.

    Attributes:
        text: A qualification; never empty.
        fields: Which fields to give; those that a form lacks are left out by the server without a word.
        limit: How many at most.
        offset: How many to pass over.
        sort: By what they are sorted, such as ``Last Modified Date.asc``.
    """

    text: str
    fields: Sequence[str]
    limit: int = 100
    offset: int = 0
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Records that were read.

    Attributes:
        rows: The records.
        more: Whether there are more than these, or may be.
    """

    rows: tuple[Mapping[str, Any], ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class _Call:
    method: Method
    path: str
    query: Mapping[str, str] | None = None
    json: Any = None


class EntryApi:
    """Calls one AR server.

    After a 401 that a new log-in does not mend nothing is sent for a while, which grows: an account that is tried in
    vain many times is locked.

    Args:
        http: Makes requests.
        sign_in: Gives the header fields that show who we are.
        clock: The time.
    """

    def __init__(self, http: Requests, sign_in: SignIn, *, clock: Clock) -> None:
        self._http = http
        self._sign_in = sign_in
        self._clock = clock
        self._pause_seconds = 0.0
        self._shut_until: datetime | None = None
        self._why_shut = ""

    async def entries(self, form: str, query: Query) -> Verdict:
        """Read records: ``Ok`` with a ``Page``."""
        parameters = {
            "q": query.text,
            "fields": _values(query.fields),
            "limit": str(query.limit),
            **({"offset": str(query.offset)} if query.offset else {}),
            **({"sort": query.sort} if query.sort else {}),
        }
        told = await self.call(Method.GET, f"{_ENTRY}/{form}", query=parameters)
        return _with_page(told, query.limit) if isinstance(told, Ok) else told

    async def entry(self, form: str, entry_id: str, fields: Sequence[str]) -> Verdict:
        """Read one record: ``Ok`` with it, or ``NotThere``."""
        told = await self.call(Method.GET, f"{_ENTRY}/{form}/{entry_id}", query={"fields": _values(fields)})
        return _with_row(told) if isinstance(told, Ok) else told

    async def create(self, form: str, values: Mapping[str, Any], fields: Sequence[str]) -> Verdict:
        """Make a record: ``Ok`` with these fields of it, or with None where the server tells only where it is."""
        told = await self.call(
            Method.POST, f"{_ENTRY}/{form}", query={"fields": _values(fields)}, json={"values": dict(values)}
        )
        return Ok(row_of(told.body), told.location, server_time=told.server_time) if isinstance(told, Ok) else told

    async def change(self, form: str, entry_id: str, values: Mapping[str, Any]) -> Verdict:
        """Change fields of a record; those that are not named stay."""
        return await self.call(Method.PUT, f"{_ENTRY}/{form}/{entry_id}", json={"values": dict(values)})

    async def delete(self, form: str, entry_id: str) -> Verdict:
        """Delete a record."""
        return await self.call(Method.DELETE, f"{_ENTRY}/{form}/{entry_id}")

    async def shape(self, form: str) -> Verdict:
        """Read what a form is like: ``Ok`` with a ``FormShape``, empty where nobody can read what the server says."""
        told = await self.call(Method.OPTIONS, f"{_ENTRY}/{form}")
        return Ok(shape_of(told.body), server_time=told.server_time) if isinstance(told, Ok) else told

    async def call(
        self, method: Method, path: str, *, query: Mapping[str, str] | None = None, json: Any = None
    ) -> Verdict:
        """Call any REST API of the server that takes the same log-in, and say what came of it.

        Raises nothing for what the server or the network does.
        """
        if self._shut_until is not None and self._clock() < self._shut_until:
            return Later(self._why_shut, self._shut_until)
        try:
            return await self._called(_Call(method, path, query, json))
        except SignInFailed as failed:
            return Later(failed.reason, failed.not_before)

    async def _called(self, call: _Call) -> Verdict:
        """Call, and once more with a new log-in if there is one: a token may end before its time."""
        headers = await self._sign_in.headers()
        told = await self._judged(call, headers)
        if isinstance(told, NotSignedIn):
            self._sign_in.rejected(headers)
            newer = await self._sign_in.headers()
            if dict(newer) != dict(headers):
                told = await self._judged(call, newer)
                if isinstance(told, NotSignedIn):
                    self._sign_in.rejected(newer)
        return self._shut(told) if isinstance(told, NotSignedIn) else self._let_in(told)

    async def _judged(self, call: _Call, headers: Mapping[str, str]) -> Verdict:
        try:
            answer = await self._http.request(call.method, call.path, query=call.query, json=call.json, headers=headers)
        except NotSent as error:
            return Later(error.reason)
        except AnswerLost as error:
            return in_doubt(error.reason, call.method)
        return judge(answer, call.method, now=self._clock())

    def _let_in(self, told: Verdict) -> Verdict:
        if isinstance(told, Ok | verdict.NotThere | verdict.Refused):
            self._pause_seconds, self._shut_until = 0.0, None
        return told

    def _shut(self, told: NotSignedIn) -> Later:
        """Send nothing for a while; those who were under way at the same time do not make it longer."""
        now = self._clock()
        if self._shut_until is None or now >= self._shut_until:
            self._pause_seconds = min(max(_FIRST_PAUSE_SECONDS, 2 * self._pause_seconds), _LONGEST_PAUSE_SECONDS)
            self._shut_until = now + timedelta(seconds=self._pause_seconds)
        self._why_shut = (
            f"{told.reason}: mend the credentials of this connection, or what the user may do in BMC; secure-export "
            "check says more"
        )
        return Later(self._why_shut, self._shut_until)


def _values(fields: Sequence[str]) -> str:
    return f"values({','.join(fields)})"


def _with_page(told: Ok, limit: int) -> Verdict:
    entries = told.body.get("entries") if isinstance(told.body, dict) else None
    rows = [row_of(entry) for entry in entries] if isinstance(entries, list) else [None]
    found = tuple(row for row in rows if row is not None)
    if len(found) != len(rows):
        return Later("BMC answered a query with something that is no list of records")
    links = told.body.get("_links")
    more = told.cut or len(found) >= limit or (isinstance(links, dict) and bool(links.get("next")))
    return Ok(Page(found, more), server_time=told.server_time)


def _with_row(told: Ok) -> Verdict:
    row = row_of(told.body)
    return Later("BMC answered with something that is no record") if row is None else Ok(row)
