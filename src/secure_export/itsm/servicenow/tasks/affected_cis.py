"""The configuration items of a record beyond its first: ``task_ci``, which people see as *Affected CIs*."""

from collections.abc import Sequence
from dataclasses import dataclass

from secure_export.itsm.ended import Ended, unread, unwritten
from secure_export.itsm.servicenow import keys
from secure_export.itsm.servicenow.api.refusals import Cause
from secure_export.itsm.servicenow.api.rows import value
from secure_export.itsm.servicenow.api.table_api import Query, TableApi
from secure_export.itsm.servicenow.api.verdict import Ok, Refused
from secure_export.itsm.verdict import NotThere
from secure_export.workitems.outcome import Unclear
from secure_export.workitems.work_item import Binding

_TABLE = "task_ci"
_FIELDS = ("sys_id", "task", "ci_item")
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Added:
    """What came of adding.

    Attributes:
        count: How many were added.
        remarks: What could not be added, each a sentence for people.
    """

    count: int = 0
    remarks: tuple[str, ...] = ()


async def add(api: TableApi, record: str, cis: Sequence[Binding]) -> Added:
    """Add the configuration items that a record does not have yet; those that it has stay.

    Args:
        api: The instance.
        record: The record's ``sys_id``.
        cis: The configuration items, each found in the CMDB.

    Raises:
        Ended: The instance gave no answer now, or it is not known whether one was added.
    """
    if not cis:
        return Added()
    told = await api.rows(_TABLE, Query(f"task={record}", _FIELDS, limit=_MOST))
    if isinstance(told, Refused | NotThere):
        return Added(remarks=(_not_added(cis, told.reason),))
    if not isinstance(told, Ok):
        raise Ended(unread(told, _TABLE))
    there = {value(row, "ci_item") for row in told.result if value(row, "task") == record}
    missing = [ci for ci in cis if ci.id not in there]
    for count, ci in enumerate(missing):
        try:
            why = await _added(api, record, ci.id or "")
        except Ended as ended:
            raise (Ended(Unclear(str(ended))) if count else ended) from None
        if why is not None:
            return Added(count, (_not_added(missing[count:], why),))
    return Added(len(missing))


async def _added(api: TableApi, record: str, ci: str) -> str | None:
    """Add one; why it is refused, or None."""
    values = {"sys_id": keys.sys_id(_TABLE, record, ci), "task": record, "ci_item": ci}
    told = await api.insert(_TABLE, values, _FIELDS)
    if isinstance(told, Refused):
        return None if told.cause is Cause.DUPLICATE else told.reason
    if not isinstance(told, Ok):
        raise Ended(unwritten(told))
    return None


def _not_added(cis: Sequence[Binding], why: str) -> str:
    return f"{len(cis)} affected CIs could not be added to the record (task_ci): {why}"
