"""The one place that calls the AR server's entry API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from secure_export.itsm.answer import Answer
from secure_export.itsm.bmc_helix.api.verdict import Ok, Refused, Verdict, judge
from secure_export.itsm.bmc_helix.forms import shape_of
from secure_export.itsm.bmc_helix.rows import row_of
from secure_export.itsm.judged_api import JudgedApi
from secure_export.itsm.verdict import Later, Method

_ENTRY = "/api/arsys/v1/entry"


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


class EntryApi(JudgedApi[Ok, Refused]):
    """Calls one AR server."""

    to_mend = "mend the credentials of this connection, or what the user may do in BMC"

    def judged(self, answer: Answer, method: Method) -> Verdict:
        """Say what an answer means."""
        return judge(answer, method, now=self._clock())

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
