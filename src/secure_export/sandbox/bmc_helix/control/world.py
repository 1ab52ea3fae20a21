"""The server itself: its site, forms, accounts, people, CIs, and incidents as people treat them; copies and jobs."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from secure_export.sandbox.bmc_helix import looking
from secure_export.sandbox.bmc_helix.cis import add_ci, retire_ci
from secure_export.sandbox.bmc_helix.demo_data import COMPANY, PERSON_ROLES
from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.errors import no_entry
from secure_export.sandbox.bmc_helix.forms.cmdb import GOLDEN
from secure_export.sandbox.bmc_helix.forms.model import Field, Option
from secure_export.sandbox.bmc_helix.forms.options import STATUS
from secure_export.sandbox.bmc_helix.foundation import add_company, add_group, add_person
from secure_export.sandbox.bmc_helix.people import PASSWORD, Account
from secure_export.sandbox.bmc_helix.person import Person
from secure_export.sandbox.bmc_helix.station import Station
from secure_export.sandbox.control.orders import BadOrderError, plain, read


@dataclass(frozen=True)
class _FieldOrder:
    forms: tuple[str, ...]
    name: str
    required: bool | None = None
    limit: int | None = None
    labels: tuple[str, ...] | None = None
    indexed: bool = False


@dataclass(frozen=True)
class _ReasonsOrder:
    status: str
    labels: frozenset[str]


@dataclass(frozen=True)
class _AccountOrder:
    login: str
    password: str = PASSWORD
    roles: frozenset[str] = PERSON_ROLES
    companies: frozenset[str] | None = None
    parallel_allowed: bool = False


@dataclass(frozen=True)
class _PersonOrder:
    first: str
    last: str
    company: str = COMPANY
    login: str | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class _GroupOrder:
    name: str
    company: str = COMPANY
    organization: str = "IT Support"


@dataclass(frozen=True)
class _NameOrder:
    name: str = "default"


@dataclass(frozen=True)
class _CiOrder:
    name: str
    ci_class: str = "BMC_ComputerSystem"
    dataset: str = GOLDEN
    reconciled: bool = True
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _OpenOrder:
    summary: str
    person: str = "ada.lovelace"
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _ActOrder:
    person: str = "ada.lovelace"
    text: str = ""
    login: str | None = None
    values: dict[str, Any] = field(default_factory=dict)


class WorldDoors:
    """One method a door.

    Args:
        station: What is changed.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self._server = station.server

    def set_field(self, _: Request, body: bytes) -> dict[str, Any]:
        """Add a field to forms, or change one: whether it is required, its limit, the labels of its selection."""
        order = read(body, _FieldOrder)
        for form in order.forms:
            if order.name not in self._server.forms[form].by_name:
                self._server.add_field([form], Field(order.name, limit=255), indexed=order.indexed)
            changes: dict[str, Any] = {"required": order.required, "limit": order.limit}
            if order.labels is not None:
                changes["options"] = _options(self._server.forms[form].field(order.name), order.labels)
            told = {name: value for name, value in changes.items() if value is not None}
            self._server.forms.change(form, order.name, **told)
        return dict(plain(order))

    def reasons(self, *_: object) -> dict[str, list[str]]:
        """Tell which status reasons go with which status."""
        labels = {one.id: one.label for one in STATUS}
        return {labels[status]: sorted(reasons) for status, reasons in self._server.reasons.items()}

    def set_reasons(self, _: Request, body: bytes) -> dict[str, list[str]]:
        """Say which status reasons go with a status."""
        order = read(body, _ReasonsOrder)
        status = next((one.id for one in STATUS if one.label == order.status), None)
        if status is None:
            raise BadOrderError(f"There is no status {order.status!r}.")
        self._server.reasons[status] = set(order.labels)
        return self.reasons()

    def accounts(self, *_: object) -> list[dict[str, Any]]:
        """Tell who may sign in."""
        return [dict(plain(account)) for account in self._server.accounts]

    def set_account(self, _: Request, body: bytes) -> dict[str, Any]:
        """Make an account, or put another in its place."""
        order = read(body, _AccountOrder)
        account = Account(order.login, order.password, order.roles, order.companies, order.parallel_allowed)
        return dict(plain(self._server.accounts.set(account)))

    def add_person(self, _: Request, body: bytes) -> Row:
        """Add a person; a second one of the same name makes a customer ambiguous."""
        order = read(body, _PersonOrder)
        return add_person(
            self._server, order.first, order.last, company=order.company, login=order.login, groups=order.groups
        )

    def add_group(self, _: Request, body: bytes) -> Row:
        """Add a support group."""
        order = read(body, _GroupOrder)
        return add_group(self._server, order.name, company=order.company, organization=order.organization)

    def add_company(self, _: Request, body: bytes) -> Row:
        """Add a company."""
        return add_company(self._server, read(body, _NameOrder).name)

    def cis(self, *_: object) -> list[dict[str, Any]]:
        """Tell all CIs."""
        return [_filled(one) for one in looking.cis(self._server)]

    def add_ci(self, _: Request, body: bytes) -> Row:
        """Put a CI into the CMDB."""
        order = read(body, _CiOrder)
        return add_ci(
            self._server,
            order.name,
            ci_class=order.ci_class,
            dataset=order.dataset,
            reconciled=order.reconciled,
            **order.attributes,
        )

    def retire_ci(self, request: Request, _: bytes) -> dict[str, str]:
        """Mark the CIs with a reconciliation identity as deleted."""
        identity = request.path_params["identity"]
        retire_ci(self._server, identity)
        return {"retired": identity}

    def incidents(self, *_: object) -> list[dict[str, Any]]:
        """Tell all incidents, oldest first, without what is empty."""
        return [_filled(one) for one in looking.incidents(self._server)]

    def incident(self, request: Request, _: bytes) -> dict[str, Any]:
        """Tell one incident with its work info and its relations."""
        number = request.path_params["number"]
        found = looking.incident(self._server, number)
        if found is None:
            raise no_entry(number)
        return {
            "values": _filled(found),
            "work_info": [_filled(one) for one in looking.work_info(self._server, number)],
            "relations": [_filled(one) for one in looking.relations(self._server, number)],
        }

    def open_incident(self, _: Request, body: bytes) -> dict[str, str]:
        """Open an incident as somebody."""
        order = read(body, _OpenOrder)
        return {"number": Person(self._server, order.person).open(order.summary, **order.values)}

    def delete_incident(self, request: Request, _: bytes) -> dict[str, str]:
        """Delete an incident."""
        number = request.path_params["number"]
        Person(self._server).delete(number)
        return {"deleted": number}

    def act(self, request: Request, body: bytes) -> dict[str, Any]:
        """Do what a person does with an incident: the act is in the path."""
        number, name = request.path_params["number"], request.path_params["act"]
        order = read(body, _ActOrder)
        person = Person(self._server, order.person)
        acts: dict[str, Callable[[], object]] = {
            "comment": lambda: person.comment(number, order.text),
            "assign": lambda: person.assign(number, order.login),
            "start": lambda: person.start(number),
            "hold": lambda: person.hold(number),
            "resolve": lambda: person.resolve(number, *([order.text] if order.text else [])),
            "reopen": lambda: person.reopen(number),
            "close": lambda: person.close(number),
            "cancel": lambda: person.cancel(number),
            "merge": lambda: person.merge(number),
            "change": lambda: person.change(number, order.values),
        }
        if name not in acts:
            raise BadOrderError(f"Unknown: {name}. Known are: {', '.join(acts)}.")
        acts[name]()
        return self.incident(request, b"")

    def copy(self, _: Request, body: bytes) -> dict[str, Any]:
        """Copy all entries."""
        self._station.copies[read(body, _NameOrder).name] = self._server.copied()
        return {"copies": sorted(self._station.copies)}

    def restore(self, _: Request, body: bytes) -> dict[str, str]:
        """Be as a copy was."""
        name = read(body, _NameOrder).name
        if name not in self._station.copies:
            raise BadOrderError(f"There is no copy {name!r}. Make one by POST /control/copy.")
        self._server.put_back(self._station.copies[name])
        return {"restored": name}

    def jobs(self, *_: object) -> dict[str, int]:
        """Run escalations now, such as the one that closes resolved incidents."""
        return {"changed": self._server.run_jobs()}


def _options(old: Field, labels: tuple[str, ...]) -> tuple[Option, ...]:
    """Number the labels of a selection: those that it has keep theirs."""
    free = itertools.count(max((one.id for one in old.options), default=-1) + 1)
    known = {one.label: one.id for one in old.options}
    return tuple(Option(known[label] if label in known else next(free), label) for label in labels)


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
