"""BMC Helix' sandbox as a tool under fault."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from tests.faults.tool_faults.adapter import Ability, Deed, Found, Trouble

from secure_export.itsm.bmc_helix.bmc_helix_connector import BmcHelixConnector
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.contract import Connector
from secure_export.itsm.record_keys import PREFIX
from secure_export.itsm.resources import Resources
from secure_export.sandbox.bmc_helix.app import BmcHelixApp, bmc_helix_app
from secure_export.sandbox.bmc_helix.cis import add_ci, retire_ci
from secure_export.sandbox.bmc_helix.demo_data import COMPANY, INTEGRATION_USER
from secure_export.sandbox.bmc_helix.entries import Copy
from secure_export.sandbox.bmc_helix.faults import Fault, FaultKind, Shape
from secure_export.sandbox.bmc_helix.forms.options import RESOLVED
from secure_export.sandbox.bmc_helix.foundation import add_person
from secure_export.sandbox.bmc_helix.people import PASSWORD
from secure_export.sandbox.bmc_helix.person import Person
from secure_export.sandbox.bmc_helix.run import serving
from secure_export.sandbox.bmc_helix.server import ArServer
from secure_export.sandbox.clock import Clock
from secure_export.workitems.work_item import ToolState

_INTERFACE = "HPD:IncidentInterface"
_BASE = "HPD:Help Desk"
_WORK_LOG = "HPD:WorkLog"
_API = "/api/arsys/*"
_MADE_TWICE = "Made twice for the same alert"
_BETWEEN_NOTES = "\n\n---\n\n"
_STATES = {"Resolved": ToolState.RESOLVED, "Closed": ToolState.CLOSED, "Cancelled": ToolState.CLOSED}
_PERSON = "Ada Lovelace"
_REASONS = ("Automated Resolution Reported", "No Further Action Required")
_KINDS: Mapping[Trouble, tuple[FaultKind, dict[str, Any]]] = {
    Trouble.ANSWER_LOST: (FaultKind.RESET_AFTER, {}),
    Trouble.REQUEST_LOST: (FaultKind.RESET_BEFORE, {}),
    Trouble.ERROR_AFTER: (FaultKind.ERROR_AFTER, {"status": 500}),
    Trouble.ERROR_BEFORE: (FaultKind.ERROR_BEFORE, {"status": 500}),
    Trouble.GARBAGE: (FaultKind.GARBAGE, {}),
    Trouble.CUT: (FaultKind.CUT, {}),
    Trouble.ACCEPTED: (FaultKind.ACCEPTED, {}),
    Trouble.BUSY: (FaultKind.TOO_MANY, {"seconds": 30.0}),
    Trouble.BUSY_SILENT: (FaultKind.OTHER_SESSION, {}),
    Trouble.UNAVAILABLE: (FaultKind.ERROR_BEFORE, {"status": 503, "shape": Shape.HTML}),
    Trouble.ABORTED: (FaultKind.REFUSED, {}),
    Trouble.RESOLVE_IGNORED: (FaultKind.RESOLVE_IGNORED, {}),
}


class BmcHelixTool:
    """Incidents; see ``adapter.ToolUnderFault``."""

    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)
    troubles: ClassVar[frozenset[Trouble]] = frozenset(Trouble)
    deeds: ClassVar[frozenset[Deed]] = frozenset(Deed)
    concurrency: ClassVar[int] = 4
    work_item: ClassVar[str] = "incident"

    def __init__(self, app: BmcHelixApp, url: str, clock: Callable[[], datetime], folder: Path) -> None:
        self._app = app
        self._server = app.server
        self._url = url
        self._clock = clock
        self._began = clock()
        self._password = folder / "password"
        self._password.write_text(PASSWORD)
        self._faults: list[Fault] = []
        person = self._server.accounts.get("ada.lovelace")
        assert person is not None
        self._person = person

    async def connector(self, name: str) -> Connector:
        settings = BmcHelixSettings.model_validate(
            {
                "url": self._url,
                "username": INTEGRATION_USER,
                "password": {"file": str(self._password)},
                "company": COMPANY,
                "support_group": {"group": "Service Desk"},
                "assignee": {"name": "Azure Operations", "login_id": "azure.operations"},
                "cmdb": {
                    "ci_lookup": [
                        {"class": "BMC_BaseElement", "attribute": "AzureResourceId", "source": "resource_id"},
                        {"class": "BMC_ComputerSystem", "attribute": "Name", "source": "name"},
                    ]
                },
            }
        )
        resources = Resources(desk=None, clock=self._clock)  # type: ignore[arg-type] # no desk here
        connector = BmcHelixConnector(name, settings, resources)
        for part in _parts(connector, set()):
            if hasattr(part, "_monotonic"):
                part._monotonic = self._seconds
        return connector

    async def found(self) -> Sequence[Found]:
        rows = [
            row for row in self._server.entries.rows(_BASE) if str(row.get("Vendor Ticket Number")).startswith(PREFIX)
        ]
        return [self._found(row) for row in sorted(rows, key=lambda row: (row["Submit Date"], row["Incident Number"]))]

    def next_writes(self, trouble: Trouble, times: int = 1) -> None:
        self._meet(trouble, times, methods=frozenset({"POST", "PUT"}), path=_API)

    def next_reads(self, trouble: Trouble, times: int = 1) -> None:
        self._meet(trouble, times, methods=frozenset({"GET"}), form=_INTERFACE)

    def all_calls(self, trouble: Trouble) -> None:
        self._meet(trouble, None)

    def cmdb_meets(self, trouble: Trouble) -> None:
        self._meet(trouble, None, path="/api/cmdb/*")

    def slow_write(self, seconds: float) -> None:
        self._set(Fault(FaultKind.DELAY, seconds=seconds, methods=frozenset({"POST", "PUT"}), path=_API))

    def calm(self) -> None:
        for fault in self._faults:
            self._app.faults.clear(fault.id)

    def met(self) -> int:
        return sum(self._app.faults.met(fault.id) for fault in self._faults)

    async def act(self, number: str, deed: Deed) -> None:
        (row,) = self._server.entries.having(_BASE, "Incident Number", [number])
        ended = {"Assignee": _PERSON, "Resolution": "Restarted by hand"}
        match deed:
            case Deed.RESOLVE:
                values = {**ended, "Status": "Resolved", "Status_Reason": self._reason()}
            case Deed.CLOSE:
                values = {**ended, "Status": "Closed"}
            case Deed.REOPEN:
                values = {"Status": "In Progress"}
            case Deed.MERGE:
                Person(self._server).merge(number)
                return
            case _:
                self._server.delete(_BASE, row["Entry ID"])
                return
        self._server.change(_INTERFACE, row["Entry ID"], values, self._person)

    async def revoke_tokens(self) -> None:
        self._app.tokens.revoke()

    async def take_resolve_value(self) -> None:
        reasons = self._server.reasons[RESOLVED]
        used = self._reason()
        reasons.discard(used)
        reasons.add(next(reason for reason in _REASONS if reason != used))

    async def hide(self) -> None:
        self._sees(frozenset())

    async def show(self) -> None:
        self._sees(None)

    async def add_ci(self, name: str, resource_id: str) -> str:
        row = add_ci(self._server, name, AzureResourceId=resource_id.lower(), Company=COMPANY)
        return f"BMC_ComputerSystem:{row['ReconciliationIdentity']}"

    async def retire_ci(self, key: str) -> None:
        retire_ci(self._server, key.partition(":")[2])

    async def copied(self) -> object:
        return self._server.copied()

    async def put_back(self, copy: object) -> None:
        assert isinstance(copy, Copy)
        self._server.put_back(copy)

    def _seconds(self) -> float:
        return (self._clock() - self._began).total_seconds()

    def _meet(self, trouble: Trouble, times: int | None, **whom: Any) -> None:
        kind, more = _KINDS[trouble]
        self._set(Fault(kind, times=times, **whom, **more))

    def _set(self, fault: Fault) -> None:
        self._faults.append(self._app.faults.set(fault))

    def _sees(self, companies: frozenset[str] | None) -> None:
        account = self._server.accounts.get(INTEGRATION_USER)
        assert account is not None
        self._server.accounts.set(replace(account, companies=companies))

    def _reason(self) -> str:
        return next(reason for reason in _REASONS if reason in self._server.reasons[RESOLVED])

    def _found(self, row: Mapping[str, Any]) -> Found:
        notes = self._server.entries.having(_WORK_LOG, "Incident Number", [row["Incident Number"]])
        ours = [one for one in notes if one["Work Log Submitter"] == INTEGRATION_USER]
        texts = [one["Detailed Description"] for one in sorted(ours, key=lambda one: str(one["Work Log ID"]))]
        status = self._server.forms[_BASE].by_name["Status"].label(row["Status"])
        return Found(
            number=row["Incident Number"],
            title=row["Description"],
            state=_STATES.get(status, ToolState.OPEN),
            aside=any(_MADE_TWICE in text for text in texts),
            notes=tuple(note for text in texts for note in text.split(_BETWEEN_NOTES)),
            resolution=row.get("Resolution") or "",
        )


@asynccontextmanager
async def open_bmc_helix(clock: Callable[[], datetime], folder: Path) -> AsyncIterator[BmcHelixTool]:
    """Serve a server of its own for as long as the block lasts."""
    server = ArServer(clock=Clock(clock))
    add_person(
        server, "Azure", "Operations", company=COMPANY, login="azure.operations", groups=("Service Desk", "Linux")
    )
    async with serving(bmc_helix_app(server)) as (app, url):
        yield BmcHelixTool(app, url, clock, folder)


def _parts(one: object, seen: set[int]) -> Iterator[Any]:
    """Give an object of the program, and all that it is made of."""
    if id(one) in seen or not type(one).__module__.startswith("secure_export."):
        return
    seen.add(id(one))
    yield one
    names = [*vars(one)] if hasattr(one, "__dict__") else []
    names += [name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())]
    for name in names:
        with suppress(AttributeError):
            yield from _parts(getattr(one, name), seen)
