"""Makes users with roles and passwords, as an administrator would."""

from dataclasses import dataclass, field
from hashlib import md5

from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User


@dataclass(frozen=True, slots=True)
class Account:
    """A user to be.

    Attributes:
        user_name: Their name.
        password: Their password; None: what they have stays, and a new user has none.
        roles: The roles they have themselves; None: what they have stays.
        columns: Further columns of ``sys_user``, such as ``web_service_access_only`` or ``source``.
    """

    user_name: str
    password: str | None = None
    roles: frozenset[str] | None = None
    columns: dict[str, str] = field(default_factory=dict)


def set_account(instance: Instance, account: Account) -> User | None:
    """Make a user, or change one.

    Returns:
        The user; None: they are not active, or locked out.
    """
    row = _row(instance, account)
    instance.tables.put("sys_user", row)
    if account.password is not None:
        instance.people.passwords[row["user_name"]] = account.password
    if account.roles is not None:
        _give_roles(instance, row["sys_id"], account.roles)
    return instance.people.with_id(row["sys_id"])


def parse_account(text: str) -> Account:
    """Read ``NAME:PASSWORD:ROLE,ROLE``.

    Raises:
        ValueError: It is none.
    """
    name, _, rest = text.partition(":")
    password, _, roles = rest.rpartition(":")
    if not name or not password:
        raise ValueError(
            f"{text!r} is no user. Write NAME:PASSWORD:ROLE,ROLE, such as jane:secret:itil,evt_mgmt_integration."
        )
    return Account(name, password, frozenset(role.strip() for role in roles.split(",") if role.strip()))


def _row(instance: Instance, account: Account) -> Row:
    name = account.user_name.casefold()
    rows = instance.tables.rows("sys_user")
    known = next((row for row in rows if row.get("user_name", "").casefold() == name), None)
    if known is None:
        new = {"user_name": account.user_name, "name": account.user_name, "active": "true"}
        known = instance.insert("sys_user", new)
    return {**known, **account.columns}


def _give_roles(instance: Instance, user_id: str, roles: frozenset[str]) -> None:
    for row in list(instance.tables.rows("sys_user_has_role")):
        if row.get("user") == user_id:
            instance.tables.remove("sys_user_has_role", row["sys_id"])
    for role in sorted(roles):
        instance.insert("sys_user_has_role", {"user": user_id, "role": _role_id(instance, role), "state": "active"})


def _role_id(instance: Instance, name: str) -> str:
    for row in instance.tables.rows("sys_user_role"):
        if row.get("name") == name:
            return row["sys_id"]
    sys_id = md5(f"role {name}".encode(), usedforsecurity=False).hexdigest()
    return instance.insert("sys_user_role", {"sys_id": sys_id, "name": name})["sys_id"]
