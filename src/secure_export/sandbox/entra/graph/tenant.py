"""What one tenant's directory holds."""

import random
import uuid
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from secure_export.sandbox.entra.graph.replication import Lag, Replicated

Row = dict[str, Any]
KEPT_DELETED: Final = timedelta(days=30)
APPLICATION: Final = "application"
PRINCIPAL: Final = "servicePrincipal"


@dataclass(frozen=True, slots=True)
class Deleted:
    """An object that may still be restored.

    Attributes:
        kind: ``application`` or ``servicePrincipal``.
        row: It.
        at: When it was deleted.
        owners: Who owned it.
        with_application: The application that it was deleted with; None: by itself.
    """

    kind: str
    row: Row
    at: datetime
    owners: tuple[str, ...] = ()
    with_application: str | None = None


@dataclass(slots=True)
class Tenant:
    """One tenant's directory.

    Attributes:
        id: Its GUID.
        verified_domains: What https identifier URIs may be on.
        uri_policy: Whether the policy for identifier URIs of 2025 is on (entra-facts 0.6).
        users: By object id.
        applications: By object id.
        principals: Service principals, by object id.
        assignments: Of app roles, by their id.
        owners: Who owns an object, by that object's id.
        deleted: By object id.
    """

    id: str
    lag: Lag
    now: Callable[[], datetime]
    chance: random.Random
    verified_domains: tuple[str, ...] = ()
    uri_policy: bool = True
    users: dict[str, Row] = field(default_factory=dict)
    applications: Replicated[Row] = field(init=False)
    principals: Replicated[Row] = field(init=False)
    assignments: Replicated[Row] = field(init=False)
    owners: Replicated[tuple[str, ...]] = field(init=False)
    deleted: dict[str, Deleted] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.applications = Replicated(self.lag, self.now, self.chance)
        self.principals = Replicated(self.lag, self.now, self.chance)
        self.assignments = Replicated(self.lag, self.now, self.chance)
        self.owners = Replicated(self.lag, self.now, self.chance)

    def guid(self) -> str:
        """Draw an id."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def stamp(self) -> str:
        """Write the time as the directory does."""
        return f"{self.now():%Y-%m-%dT%H:%M:%SZ}"

    def application_of(self, app_id: str) -> Row | None:
        """Find an application of the tenant's own by its application id."""
        return _first(self.applications.all(), "appId", app_id)

    def principal_of(self, app_id: str) -> Row | None:
        """Find a service principal by its application id."""
        return _first(self.principals.all(), "appId", app_id)

    def named(self, uri: str) -> Row | None:
        """Find an application by its application id or one of its identifier URIs; a last slash does not matter."""
        wanted = uri.rstrip("/").lower()
        for one in self.applications.all():
            if wanted in {one["appId"].lower(), *(name.rstrip("/").lower() for name in one["identifierUris"])}:
                return one
        return None

    def roles_of(self, client: str, resource: Row) -> tuple[str, ...]:
        """Give the values of the enabled app roles that a principal was assigned on an application's principal."""
        principal = self.principal_of(resource["appId"])
        values = {one["id"]: one["value"] for one in resource["appRoles"] if one["isEnabled"]}
        assigned = [
            values.get(one["appRoleId"])
            for one in self.assignments.all()
            if principal is not None and one["resourceId"] == principal["id"] and one["principalId"] == client
        ]
        return tuple(dict.fromkeys(value for value in assigned if value))

    def is_assigned(self, client: str, resource_principal: str) -> bool:
        """Say whether a principal was assigned anything on another, be it no role but the mere access."""
        found = (one for one in self.assignments.all() if one["resourceId"] == resource_principal)
        return any(one["principalId"] == client for one in found)

    def owns(self, principal: str, object_id: str) -> bool:
        """Say whether somebody owns an object."""
        return principal in (self.owners.current(object_id) or ())

    def delete_application(self, object_id: str) -> bool:
        """Move an application to the deleted objects, and its service principal with it."""
        row = self.applications.remove(object_id)
        if row is None:
            return False
        self.deleted[object_id] = Deleted(APPLICATION, row, self.now(), self.owners.remove(object_id) or ())
        if (principal := self.principal_of(row["appId"])) is not None:
            self.delete_principal(principal["id"], with_application=object_id)
        return True

    def delete_principal(self, object_id: str, *, with_application: str | None = None) -> bool:
        """Move a service principal to the deleted objects; what was assigned to it or on it is gone for good."""
        row = self.principals.remove(object_id)
        if row is None:
            return False
        owners = self.owners.remove(object_id) or ()
        self.deleted[object_id] = Deleted(PRINCIPAL, row, self.now(), owners, with_application)
        for one in tuple(self.assignments.all()):
            if object_id in (one["principalId"], one["resourceId"]):
                self.assignments.remove(one["id"])
        return True

    def restore(self, object_id: str) -> Row | None:
        """Bring a deleted object back, an application with the principal that went with it."""
        gone = self.deleted.pop(object_id, None)
        if gone is None:
            return None
        table = self.applications if gone.kind == APPLICATION else self.principals
        table.put(object_id, gone.row)
        self.owners.put(object_id, gone.owners)
        for other in [key for key, one in self.deleted.items() if one.with_application == object_id]:
            self.restore(other)
        return gone.row

    def still_deleted(self, kind: str) -> Iterator[Row]:
        """Give the deleted objects of a kind that were not purged yet, after thirty days."""
        oldest = self.now() - KEPT_DELETED
        for key in [key for key, one in self.deleted.items() if one.at < oldest]:
            del self.deleted[key]
        for one in self.deleted.values():
            if one.kind == kind:
                yield {**one.row, "deletedDateTime": f"{one.at:%Y-%m-%dT%H:%M:%SZ}"}

    def as_json(self) -> dict[str, Any]:
        """Tell all of it, as it is."""
        return deepcopy(
            {
                "id": self.id,
                "applications": [
                    {**one, "owners": list(self.owners.current(one["id"]) or ())} for one in self.applications.all()
                ],
                "servicePrincipals": list(self.principals.all()),
                "appRoleAssignments": list(self.assignments.all()),
                "deleted": [{"kind": one.kind, **one.row} for one in self.deleted.values()],
                "users": list(self.users.values()),
            }
        )


def _first(rows: Iterator[Row], name: str, value: str) -> Row | None:
    return next((one for one in rows if one[name].lower() == value.lower()), None)
