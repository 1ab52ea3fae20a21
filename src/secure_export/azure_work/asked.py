"""What the configuration says of fetching: where is asked, for which action groups, and how far back; pure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from secure_export.azure.missed.meant import OurGroup
from secure_export.azure.missed.wishes import Wishes
from secure_export.settings import Settings

_ANY_SUBSCRIPTION: Final = "*"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked in one tenant.

    Attributes:
        tenant_id: Which tenant.
        authority: Where one signs in to it.
        subscriptions: The subscriptions, in lower case.
        groups: Our action groups.
    """

    tenant_id: str
    authority: str
    subscriptions: tuple[str, ...]
    groups: tuple[OurGroup, ...]


def asked_in(settings: Settings) -> tuple[Asked, ...]:
    """Say in which tenant which subscriptions are asked about.

    A subscription belongs to the tenant of the action group that lies in it, else to that of an action group of the
    same connection, else to the first tenant.
    """
    azure, identity = settings.azure, settings.identity
    tenants = {one.tenant_id: one.authority or identity.authority for one in identity.all_tenants}
    first = next(iter(tenants), "")
    homes: dict[str, str] = {}
    for name, connection in settings.connections.items():
        home = next((g.tenant_id for g in azure.action_groups.values() if g.connection == name and g.tenant_id), first)
        homes |= {one.lower(): home for one in connection.subscriptions if one != _ANY_SUBSCRIPTION}
    homes |= {g.subscription.lower(): g.tenant_id or first for g in azure.action_groups.values()}
    if azure.missed.subscriptions:
        homes = {one.lower(): homes.get(one.lower(), first) for one in azure.missed.subscriptions}
    groups = our_groups(settings)
    return tuple(
        Asked(tenant, authority, tuple(one for one, home in homes.items() if home == tenant), groups)
        for tenant, authority in tenants.items()
        if tenant in homes.values()
    )


def our_groups(settings: Settings) -> tuple[OurGroup, ...]:
    """Give the action groups of the configuration."""
    return tuple(
        OurGroup(
            id=f"/subscriptions/{g.subscription}/resourceGroups/{g.resource_group}/providers/Microsoft.Insights/"
            f"actionGroups/{g.name or section}".lower(),
            connection=g.connection,
            subscription=g.subscription.lower() if g.link.subscription else None,
        )
        for section, g in settings.azure.action_groups.items()
        if g.connection in settings.connections
    )


def wishes_of(settings: Settings, *, patience: timedelta = timedelta(0)) -> Wishes:
    """Say what a run looks at by the configuration."""
    return Wishes(
        look_back=timedelta(hours=settings.azure.missed.look_back_hours),
        keeps=timedelta(days=settings.retention.work_items_days),
        patience=patience,
    )
