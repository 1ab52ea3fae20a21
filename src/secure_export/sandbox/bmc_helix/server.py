"""The server itself: forms, entries, workflow, users, clock. What every door of the stand-in stands before."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from secure_export.sandbox.bmc_helix.change import Change
from secure_export.sandbox.bmc_helix.entries import Copy, Entries, Row
from secure_export.sandbox.bmc_helix.errors import (
    may_not_write,
    no_access,
    no_entry,
    required,
    required_is_null,
)
from secure_export.sandbox.bmc_helix.forms import options
from secure_export.sandbox.bmc_helix.forms.incident import BASE, INTERFACE, STAGING
from secure_export.sandbox.bmc_helix.forms.model import Field, Form
from secure_export.sandbox.bmc_helix.forms.others import ASSOCIATIONS, CMDB_ASSOCIATIONS, WORK_LOG
from secure_export.sandbox.bmc_helix.forms.shipped import shipped_forms
from secure_export.sandbox.bmc_helix.instance_ids import new_instance_id
from secure_export.sandbox.bmc_helix.matching import Asking, key_values, test_for
from secure_export.sandbox.bmc_helix.people import SYSTEM, Account, Accounts
from secure_export.sandbox.bmc_helix.qualification import parse
from secure_export.sandbox.bmc_helix.site import Site
from secure_export.sandbox.bmc_helix.values import taken
from secure_export.sandbox.bmc_helix.workflow import associations, auto_close, incident, staging, work_log
from secure_export.sandbox.clock import Clock

Filter = Callable[[Change], None]
SERVER_NAME: Final = "sandbox-arserver"
_FIRST_NUMBERS: Final = {BASE: 527, incident.NUMBERS: 430, STAGING: 606, WORK_LOG: 2_437_503}
"""Three counters that look alike and never agree, as recorded (bmc-facts section 0)."""
_CREATORS: Final[dict[str, Callable[[Change], str | None]]] = {
    STAGING: staging.create,
    BASE: incident.refuse_direct_creation,
    INTERFACE: incident.refuse_direct_creation,
    WORK_LOG: work_log.create,
    ASSOCIATIONS: associations.create,
    CMDB_ASSOCIATIONS: associations.create,
}
_CHANGERS: Final[dict[str, Filter]] = {BASE: incident.modify, WORK_LOG: work_log.modify}


class ArServer:
    """A stand-in for an AR System server with ITSM on it.

    Args:
        clock: Its clock.
        site: What is special about it.
        demo: Whether it has people, companies, groups and CIs of the demo from the start.

    Attributes:
        clock: Its clock.
        site: What is special about it.
        forms: Its forms.
        entries: Their entries.
        files: Attachments by table, entry and field.
        accounts: Who may sign in.
        reasons: Which status reasons go with which status, by label.
        filters: Run for every entry that is created or changed, before all other workflow.
        secret: What signs its tokens.
    """

    def __init__(self, *, clock: Clock | None = None, site: Site | None = None, demo: bool = True) -> None:
        self.clock = clock or Clock()
        self.site = site or Site()
        self.forms = shipped_forms()
        self.entries = Entries()
        self.files: dict[tuple[str, str, str], bytes] = {}
        self.accounts = Accounts()
        self.reasons = {status: set(labels) for status, labels in options.REASONS.items()}
        self.filters: list[Filter] = []
        self.secret = secrets.token_bytes(32)
        for form in self.forms:
            self.entries.index(form.store, (form.key, *form.indexed))
        for counter, number in _FIRST_NUMBERS.items():
            self.entries.start(counter, number)
        if demo:
            from secure_export.sandbox.bmc_helix.demo_data import seed  # noqa: PLC0415 - it needs a server

            seed(self)

    @property
    def now(self) -> int:
        """The server's time, in seconds since 1970."""
        return int(self.clock.now().timestamp())

    def create(
        self, form: str, values: Mapping[str, Any], user: Account = SYSTEM, files: Mapping[str, bytes] | None = None
    ) -> str | None:
        """Create an entry.

        Args:
            form: The form's name.
            values: Values as clients send them, by field name or id.
            user: Who does it.
            files: Attachments by field.

        Returns:
            The entry's id; None: the form gives none.

        Raises:
            ArError: It is refused.
        """
        change = self._change(self._to_write(form, user), values, user, None, files)
        for one in self.filters:
            one(change)
        return _CREATORS.get(form, self.create_plain)(change)

    def change(
        self,
        form: str,
        entry_id: str,
        values: Mapping[str, Any],
        user: Account = SYSTEM,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        """Change the fields of an entry that are named; see ``create``."""
        found = self._to_write(form, user)
        change = self._change(found, values, user, self.read(form, entry_id, user), files)
        for one in self.filters:
            one(change)
        self._check_emptied(change)
        _CHANGERS.get(found.store, self.keep)(change)

    def read(self, form: str, entry_id: str, user: Account = SYSTEM) -> Row:
        """Give an entry.

        Raises:
            ArError: There is none, or the user may not see it.
        """
        found = self.readable(form, user)
        row = self.entries.get(found.store, _id_of(found, entry_id))
        if row is None or not self._shows(found, row) or not self._sees(user, found, row):
            raise no_entry(entry_id)
        return row

    def delete(self, form: str, entry_id: str, user: Account = SYSTEM) -> None:
        """Delete an entry; an incident goes with its work info and relations."""
        found = self._to_write(form, user)
        row = self.read(form, entry_id, user)
        self.entries.remove(found.store, row[_key_of(found)])
        if found.store == BASE:
            for table, field in ((WORK_LOG, "Incident Number"), (ASSOCIATIONS, "Request ID02")):
                for other in self.entries.having(table, field, [row["Incident Number"]]):
                    self.entries.remove(table, other[self.forms[table].key])

    def readable(self, name: str, user: Account) -> Form:
        """Give a form that a user may read.

        Raises:
            ArError: There is none of this name, or they may not.
        """
        form = self.forms[name]
        if not user.may_read(name):
            raise no_access(name)
        return form

    def search(
        self, form: str, qualification: str = "", user: Account = SYSTEM, sort: Sequence[tuple[str, bool]] = ()
    ) -> list[Row]:
        """Search a form.

        Args:
            form: The form's name.
            qualification: As in ``q``; empty: all entries.
            user: Who asks.
            sort: Fields to sort by, each with whether it descends; the entry id decides between equals.

        Raises:
            ArError: The form or a field does not exist, or the search cannot be read.
        """
        found = self.readable(form, user)
        rows = self._matching(found, qualification, user)
        rows.sort(key=lambda row: str(row.get(_key_of(found))))
        for name, descends in reversed(sort):
            field = found.field(name).name
            rows.sort(key=lambda row, field=field: _sortable(row.get(field)), reverse=descends)  # type: ignore[misc] # bound now
        return rows

    def add_field(self, forms: Iterable[str], field: Field, *, indexed: bool = False) -> None:
        """Add a field to forms, such as one of the site's own for the key of integrations."""
        for name in forms:
            self.forms.add(name, field, indexed=indexed)
            if indexed:
                self.entries.index(self.forms[name].store, [field.name])

    def copied(self) -> Copy:
        """Copy all entries, and the counters that number them."""
        return self.entries.copied()

    def put_back(self, copy: Copy) -> None:
        """Be as a copy was, as after a restore: numbers that were given since are given again."""
        self.entries.put_back(copy)

    def run_jobs(self) -> int:
        """Run the escalations that are due, such as closing what was resolved long ago.

        Returns:
            How many entries they changed.
        """
        return auto_close.run(self)

    def create_plain(self, change: Change) -> str:
        """Keep a new entry of a form that has no workflow of its own."""
        self.check_required(change)
        form = change.form
        entry_id = self.entries.next_number(form.name, form.prefix)
        change.row |= {
            form.key: entry_id,
            "Submitter": change.user.login,
            "Submit Date": self.now,
            "InstanceId": new_instance_id("AG"),
        }
        self.keep(change)
        return entry_id

    def keep(self, change: Change) -> None:
        """Write an entry with who wrote it and when."""
        change.row |= {"Last Modified By": change.user.login, "Last Modified Date": self.now}
        entry_id = change.row[_key_of(change.form)]
        self.entries.put(change.form.store, entry_id, change.row)
        for name, content in change.files.items():
            self.files[change.form.store, entry_id, name] = content

    def check_required(self, change: Change) -> None:
        """Refuse an entry that lacks a field which its form demands."""
        for field in change.form.fields:
            if field.required and change.row.get(field.name) is None:
                raise required(field.name)

    def moment(self, seconds: int) -> datetime:
        """Give a kept moment as a time in UTC."""
        return datetime.fromtimestamp(seconds, self.clock.now().tzinfo)

    def _change(
        self,
        form: Form,
        values: Mapping[str, Any],
        user: Account,
        before: Row | None,
        files: Mapping[str, bytes] | None,
    ) -> Change:
        fields = {name: form.field(name) for name in values}
        sent = {one.name: taken(one, values[name]) for name, one in fields.items() if not one.system}
        display = {one.name for one in fields.values() if not one.stored}
        change = Change(self, form, user, sent, before, dict(before or {}))
        change.files = dict(files or {})
        for name, value in sent.items():
            if name in display:
                change.display[name] = value
            else:
                change.put(name, value)
        return change

    def _check_emptied(self, change: Change) -> None:
        for field in change.form.fields:
            if field.required and field.name in change.sent and change.sent[field.name] is None:
                raise required_is_null(field.name)

    def _matching(self, form: Form, qualification: str, user: Account) -> list[Row]:
        node = parse(qualification)
        if node is None:
            return [row for row in self.entries.rows(form.store) if self._visible(form, row, user)]
        asking = Asking(form, user.login, self.now, self.site.case_sensitive)
        matches = test_for(node, asking)
        key = key_values(node, form, lambda field: self.entries.indexed(form.store, field))
        rows = self.entries.rows(form.store) if key is None else self.entries.having(form.store, *key)
        return [row for row in rows if matches(row) and self._visible(form, row, user)]

    def _visible(self, form: Form, row: Row, user: Account) -> bool:
        return self._shows(form, row) and self._sees(user, form, row)

    def _shows(self, form: Form, row: Row) -> bool:
        return form.classes is None or row.get("ClassId") in form.classes

    def _sees(self, user: Account, form: Form, row: Row) -> bool:
        if user.companies is None or not form.name.startswith(("HPD:", "CTM:People")):
            return True
        if form.name == WORK_LOG:
            found = self.entries.having(BASE, "Incident Number", [row["Incident Number"]])
            return any(user.sees(one.get("Company")) for one in found)
        return user.sees(row.get("Company"))

    def _to_write(self, name: str, user: Account) -> Form:
        form = self.readable(name, user)
        if not user.may_write(name):
            raise may_not_write(name)
        return form


def _key_of(form: Form) -> str:
    """Give the field with the id that entries are kept under; of an incident that is the entry id."""
    return "Entry ID" if form.store == BASE else form.key


def _id_of(form: Form, entry_id: str) -> str:
    """Give the id that an entry is kept under; of joined entries ``<id>|<id>`` and ``<id>`` are one."""
    first, bar, second = entry_id.partition("|")
    if form.joined and bar and first == second:
        return first
    return entry_id


def _sortable(value: Any) -> tuple[int, Any]:
    """Sort what is empty first, numbers before texts."""
    if value is None:
        return (0, 0)
    return (1, value) if isinstance(value, (int, float)) else (2, str(value))
