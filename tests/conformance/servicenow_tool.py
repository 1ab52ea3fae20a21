"""The sandbox's ServiceNow as the connector suite looks into it: reached over HTTP, looked at from within."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.conformance.connector_suite_tool import (
    CONNECTION,
    OTHER_CONNECTION,
    PERSON,
    PERSONS_RESOLUTION,
    PERSONS_WORDS,
    Ability,
    Act,
    Fault,
    Record,
)

from secure_export.cmdb.contract import Cmdb
from secure_export.itsm.contract import Connector
from secure_export.itsm.resources import Resources
from secure_export.itsm.servicenow import connector
from secure_export.itsm.servicenow.settings import ServiceNowSettings
from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.app import ServiceNowApp
from secure_export.sandbox.servicenow.dictionary import Table
from secure_export.sandbox.servicenow.faults import Fault as SandboxFault
from secure_export.sandbox.servicenow.faults import FaultKind
from secure_export.sandbox.servicenow.run import serving
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User
from secure_export.workitems.outcome import Outcome
from secure_export.workitems.work_item import ToolState, WorkItem

INTEGRATION_USER = "azure.integration"
INTEGRATION_PASSWORD = "worth nothing elsewhere"
GROUP = "Linux"
PERSONS_NAME = "ada.lovelace"
BETWEEN_NOTES = "\n\n---\n\n"
_WRITES = frozenset({"POST", "PATCH", "PUT"})
_FAULTS: Mapping[Fault, SandboxFault] = {
    Fault.UNREACHABLE: SandboxFault(FaultKind.RESET_BEFORE, times=None),
    Fault.BUSY: SandboxFault(FaultKind.TOO_MANY, times=None),
    Fault.REFUSES: SandboxFault(FaultKind.ERROR_BEFORE, status=403, times=None),
    Fault.ANSWER_LOST: SandboxFault(FaultKind.RESET_AFTER, methods=_WRITES, times=None),
    Fault.GARBAGE: SandboxFault(FaultKind.GARBAGE, methods=_WRITES, times=None),
    Fault.RESOLVE_IGNORED: SandboxFault(FaultKind.RESOLVE_IGNORED, times=None),
    Fault.REOPEN_IGNORED: SandboxFault(FaultKind.RESOLVE_IGNORED, times=None),
}
_INCIDENT_ACTS: Mapping[Act, Mapping[str, str]] = {
    Act.COMMENT: {"comments": PERSONS_WORDS},
    Act.HOLD: {"state": "3", "hold_reason": "4"},
    Act.LOWER_PRIORITY: {"impact": "3", "urgency": "3"},
    Act.RESOLVE: {"state": "6", "close_code": "Solution provided", "close_notes": PERSONS_RESOLUTION},
    Act.REOPEN: {"state": "2"},
    Act.CLOSE: {"state": "7", "close_code": "Solution provided", "close_notes": PERSONS_RESOLUTION},
}
_INCIDENT_STATES = {"6": ToolState.RESOLVED, "7": ToolState.CLOSED, "8": ToolState.CLOSED}


class AsTable:
    """A connector whose work items are kept in another table than incident."""

    def __init__(self, connector: Connector, table: str) -> None:
        self._connector = connector
        self._table = table
        self.changes = connector.changes
        self.check = connector.check
        self.close = connector.close

    @property
    def cmdb(self) -> Cmdb:
        return self._connector.cmdb

    async def look(self, item: WorkItem) -> Outcome:
        return await self._connector.look(self._there(item))

    async def create(self, item: WorkItem) -> Outcome:
        return await self._connector.create(self._there(item))

    async def update(self, item: WorkItem) -> Outcome:
        return await self._connector.update(self._there(item))

    async def resolve(self, item: WorkItem) -> Outcome:
        return await self._connector.resolve(self._there(item))

    async def reopen(self, item: WorkItem) -> Outcome:
        return await self._connector.reopen(self._there(item))

    def _there(self, item: WorkItem) -> WorkItem:
        content = replace(item.desired.content, work_item=self._table)
        return replace(item, desired=replace(item.desired, content=content))


class ServiceNowTool:
    """Looks into the sandbox behind the connector.

    Args:
        app: The sandbox.
        url: Where it listens.
        password: A file with the integration user's password.
        settings: Further settings of the connections.
    """

    faults = frozenset(_FAULTS)
    lacks: Mapping[Ability, str] = {}
    secrets: Sequence[str] = (INTEGRATION_PASSWORD,)
    table = "incident"
    acts: Mapping[Act, Mapping[str, str]] = _INCIDENT_ACTS
    states: Mapping[str, ToolState] = _INCIDENT_STATES

    def __init__(self, app: ServiceNowApp, url: str, password: Path, **settings: Any) -> None:
        self.app = app
        self.instance = app.instance
        set_account(self.instance, Account(INTEGRATION_USER, INTEGRATION_PASSWORD))
        self.settings = ServiceNowSettings.model_validate(
            {"url": url, "username": INTEGRATION_USER, "password": {"file": password}, **settings}
        )
        self.connector: Connector = self.made(CONNECTION)
        self.other_connector: Connector = self.made(OTHER_CONNECTION)
        self.person = self._person()
        self._group()

    def made(self, connection: str) -> Connector:
        """Make a connector, as another process has it."""
        resources = Resources(desk=None, clock=lambda: datetime.now(UTC))  # type: ignore[arg-type] # no desk here
        made = connector.make(connection, self.settings, resources)
        return made if self.table == "incident" else AsTable(made, self.table)

    async def records(self, key: str) -> Sequence[Record]:
        rows = (row for row in self.instance.tables.rows(self.table) if row.get("correlation_id", "").endswith(key))
        return [self._record(row) for row in rows]

    async def count(self) -> int:
        return sum(1 for _ in self.instance.tables.rows(self.table))

    async def act(self, key: str, act: Act) -> None:
        values = {"assigned_to": self.person.sys_id} if act is Act.ASSIGN else self.acts[act]
        self.instance.update(self.table, self.row(key)["sys_id"], values, self.person)

    async def delete(self, key: str) -> None:
        self.instance.delete(self.table, self.row(key)["sys_id"])

    async def add_ci(self, name: str, resource_id: str) -> str:
        row = self.instance.insert("cmdb_ci_vm_instance", {"name": name, "object_id": resource_id})
        return str(row["sys_id"])

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        set_ = self.app.faults.set(_FAULTS[fault])
        try:
            yield
        finally:
            self.app.faults.clear(set_.id)

    def row(self, key: str) -> Row:
        """Give the one row of a work item."""
        rows = (row for row in self.instance.tables.rows(self.table) if row.get("correlation_id", "").endswith(key))
        (row,) = rows
        return row

    def _record(self, row: Row) -> Record:
        return Record(
            number=row["number"],
            title=row.get("short_description", ""),
            description=row.get("description", ""),
            state=self.states.get(row["state"], ToolState.OPEN),
            on_hold=row["state"] == self.acts[Act.HOLD].get("state"),
            priority=int(row.get("priority") or 0),
            group=self._name("sys_user_group", row.get("assignment_group", "")),
            assignee=self._name("sys_user", row.get("assigned_to", "")),
            notes=tuple(self._notes(row)),
            cis=tuple(self._cis(row)),
            resolution=row.get("close_notes", "") or row.get("fix_notes", ""),
        )

    def _notes(self, row: Row) -> Iterator[str]:
        for entry in self.instance.tables.rows("sys_journal_field"):
            if (entry.get("element_id"), entry.get("element")) == (row["sys_id"], "work_notes"):
                yield from entry["value"].split(BETWEEN_NOTES)

    def _cis(self, row: Row) -> Iterator[str]:
        if row.get("cmdb_ci"):
            yield row["cmdb_ci"]
        for other in self.instance.tables.rows("task_ci"):
            if other.get("task") == row["sys_id"] and other.get("ci_item") != row.get("cmdb_ci"):
                yield other["ci_item"]

    def _name(self, table: str, sys_id: str) -> str:
        found = self.instance.tables.get(table, sys_id) if sys_id else None
        return found.get("name", "") if found else ""

    def _person(self) -> User:
        roles = frozenset({"itil", "itil_admin"})
        person = set_account(self.instance, Account(PERSONS_NAME, None, roles, {"name": PERSON}))
        assert person is not None
        return person

    def _group(self) -> None:
        if self.instance.first("sys_user_group", f"name={GROUP}") is None:
            self.instance.insert("sys_user_group", {"name": GROUP, "active": "true"})


class TicketTool(ServiceNowTool):
    """A table of a customer's own that extends task, with task's states."""

    table = "u_azure_ticket"
    states: Mapping[str, ToolState] = {"3": ToolState.RESOLVED, "4": ToolState.CLOSED, "7": ToolState.CLOSED}
    acts: Mapping[Act, Mapping[str, str]] = {
        **_INCIDENT_ACTS,
        Act.HOLD: {"state": "-5"},
        Act.LOWER_PRIORITY: {"priority": "4"},
        Act.RESOLVE: {"state": "3", "close_notes": PERSONS_RESOLUTION},
        Act.CLOSE: {"state": "4", "close_notes": PERSONS_RESOLUTION},
    }

    def __init__(self, app: ServiceNowApp, url: str, password: Path, **settings: Any) -> None:
        app.instance.add_table(Table(self.table, "Azure ticket", parent="task", prefix="AZT"))
        super().__init__(app, url, password, **settings)


class ProblemTool(ServiceNowTool):
    """Problems, whose states cannot be skipped: what monitoring opened, and nobody took up, is cancelled."""

    table = "problem"
    lacks: Mapping[Ability, str] = {
        Ability.HOLD: "a problem has no state on hold",
        Ability.REOPEN: "a problem that was cancelled stays closed",
    }
    states: Mapping[str, ToolState] = {"106": ToolState.RESOLVED, "107": ToolState.CLOSED}
    acts: Mapping[Act, Mapping[str, str]] = {
        **_INCIDENT_ACTS,
        Act.HOLD: {},
        Act.CLOSE: {"state": "107", "resolution_code": "risk_accepted", "close_notes": PERSONS_RESOLUTION},
    }
    _WAY = (
        {"state": "102"},
        {"state": "103"},
        {"state": "106", "cause_notes": "Leak", "fix_notes": PERSONS_RESOLUTION, "resolution_code": "fix_applied"},
    )

    def __init__(self, app: ServiceNowApp, url: str, password: Path, **settings: Any) -> None:
        told = {"resolved_state": "107", "close_codes": ["canceled"]}
        super().__init__(app, url, password, tables={"problem": told}, **settings)

    async def act(self, key: str, act: Act) -> None:
        if act is not Act.RESOLVE:
            await super().act(key, act)
            return
        await super().act(key, Act.ASSIGN)
        for step in self._WAY:
            self.instance.update(self.table, self.row(key)["sys_id"], step, self.person)


@asynccontextmanager
async def running(
    folder: Path, kind: type[ServiceNowTool] = ServiceNowTool, **settings: Any
) -> AsyncIterator[ServiceNowTool]:
    """Serve a sandbox with its tool for as long as the block lasts."""
    password = folder / "password"
    password.write_text(INTEGRATION_PASSWORD, encoding="utf-8")
    async with serving() as (app, url):
        tool = kind(app, url, password, **settings)
        yield tool
        await tool.connector.close()
        await tool.other_connector.close()
