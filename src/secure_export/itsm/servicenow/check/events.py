"""Looks whether work items could be events: a part of ``secure-export check``.

A connection does not know its routes, and most have no Event Management. So this tells, and fails nothing.
"""

from secure_export.itsm.contract import CheckResult
from secure_export.itsm.servicenow.api.refusals import Cause
from secure_export.itsm.servicenow.api.table_api import Query, TableApi
from secure_export.itsm.servicenow.api.verdict import Ok, Refused
from secure_export.itsm.servicenow.cmdb.class_proofs import NOWHERE

_TABLES = ("em_event", "em_alert")
_SENDS = frozenset({"admin", "evt_mgmt_integration", "evt_mgmt_admin"})
_SUBJECT = 'Event Management (only for work_item = "event")'


async def events_result(api: TableApi, roles: frozenset[str] | None) -> CheckResult:
    """Say whether events could be sent, and what became of them be read.

    Args:
        api: Calls the instance.
        roles: The integration user's roles; None when they cannot be read.
    """
    found: list[str] = []
    for table in _TABLES:
        told = await api.rows(table, Query(f"message_key={NOWHERE}", ("sys_id", "message_key"), limit=1))
        if isinstance(told, Refused) and told.cause is Cause.TABLE:
            return _told("not there: the instance has no Event Management")
        if isinstance(told, Ok) and (told.result or told.total):
            found.append(f"{table} gives rows that were not asked for: add a read ACL for {table}.message_key")
        elif not isinstance(told, Ok):
            found.append(f"{table} cannot be read: it takes the role evt_mgmt_user")
    if roles is None:
        found.append("whether events may be sent is not proven without sending one (role evt_mgmt_integration)")
    elif not roles & _SENDS:
        found.append("events can be sent with the role evt_mgmt_integration")
    return _told("; ".join(found) or "events can be sent by the user's roles, and alerts be read")


def _told(detail: str) -> CheckResult:
    return CheckResult(_SUBJECT, passed=True, detail=detail)
