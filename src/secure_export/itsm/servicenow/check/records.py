"""Tries what a table of records needs, leaving no trace: a part of ``secure-export check``.

Reading is tried by reading. Writing is tried by an update that changes nothing, on a record of ours; as long as there
is none it cannot be proven without making one, which the integration user may not delete again. The check then says so.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from secure_export.itsm.contract import CheckResult
from secure_export.itsm.ended import Ended
from secure_export.itsm.servicenow import keys
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.api.table_api import Query
from secure_export.itsm.servicenow.api.verdict import Ok, Refused, Verdict
from secure_export.itsm.servicenow.check.policies import mandatory_result
from secure_export.itsm.servicenow.cmdb.tables import NOBODYS_ID
from secure_export.itsm.servicenow.tasks.kinds import Kind
from secure_export.itsm.servicenow.tools import Tools
from secure_export.itsm.verdict import NotThere

_NEEDED = ("sys_id", "number", "state", "correlation_id", "correlation_display", "sys_created_on", "sys_updated_on")
_USEFUL = ("active", "assigned_to", "assignment_group", "cmdb_ci", "sys_updated_by", "sys_mod_count")
_WRITING_ROLES: Mapping[str, frozenset[str]] = {
    "incident": frozenset({"admin", "itil", "itil_admin", "sn_incident_write"}),
    "problem": frozenset({"admin", "itil", "problem_admin", "problem_manager", "sn_problem_write"}),
    "change_request": frozenset({"admin", "itil", "change_manager", "sn_change_write"}),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What is there to try on.

    Attributes:
        any: Some record that is visible; None when none is.
        own: A record that this connection made; None when there is none.
        roles: The integration user's roles; None when they cannot be read.
        failed: Why nothing can be read; empty when it can.
    """

    any: Row | None = None
    own: Row | None = None
    roles: frozenset[str] | None = None
    failed: str = field(default="")


