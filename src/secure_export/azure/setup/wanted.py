"""What should be there in each tenant, out of the configuration; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secure_export.azure.settings import ActionGroupSettings, ApplicationSettings, AzureSettings, LinkSettings
from secure_export.errors import SettingsError


@dataclass(frozen=True, slots=True)
class WantedGroup:
    """One action group with our secure webhook.

    Attributes:
        name: The action group's name.
        subscription: Its subscription.
        resource_group: Its resource group.
        short_name: Its short name, where it is new.
        receiver: The webhook's name in it.
        service_uri: The whole address that Azure posts to.
        connection: Whose alerts.
        link: Which alerts reach it.
    """

    name: str
    subscription: str
    resource_group: str
    short_name: str
    receiver: str
    service_uri: str
    connection: str
    link: LinkSettings

    @property
    def path(self) -> str:
        """Its resource id."""
        scope = f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
        return f"{scope}/providers/Microsoft.Insights/actionGroups/{self.name}"


@dataclass(frozen=True, slots=True)
class WantedTenant:
    """Everything that should be there in one tenant.

    Attributes:
        tenant_id: Which tenant.
        application: The app registration.
        role: The app role's value that callers must have.
        caller: The application id by which action groups call.
        groups: The action groups.
    """

    tenant_id: str
    application: ApplicationSettings
    role: str
    caller: str
    groups: tuple[WantedGroup, ...]


def wanted_tenants(
    azure: AzureSettings,
    *,
    tenants: Sequence[str],
    roles: Mapping[str, str],
    connections: Sequence[str],
    public_url: str | None,
) -> tuple[WantedTenant, ...]:
    """Work out what should be there.

    Args:
        azure: The ``[azure]`` section.
        tenants: The tenants of ``[identity]``, first first.
        roles: The app role that each of them asks for.
        connections: The names under ``[connections]``.
        public_url: ``server.public_url``.

    Raises:
        SettingsError: The configuration does not say enough; the message says what to write where.
    """
    caller = azure.where().caller
    if caller is None:
        raise SettingsError(
            f"azure.caller: the application id of action groups is not published for the cloud '{azure.cloud}'; find "
            "it by the name 'AzNS AAD Webhook' among the tenant's service principals, and set azure.caller"
        )
    groups: dict[str, list[WantedGroup]] = {tenant: [] for tenant in tenants}
    for section, settings in azure.action_groups.items():
        tenant = settings.tenant_id or _only(tenants, section)
        if tenant not in groups:
            raise SettingsError(f"azure.action_groups.{section}.tenant_id: {tenant} is no tenant of [identity]")
        groups[tenant].append(_group(section, settings, connections, public_url))
    return tuple(
        WantedTenant(tenant, azure.application_in(tenant), roles[tenant], caller, tuple(groups[tenant]))
        for tenant in tenants
    )


def _only(tenants: Sequence[str], section: str) -> str:
    if len(tenants) != 1:
        raise SettingsError(
            f"azure.action_groups.{section}.tenant_id: [identity] names {len(tenants)} tenants; say which one it is"
        )
    return tenants[0]


def _group(
    section: str, settings: ActionGroupSettings, connections: Sequence[str], public_url: str | None
) -> WantedGroup:
    place = f"azure.action_groups.{section}"
    if settings.connection not in connections:
        raise SettingsError(f"{place}.connection: there is no connection '{settings.connection}' under [connections]")
    base = settings.url or public_url
    if base is None:
        raise SettingsError(f"{place}.url: say where Azure reaches this service, here or as server.public_url")
    return WantedGroup(
        name=settings.name or section,
        subscription=settings.subscription,
        resource_group=settings.resource_group,
        short_name=settings.short_name,
        receiver=settings.receiver,
        service_uri=f"{base.rstrip('/')}/v1/connections/{settings.connection}/alerts",
        connection=settings.connection,
        link=settings.link,
    )
