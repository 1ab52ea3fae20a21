"""User name and password: lock-out after failures, and the gate that restricts them (servicenow-facts section 8.4)."""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Final

from secure_export.sandbox.servicenow.clock import from_stamp
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

GATE: Final = "glide.authenticate.basic_auth.restriction."
MOST_ATTEMPTS: Final = "glide.user.max_unlock_attempts"
UNLOCK_MINUTES: Final = "glide.user.unlock_timeout_in_mins"
_SHIPPED_ATTEMPTS: Final = 15
_SHIPPED_MINUTES: Final = 15
_SHIPPED_ROLE: Final = "snc_basic_auth_api_access"


def parse(header: str) -> tuple[str, str] | None:
    """Read a Basic ``Authorization`` header.

    Returns:
        User name and password; None: it is none.
    """
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None


class Passwords:
    """Checks passwords and counts wrong ones in a row, in ``sys_user.failed_attempts``.

    Args:
        instance: Whose users.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._locked_until: dict[str, datetime] = {}

    def check(self, user_name: str, password: str) -> User | None:
        """Check a password.

        Returns:
            The user; None: it is wrong, or there is no such active user, or they are locked out.
        """
        self._unlock_those_who_waited()
        user = self._instance.people.check(user_name, password)
        if user is not None and (row := self._row(user_name)) is not None and _failures(row):
            self._put(row, failed_attempts="0")
        return user

    def failed(self, user_name: str) -> None:
        """Count a wrong password; too many of them in a row lock the user out."""
        row = self._row(user_name)
        if row is None or row.get("locked_out") == "true":
            return
        failures = _failures(row) + 1
        locks = failures >= self._instance.properties.number(MOST_ATTEMPTS, _SHIPPED_ATTEMPTS)
        if locks:
            minutes = self._instance.properties.number(UNLOCK_MINUTES, _SHIPPED_MINUTES)
            self._locked_until[user_name] = self._instance.clock.now() + timedelta(minutes=minutes)
        self._put(row, failed_attempts=str(failures), locked_out="true" if locks else "false")

    def unlock(self, user_name: str) -> None:
        """Let a locked-out user in again, as an administrator does."""
        self._locked_until.pop(user_name, None)
        if (row := self._row(user_name)) is not None:
            self._put(row, failed_attempts="0", locked_out="false")

    def _unlock_those_who_waited(self) -> None:
        now = self._instance.clock.now()
        for name in [name for name, until in self._locked_until.items() if until <= now]:
            self.unlock(name)

    def _row(self, user_name: str) -> Row | None:
        name = user_name.casefold()
        rows = self._instance.tables.rows("sys_user")
        return next((row for row in rows if row.get("user_name", "").casefold() == name), None)

    def _put(self, row: Row, **values: str) -> None:
        self._instance.tables.put("sys_user", {**row, **values})


def gate_opens(instance: Instance, user: User) -> bool:
    """Say whether the restriction of Basic lets a user in; where its properties are missing there is none."""
    get = instance.properties.get
    if not _is_enforced(instance):
        return True
    row = instance.tables.get("sys_user", user.sys_id) or {}
    if row.get("web_service_access_only") == "true" and get(f"{GATE}allow_wsao", "true") == "true":
        return True
    roles = {role.strip() for role in get(f"{GATE}allowed_roles", _SHIPPED_ROLE).split(",")}
    # An administrator has every role for access rules, but the gate asks for the role itself.
    return not roles.isdisjoint(user.roles) or get(f"{GATE}default_decision", "deny").lower() == "allow"


def _is_enforced(instance: Instance) -> bool:
    flag = instance.properties.flag
    if not flag(f"{GATE}active") or not flag(f"{GATE}enforce", default=True):
        return False
    since = from_stamp(instance.properties.get(f"{GATE}enforcement_date", ""))
    return since is None or since.astimezone(UTC) <= instance.clock.now()


def _failures(row: Row) -> int:
    return int(row.get("failed_attempts") or 0)
