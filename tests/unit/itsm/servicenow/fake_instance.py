"""A Table API in memory that misbehaves as a test wants; below ``TableApi``, in place of the network."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.unit.itsm.scripted import NOW, AlwaysIn

from secure_export.itsm.answer import Answer
from secure_export.itsm.http_errors import AnswerLost
from secure_export.itsm.servicenow.api.table_api import TableApi
from secure_export.itsm.servicenow.settings import ServiceNowSettings
from secure_export.itsm.servicenow.tasks.task_records import TaskRecords
from secure_export.itsm.servicenow.tools import Tools, tools
from secure_export.workitems.work_item import (
    Binding,
    Confirmed,
    Content,
    Desired,
    Note,
    State,
    ToolState,
    WorkItem,
)

US = "azure.integration"
PERSON = "ada"
CONNECTION = "prod"
POLICY = "Data Policy Exception: The following fields are mandatory: Resolution code"
CHOICES = {
    ("incident", "close_code"): ("Solution provided", "Workaround provided", "Duplicate"),
    ("incident", "state"): ("1", "2", "3", "6", "7", "8"),
}
_TIME = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    table: str
    sys_id: str
    query: Mapping[str, str]
    body: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{self.method} {self.table}"


Trouble = Callable[[Asked], Answer | None]


@dataclass
class FakeInstance:
    """Rows by table and sys_id, and how the instance misbehaves.

    Attributes:
        before: Answers in place of the instance, which does nothing then.
        after: Answers in place of the instance, which has done it.
        ignored: Fields whose terms in queries are passed over.
        no_rows_for: Fields whose terms make a query find nothing.
        hidden: Rows that are counted and not shown.
        unwritable: Fields that are passed over when they are written.
        no_total: Whether ``X-Total-Count`` is missing.
        rows_made_with: What business rules set on insert.
        resolve_ignored: Whether a business rule puts the state back.
        takes_seconds: How long each request takes.
    """

    rows: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    journal: list[tuple[str, str]] = field(default_factory=list)
    now: datetime = NOW
    before: list[Trouble] = field(default_factory=list)
    after: list[Trouble] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)
    no_rows_for: set[str] = field(default_factory=set)
    hidden: Callable[[Mapping[str, str]], bool] = lambda _: False
    unwritable: set[str] = field(default_factory=set)
    no_total: bool = False
    rows_made_with: dict[str, str] = field(default_factory=dict)
    resolve_ignored: bool = False
    takes_seconds: float = 0.0

    def __post_init__(self) -> None:
        for (table, column), values in CHOICES.items():
            for value in values:
                self.put_choice(table, column, value, value)
        self.put("sys_user_group", name="Linux", active="true")

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as Http has it
    ) -> Answer:
        table, _, sys_id = path.removeprefix("/api/now/table/").partition("/")
        asked = Asked(str(method), table, sys_id, query or {}, json or {})
        self.asked.append(asked)
        await asyncio.sleep(self.takes_seconds)
        for trouble in self.before:
            if (told := trouble(asked)) is not None:
                return told
        answer = self._answer(asked)
        for trouble in self.after:
            if (told := trouble(asked)) is not None:
                return told
        return answer

    def put(self, table: str, sys_id: str = "", **values: str) -> dict[str, str]:
        """Put a row there, as a person does."""
        there = self.rows.setdefault(table, {})
        row = {"sys_id": sys_id or f"{len(there):032x}", **values}
        there[row["sys_id"]] = row
        return row

    def put_choice(self, table: str, column: str, value: str, label: str) -> None:
        """Make a value of a choice field."""
        self.put("sys_choice", name=table, element=column, value=value, label=label, inactive="false", language="en")

    def only(self, table: str = "incident") -> dict[str, str]:
        (row,) = self.rows.get(table, {}).values()
        return row

    def person(self, row: dict[str, str], **values: str) -> None:
        """Change a row as a person."""
        self._write(row, values, PERSON)

    def calls(self, *names: str) -> list[str]:
        """Which requests came, those to other tables than these left out."""
        return [asked.name for asked in self.asked if not names or asked.table in names]

    def _answer(self, asked: Asked) -> Answer:
        if asked.method == "POST":
            return self._insert(asked)
        there = self.rows.get(asked.table, {})
        if asked.method == "GET" and not asked.sys_id:
            return self._list(asked, there)
        row = there.get(asked.sys_id)
        if row is None or self.hidden(row):
            return failure(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
        if asked.method == "PATCH":
            wanted = dict(asked.body)
            if asked.table == "incident" and (refused := self._policy(row, wanted)) is not None:
                return refused
            if self.resolve_ignored:
                wanted.pop("state", None)
            self._write(row, wanted, US)
        return good(200, self._shown(asked, row), self.now)

    def _policy(self, row: Mapping[str, str], wanted: dict[str, str]) -> Answer | None:
        choices = [r["value"] for r in self.rows["sys_choice"].values() if r["element"] == "close_code"]
        if wanted.get("close_code") and wanted["close_code"] not in choices:
            wanted["close_code"] = ""
        after = {**row, **wanted}
        if after.get("state") in {"6", "7"} and not after.get("close_code"):
            return failure(403, "Operation Failed", POLICY)
        return None

    def _insert(self, asked: Asked) -> Answer:
        there = self.rows.setdefault(asked.table, {})
        wanted = {name: value for name, value in asked.body.items() if name not in self.unwritable}
        sys_id = wanted.get("sys_id") or f"{len(self.asked):032x}"
        if sys_id in there:
            return failure(403, "Operation Failed", "Unique Key violation detected by database (Duplicate entry)")
        stamp = self.now.strftime(_TIME)
        row = {
            "sys_id": sys_id,
            "number": f"INC{len(there) + 1:07d}",
            "state": "1",
            "active": "true",
            "cmdb_ci": "",
            "sys_created_on": stamp,
            "sys_created_by": US,
            "sys_mod_count": "-1",
        }
        there[sys_id] = row
        self._write(row, wanted, US)
        row.update(self.rows_made_with)
        return good(201, self._shown(asked, row), self.now)

    def _write(self, row: dict[str, str], wanted: Mapping[str, str], by: str) -> None:
        for name, value in wanted.items():
            if name == "work_notes":
                self.journal.append((row["sys_id"], value))
            elif name not in self.unwritable:
                row[name] = value
        if wanted.get("state") == "6":
            row["resolved_at"] = self.now.strftime(_TIME)
        row["sys_updated_on"] = self.now.strftime(_TIME)
        row["sys_updated_by"] = by
        row["sys_mod_count"] = str(int(row.get("sys_mod_count", "-1")) + 1)

    def _list(self, asked: Asked, there: Mapping[str, dict[str, str]]) -> Answer:
        found = [row for row in there.values() if self._matches(row, asked.query["sysparm_query"])]
        if "ORDERBYsys_updated_on" in asked.query["sysparm_query"]:
            found.sort(key=lambda row: (row.get("sys_updated_on", ""), row["sys_id"]))
        offset, limit = int(asked.query.get("sysparm_offset", "0")), int(asked.query["sysparm_limit"])
        page = [row for row in found[offset : offset + limit] if not self.hidden(row)]
        headers = {} if self.no_total else {"x-total-count": str(len(found))}
        return good(200, [self._shown(asked, row) for row in page], self.now, headers)

    def _matches(self, row: Mapping[str, str], query: str) -> bool:
        return all(
            any(self._term(row, one) for one in term.split("\0"))
            for term in query.replace("^OR", "\0").replace("\0DERBY", "^ORDERBY").split("^")
        )

    def _term(self, row: Mapping[str, str], term: str) -> bool:
        if term.startswith("ORDERBY"):
            return True
        for operator in (">=", "!=", "=", "STARTSWITH", "IN"):
            name, found, value = term.partition(operator)
            if found and name.replace("_", "").replace(".", "").islower():
                if name in self.no_rows_for:
                    return False
                return name in self.ignored or _holds(row.get(name, ""), operator, value)
        raise AssertionError(f"the fake does not know {term!r}")

    def _shown(self, asked: Asked, row: Mapping[str, str]) -> dict[str, Any]:
        fields = [name for name in asked.query["sysparm_fields"].split(",") if name in row]
        if asked.query.get("sysparm_display_value") == "all":
            return {name: {"value": row[name], "display_value": row[name]} for name in fields}
        return {name: row[name] for name in fields}


def _holds(there: str, operator: str, value: str) -> bool:
    return {
        "=": there.lower() == value.lower(),
        "!=": there != value,
        ">=": there >= value,
        "IN": there.lower() in value.lower().split(","),
        "STARTSWITH": there.startswith(value),
    }[operator]


def good(status: int, result: Any, now: datetime = NOW, headers: Mapping[str, str] | None = None) -> Answer:
    date = format_datetime(now, usegmt=True)
    body = json.dumps({"result": result}).encode()
    return Answer(status, {"content-type": "application/json", "date": date, **(headers or {})}, body)


def failure(status: int, message: str, detail: str = "") -> Answer:
    body = json.dumps({"error": {"message": message, "detail": detail}, "status": "failure"}).encode()
    return Answer(status, {"content-type": "application/json"}, body)


def once(name: str, told: Callable[[], Answer]) -> Trouble:
    """Make trouble for the first request of a name, such as ``POST incident``."""
    left = [True]

    def trouble(asked: Asked) -> Answer | None:
        if asked.name != name or not left:
            return None
        left.clear()
        return told()

    return trouble


def lost() -> Answer:
    raise AnswerLost("the connection broke")


@dataclass
class World:
    """An instance with the records of one connection, and clocks that tests move."""

    instance: FakeInstance
    tools: Tools
    tasks: TaskRecords

    def later(self, **by: float) -> None:
        self.instance.now += timedelta(**by)


def made_settings(**more: Any) -> ServiceNowSettings:
    basic = {"url": "https://acme.example", "username": US, "password": {"env": "SNOW_PASSWORD"}}
    return ServiceNowSettings.model_validate({**basic, **more})


def world(instance: FakeInstance | None = None, **settings: Any) -> World:
    """Make a connection to an instance, as one process has it."""
    there = instance or FakeInstance()

    def clock() -> datetime:
        return there.now

    api = TableApi(there, AlwaysIn(), clock=clock)
    shared = tools(CONNECTION, made_settings(**settings), api, clock=clock, monotonic=lambda: clock().timestamp())
    return World(there, shared, TaskRecords(shared))


def work_item(
    correlation_key: str = "alert-1",
    *,
    revision: int = 1,
    state: State = State.OPEN,
    notes: tuple[str, ...] = (),
    cis: tuple[str, ...] = (),
    fields: Mapping[str, str] | None = None,
    group: str | None = None,
    confirmed: Confirmed | None = None,
    work_item: str = "incident",
    doubt: bool = False,
) -> WorkItem:
    """Make a work item whose notes lead up to its revision."""
    content = Content(
        title="CPU of vm-web-1 is high",
        description="Percentage CPU is 93.",
        impact=2,
        urgency=1,
        priority=2,
        work_item=work_item,
        assignment_group=group,
        fields=fields or {},
        bindings=tuple(Binding(ci, ci, "resource-id", "it has the id") for ci in cis),
    )
    first = revision + 1
    desired = Desired(
        state=state,
        content=content,
        revision=revision + len(notes),
        notes=tuple(Note(first + place, text) for place, text in enumerate(notes)),
        resolution="Azure Monitor says it is over" if state is State.RESOLVED else "",
    )
    return WorkItem(
        id="item", connection=CONNECTION, correlation_key=correlation_key, generation=1, desired=desired,
        confirmed=confirmed, created_at=NOW, doubt=doubt,
    )  # fmt: skip


def known(ref: str, revision: int = 1) -> Confirmed:
    return Confirmed(ref, "INC0000001", "", ToolState.OPEN, revision, NOW)
