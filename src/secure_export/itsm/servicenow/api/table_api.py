"""The one place that calls the instance's REST APIs: signs in, judges each answer, and stops knocking when not let in.

``sysparm_query_category`` is never sent, so that a reading sees what was written just before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from secure_export.clock import Clock
from secure_export.itsm.admission import Admission, NotAdmitted
from secure_export.itsm.change_queue import ChangeQueue
from secure_export.itsm.http_errors import AnswerLost, NotSent
from secure_export.itsm.requests import Requests
from secure_export.itsm.servicenow.api.verdict import (
    Later,
    Method,
    NotSignedIn,
    NotThere,
    Ok,
    Refused,
    Verdict,
    in_doubt,
    judge,
)
from secure_export.itsm.share import Share
from secure_export.itsm.sign_in import SignIn

__all__ = ["Query", "Requests", "TableApi"]

_TABLE = "/api/now/table"
_CONNECTIONS = 4
_TO_MEND = (
    "mend the credentials of this connection, or what the user may do in ServiceNow (is it locked out, or is it under "
    "the basic authentication restriction?)"
)


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


class TableApi:
    """Calls one instance.

    Args:
        http: Makes requests.
        sign_in: Gives the header fields that show who we are.
        clock: The time.
        connections: How many requests are made at a time.
        share: What this process has of them; None: all.
        changes: In which turn changes are made; None: as suits the connections.
    """

    def __init__(  # noqa: PLR0913 - most have a value that suits
        self,
        http: Requests,
        sign_in: SignIn,
        *,
        clock: Clock,
        connections: int = _CONNECTIONS,
        share: Share | None = None,
        changes: ChangeQueue | None = None,
    ) -> None:
        self._http = http
        self._clock = clock
        self._admission = Admission[Verdict](
            sign_in,
            clock=clock,
            connections=connections,
            share=share,
            changes=changes,
            why_stranger=lambda told: told.reason if isinstance(told, NotSignedIn) else None,
            is_let_in=lambda told: isinstance(told, Ok | NotThere | Refused),
            asked_until=lambda told: told.not_before if isinstance(told, Later) else None,
            to_mend=_TO_MEND,
        )

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

        async def attempt(headers: Mapping[str, str]) -> Verdict:
            try:
                answer = await self._http.request(method, path, query=query, json=json, headers=headers)
            except NotSent as error:
                return Later(error.reason)
            except AnswerLost as error:
                return in_doubt(error.reason, method)
            return judge(answer, method, now=self._clock())

        try:
            return await (self._admission.read(attempt) if method is Method.GET else self._admission.change(attempt))
        except NotAdmitted as error:
            return Later(error.reason, error.not_before)


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
