"""An AR server in memory that misbehaves as a test wants; below ``EntryApi``, in place of the network."""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from tests.unit.itsm.scripted import NOW, AlwaysIn, Clock, answer

from secure_export.itsm.answer import Answer
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi
from secure_export.itsm.bmc_helix.incidents.incident_keeper import Incidents
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.bmc_helix.tools import Tools, tools
from secure_export.itsm.http_errors import AnswerLost
from secure_export.workitems.work_item import Binding, Confirmed, Content, Desired, Note, State, ToolState, WorkItem

US = "azure.integration"
PERSON = "ada"
CONNECTION = "prod"
CREATE, INCIDENT = "HPD:IncidentInterface_Create", "HPD:IncidentInterface"
WORK_LOG, ASSOCIATIONS = "HPD:WorkLog", "HPD:Associations"
KEY = "Vendor Ticket Number"
ASSIGNEE = "The Assignee must be set to move past Assigned."
REASON = "Status_Reason: the value does not go with the status."
_PATH = "/api/arsys/v1/entry/"
_TOKEN = re.compile(r"\s*(?:'([^']*)'|\"((?:[^\"]|\"\")*)\"|(\$NULL\$)|(\d+)|(>=|!=|=|LIKE\b|AND\b|OR\b|\(|\)))")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    form: str
    entry_id: str
    query: Mapping[str, str]
    values: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.form}"


Trouble = Callable[[Asked], Answer | None]


def error(number: int, text: str = "", appended: str | None = None, status: int = 500) -> Answer:
    """Give a refusal as an AR server words it."""
    one = {"messageType": "ERROR", "messageText": text, "messageAppendedText": appended, "messageNumber": number}
    return answer(status, [one])


