"""The instance itself: properties, choices, access rules, columns, users, records as anybody, copies, jobs."""

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from secure_export.sandbox.control.orders import BadOrderError, plain, read
from secure_export.sandbox.control.trouble import whole_number
from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.acl import Access, AccessRule
from secure_export.sandbox.servicenow.dictionary.model import Column
from secure_export.sandbox.servicenow.state_file import restore, snapshot
from secure_export.sandbox.servicenow.station import Station
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

_MOST_ROWS = 1_000


@dataclass(frozen=True)
class _PropertyOrder:
    name: str
    value: str


@dataclass(frozen=True)
class _ChoiceOrder:
    table: str
    element: str
    value: str
    label: str = ""
    active: bool = True


@dataclass(frozen=True)
class _AclOrder:
    table: str
    access: Access
    column: str = ""


@dataclass(frozen=True)
class _ColumnOrder:
    table: str
    column: Column


@dataclass(frozen=True)
class _RecordOrder:
    user: str = "admin"
    values: dict[str, Any] = field(default_factory=dict)
    display_values: bool = False


@dataclass(frozen=True)
class _UnlockOrder:
    user_name: str


@dataclass(frozen=True)
class _CopyOrder:
    name: str = "default"


@dataclass(frozen=True)
class _JobsOrder:
    names: tuple[str, ...] = ()


