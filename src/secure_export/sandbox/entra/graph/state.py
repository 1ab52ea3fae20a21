"""All of Graph: its tenants, and how it behaves."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from secure_export.sandbox.clock import Clock
from secure_export.sandbox.counters import Counters
from secure_export.sandbox.entra.graph.assignments import assign
from secure_export.sandbox.entra.graph.principals import MICROSOFT_TENANT, new_principal
from secure_export.sandbox.entra.graph.replication import Lag
from secure_export.sandbox.entra.graph.tenant import Row, Tenant
from secure_export.sandbox.entra.identities import (
    ARM_APP_ID,
    DOMAIN,
    GRAPH_APP_ID,
    IDENTITIES,
    PERMISSIONS,
    USERS,
    Identity,
    User,
)
from secure_export.sandbox.rates import Windows
from secure_export.sandbox.rest_faults import Faults

_GRAPH: Final = "Microsoft Graph"
_ARM: Final = "Windows Azure Service Management API"


@dataclass(slots=True)
class Limits:
    """How much Graph takes (entra-facts 5.2); 0: any number.

    Attributes:
        requests: Requests of one application in one tenant in ten seconds.
        writes: Writes in one tenant in 150 seconds.
        page_size: Objects on a page if the client does not say.
    """

    requests: int = 3_500
    writes: int = 3_000
    page_size: int = 100


class Graph:
    """State of a stand-in for Microsoft Graph. Every tenant has a directory, made when it is first asked for.

    Attributes:
        clock: Its time.
        faults: The faults that are set.
        counters: What was asked.
        lag: How far reads are behind writes.
        limits: How much it takes.
        identities: The applications that every tenant starts with, by application id.
        users: The people that every tenant starts with, by what they sign in with.
    """

    def __init__(
        self, clock: Clock, *, identities: Iterable[Identity] = IDENTITIES, users: Iterable[User] = USERS, seed: int = 1
    ) -> None:
        self.clock = clock
        self.faults = Faults()
        self.counters = Counters()
        self.lag = Lag()
        self.limits = Limits()
        self.identities = {one.client_id.lower(): one for one in identities}
        self.users = {one.upn.lower(): one for one in users}
        self._seed = seed
        self._tenants: dict[str, Tenant] = {}
        self._windows = Windows()

    def tenant(self, tenant_id: str) -> Tenant:
        """Give a tenant's directory."""
        key = tenant_id.lower()
        if key not in self._tenants:
            self._tenants[key] = self._new_tenant(key)
        return self._tenants[key]

    def reset(self, tenant_id: str) -> Tenant:
        """Give a tenant a directory as it was at the start."""
        self._tenants.pop(tenant_id.lower(), None)
        return self.tenant(tenant_id)

    @property
    def tenants(self) -> tuple[str, ...]:
        """The tenants that were asked for."""
        return tuple(self._tenants)

    def add_identity(self, identity: Identity) -> None:
        """Let one more application sign in, in every tenant."""
        self.identities[identity.client_id.lower()] = identity
        for tenant in self._tenants.values():
            _add_identity(tenant, identity)

    def add_user(self, user: User) -> None:
        """Let one more person sign in, in every tenant."""
        self.users[user.upn.lower()] = user
        for tenant in self._tenants.values():
            _add_user(tenant, user)

    def wait_for_a_read(self, tenant_id: str, client: str) -> int:
        """Count a request; give in how many seconds it may come again, 0: it was taken."""
        return self._windows.find(self.limits.requests, 10.0, tenant_id, client).take(self.clock.now())

    def wait_for_a_write(self, tenant_id: str) -> int:
        """Count a write; give in how many seconds it may come again, 0: it was taken."""
        return self._windows.find(self.limits.writes, 150.0, tenant_id, "writes").take(self.clock.now())

    def _new_tenant(self, tenant_id: str) -> Tenant:
        chance = random.Random(f"{self._seed} {tenant_id}")
        tenant = Tenant(tenant_id, self.lag, self.clock.now, chance, (DOMAIN,))
        resources = [(GRAPH_APP_ID, _GRAPH), (ARM_APP_ID, _ARM)]
        for app_id, name in resources:
            row = new_principal(tenant, app_id, name, owner_tenant=MICROSOFT_TENANT)
            tenant.principals.put(row["id"], row | {"appRoles": _permissions() if app_id == GRAPH_APP_ID else []})
        for identity in self.identities.values():
            _add_identity(tenant, identity)
        for user in self.users.values():
            _add_user(tenant, user)
        _settle(tenant)
        return tenant


def _settle(tenant: Tenant) -> None:
    """What a tenant starts with has long reached every replica."""
    for table in (tenant.applications, tenant.principals, tenant.assignments, tenant.owners):
        table.settle()


def _permissions() -> list[Row]:
    return [
        {
            "id": role_id,
            "allowedMemberTypes": ["Application"],
            "description": value,
            "displayName": value,
            "isEnabled": True,
            "origin": "Application",
            "value": value,
        }
        for value, role_id in PERMISSIONS.items()
    ]


def _add_identity(tenant: Tenant, identity: Identity) -> None:
    """Give an application a principal in a tenant, of the object id that its tokens carry, and what it was granted."""
    client = identity.as_client()
    row = new_principal(
        tenant,
        identity.client_id,
        identity.name,
        owner_tenant=MICROSOFT_TENANT,
        object_id=client.principal_in(tenant.id),
    )
    tenant.principals.put(row["id"], row)
    tenant.owners.put(row["id"], ())
    graph = tenant.principal_of(GRAPH_APP_ID)
    if graph is None:
        return
    for one in tuple(tenant.assignments.all()):
        if one["principalId"] == row["id"]:
            tenant.assignments.remove(one["id"])
    for permission in identity.permissions:
        assign(tenant, row, graph, PERMISSIONS[permission])


def _add_user(tenant: Tenant, user: User) -> None:
    tenant.users[user.id] = {
        "id": user.id,
        "displayName": user.name,
        "userPrincipalName": user.upn,
        "mail": user.upn,
        "directoryRoles": list(user.roles),
    }
