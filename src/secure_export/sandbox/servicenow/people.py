"""The users of an instance with their roles, as ``sys_user`` and its neighbours hold them, and their passwords."""

import hmac

from secure_export.sandbox.servicenow.properties import Properties
from secure_export.sandbox.servicenow.tables import Row, Tables
from secure_export.sandbox.servicenow.users import SYSTEM, User

_SOURCES = (
    "sys_user",
    "sys_user_has_role",
    "sys_user_role",
    "sys_user_role_contains",
    "sys_user_grmember",
    "sys_group_has_role",
    "sys_properties",
)


class People:
    """Finds users, and keeps what was read until one of the tables changes.

    Attributes:
        passwords: By ``user_name``; they are in no table, so that no client can read or set them.
    """

    def __init__(self, tables: Tables, properties: Properties) -> None:
        self.passwords: dict[str, str] = {}
        self._tables = tables
        self._properties = properties
        self._read_at: tuple[int, ...] = ()
        self._users: dict[str, User] = {}
        self._by_id: dict[str, User] = {}

    def named(self, user_name: str) -> User:
        """Find an active user who is not locked out, whatever the case of the name.

        Raises:
            LookupError: There is none.
        """
        self._refresh()
        if user_name == SYSTEM.user_name:
            return SYSTEM
        if (user := self._users.get(user_name.casefold())) is None:
            raise LookupError(f"No active user is called {user_name!r}. Look at sys_user.")
        return user

    def with_id(self, sys_id: str) -> User | None:
        """Find an active user by ``sys_id``."""
        self._refresh()
        return self._by_id.get(sys_id)

    def name_of(self, user_name: str) -> str:
        """Give what people call a user; the user name itself if they are gone."""
        self._refresh()
        user = SYSTEM if user_name == SYSTEM.user_name else self._users.get(user_name.casefold())
        return user.name if user is not None else user_name

    def check(self, user_name: str, password: str) -> User | None:
        """Check a password; None: wrong, or there is no such active user."""
        known = {name.casefold(): secret for name, secret in self.passwords.items()}.get(user_name.casefold())
        if known is None or not hmac.compare_digest(known.encode(), password.encode()):
            return None
        try:
            return self.named(user_name)
        except LookupError:
            return None

    def _refresh(self) -> None:
        versions = tuple(self._tables.version(table) for table in _SOURCES)
        if versions == self._read_at:
            return
        self._read_at = versions
        roles = _roles_by_user(self._tables)
        users = [
            self._user(row, roles.get(row["sys_id"], frozenset()))
            for row in self._tables.rows("sys_user")
            if row.get("active") == "true" and row.get("locked_out") != "true" and row.get("user_name")
        ]
        self._users = {user.user_name.casefold(): user for user in users}
        self._by_id = {user.sys_id: user for user in users}

    def _user(self, row: Row, roles: frozenset[str]) -> User:
        setting = self._properties.get
        return User(
            row["sys_id"],
            row["user_name"],
            row.get("name", ""),
            roles,
            row.get("time_zone") or setting("glide.sys.default.tz", "US/Pacific"),
            row.get("date_format") or setting("glide.sys.date_format", "yyyy-MM-dd"),
            row.get("time_format") or setting("glide.sys.time_format", "HH:mm:ss"),
        )


def _roles_by_user(tables: Tables) -> dict[str, frozenset[str]]:
    """Give the names of the roles of every user: their own, their groups', and what those contain."""
    names = {row["sys_id"]: row.get("name", "") for row in tables.rows("sys_user_role")}
    held: dict[str, set[str]] = {}
    for row in tables.rows("sys_user_has_role"):
        held.setdefault(row.get("user", ""), set()).add(row.get("role", ""))
    of_groups: dict[str, set[str]] = {}
    for row in tables.rows("sys_group_has_role"):
        of_groups.setdefault(row.get("group", ""), set()).add(row.get("role", ""))
    for row in tables.rows("sys_user_grmember"):
        held.setdefault(row.get("user", ""), set()).update(of_groups.get(row.get("group", ""), ()))
    contained: dict[str, set[str]] = {}
    for row in tables.rows("sys_user_role_contains"):
        contained.setdefault(row.get("role", ""), set()).add(row.get("contains", ""))
    return {
        user: frozenset(names[role] for role in _with_contained(roles, contained) if role in names)
        for user, roles in held.items()
    }


def _with_contained(roles: set[str], contained: dict[str, set[str]]) -> set[str]:
    found, waiting = set[str](), list(roles)
    while waiting:
        if (role := waiting.pop()) not in found:
            found.add(role)
            waiting.extend(contained.get(role, ()))
    return found