class CheckRecords:
    """Tries one table.

    Args:
        tools: What the steps of the connection share.
        kind: What is to be known of the table.
        roles: The integration user's roles; None when they cannot be read.
    """

    def __init__(self, tools: Tools, kind: Kind, roles: frozenset[str] | None) -> None:
        self._tools = tools
        self._kind = kind
        self._table = kind.table
        self._roles = roles

    async def run(self) -> Sequence[CheckResult]:
        """Try everything, from reading to writing."""
        seen = await self._seen()
        if seen.failed:
            return [self._line("read", seen.failed, passed=False)]
        tried: Sequence[Callable[[Seen], Coroutine[Any, Any, CheckResult]]] = (
            self._read,
            self._look_up,
            self._since,
            self._create,
            self._update,
            self._sys_id,
            self._resolution,
            self._defaults,
            self._mandatory,
        )
        return [await self._tried(one, seen) for one in tried]

    async def _tried(self, one: Callable[[Seen], Coroutine[Any, Any, CheckResult]], seen: Seen) -> CheckResult:
        try:
            return await one(seen)
        except Ended as error:
            return self._line(one.__name__.strip("_").replace("_", " "), str(error), passed=False)

    async def _seen(self) -> Seen:
        fields = tuple(dict.fromkeys((*_NEEDED, *_USEFUL, self._kind.code_field, self._kind.notes_field)))
        fields = tuple(name for name in fields if name)
        prefix = keys.connection_prefix(self._tools.connection)
        some = await self._tools.api.rows(self._table, Query(f"sys_id!={NOBODYS_ID}", fields, limit=20))
        if not isinstance(some, Ok):
            return Seen(failed=some.reason)
        if some.total and not some.result:
            return Seen(
                failed=f"{some.total} records are counted and none is shown: give the user {self._role('read')}"
            )
        own = await self._tools.api.rows(self._table, Query(f"correlation_idSTARTSWITH{prefix}", fields, limit=50))
        rows = own.result if isinstance(own, Ok) else []
        ours = [row for row in rows if value(row, "correlation_id").startswith(prefix)]
        ours.sort(key=lambda row: (value(row, "active") == "true", value(row, "sys_created_on")), reverse=True)
        return Seen(next(iter(ours or some.result), None), next(iter(ours), None), self._roles)

    async def _read(self, seen: Seen) -> CheckResult:
        if seen.any is None:
            return self._line("read", "there is no record to look at yet, so that fields cannot be tried", passed=True)
        wanted = (*_NEEDED, *(name for name in (self._kind.code_field, self._kind.notes_field) if name))
        missing = [name for name in wanted if name not in seen.any]
        if missing:
            columns = await self._tools.choices.columns(self._table)
            told = "; ".join(self._why_missing(name, columns) for name in missing)
            return self._line("read", told, passed=False)
        hidden = [name for name in _USEFUL if name not in seen.any]
        more = f"; not shown: {', '.join(hidden)}" if hidden else ""
        return self._line("read", f"records and {len(wanted)} fields are shown{more}", passed=True)

    def _why_missing(self, name: str, columns: Mapping[str, object]) -> str:
        if columns and name not in columns:
            return f"the table has no field {name}"
        return f"field {name} is not shown: add a read ACL for {self._table}.{name} with a role of the integration user"

    async def _look_up(self, seen: Seen) -> CheckResult:
        """The canary, and the record of ours by its key."""
        if why := await self._tools.canary.trouble(self._table):
            return self._line("look up by key", why, passed=False)
        if seen.own is None:
            detail = "a key that nobody has finds nothing; that ours finds its record is seen once there is one"
            return self._line("look up by key", detail, passed=True)
        key = value(seen.own, "correlation_id")
        told = await self._tools.api.rows(self._table, Query(f"correlation_id={key}", _NEEDED, limit=5))
        found = told.result if isinstance(told, Ok) else []
        if any(value(row, "sys_id") == value(seen.own, "sys_id") for row in found):
            detail = f"a key that nobody has finds nothing, and ours finds {value(seen.own, 'number')}"
            return self._line("look up by key", detail, passed=True)
        detail = f"{value(seen.own, 'number')} is not found by its correlation_id: add a query_match ACL for that field"
        return self._line("look up by key", detail, passed=False)

    async def _since(self, seen: Seen) -> CheckResult:
        """A range query, both ways: it must find a record at its own time, and not after it."""
        subject = "look for changes"
        if seen.any is None:
            return self._line(subject, "there is no record to look at yet", passed=True)
        at, record = value(seen.any, "sys_updated_on"), f"sys_id={value(seen.any, 'sys_id')}"
        told = await self._tools.api.rows(self._table, Query(f"{record}^sys_updated_on>={at}", _NEEDED, limit=2))
        later = await self._tools.api.rows(self._table, Query(f"{record}^sys_updated_on>{at}", _NEEDED, limit=2))
        if not isinstance(told, Ok):
            return self._line(subject, told.reason, passed=False)
        if not isinstance(later, Ok):
            return self._line(subject, later.reason, passed=False)
        if len(told.result) == 1 and not later.result:
            return self._line(subject, "sys_updated_on can be asked for by time", passed=True)
        detail = (
            "a query for sys_updated_on gives something else than it says: add a query_range ACL for "
            f"{self._table}.sys_updated_on, and set the integration user's Time zone to GMT. Until then what people "
            "change is seen late"
        )
        return self._line(subject, detail, passed=False)

    async def _create(self, seen: Seen) -> CheckResult:
        if seen.own is not None:
            made = f"{value(seen.own, 'number')}, {value(seen.own, 'sys_created_on')} UTC"
            return self._line("create", f"it was done before ({made})", passed=True)
        return self._unproven("create")

    async def _update(self, seen: Seen) -> CheckResult:
        if seen.own is None:
            told = await self._tools.api.patch(self._table, NOBODYS_ID, {"correlation_display": "-"}, ("sys_id",))
            if isinstance(told, Refused):
                return self._line("update", told.reason, passed=False)
            return self._unproven("update") if isinstance(told, NotThere) else self._told("update", told)
        # The key never changes, while the service may write a newer revision into other fields meanwhile.
        same = {"correlation_id": value(seen.own, "correlation_id")}
        told = await self._tools.api.patch(self._table, value(seen.own, "sys_id"), same, _USEFUL)
        if not isinstance(told, Ok):
            return self._told("update", told)
        return self._line("update", f"{value(seen.own, 'number')} takes an update (which changed nothing)", passed=True)

    async def _sys_id(self, seen: Seen) -> CheckResult:
        subject = "sys_id that we choose"
        if dropped := self._tools.observed.sys_id_dropped:
            return self._line(subject, f"not kept ({dropped}); twins are looked for and ended instead", passed=True)
        if seen.own is None:
            return self._line(subject, "whether it is kept is seen with the first record", passed=True)
        chosen = keys.sys_id(self._table, value(seen.own, "correlation_id"))
        kept = "kept" if chosen == value(seen.own, "sys_id") else "not kept; twins are looked for and ended instead"
        return self._line(subject, f"{kept} ({value(seen.own, 'number')})", passed=True)

    async def _resolution(self, _: Seen) -> CheckResult:
        subject, column = "resolution code", self._kind.code_field
        if not column or self._kind.resolved_state is None:
            return self._line(subject, "none is written to this table", passed=True)
        there = await self._tools.choices.of(self._table, column)
        if not there:
            detail = f"sys_choice shows no choices of {column}: give the integration user the role personalize_choices"
            return self._line(subject, detail, passed=False)
        usable = await self._tools.choices.usable(self._table, column, self._kind.close_codes)
        if usable:
            return self._line(subject, f"{usable[0]!r} will be written to {column}", passed=True)
        labels = ", ".join(repr(choice.label) for choice in there)
        detail = f"none of {', '.join(self._kind.close_codes)} is a choice of {column}; write one of {labels}"
        return self._line(subject, f"{detail} into close_codes", passed=False)

    async def _defaults(self, _: Seen) -> CheckResult:
        subject = "fields of the configuration"
        wanted = defaults(self._tools)
        if not wanted:
            return self._line(subject, "none are set", passed=True)
        resolved = await self._tools.choices.fields(self._table, wanted, quiet=frozenset(wanted))
        if resolved.remarks:
            return self._line(subject, "; ".join(resolved.remarks), passed=False)
        return self._line(subject, f"{', '.join(sorted(resolved.values)) or 'none'} can be written", passed=True)

    async def _mandatory(self, _: Seen) -> CheckResult:
        return await mandatory_result(self._tools.api, self._kind, frozenset(defaults(self._tools)))

    def _unproven(self, what: str) -> CheckResult:
        """Say honestly that writing cannot be proven yet, and what speaks for or against it."""
        known = _WRITING_ROLES.get(self._table, frozenset({"admin", "itil"}))
        if self._roles is not None and not self._roles:
            return self._line(what, f"the integration user has no roles: give it {self._role('write')}", passed=False)
        if self._roles is not None and (has := known & self._roles):
            detail = f"not proven without writing; role {min(has)} usually allows it. The first alert shows it"
        else:
            detail = (
                f"not proven without writing. Unless an ACL of your own allows it, it takes {self._role('write')}. "
                "The first alert shows it"
            )
        return self._line(what, detail, passed=True)

    def _role(self, right: str) -> str:
        known = {"incident": "sn_incident", "problem": "sn_problem", "change_request": "sn_change"}.get(self._table)
        return f"the role {known}_{right} (or itil)" if known else f"the role itil, or a {right} ACL on {self._table}"

    def _told(self, what: str, told: Verdict) -> CheckResult:
        return self._line(what, "answered" if isinstance(told, Ok) else told.reason, passed=isinstance(told, Ok))

    def _line(self, what: str, detail: str, *, passed: bool) -> CheckResult:
        return CheckResult(f"{self._table}: {what}", passed=passed, detail=detail)


def defaults(tools: Tools) -> dict[str, str]:
    """Give the fields that the connection's settings set in every record."""
    settings = tools.settings
    named = {
        "caller_id": settings.caller,
        "assignment_group": settings.assignment_group,
        "category": settings.category,
        "subcategory": settings.subcategory,
        "business_service": settings.business_service,
        "contact_type": settings.contact_type,
    }
    return {name: text for name, text in {**named, **settings.fields}.items() if text}
