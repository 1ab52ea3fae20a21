"""What is demanded of one tenant's tokens: the settings, with every default filled in."""

from collections.abc import Mapping
from dataclasses import dataclass

from secure_export.identity.authority import KeySource, TokenVersion
from secure_export.identity.settings import IdentitySettings, TenantSettings, is_guid


@dataclass(frozen=True, slots=True)
class TenantRules:
    """What is demanded of one tenant's tokens.

    Attributes:
        tenant_id: The tenant.
        authority: Where it signs in.
        audiences: By version, what a token may be for; a version that is missing is not let in.
        callers: The applications that may send alerts.
        role: The app role that sending alerts takes.
        operators: Whether its people and programs may operate the service, given the role.
        denied: Application and object ids that are refused whatever their token says.
    """

    tenant_id: str
    authority: str
    audiences: Mapping[TokenVersion, frozenset[str]]
    callers: frozenset[str]
    role: str
    operators: bool
    denied: frozenset[str]

    @property
    def key_sources(self) -> tuple[KeySource, ...]:
        """Where the keys come from, one source for each version that is let in."""
        return tuple(KeySource(self.authority, self.tenant_id, version) for version in self.audiences)


def rules_of(settings: IdentitySettings) -> tuple[TenantRules, ...]:
    """Fill in what the tenants left out."""
    return tuple(_rules(settings, tenant) for tenant in settings.all_tenants)


def _rules(settings: IdentitySettings, tenant: TenantSettings) -> TenantRules:
    audience = tenant.audience or settings.audience
    return TenantRules(
        tenant_id=tenant.tenant_id,
        authority=tenant.authority or settings.authority,
        audiences={version: _audiences(audience, version) for version in map(TokenVersion, settings.versions)},
        callers=frozenset(tenant.callers or settings.callers),
        role=tenant.role or settings.role,
        operators=tenant.operators,
        denied=frozenset(settings.denied),
    )


def _audiences(audience: tuple[str, ...], version: TokenVersion) -> frozenset[str]:
    """Leave out what this version never names: in version 2.0 ``aud`` is always the client id (claims reference)."""
    if version is TokenVersion.V2:
        return frozenset(filter(is_guid, audience))
    return frozenset(audience)
