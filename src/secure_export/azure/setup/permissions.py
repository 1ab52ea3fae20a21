"""What the commands must be allowed to do, why, and whether who signed in is."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from secure_export.azure.setup.change import Side

_PLAIN_USER = "b79fbf4d-3ef9-4689-8143-76b194e85509"  # every member's token says so
_FOR_PEOPLE = "for people: the directory role Application Administrator"


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that must be allowed.

    Attributes:
        side: Entra ID: a Microsoft Graph permission; Azure: an action of Azure Resource Manager.
        any_of: Names any one of which suffices, least first.
        why: What it is needed for.
        of_members: Whether every member of a tenant may do it, and owners with what is theirs, as Entra ID is shipped.
    """

    side: Side
    any_of: tuple[str, ...]
    why: str
    of_members: bool = False

    @property
    def text(self) -> str:
        """The names, for people."""
        names = " or ".join(self.any_of)
        return f"{names} ({_FOR_PEOPLE})" if self.side is Side.ENTRA and not self.of_members else names


READ_APPLICATION = Permission(
    Side.ENTRA,
    (
        "Application.Read.All",
        "Application.ReadWrite.OwnedBy",
        "Application.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    ),
    "to read the app registration and the service principals",
    of_members=True,
)
READ_DIRECTORY = Permission(
    Side.ENTRA,
    ("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "to read service principals that others own: assigning a role asks for it, too",
    of_members=True,
)
WRITE_APPLICATION = Permission(
    Side.ENTRA,
    ("Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"),
    "to make the app registration and its service principal",
    of_members=True,
)
ADD_OWNER = Permission(
    Side.ENTRA,
    ("Application.ReadWrite.All",),
    "to make others owners of the app registration",
    of_members=True,
)
ADD_CALLER = Permission(
    Side.ENTRA, ("Application.ReadWrite.All",), "to let the action groups' application into the tenant"
)
ASSIGN_ROLE = Permission(
    Side.ENTRA, ("AppRoleAssignment.ReadWrite.All",), "to give the app role to the action groups' service principal"
)
READ_ACTION_GROUP = Permission(
    Side.AZURE, ("Microsoft.Insights/actionGroups/read",), "to see what is in the action group"
)
WRITE_ACTION_GROUP = Permission(
    Side.AZURE, ("Microsoft.Insights/actionGroups/write",), "to make or change the action group"
)
DELETE_ACTION_GROUP = Permission(
    Side.AZURE, ("Microsoft.Insights/actionGroups/delete",), "to take back an action group that was made"
)
WRITE_PROCESSING_RULE = Permission(
    Side.AZURE, ("Microsoft.AlertsManagement/actionRules/write",), "to make the alert processing rule"
)
DELETE_PROCESSING_RULE = Permission(
    Side.AZURE, ("Microsoft.AlertsManagement/actionRules/delete",), "to take back an alert processing rule"
)
TEST_ACTION_GROUP = Permission(
    Side.AZURE,
    ("Microsoft.Insights/ActionGroups/createNotifications/action", "Microsoft.Insights/createNotifications/write"),
    "to have Azure send a test notification",
)
READ_ALERTS = Permission(Side.AZURE, ("Microsoft.AlertsManagement/alerts/read",), "to read alerts that were fired")
READ_RULES = Permission(
    Side.AZURE,
    ("*/read",),
    "to see in Resource Graph which action groups alert rules call; rules that may not be read are missing there",
)
CHANGE_ALERT_STATE = Permission(
    Side.AZURE, ("Microsoft.AlertsManagement/alerts/changestate/action",), "to tell Azure what people did"
)


def write_rules(kind: str) -> Permission:
    """Give what linking alert rules of one kind asks for.

    Args:
        kind: Their resource type, such as ``Microsoft.Insights/metricAlerts``.
    """
    return Permission(Side.AZURE, (f"{kind}/write",), "to name the action group in alert rules of that kind")


@dataclass(frozen=True, slots=True)
class Missing:
    """A permission that is not there.

    Attributes:
        permission: Which.
        scope: Where, as a path of Azure Resource Manager; empty for Entra ID.
    """

    permission: Permission
    scope: str = ""

    @property
    def text(self) -> str:
        """The permission and where it is needed, for people."""
        return f"{self.permission.text} at {self.scope}" if self.scope else self.permission.text


def claims_of(token: str) -> dict[str, Any]:
    """Read what a token of our own says of us; it is not checked, as nobody else's word is believed by it."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def missing_in_directory(claims: Mapping[str, Any], needed: Iterable[Permission]) -> tuple[Missing, ...]:
    """Say which of the permissions needed in Entra ID a token does not carry; what a token does not tell counts not.

    Args:
        claims: The claims of a token for Microsoft Graph: an application's ``roles``, a person's ``scp`` and ``wids``.
        needed: What is needed.
    """
    wanted = dict.fromkeys(p for p in needed if p.side is Side.ENTRA)
    if "scp" in claims:
        return tuple(Missing(permission) for permission in wanted if not _a_person_may(claims, permission))
    held = set(claims.get("roles") or ())
    return tuple(Missing(permission) for permission in wanted if not held.intersection(permission.any_of))


def _a_person_may(claims: Mapping[str, Any], permission: Permission) -> bool:
    """Tell by a person's directory roles: any role may be one that allows it, as tenants make roles of their own."""
    return permission.of_members or "wids" not in claims or bool(set(claims["wids"]) - {_PLAIN_USER})


def missing_at(scope: str, granted: Sequence[Mapping[str, Any]], needed: Iterable[Permission]) -> tuple[Missing, ...]:
    """Say which of the permissions needed in Azure are not granted at a scope.

    Args:
        scope: The scope's path.
        granted: What ``Microsoft.Authorization/permissions`` lists there: ``actions`` and ``notActions`` with ``*``.
        needed: What is needed.
    """
    wanted = dict.fromkeys(p for p in needed if p.side is Side.AZURE)
    return tuple(
        Missing(permission, scope)
        for permission in wanted
        if not any(_is_granted(action, granted) for action in permission.any_of)
    )


def _is_granted(action: str, granted: Sequence[Mapping[str, Any]]) -> bool:
    return any(_fits(action, one.get("actions")) and not _fits(action, one.get("notActions")) for one in granted)


def _fits(action: str, patterns: Sequence[str] | None) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns or ())
