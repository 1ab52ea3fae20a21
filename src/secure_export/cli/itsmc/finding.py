"""What the ``itsmc`` commands share: they look for ITSM actions, and say what becomes of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from secure_export.azure.itsmc.configuration import Written, written
from secure_export.azure.itsmc.file import read_text
from secure_export.azure.itsmc.inventory import Inventory
from secure_export.azure.itsmc.looking import look, readable_subscriptions, together
from secure_export.azure.itsmc.migration import Migration, migration_of
from secure_export.azure.itsmc.names import Known
from secure_export.azure.itsmc.sections import Section, sections_of
from secure_export.azure.itsmc.treatment import Tool
from secure_export.azure.setup.wanted import WantedTenant
from secure_export.cli.azure.setting_up import context_of, settings_of
from secure_export.errors import SettingsError
from secure_export.itsm.registry import connector_types
from secure_export.settings import Settings

Subscriptions = Annotated[
    list[str] | None,
    typer.Option(
        "--subscription",
        "-s",
        help="Look through this subscription; may be given several times. Without it those that the configuration "
        "names, or all that you may read.",
        metavar="ID",
    ),
]
ToolType = Annotated[
    str | None, typer.Option("--type", help="The tool: servicenow (the default), bmc-helix, desk.", metavar="T")
]
Name = Annotated[
    str | None,
    typer.Option("--connection", help="Use this connection for all ITSM actions, a new one or one that is there."),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options of a command say.

    Attributes:
        config: The configuration file.
        subscriptions: Which subscriptions are looked through; empty: the option was not given.
        tool: The tool's type; None: the usual one.
        connection: The connection for all; None: names are found.
        public_url: ``server.public_url`` to write; None: as it is.
        force: Whether sections that say something else are overwritten.
    """

    config: Path
    subscriptions: tuple[str, ...] = ()
    tool: str | None = None
    connection: str | None = None
    public_url: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """What there is, and what would become of it.

    Attributes:
        settings: The configuration as it is.
        migration: What becomes of ITSMC.
        sections: What the configuration needs for it.
        text: The configuration file's text.
        written: The configuration with that in it.
    """

    settings: Settings
    migration: Migration
    sections: tuple[Section, ...]
    text: str
    written: Written


async def outlook(asked: Asked) -> Outlook:
    """Look through Azure, and say what becomes of what is there; changes nothing.

    Raises:
        SettingsError: The configuration or an option cannot be used.
    """
    settings = settings_of(asked.config)
    tool = _tool(asked, settings)
    inventory = await _inventory(settings, asked.subscriptions)
    several = len(settings.identity.all_tenants) > 1
    migration = migration_of(inventory, tool, _known(settings, asked.connection))
    sections = sections_of(migration, tool=tool.type, several_tenants=several)
    text = read_text(asked.config)
    done = written(text, sections, public_url=asked.public_url, force=asked.force)
    return Outlook(settings, migration, sections, text, done)


async def _inventory(settings: Settings, asked: Sequence[str]) -> Inventory:
    named = _named(settings, asked)
    found: list[Inventory] = []
    readable: set[str] = set()
    for tenant in settings.identity.all_tenants:
        wanted = WantedTenant(tenant.tenant_id, settings.azure.application_in(tenant.tenant_id), "", "", ())
        async with context_of(settings, wanted) as (context, _):
            there = await readable_subscriptions(context.manager)
            readable.update(there)
            chosen = there if not named else [one for one in there if one in named]
            if not asked and not chosen:
                chosen = there
            found.append(await look(context.manager, tenant.tenant_id, chosen))
    return together(found, remarks=_unread(named, readable, asked))


def _unread(named: Iterable[str], readable: set[str], asked: Sequence[str]) -> list[str]:
    unread = [one for one in named if one not in readable]
    if unread and asked:
        raise SettingsError(
            f"--subscription {unread[0]}: who signed in can read nothing there; have the role Reader or Monitoring "
            "Reader assigned, or check the id"
        )
    return [f"subscription {one}, which the configuration names, cannot be read by who signed in" for one in unread]


def _named(settings: Settings, asked: Sequence[str]) -> list[str]:
    """The subscriptions to look through; none: all there are."""
    if asked:
        return list(dict.fromkeys(one.lower() for one in asked))
    groups = [group.subscription for group in settings.azure.action_groups.values()]
    listed = [one for connection in settings.connections.values() for one in connection.subscriptions]
    return [] if "*" in listed else list(dict.fromkeys(one.lower() for one in (*groups, *listed)))


def _tool(asked: Asked, settings: Settings) -> Tool:
    there = settings.connections.get(asked.connection or "")
    if there is not None and asked.tool not in {None, there.type}:
        raise SettingsError(f"--type: the connection '{asked.connection}' is of type {there.type}; leave --type out")
    kind = there.type if there is not None else asked.tool or "servicenow"
    types = connector_types()
    if kind not in types:
        raise SettingsError(f"--type: there is no connector '{kind}'; there are: {', '.join(sorted(types))}")
    return Tool(kind, types[kind].why_not_settable)


def _known(settings: Settings, connection: str | None) -> Known:
    groups = {
        section: (one.connection, one.receiver, _path(one.subscription, one.resource_group, one.name or section))
        for section, one in settings.azure.action_groups.items()
    }
    return Known(groups, connection)


def _path(subscription: str, resource_group: str, name: str) -> str:
    scope = f"/subscriptions/{subscription}/resourceGroups/{resource_group}"
    return f"{scope}/providers/Microsoft.Insights/actionGroups/{name}"


def details(found: Outlook) -> dict[str, Any]:
    """Give all that was found for programs."""
    groups = found.migration.inventory.groups
    return {
        "subscriptions": list(found.migration.inventory.subscriptions),
        "action_groups": [
            {
                "id": group.id,
                "tenant_id": group.tenant_id,
                "enabled": group.enabled,
                "itsm_actions": [dict(one.raw) for one in group.receivers],
                "secure_webhooks": sorted(group.webhooks),
                "rules": [{"id": rule.id, "name": rule.name, "enabled": rule.enabled} for rule in group.rules],
            }
            for group in groups
        ],
        "connections": [
            {"name": c.name, "itsmc_connection": c.id, "subscriptions": list(c.subscriptions),
             "routes": [dict(route) for route in c.routes]}
            for c in found.migration.connections
        ],
        "lines": [
            {"about": line.about, "option": line.option, "was": line.was, "becomes": line.becomes,
             "reason": line.reason, "fate": line.fate.value}
            for line in found.migration.lines
        ],
        "remarks": list(found.migration.inventory.remarks),
    }  # fmt: skip
