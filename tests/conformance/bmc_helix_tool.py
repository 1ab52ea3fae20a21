"""The sandbox's BMC Helix ITSM as the connector suite looks into it: reached over HTTP, looked at from within."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
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

from secure_export.itsm.bmc_helix import connector
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.contract import Connector
from secure_export.itsm.resources import Resources
from secure_export.sandbox.bmc_helix.app import BmcHelixApp
from secure_export.sandbox.bmc_helix.cis import add_ci
from secure_export.sandbox.bmc_helix.demo_data import COMPANY, INTEGRATION_USER
from secure_export.sandbox.bmc_helix.faults import Fault as SandboxFault
from secure_export.sandbox.bmc_helix.faults import FaultKind, Shape
from secure_export.sandbox.bmc_helix.foundation import add_person
from secure_export.sandbox.bmc_helix.people import PASSWORD, Account
from secure_export.sandbox.bmc_helix.run import serving
from secure_export.workitems.work_item import ToolState

GROUP = "Linux"
BETWEEN_NOTES = "\n\n---\n\n"
INCIDENT = "HPD:IncidentInterface"
BASE = "HPD:Help Desk"
WORK_LOG = "HPD:WorkLog"
ASSOCIATIONS = "HPD:Associations"
KEY_FIELD = "Vendor Ticket Number"
OUR_MARK = "Azure Monitor alert, rev "
_API = "/api/arsys/*"
_WRITES = frozenset({"POST", "PUT"})
_FAULTS: Mapping[Fault, SandboxFault] = {
    Fault.UNREACHABLE: SandboxFault(FaultKind.RESET_BEFORE, times=None),
    Fault.BUSY: SandboxFault(FaultKind.TOO_MANY, times=None),
    Fault.REFUSES: SandboxFault(FaultKind.ERROR_BEFORE, status=500, shape=Shape.ARRAY, times=None, path=_API),
    Fault.ANSWER_LOST: SandboxFault(FaultKind.RESET_AFTER, times=None, methods=_WRITES, path=_API),
    Fault.GARBAGE: SandboxFault(FaultKind.GARBAGE, times=None, methods=_WRITES, path=_API),
    Fault.RESOLVE_IGNORED: SandboxFault(FaultKind.RESOLVE_IGNORED, times=None),
    Fault.REOPEN_IGNORED: SandboxFault(FaultKind.RESOLVE_IGNORED, times=None),
}
_ENDED = {"Resolution": PERSONS_RESOLUTION, "Assignee": PERSON}
_ACTS: Mapping[Act, Mapping[str, Any]] = {
    Act.ASSIGN: {"Assignee": PERSON, "Status": "In Progress"},
    Act.HOLD: {"Assignee": PERSON, "Status": "Pending", "Status_Reason": "Client Hold"},
    Act.LOWER_PRIORITY: {"Impact": "4-Minor/Localized", "Urgency": "4-Low"},
    Act.RESOLVE: {**_ENDED, "Status": "Resolved", "Status_Reason": "No Further Action Required"},
    Act.REOPEN: {"Status": "In Progress"},
    Act.CLOSE: {**_ENDED, "Status": "Closed"},
}
_STATES = {"Resolved": ToolState.RESOLVED, "Closed": ToolState.CLOSED, "Cancelled": ToolState.CLOSED}
_PRIORITIES = {"Critical": 1, "High": 2, "Medium": 3, "Low": 4}


class MovedClock:
    """A clock that a test moves on.

    Attributes:
        seconds: How far it is ahead.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> datetime:
        """Tell the time."""
        return datetime.now(UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Tell it as seconds that never go back."""
        return self.seconds


class BmcHelixTool:
    """Looks into the sandbox behind the connector.

    Args:
        app: The sandbox.
        url: Where it listens.
        password: A file with the integration user's password.
        clock: The connectors' clock; None: the true one.
        settings: Further settings of the connections.
    """

    faults = frozenset(_FAULTS)
    lacks: Mapping[Ability, str] = {}
    secrets: Sequence[str] = (PASSWORD,)

    def __init__(
        self, app: BmcHelixApp, url: str, password: Path, clock: MovedClock | None = None, **settings: Any
    ) -> None:
        self.app = app
        self.clock = clock
        self.server = app.server
        add_person(self.server, "Azure", "Operations", company=COMPANY, login="azure.operations", groups=(GROUP,))
        told = {
            "url": url,
            "username": INTEGRATION_USER,
            "password": {"file": password},
            "company": COMPANY,
            "assignee": {"name": "Azure Operations", "login_id": "azure.operations"},
            "cmdb": {
                "ci_lookup": [
                    {"class": "BMC_BaseElement", "attribute": "AzureResourceId", "source": "resource_id"},
                    {"class": "BMC_ComputerSystem", "attribute": "Name", "source": "name"},
                ],
                "found_seconds": 0,
                "missing_seconds": 0,
            },
            **settings,
        }
        self.settings = BmcHelixSettings.model_validate(told)
        self.connector: Connector = self.made(CONNECTION)
        self.other_connector: Connector = self.made(OTHER_CONNECTION)
        person = self.server.accounts.get("ada.lovelace")
        assert person is not None
        self.person: Account = person

    def made(self, connection: str) -> Connector:
        """Make a connector, as another process has it."""
        resources = Resources(desk=None, clock=self.clock or (lambda: datetime.now(UTC)))  # type: ignore[arg-type] # no desk
        made = connector.make(connection, self.settings, resources)
        if self.clock is not None:
            made._tools.trust._monotonic = self.clock.monotonic  # type: ignore[attr-defined]
        return made

    async def records(self, key: str) -> Sequence[Record]:
        return [self._record(row) for row in self._rows(key)]

    async def count(self) -> int:
        return sum(1 for _ in self.server.entries.rows(BASE))

    async def act(self, key: str, act: Act) -> None:
        (row,) = self._rows(key)
        if act is Act.COMMENT:
            note = {
                "Incident Number": row["Incident Number"],
                "Work Log Type": "General Information",
                "Description": "Taken",
                "Detailed Description": PERSONS_WORDS,
            }
            self.server.create(WORK_LOG, note, self.person)
            return
        self.server.change(INCIDENT, row["Entry ID"], _ACTS[act], self.person)

    async def delete(self, key: str) -> None:
        (row,) = self._rows(key)
        self.server.delete(BASE, row["Entry ID"])

    async def add_ci(self, name: str, resource_id: str) -> str:
        row = add_ci(self.server, name, AzureResourceId=resource_id.lower())
        return _ci(row["ReconciliationIdentity"])

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        set_ = self.app.faults.set(_FAULTS[fault])
        try:
            yield
        finally:
            self.app.faults.clear(set_.id)

    def _rows(self, key: str) -> list[dict[str, Any]]:
        return [row for row in self.server.entries.rows(BASE) if str(row.get(KEY_FIELD, "")).endswith(key)]

    def _record(self, row: Mapping[str, Any]) -> Record:
        status = self._label(row, "Status")
        return Record(
            number=row["Incident Number"],
            title=row.get("Description") or "",
            description=row.get("Detailed Decription") or "",
            state=_STATES.get(status, ToolState.OPEN),
            on_hold=status == "Pending",
            priority=_PRIORITIES[self._label(row, "Priority")],
            group=row.get("Assigned Group") or "",
            assignee=row.get("Assignee") or "",
            notes=tuple(self._notes(row)),
            cis=tuple(self._cis(row)),
            resolution=row.get("Resolution") or "",
        )

    def _notes(self, row: Mapping[str, Any]) -> Iterator[str]:
        entries = self.server.entries.having(WORK_LOG, "Incident Number", [row["Incident Number"]])
        for entry in sorted(entries, key=lambda entry: str(entry["Work Log ID"])):
            if str(entry.get("Description", "")).startswith(OUR_MARK):
                yield from entry["Detailed Description"].split(BETWEEN_NOTES)

    def _cis(self, row: Mapping[str, Any]) -> Iterator[str]:
        first = row.get("HPD_CI_ReconID")
        if first:
            yield _ci(first)
        relations = self.server.entries.having(ASSOCIATIONS, "Request ID02", [row["Incident Number"]])
        for relation in sorted(relations, key=lambda one: str(one["Associations ID"])):
            if relation["Request ID01"] != first:
                yield _ci(relation["Request ID01"])

    def _label(self, row: Mapping[str, Any], name: str) -> str:
        return self.server.forms[BASE].by_name[name].label(row[name])


def _ci(identity: str) -> str:
    return f"BMC_ComputerSystem:{identity}"


@asynccontextmanager
async def running(folder: Path, clock: MovedClock | None = None, **settings: Any) -> AsyncIterator[BmcHelixTool]:
    """Serve a sandbox with its tool for as long as the block lasts."""
    password = folder / "password"
    password.write_text(PASSWORD, encoding="utf-8")
    async with serving() as (app, url):
        tool = BmcHelixTool(app, url, password, clock, **settings)
        yield tool
        await tool.connector.close()
        await tool.other_connector.close()
