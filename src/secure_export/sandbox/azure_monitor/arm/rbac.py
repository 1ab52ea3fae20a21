"""Who may do what where: built-in roles as patterns of actions (entra-facts section 6, RBAC)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from secure_export.sandbox.azure_monitor.arm.errors import refused


@dataclass(frozen=True, slots=True)
class Role:
    """A role.

    Attributes:
        id: Microsoft's id of its definition.
        actions: What it allows; ``*`` stands for any characters.
        not_actions: What it does not, of those.
    """

    id: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Say whether it allows an action, whatever the case."""
        return _any(action, self.actions) and not _any(action, self.not_actions)


ROLES: Final[Mapping[str, Role]] = {
    "Owner": Role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", ("*",)),
    "Contributor": Role(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        ("*",),
        ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"),
    ),
    "Reader": Role("acdd72a7-3385-48ef-bd42-f606fba81ae7", ("*/read",)),
    "Monitoring Reader": Role("43d0d8ad-25c7-4714-9337-8ba259a9fe05", ("*/read",)),
    "Monitoring Contributor": Role(
        "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
        (
            "*/read",
            "Microsoft.AlertsManagement/alerts/*",
            "Microsoft.AlertsManagement/alertsSummary/*",
            "Microsoft.AlertsManagement/actionRules/*",
            "Microsoft.AlertsManagement/smartDetectorAlertRules/*",
            "Microsoft.Insights/actiongroups/*",
            "Microsoft.Insights/activityLogAlerts/*",
            "Microsoft.Insights/AlertRules/*",
            "Microsoft.Insights/createNotifications/*",
            "Microsoft.Insights/metricalerts/*",
            "Microsoft.Insights/notificationStatus/*",
            "Microsoft.Insights/Register/Action",
            "Microsoft.Insights/scheduledqueryrules/*",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role assignment.

    Attributes:
        principal: An object id, or an application's client id.
        role: The role's name.
        scope: The subscription, resource group or resource; empty: all subscriptions.
    """

    principal: str
    role: str
    scope: str = ""

    def covers(self, scope: str) -> bool:
        """Say whether a scope lies in its own."""
        own = self.scope.rstrip("/").lower()
        return scope.lower() == own or scope.lower().startswith(f"{own}/")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request.

    Attributes:
        object_id: A service principal's or a user's.
        client_id: The application.
        tenant: Whose token.
        name: A user's name; of an application its client id.
    """

    object_id: str
    client_id: str
    tenant: str
    name: str

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> "Caller":
        """Read who it is from a token's claims."""
        client = str(claims.get("appid", claims.get("azp", "")))
        shown = str(claims.get("upn", client))
        return cls(str(claims.get("oid", "")), client, str(claims.get("tid", "")), shown)


class Access:
    """All role assignments."""

    def __init__(self, grants: Iterable[Grant] = ()) -> None:
        self.grants = list(grants)

    def roles(self, caller: Caller, scope: str) -> list[Role]:
        """Give a caller's roles at a scope."""
        names = (caller.object_id.lower(), caller.client_id.lower())
        mine = (one for one in self.grants if one.principal.lower() in names)
        return [ROLES[one.role] for one in mine if one.covers(scope)]

    def allows(self, caller: Caller, action: str, scope: str) -> bool:
        """Say whether a caller may."""
        return any(role.allows(action) for role in self.roles(caller, scope))

    def must(self, caller: Caller, action: str, scope: str) -> None:
        """Refuse, unless a caller may.

        Raises:
            RestError: They may not.
        """
        if not self.allows(caller, action, scope):
            raise refused(
                403,
                "AuthorizationFailed",
                f"The client '{caller.name}' with object id '{caller.object_id}' does not have authorization to "
                f"perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently "
                "granted, please refresh your credentials.",
            )

    def touches(self, caller: Caller, scope: str) -> bool:
        """Say whether a caller has any role at a scope or below."""
        names = (caller.object_id.lower(), caller.client_id.lower())
        mine = [one for one in self.grants if one.principal.lower() in names]
        return any(one.covers(scope) or one.scope.lower().startswith(f"{scope.lower()}/") for one in mine)


def _any(action: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(action.lower(), one.lower()) for one in patterns)