class WorldDoors:
    """One method a door.

    Args:
        station: What is changed.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self._instance = station.instance

    def properties(self, *_: object) -> dict[str, str]:
        """Tell all system properties."""
        rows = self._instance.tables.rows("sys_properties")
        return {row.get("name", ""): row.get("value", "") for row in rows}

    def set_property(self, _: Request, body: bytes) -> dict[str, str]:
        """Set a system property."""
        order = read(body, _PropertyOrder)
        self._instance.properties.set(order.name, order.value)
        return {order.name: order.value}

    def choices(self, request: Request, _: bytes) -> list[Row]:
        """Tell the choices of ``?table=&element=``, inactive ones too."""
        asked = request.query_params
        query = f"name={asked.get('table', '')}^element={asked.get('element', '')}"
        return self._instance.find("sys_choice", query)

    def set_choice(self, _: Request, body: bytes) -> list[Row]:
        """Add a choice, rename it, or take it away (``active`` false)."""
        order = read(body, _ChoiceOrder)
        query = f"name={order.table}^element={order.element}^value={order.value}"
        changed = {"inactive": "false" if order.active else "true", **({"label": order.label} if order.label else {})}
        found = self._instance.find("sys_choice", query)
        for row in found:
            self._instance.update("sys_choice", row["sys_id"], changed)
        if not found and order.active:
            names = {"name": order.table, "element": order.element, "value": order.value, "language": "en"}
            self._instance.insert("sys_choice", {**names, "label": order.value, **changed})
        return self._instance.find("sys_choice", query)

    def acls(self, *_: object) -> list[dict[str, Any]]:
        """Tell all access rules."""
        return [dict(plain(rule)) for rule in self._instance.acl]

    def add_acl(self, _: Request, body: bytes) -> dict[str, Any]:
        """Add an access rule; the first of a table or column closes it to all whom it does not let pass."""
        rule = read(body, AccessRule)
        self._instance.acl.add(rule)
        return dict(plain(rule))

    def remove_acl(self, _: Request, body: bytes) -> dict[str, Any]:
        """Remove the access rules of a table or column for one kind of access."""
        order = read(body, _AclOrder)
        self._instance.acl.remove(order.table, order.access, order.column)
        return dict(plain(order))

    def set_column(self, _: Request, body: bytes) -> dict[str, Any]:
        """Add a column to a table, or change it, such as its ``max_length``."""
        order = read(body, _ColumnOrder)
        self._instance.require_table(order.table)
        self._instance.add_column(order.table, order.column)
        return dict(plain(order))

    def remove_column(self, request: Request, _: bytes) -> dict[str, str]:
        """Remove the column that the path names."""
        table, name = request.path_params["table"], request.path_params["column"]
        self._instance.require_table(table)
        self._instance.remove_column(table, name)
        return {"table": table, "removed": name}

    def users(self, *_: object) -> list[dict[str, Any]]:
        """Tell the users that have a password here."""
        return [self._described(name) for name in sorted(self._instance.people.passwords)]

    def set_user(self, _: Request, body: bytes) -> dict[str, Any]:
        """Make a user, or change one."""
        account = read(body, Account)
        set_account(self._instance, account)
        return self._described(account.user_name)

    def unlock(self, _: Request, body: bytes) -> dict[str, Any]:
        """Let a locked-out user in again."""
        name = read(body, _UnlockOrder).user_name
        self._station.sign_in.passwords.unlock(name)
        return self._described(name)

    def records(self, request: Request, _: bytes) -> dict[str, Any]:
        """Tell the rows of a table as they are stored; ``?query=`` and ``?limit=`` as in the Table API."""
        table, asked = request.path_params["table"], request.query_params
        limit = whole_number(request, "limit", _MOST_ROWS)
        page = self._instance.query(table, asked.get("query", ""), limit=limit)
        return {"total": page.total, "rows": page.rows}

    def record(self, request: Request, _: bytes) -> Row:
        """Tell one row as it is stored."""
        return self._instance.get(request.path_params["table"], request.path_params["sys_id"])

    def insert(self, request: Request, body: bytes) -> Row:
        """Write a new row as somebody."""
        order = read(body, _RecordOrder)
        return self._instance.insert(
            request.path_params["table"], order.values, self._as(order.user), display_values=order.display_values
        )

    def update(self, request: Request, body: bytes) -> Row:
        """Change a row as somebody."""
        order = read(body, _RecordOrder)
        table, sys_id = request.path_params["table"], request.path_params["sys_id"]
        user = self._as(order.user)
        return self._instance.update(table, sys_id, order.values, user, display_values=order.display_values)

    def delete(self, request: Request, body: bytes) -> dict[str, str]:
        """Delete a row as somebody."""
        order = read(body, _RecordOrder)
        table, sys_id = request.path_params["table"], request.path_params["sys_id"]
        self._instance.delete(table, sys_id, self._as(order.user))
        return {"deleted": sys_id}

    def copy(self, _: Request, body: bytes) -> dict[str, Any]:
        """Make a copy of all rows."""
        name = read(body, _CopyOrder).name
        self._station.snapshots[name] = snapshot(self._instance)
        return {"copies": sorted(self._station.snapshots)}

    def clone(self, _: Request, body: bytes) -> dict[str, Any]:
        """Put a copy in the place of all rows, as a clone of another instance does."""
        name = read(body, _CopyOrder).name
        if name not in self._station.snapshots:
            raise BadOrderError(f"There is no copy {name!r}. Make one by POST /control/snapshot.")
        restore(self._instance, self._station.snapshots[name])
        return {"restored": name}

    def jobs(self, _: Request, body: bytes) -> dict[str, Any]:
        """Run background jobs now, such as the one that closes resolved incidents; all if none is named."""
        names = read(body, _JobsOrder).names
        self._instance.run_jobs(*names)
        return {"run": list(names) or "all"}

    def _as(self, user_name: str) -> User:
        return self._instance.user(user_name)

    def _described(self, name: str) -> dict[str, Any]:
        row = self._instance.first("sys_user", f"user_name={name}") or {}
        user = self._instance.people.with_id(row.get("sys_id", ""))
        return {
            "user_name": name,
            "sys_id": row.get("sys_id", ""),
            "password": self._instance.people.passwords.get(name),
            "may_sign_in": user is not None,
            "locked_out": row.get("locked_out", "") == "true",
            "roles": sorted(user.roles) if user else [],
        }
