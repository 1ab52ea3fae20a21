"""The sandbox's Event Management as the connector suite looks into it: events go in, alerts are looked at."""

from collections.abc import Mapping, Sequence

from tests.conformance.connector_suite_tool import PERSON, PERSONS_WORDS, Ability, Act, Fault, Record
from tests.conformance.servicenow_tool import PERSONS_NAME, ServiceNowTool

from secure_export.itsm.servicenow.events.event import RESOLUTION, info_of, notes_of
from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User
from secure_export.workitems.work_item import ToolState

_ACTS: Mapping[Act, Mapping[str, str]] = {
    Act.COMMENT: {"work_notes": PERSONS_WORDS},
    Act.LOWER_PRIORITY: {"severity": "4"},
    Act.RESOLVE: {"state": "Closed"},
    Act.REOPEN: {"state": "Reopen", "close_time": ""},
}


class ServiceNowEventsTool(ServiceNowTool):
    """Alerts of Event Management; their severity is what other tools call priority."""

    faults = ServiceNowTool.faults - {Fault.RESOLVE_IGNORED, Fault.REOPEN_IGNORED}
    lacks: Mapping[Ability, str] = {
        Ability.GROUP: "an event has no field for a group: rules of the instance give alerts to people",
        Ability.HOLD: "an alert has no state on hold",
        Ability.CLOSE: "an alert is open or closed, and a new event opens a closed one again",
        Ability.SEVERAL_CIS: "an alert has one CI",
        Ability.RESOLUTION: "an alert has no field in which people say how it ended",
    }
    table = "em_alert"
    acts = _ACTS
    states: Mapping[str, ToolState] = {"Closed": ToolState.RESOLVED}

    async def records(self, key: str) -> Sequence[Record]:
        return [self._record(row) for row in self._rows(key)]

    def row(self, key: str) -> Row:
        (row,) = self._rows(key)
        return row

    def events(self, key: str) -> list[Row]:
        """Give the events of a work item, oldest first."""
        return [row for row in self.instance.tables.rows("em_event") if row.get("message_key", "").endswith(key)]

    def _rows(self, key: str) -> list[Row]:
        return [row for row in self.instance.tables.rows(self.table) if row.get("message_key", "").endswith(key)]

    def _record(self, row: Row) -> Record:
        info = info_of(row.get("additional_info", ""))
        title, _, description = row.get("description", "").partition("\n\n")
        return Record(
            number=row["number"],
            title=title,
            description=description,
            state=self.states.get(row["state"], ToolState.OPEN),
            on_hold=False,
            priority=int(row.get("severity") or 0),
            group=self._name("sys_user_group", row.get("assignment_group", "")),
            assignee=self._name("sys_user", row.get("assigned_to", "")),
            notes=notes_of(info),
            cis=(row["cmdb_ci"],) if row.get("cmdb_ci") else (),
            resolution=info.get(RESOLUTION, ""),
        )

    def _person(self) -> User:
        roles = frozenset({"itil", "evt_mgmt_operator"})
        person = set_account(self.instance, Account(PERSONS_NAME, None, roles, {"name": PERSON}))
        assert person is not None
        return person