@dataclass
class FakeAr:
    """Records by form, and how the server misbehaves.

    Attributes:
        before: Answers in place of the server, which does nothing then.
        after: Answers in place of the server, which has done it.
        drops_on_create: Fields that the staging form's workflow does not carry over.
        drops_notes_on_change: Whether work notes that come with a change are lost.
        assignee_needed: Whether nobody can be Resolved without an assignee.
        reasons: The status reasons of Resolved.
        keeps_reason: Whether a reopening is refused while the reason of the end stands.
        no_body: Whether a create answers only where the record is.
        routes_to: The group that assignment rules choose in place of the one that was sent.
        ignores_queries: Whether every query finds everything.
        most: How many records one answer has at most.
        resolve_ignored: Whether a resolve is answered as done and not done.
        shapes: What ``OPTIONS`` of a form answers.
    """

    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    now: datetime = NOW
    before: list[Trouble] = field(default_factory=list)
    after: list[Trouble] = field(default_factory=list)
    drops_on_create: set[str] = field(default_factory=set)
    drops_notes_on_change: bool = False
    assignee_needed: bool = False
    reasons: tuple[str, ...] = ("Automated Resolution Reported", "No Further Action Required")
    keeps_reason: bool = False
    no_body: bool = False
    routes_to: str = ""
    ignores_queries: bool = False
    most: int = 0
    resolve_ignored: bool = False
    shapes: dict[str, Any] = field(default_factory=dict)
    numbers: int = 0

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
        name, _, entry_id = path.removeprefix(_PATH).partition("/")
        asked = Asked(str(method), name, entry_id, query or {}, (json or {}).get("values", {}))
        self.asked.append(asked)
        await asyncio.sleep(0)
        for trouble in self.before:
            if (answer := trouble(asked)) is not None:
                return answer
        answer = self._answer(asked)
        for trouble in self.after:
            if (other := trouble(asked)) is not None:
                return other
        return Answer(answer.status, {**answer.headers, "date": format_datetime(self.now, usegmt=True)}, answer.body)

    def names(self) -> list[str]:
        return [asked.name for asked in self.asked]

    def incidents(self) -> list[dict[str, Any]]:
        return list(self.rows.get(INCIDENT, {}).values())

    def notes(self, number: str = "") -> list[str]:
        rows = self.rows.get(WORK_LOG, {}).values()
        return [row["Detailed Description"] for row in rows if not number or row["Incident Number"] == number]

    def put_incident(self, key: str, *, by: str = US, **values: Any) -> dict[str, Any]:
        """Put an incident there; the number of an incident, its entry and its staging record differ."""
        self.numbers += 1
        entry = f"INC{self.numbers + 500:012d}"
        row = {
            "Request ID": f"{entry}|{entry}",
            "Incident Number": f"INC{self.numbers:012d}",
            "InstanceId": f"AG{self.numbers}",
            "Status": "Assigned",
            "Submitter": by,
            "Submit Date": self.stamp(),
            "Last Modified Date": self.stamp(),
            "Last Modified By": by,
            KEY: key,
            **values,
        }
        self.rows.setdefault(INCIDENT, {})[row["Request ID"]] = row
        return row

    def person_sets(self, row: dict[str, Any], **values: Any) -> None:
        row.update(values, **{"Last Modified By": PERSON, "Last Modified Date": self.stamp()})

    def stamp(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%S.000+0000")

    def _answer(self, asked: Asked) -> Answer:
        match asked.method:
            case "GET" if asked.entry_id:
                return self._one(asked)
            case "GET":
                return self._found(asked)
            case "OPTIONS":
                return answer(200, self.shapes.get(asked.form, {}))
            case "POST" if asked.form == CREATE:
                return self._create(asked)
            case "POST":
                return self._insert(asked)
            case _:
                return self._change(asked)

    def _one(self, asked: Asked) -> Answer:
        row = self.rows.get(asked.form, {}).get(asked.entry_id)
        return error(302, "Entry does not exist", status=404) if row is None else answer(200, {"values": row})

    def _found(self, asked: Asked) -> Answer:
        test = (lambda _: True) if self.ignores_queries else qualified(asked.query["q"])
        rows = [row for row in self.rows.get(asked.form, {}).values() if test(row)]
        if sort := asked.query.get("sort"):
            name, _, way = sort.partition(",")[0].rpartition(".")
            rows.sort(key=lambda row: str(row.get(name)), reverse=way == "desc")
        offset, limit = int(asked.query.get("offset", "0")), int(asked.query["limit"])
        limit = min(limit, self.most or limit)
        page, names = rows[offset : offset + limit], asked.query["fields"][len("values(") : -1].split(",")
        more = {"next": [{"href": "…"}]} if len(rows) > offset + limit else {}
        entries = [{"values": {name: row[name] for name in names if name in row}} for row in page]
        return answer(200, {"entries": entries, "_links": more})

    def _create(self, asked: Asked) -> Answer:
        sent = {name: text for name, text in asked.values.items() if name not in self.drops_on_create}
        kept = {name: text for name, text in sent.items() if not name.startswith("z1D") and name != KEY}
        group = {"Assigned Group": self.routes_to} if self.routes_to else {}
        row = self.put_incident(sent.get(KEY, ""), **{**kept, **group, "Status": "Assigned"})
        if "z1D_Details" in sent:
            self._note(row, sent)
        staging = f"{self.numbers + 900:015d}"
        number = row["Incident Number"]
        self.rows.setdefault(CREATE, {})[staging] = {"Request ID": staging, "Incident Number": number}
        where = f"https://bmc.example/api/arsys/v1/entry/{quote(CREATE)}/{staging}"
        return answer(201, None if self.no_body else {"values": {"Incident Number": number}}, location=where)

    def _insert(self, asked: Asked) -> Answer:
        rows = self.rows.setdefault(asked.form, {})
        entry_id = f"{len(rows) + 1:015d}"
        work_log_id = f"WLG{len(rows) + 1:012d}"
        rows[entry_id] = {**asked.values, "Work Log ID": work_log_id}
        return answer(201, {"values": {"Work Log ID": work_log_id}}, location=f"https://x/HPD:WorkLog/{entry_id}")

    def _change(self, asked: Asked) -> Answer:
        row = self.rows.get(asked.form, {}).get(asked.entry_id)
        if row is None:
            return error(302, "Entry does not exist", status=404)
        values = dict(asked.values)
        if (refusal := self._refusal(row, values)) is not None:
            return refusal
        if self.resolve_ignored and values.get("Status") == "Resolved":
            values = {}
        if "z1D_Details" in values and not self.drops_notes_on_change:
            self._note(row, values)
        row.update({name: text for name, text in values.items() if not name.startswith("z1D")})
        row |= {"Last Modified By": US, "Last Modified Date": self.stamp()}
        if values.get("Status") == "Resolved":
            row["Last Resolved Date"] = self.stamp()
        return answer(204)

    def _refusal(self, row: Mapping[str, Any], values: Mapping[str, Any]) -> Answer | None:
        after = {**row, **values}
        ends = values.get("Status") == "Resolved"
        if row["Status"] in {"Closed", "Cancelled"}:
            return error(1291999, "", "You cannot modify a closed incident.")
        if ends and self.assignee_needed and not after.get("Assignee"):
            return error(1291053, "", ASSIGNEE)
        if ends and after.get("Status_Reason") not in self.reasons:
            return error(306, "Value does not fall within the limits specified for the field", "Status_Reason")
        if self.keeps_reason and values.get("Status") in {"Assigned", "In Progress"} and after.get("Status_Reason"):
            return error(1291054, "", REASON)
        return None

    def _note(self, row: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        rows = self.rows.setdefault(WORK_LOG, {})
        rows[f"{len(rows) + 1:015d}"] = {
            "Work Log ID": f"WLG{len(rows) + 1:012d}",
            "Incident Number": row["Incident Number"],
            "Description": values["z1D_WorklogDetails"],
            "Detailed Description": values["z1D_Details"],
        }


def qualified(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """Read a qualification, as far as this program writes any."""
    tokens, place = [], 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        assert match is not None, f"not a qualification: {text[place:]}"
        tokens.append(match)
        place = match.end()
    rest = iter(tokens)
    words = [_word(one) for one in rest]
    test, end = _either(words, 0)
    assert end == len(words), f"not a whole qualification: {text}"
    return test


def _word(match: re.Match[str]) -> tuple[str, str]:
    name, value, null, number, other = match.groups()
    if name is not None:
        return "field", name
    if value is not None:
        return "text", value.replace('""', '"')
    return ("null", "") if null else ("number", number) if number else ("sign", other)


def _either(words: list[tuple[str, str]], at: int) -> tuple[Callable[[Mapping[str, Any]], bool], int]:
    tests, at = _several(words, at, "OR", _both)
    return (lambda row: any(test(row) for test in tests)), at


def _both(words: list[tuple[str, str]], at: int) -> tuple[Callable[[Mapping[str, Any]], bool], int]:
    tests, at = _several(words, at, "AND", _term)
    return (lambda row: all(test(row) for test in tests)), at


def _several(words: list[tuple[str, str]], at: int, between: str, read: Any) -> tuple[list[Any], int]:
    test, at = read(words, at)
    tests = [test]
    while at < len(words) and words[at] == ("sign", between):
        test, at = read(words, at + 1)
        tests.append(test)
    return tests, at


def _term(words: list[tuple[str, str]], at: int) -> tuple[Callable[[Mapping[str, Any]], bool], int]:
    if words[at] == ("sign", "("):
        inner, at = _either(words, at + 1)
        assert words[at] == ("sign", ")")
        return inner, at + 1
    (kind, name), (_, sign), (what, value) = words[at : at + 3]
    assert kind == "field"

    def test(row: Mapping[str, Any]) -> bool:
        there = row.get(name)
        if what == "null":
            return there in {None, ""}
        if there in {None, ""}:
            return False
        match sign:
            case "=":
                return bool(there == value)
            case "!=":
                return bool(there != value)
            case "LIKE":
                return str(there).startswith(value.removesuffix("%"))
            case _:
                at = datetime.strptime(str(there), "%Y-%m-%dT%H:%M:%S.000%z")
                return at >= datetime.fromtimestamp(int(value), UTC)

    return test, at + 3


def settings(**further: Any) -> BmcHelixSettings:
    """Give settings; what is not said has its default."""
    told = {"url": "https://bmc.example", "username": US, "password": {"env": "BMC_PASSWORD"}, **further}
    return BmcHelixSettings.model_validate(told)


@dataclass
class Bench:
    """A connector's records on a fake server."""

    server: FakeAr
    tools: Tools
    incidents: Incidents
    clock: Clock


def bench(server: FakeAr | None = None, **further: Any) -> Bench:
    """Make one; settings as keywords."""
    server, clock = server or FakeAr(), Clock()
    made = tools(CONNECTION, settings(**further), EntryApi(server, AlwaysIn(), clock=clock), clock=clock)
    return Bench(server, made, Incidents(made), clock)


def work_item(**changes: Any) -> WorkItem:
    """Make a work item: what matters to a test, and defaults for the rest."""
    notes = tuple(Note(place, text) for place, text in enumerate(changes.pop("notes", ()), 2))
    state = changes.pop("state", State.OPEN)
    content = Content(
        title=changes.pop("title", "CPU of vm-web-1 is high"),
        description="Percentage CPU is 93.",
        impact=2,
        urgency=1,
        priority=2,
        work_item=changes.pop("work_item", "incident"),
        assignment_group=changes.pop("group", None),
        bindings=changes.pop("bindings", ()),
        fields=changes.pop("fields", {}),
    )
    desired = Desired(
        state=state,
        content=content,
        revision=changes.pop("revision", 1 + len(notes)),
        notes=notes,
        resolution="Azure Monitor says it is over" if state is State.RESOLVED else "",
    )
    return WorkItem(
        id="1",
        connection=CONNECTION,
        correlation_key=changes.pop("key", "alert-1"),
        generation=1,
        desired=desired,
        confirmed=changes.pop("confirmed", None),
        created_at=NOW,
        **changes,
    )


def bound(name: str, identity: str, class_name: str = "BMC_ComputerSystem") -> Binding:
    """Make a binding that found its CI."""
    return Binding(f"{class_name}:{identity}", name, "resource-id", "found")


def known(row: Mapping[str, Any], revision: int = 1) -> Confirmed:
    """Say what was confirmed of an incident earlier."""
    return Confirmed(row["Request ID"], row["Incident Number"], "", ToolState.OPEN, revision, NOW)


def lost(names: Iterable[str], times: int = 1) -> Trouble:
    """Lose the answers to some requests, given by method and form."""
    left, wanted = [times], set(names)

    def trouble(asked: Asked) -> Answer | None:
        if asked.name not in wanted or not left[0]:
            return None
        left[0] -= 1
        raise AnswerLost("bmc.example closed the connection without an answer")

    return trouble


def instead(name: str, answer: Answer, times: int = 1) -> Trouble:
    """Answer some requests otherwise."""
    left = [times]

    def trouble(asked: Asked) -> Answer | None:
        if asked.name != name or not left[0]:
            return None
        left[0] -= 1
        return answer

    return trouble
