"""The one place that calls the instance's REST APIs.

``sysparm_query_category`` is never sent, so that a reading sees what was written just before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from secure_export.itsm.answer import Answer
from secure_export.itsm.judged_api import JudgedApi
from secure_export.itsm.servicenow.api.verdict import Ok, Refused, Verdict, judge
from secure_export.itsm.verdict import Later, Method, in_doubt

_TABLE = "/api/now/table"


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


class TableApi(JudgedApi[Ok, Refused]):
    """Calls one instance."""

    to_mend = (
        "mend the credentials of this connection, or what the user may do in ServiceNow (is it locked out, or is it "
        "under the basic authentication restriction?)"
    )

    def judged(self, answer: Answer, method: Method) -> Verdict:
        """Say what an answer means."""
        return judge(answer, method, now=self._clock())

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
