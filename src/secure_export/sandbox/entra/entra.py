"""The stand-in itself: what it knows, and the tokens it gives."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from secure_export.sandbox.clock import Clock
from secure_export.sandbox.entra import claims as token_claims
from secure_export.sandbox.entra import registered
from secure_export.sandbox.entra.directory import (
    AZNS_APP_ID,
    DEFAULT_TENANT_ID,
    ClientApplication,
    Directory,
    ResourceApplication,
    default_directory,
)
from secure_export.sandbox.entra.errors import (
    client_not_found,
    no_consent,
    not_assigned,
    password_wrong,
    resource_not_found,
    secret_wrong,
    tenant_not_found,
)
from secure_export.sandbox.entra.graph.state import Graph
from secure_export.sandbox.entra.identities import ARM_APP_ID, GRAPH_APP_ID, User
from secure_export.sandbox.entra.keys import KeyRing, SigningKey
from secure_export.sandbox.entra.keys import make_key as new_key
from secure_export.sandbox.entra.metadata import TEMPLATE_TENANT, key_list, openid_configuration
from secure_export.sandbox.entra.minting import Order, mint, overlaid
from secure_export.sandbox.entra.outage import Outage
from secure_export.sandbox.entra.registered import Grant
from secure_export.sandbox.entra.token_check import TokenCheck

# What a person may do through a public client that an administrator consented to; their directory roles limit it.
_DELEGATED = {
    GRAPH_APP_ID: "Application.ReadWrite.All AppRoleAssignment.ReadWrite.All Organization.Read.All User.Read",
    ARM_APP_ID: "user_impersonation",
}


@dataclass(frozen=True, slots=True)
class Issued:
    """A token and when it ends.

    Attributes:
        token: The compact JWS.
        resource: The audience as it was asked for.
        not_before: ``nbf``.
        expires_at: ``exp``.
    """

    token: str
    resource: str
    not_before: datetime
    expires_at: datetime


def utc_now() -> datetime:
    """Give the time now."""
    return datetime.now(UTC)


class SandboxEntra:
    """State of a stand-in for Entra ID.

    All tenants share one key ring until one is given its own, as with Entra's common and distinct keys.

    Attributes:
        base_url: Where it is reached, without a trailing slash; set it once the port is known.
        directory: Tenants and applications that are the same in every tenant.
        clock: Its time.
        graph: Each tenant's own directory.
        outage: How it misbehaves now.
        requests: How often each path was asked for.
    """

    def __init__(  # noqa: PLR0913 - what a test may want to set
        self,
        directory: Directory | None = None,
        *,
        base_url: str = "",
        now: Callable[[], datetime] = utc_now,
        chance: random.Random | None = None,
        default_tenant: str = DEFAULT_TENANT_ID,
        make_key: Callable[[], SigningKey] | None = None,
    ) -> None:
        """Set up with keys of its own.

        Args:
            directory: Tenants and applications; None: what a finished set-up leaves behind.
            base_url: Where it will be reached; empty: set later, or taken from the first request.
            now: The time now.
            chance: What is random in tokens.
            default_tenant: Whose tokens are minted where an order names no tenant.
            make_key: Makes a signing key; None: a new RSA key each time, some 30 ms a piece.
        """
        self.base_url = base_url
        self.directory = directory or default_directory()
        self.default_tenant = default_tenant
        self.outage = Outage()
        self.requests: Counter[str] = Counter()
        self.clock = Clock(now)
        self.graph = Graph(self.clock)
        self._chance = chance or random.Random()
        self._make_key = make_key or (lambda: new_key(now()))
        self._shared = KeyRing(self._make_key)
        self._own: dict[str, KeyRing] = {}
        self._check = TokenCheck(self.ring, self.now)

    def now(self) -> datetime:
        """Give the stand-in's time."""
        return self.clock.now()

    def ring(self, tenant: str | None = None) -> KeyRing:
        """Give the keys of a tenant: its own, or those that all share."""
        return self._own.get((tenant or "").lower(), self._shared)

    def give_own_keys(self, tenant: str) -> KeyRing:
        """Give a tenant keys of its own; from now on the shared ones are not listed for it."""
        return self._own.setdefault(tenant.lower(), KeyRing(self._make_key))

    def configuration(self, tenant: str, version: int) -> dict[str, Any]:
        """Give the OpenID configuration of a tenant, or the template of ``common`` and ``organizations``.

        Raises:
            EntraError: There is no such tenant.
        """
        return openid_configuration(self.base_url, tenant, version, self._issuer_tenant(tenant))

    def keys(self, tenant: str, version: int) -> dict[str, Any]:
        """Give the key list of a tenant.

        Raises:
            EntraError: There is no such tenant.
        """
        shared = self._issuer_tenant(tenant) == TEMPLATE_TENANT or tenant.lower() not in self._own
        whose = TEMPLATE_TENANT if shared else tenant.lower()
        return key_list(self.ring(tenant), self.base_url, version, whose)

    def issue(self, tenant: str, client_id: str, secret: str, asked: str) -> Issued:
        """Give a registered client a token for a registered resource.

        Args:
            tenant: The tenant's GUID.
            client_id: Who asks.
            secret: What it proves itself with.
            asked: The resource's client id or one of its Application ID URIs.

        Raises:
            EntraError: Anything does not fit.
        """
        if not self.directory.has_tenant(tenant):
            raise tenant_not_found(tenant)
        client = self._known_client(tenant, client_id, secret)
        granted = registered.find(self.graph.tenant(tenant), client, asked, self.base_url)
        if granted is not None:
            return self._honest(tenant.lower(), client, granted, asked)
        resource = self.directory.resource(asked)
        if resource is None:
            raise resource_not_found(asked, tenant)
        if resource.assignment_required and not resource.roles.get(client.client_id):
            raise not_assigned(client_id, asked)
        roles = resource.roles.get(client.client_id, ())
        return self._honest(tenant.lower(), client, Grant(resource, roles, client.principal_in(tenant)), asked)

    def issue_to_user(self, tenant: str, client_id: str, upn: str, password: str, asked: str) -> Issued:
        """Give a person a token for one of Microsoft's own APIs, through any public client.

        Args:
            tenant: The tenant's GUID.
            client_id: The client, which proves nothing.
            upn: What they sign in with.
            password: What they prove themselves with.
            asked: The resource's name.

        Raises:
            EntraError: Anything does not fit.
        """
        if not self.directory.has_tenant(tenant):
            raise tenant_not_found(tenant)
        user = self.graph.users.get(upn.lower())
        if user is None or user.password != password:
            raise password_wrong()
        if (api := registered.microsoft_api(asked, self.base_url)) is None:
            raise no_consent(client_id)
        grant = Grant(ResourceApplication(api, token_version=1), (), user.id)
        shown = ClientApplication(client_id, "", shown_proof="0")
        return self._honest(tenant.lower(), shown, grant, asked, _person(user, _DELEGATED[api]))

    def checked(self, token: str, app_id: str) -> dict[str, Any] | None:
        """Give what a sound token for one of Microsoft's own APIs claims; None: it is none."""
        return self._check.claims(token, lambda name: registered.microsoft_api(name, self.base_url) == app_id)

    def mint(self, order: Order | None = None) -> str:
        """Make the token that was ordered, honest or forged; registered or not does not matter.

        Raises:
            LookupError: No key plays that part now.
        """
        order = order or Order()
        tenant = order.tenant or self.default_tenant
        client = self._any_client(order.client_id or AZNS_APP_ID)
        resource = self._any_resource(order.audience)
        asked = order.audience or next(iter((*resource.identifier_uris, resource.client_id)))
        version = order.version or resource.token_version
        resource = replace(resource, token_version=version)
        key = self.ring(tenant).named(order.key)
        roles = resource.roles.get(client.client_id, ()) if order.roles is None else order.roles
        subject = self._subject(tenant, client, resource, asked, roles)
        lifetime = order.lifetime or token_claims.random_lifetime(self._chance)
        payload = token_claims.claims(subject, version, now=self.now(), lifetime=lifetime, chance=self._chance)
        header = {**token_claims.header(version, key.kid), "alg": order.algorithm}
        return mint(overlaid(header, order.header), overlaid(payload, order.claims), key, order.algorithm)

    def _honest(
        self,
        tenant: str,
        client: ClientApplication,
        grant: Grant,
        asked: str,
        more: Mapping[str, Any] | None = None,
    ) -> Issued:
        key, version, now = self.ring(tenant).current, grant.resource.token_version, self.now()
        lifetime = token_claims.random_lifetime(self._chance)
        subject = replace(self._subject(tenant, client, grant.resource, asked, grant.roles), principal=grant.principal)
        payload = token_claims.claims(subject, version, now=now, lifetime=lifetime, chance=self._chance)
        token = mint(token_claims.header(version, key.kid), {**payload, **(more or {})}, key)
        return Issued(token, asked, now - token_claims.BACK_DATED, now + lifetime)

    def _subject(
        self,
        tenant: str,
        client: ClientApplication,
        resource: ResourceApplication,
        asked: str,
        roles: tuple[str, ...],
    ) -> token_claims.Subject:
        return token_claims.Subject(
            issuer=token_claims.issuer(self.base_url, tenant, resource.token_version),
            tenant=tenant,
            audience=resource.audience(asked),
            client_id=client.client_id,
            client_proof=client.shown_proof,
            principal=client.principal_in(tenant),
            roles=roles,
            with_idtyp=resource.wants_idtyp,
        )

    def _known_client(self, tenant: str, client_id: str, secret: str) -> ClientApplication:
        client = self.directory.client(client_id) or self._identity(client_id)
        if client is None:
            raise client_not_found(client_id, tenant)
        if not client.proves_itself(secret):
            raise secret_wrong(client_id)
        return client

    def _identity(self, client_id: str) -> ClientApplication | None:
        found = self.graph.identities.get(client_id.lower())
        return None if found is None else found.as_client()

    def _any_client(self, client_id: str) -> ClientApplication:
        return self.directory.client(client_id) or ClientApplication(client_id, "")

    def _any_resource(self, name: str | None) -> ResourceApplication:
        if name is None:
            return next(iter(self.directory.resources.values()))
        return self.directory.resource(name) or ResourceApplication(name)

    def _issuer_tenant(self, tenant: str) -> str:
        if tenant in {"common", "organizations"}:
            return TEMPLATE_TENANT
        if not self.directory.has_tenant(tenant):
            raise tenant_not_found(tenant, "invalid_tenant")
        return tenant.lower()


def _person(user: User, scopes: str) -> dict[str, str]:
    return {"scp": scopes, "upn": user.upn, "unique_name": user.upn, "name": user.name}
