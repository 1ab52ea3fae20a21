"""ServiceNow's sandbox as a tool under fault, for incidents and for events."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from tests.faults.tool_faults.adapter import BUSY_SECONDS, Ability, Deed, Found, Trouble

from secure_export.clock import utc_now
from secure_export.itsm.contract import Connector
from secure_export.itsm.resources import Resources
from secure_export.itsm.servicenow.events.event import info_of, notes_of
from secure_export.itsm.servicenow.keys import PREFIX
from secure_export.itsm.servicenow.servicenow_connector import ServiceNowConnector
from secure_export.itsm.servicenow.settings import ServiceNowSettings
from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.acl import Access, AccessRule
from secure_export.sandbox.servicenow.app import ServiceNowApp, servicenow_app
from secure_export.sandbox.servicenow.clock import Clock
from secure_export.sandbox.servicenow.demo_access import (
    CLIENT_ID,
    CLIENT_SECRET,
    INTEGRATION_USER,
    open_doors,
)
from secure_export.sandbox.servicenow.faults import Fault, FaultKind
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.run import serving
from secure_export.sandbox.servicenow.state_file import Snapshot, restore, snapshot
from secure_export.workitems.work_item import ToolState

_BETWEEN_NOTES = "\n\n---\n\n"
_MADE_TWICE = "Made twice for the same alert"
_OPEN = frozenset({"1", "2", "3"})
_COLLEAGUE = "a.colleague"
_GRANT = "glide.oauth.inbound.client.credential.grant_type.enabled"
_CODES = ("Solution provided", "Workaround provided")
_KINDS: dict[Trouble, tuple[FaultKind, dict[str, Any]]] = {
    Trouble.ANSWER_LOST: (FaultKind.RESET_AFTER, {}),
    Trouble.REQUEST_LOST: (FaultKind.RESET_BEFORE, {}),
    Trouble.ERROR_AFTER: (FaultKind.ERROR_AFTER, {"status": 500}),
    Trouble.ERROR_BEFORE: (FaultKind.ERROR_BEFORE, {"status": 500, "html": True}),
    Trouble.GARBAGE: (FaultKind.GARBAGE, {}),
    Trouble.CUT: (FaultKind.CUT, {}),
    Trouble.ACCEPTED: (FaultKind.ACCEPTED, {}),
    Trouble.BUSY: (FaultKind.TOO_MANY, {"seconds": BUSY_SECONDS}),
    Trouble.BUSY_SILENT: (FaultKind.QUEUE_FULL, {}),
    Trouble.UNAVAILABLE: (FaultKind.ERROR_BEFORE, {"status": 503}),
    Trouble.ABORTED: (FaultKind.ABORTED, {}),
    Trouble.RESOLVE_IGNORED: (FaultKind.RESOLVE_IGNORED, {}),
}


@dataclass(frozen=True, slots=True)
class _Door:
    """Where writes and reads of records go.

    Attributes:
        writes: What a fault must match to meet the writes.
        table: Where the records are.
    """

    writes: dict[str, Any]
    table: str


class ServiceNowTool:
    """Incidents; see ``adapter.ToolUnderFault``."""

    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)
    troubles: ClassVar[frozenset[Trouble]] = frozenset(Trouble)
    deeds: ClassVar[frozenset[Deed]] = frozenset(Deed)
    concurrency: ClassVar[int] = 4
    work_item: ClassVar[str] = "incident"
    door: ClassVar[_Door] = _Door({"methods": frozenset({"POST", "PATCH"}), "table": "incident"}, "incident")

    def __init__(self, app: ServiceNowApp, url: str, clock: Callable[[], datetime], folder: Path) -> None:
        self._app = app
        self._instance = app.instance
        self._url = url
        self._clock = clock
        self._began = clock()
        self._secret = folder / "client-secret"
        self._secret.write_text(CLIENT_SECRET)
        self._faults: list[Fault] = []
        self._shown: list[AccessRule] = []

    async def connector(self, name: str) -> Connector:
        settings = ServiceNowSettings.model_validate(
            {
                "url": self._url,
                "oauth": {
                    "grant": "client_credentials",
                    "client_id": CLIENT_ID,
                    "client_secret": {"file": str(self._secret)},
                },
            }
        )
        resources = Resources(desk=None, clock=self._clock)  # type: ignore[arg-type] # no desk here
        connector = ServiceNowConnector(name, settings, resources)
        for part in _parts(connector, set()):
            if hasattr(part, "_monotonic"):
                part._monotonic = self._seconds
        return connector

    def _seconds(self) -> float:
        """Tell the seconds since the beginning by the simulated clock: what a connector keeps grows old by it."""
        return (self._clock() - self._began).total_seconds()

    async def found(self) -> Sequence[Found]:
        rows = [row for row in self._instance.find("incident") if row.get("correlation_id", "").startswith(PREFIX)]
        return [self._incident(row) for row in sorted(rows, key=lambda row: (row["sys_created_on"], row["number"]))]

    def next_writes(self, trouble: Trouble, times: int = 1) -> None:
        self._meet(trouble, times, **self.door.writes)

    def next_reads(self, trouble: Trouble, times: int = 1) -> None:
        self._meet(trouble, times, methods=frozenset({"GET"}), table=self.door.table)

    def all_calls(self, trouble: Trouble) -> None:
        self._meet(trouble, None)

    def cmdb_meets(self, trouble: Trouble) -> None:
        for path in ("/api/now/table/cmdb_*", "/api/now/cmdb/*"):
            self._meet(trouble, None, path=path)

    def slow_write(self, seconds: float) -> None:
        self._set(Fault(FaultKind.DELAY, seconds=seconds, **self.door.writes))

    def calm(self) -> None:
        for fault in self._faults:
            self._app.faults.clear(fault.id)

    def met(self) -> int:
        return sum(self._app.faults.met(fault.id) for fault in self._faults)

    async def act(self, number: str, deed: Deed) -> None:
        instance = self._instance
        row = instance.first("incident", f"number={number}")
        assert row is not None, f"there is no {number}"
        person = instance.user(_COLLEAGUE)
        ended = {"close_code": _active_code(instance), "close_notes": "Restarted by hand"}
        match deed:
            case Deed.RESOLVE:
                instance.update("incident", row["sys_id"], {"state": "6", **ended}, person)
            case Deed.CLOSE:
                instance.update("incident", row["sys_id"], {"state": "7", **ended}, person)
            case Deed.REOPEN:
                instance.update("incident", row["sys_id"], {"state": "2"}, person)
            case Deed.DELETE:
                instance.delete("incident", row["sys_id"], person)
            case Deed.MERGE:
                parent = instance.insert("incident", {"short_description": "The same, told by phone"}, person)
                merged = {"parent_incident": parent["sys_id"], "state": "6", **ended}
                instance.update("incident", row["sys_id"], merged, person)

    async def revoke_tokens(self) -> None:
        self._app.sign_in.oauth.revoke(None)

    async def take_resolve_value(self) -> None:
        instance, used = self._instance, _active_code(self._instance)
        for code in _CODES:
            (row,) = instance.find("sys_choice", f"name=incident^element=close_code^value={code}")
            instance.update("sys_choice", row["sys_id"], {"inactive": "true" if code == used else "false"})

    async def hide(self) -> None:
        if self._shown:
            return
        self._shown = list(self._instance.acl)
        self._instance.acl.remove(self.door.table, Access.READ)
        key = "correlation_id" if self.door.table == "incident" else "message_key"
        self._instance.acl.add(AccessRule(self.door.table, Access.READ, condition=f"{key}ISEMPTY"))

    async def show(self) -> None:
        if self._shown:
            self._instance.acl.replace(self._shown)
            self._shown = []

    async def add_ci(self, name: str, resource_id: str) -> str:
        row = {"name": name, "object_id": resource_id, "install_status": "1", "operational_status": "1"}
        return self._instance.insert("cmdb_ci_vm_instance", row)["sys_id"]

    async def retire_ci(self, key: str) -> None:
        self._instance.update("cmdb_ci_vm_instance", key, {"install_status": "7", "operational_status": "2"})

    async def copied(self) -> object:
        return snapshot(self._instance)

    async def put_back(self, copy: object) -> None:
        assert isinstance(copy, Snapshot)
        restore(self._instance, copy)

    def _meet(self, trouble: Trouble, times: int | None, **whom: Any) -> None:
        kind, more = _KINDS[trouble]
        self._set(Fault(kind, times=times, **whom, **more))

    def _set(self, fault: Fault) -> None:
        self._faults.append(self._app.faults.set(fault))

    def _incident(self, row: dict[str, str]) -> Found:
        state = row["state"]
        texts = [
            entry["value"]
            for entry in self._instance.find("sys_journal_field", f"element_id={row['sys_id']}^element=work_notes")
            if entry["sys_created_by"] == INTEGRATION_USER
        ]
        return Found(
            number=row["number"],
            title=row["short_description"],
            state=ToolState.OPEN if state in _OPEN else ToolState.RESOLVED if state == "6" else ToolState.CLOSED,
            aside=any(_MADE_TWICE in text for text in texts),
            notes=tuple(note for text in texts for note in text.split(_BETWEEN_NOTES)),
            resolution=row.get("close_notes", ""),
        )


class ServiceNowEventsTool(ServiceNowTool):
    """Events and the alerts that they become.

    A person can close an alert and open it again; nothing has to be chosen for that, and nothing is merged. Events are
    not changed by business rules: none aborts them, and none leaves an alert open.
    """

    abilities = frozenset(Ability) - {Ability.RESOLVE_VALUE}
    troubles = frozenset(Trouble) - {Trouble.ABORTED, Trouble.RESOLVE_IGNORED}
    deeds = frozenset({Deed.RESOLVE, Deed.REOPEN, Deed.DELETE})
    work_item = "event"
    door = _Door({"methods": frozenset({"POST"}), "path": "/api/global/em/jsonv2"}, "em_alert")

    async def found(self) -> Sequence[Found]:
        rows = [row for row in self._instance.find("em_alert") if row.get("message_key", "").startswith(PREFIX)]
        return [self._alert(row) for row in sorted(rows, key=lambda row: (row["sys_created_on"], row["number"]))]

    async def act(self, number: str, deed: Deed) -> None:
        instance = self._instance
        row = instance.first("em_alert", f"number={number}")
        assert row is not None, f"there is no {number}"
        person = instance.user(_COLLEAGUE)
        match deed:
            case Deed.REOPEN:
                instance.update("em_alert", row["sys_id"], {"state": "Reopen", "close_time": ""}, person)
            case Deed.DELETE:
                instance.delete("em_alert", row["sys_id"], person)
            case _:
                instance.update("em_alert", row["sys_id"], {"state": "Closed"}, person)

    def _alert(self, row: dict[str, str]) -> Found:
        info = info_of(row.get("additional_info", ""))
        return Found(
            number=row["number"],
            title=row["description"].partition("\n")[0],
            state=ToolState.RESOLVED if row["state"] == "Closed" else ToolState.OPEN,
            notes=notes_of(info),
            resolution=info.get("resolution", ""),
        )


class _Stage:
    """An instance that is used again and again: making one takes longer than most stories.

    Attributes:
        app: The stand-in.
        now: Tells its time.
    """

    def __init__(self) -> None:
        self.now: Callable[[], datetime] = utc_now
        self.app = servicenow_app(Instance(clock=Clock(self._now), demo=False))
        open_doors(self.app)
        set_account(self.app.instance, Account(_COLLEAGUE, roles=frozenset({"admin"})))
        self.app.instance.properties.set(_GRANT, "true")
        self._rows = snapshot(self.app.instance)
        self._access = list(self.app.instance.acl)

    def _now(self) -> datetime:
        return self.now()

    def as_new(self, now: Callable[[], datetime]) -> ServiceNowApp:
        """Put everything back to how it was when it was made."""
        self.now = now
        restore(self.app.instance, self._rows)
        self.app.instance.acl.replace(self._access)
        self.app.faults.clear()
        self.app.sign_in.oauth.revoke(None)
        return self.app


@cache
def _stage() -> _Stage:
    return _Stage()


@asynccontextmanager
async def open_servicenow(
    clock: Callable[[], datetime], folder: Path, kind: type[ServiceNowTool] = ServiceNowTool
) -> AsyncIterator[ServiceNowTool]:
    """Serve an instance with nothing in it for as long as the block lasts; one block at a time."""
    async with serving(_stage().as_new(clock)) as (app, url):
        yield kind(app, url, clock, folder)


def _active_code(instance: Instance) -> str:
    active = instance.choices.active("incident", "close_code")
    return next(code for code in _CODES if code in active)


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
