"""``secure-export explain``: the dry run."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from secure_export.alerts.alert import Alert, Condition
from secure_export.alerts.decode import decode
from secure_export.alerts.references import references, subscriptions
from secure_export.app import opened
from secure_export.cli.options import DEFAULT_FILE, AsJson, run_async
from secure_export.cli.output import out, print_details, print_json
from secure_export.cmdb.bind import bind
from secure_export.errors import SettingsError
from secure_export.itsm.registry import connector_types
from secure_export.policy.decide import Policy
from secure_export.policy.settings import RouteSettings
from secure_export.settings import ConnectionSettings, Settings
from secure_export.settings_file import read_settings
from secure_export.store.open import store_exists
from secure_export.workitems.work_item import Binding


def explain(
    payload: Annotated[Path, typer.Argument(help="A file with a notification's body; `-` reads standard input.")],
    connection: Annotated[
        str | None, typer.Option(help="By the rules of this connection; without it the only one.", metavar="C")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="The configuration file.", envvar="SECURE_EXPORT_CONFIG")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say what an alert would become, with every reason; touches nothing.

    Without a configuration the default rules and an empty CMDB are used.

    Example: [bold]secure-export explain alert.json --connection desk[/]
    """
    body = sys.stdin.buffer.read() if str(payload) == "-" else payload.read_bytes()
    alert = decode(body)
    explained = run_async(_explained(alert, connection, config))
    if as_json:
        print_json(explained)
    else:
        _print(explained)


async def _explained(alert: Alert, connection: str | None, config: Path | None) -> dict[str, Any]:
    settings = _settings(config)
    if settings is None:
        bindings = tuple(_unlooked(alert))
        return _explanation(alert, Policy(RouteSettings()), bindings, None, None)
    name = _chosen(settings, connection)
    chosen = settings.connections[name]
    bindings = await _bound(settings, name, alert)
    return _explanation(alert, Policy(*chosen.routes), bindings, name, chosen)


def _settings(config: Path | None) -> Settings | None:
    """The configuration asked for, or the one that lies here, or none."""
    if config is None and not DEFAULT_FILE.exists():
        return None
    return read_settings(config or DEFAULT_FILE, connector_types())


def _chosen(settings: Settings, connection: str | None) -> str:
    names = list(settings.connections)
    if connection is None and len(names) == 1:
        return names[0]
    if connection not in names:
        raise SettingsError(f"name one of the connections with --connection: {', '.join(names)}")
    return connection


async def _bound(settings: Settings, name: str, alert: Alert) -> tuple[Binding, ...]:
    """The CIs as the connection's CMDB has them; a store that is not there yet is not made."""
    if not store_exists(settings.store.url):
        return tuple(_unlooked(alert))
    async with opened(settings, connector_types()) as found:
        return await bind(found.targets[name].connector.cmdb, references(alert), found.targets[name].subscriptions)


def _unlooked(alert: Alert) -> list[Binding]:
    found = references(alert)
    named = [one.resource_id for one in found.resources] + list(found.names)
    return [Binding(None, name, "not-looked-up", "there is no CMDB to look it up in yet") for name in named]


def _explanation(
    alert: Alert, policy: Policy, bindings: Sequence[Binding], name: str | None, chosen: ConnectionSettings | None
) -> dict[str, Any]:
    route = policy.route_of(alert)
    content = route.content(alert, bindings)
    correlation = route.correlate(alert)
    close_after = route.close_after(alert)
    return {
        "alert": alert.id,
        "condition": alert.condition.value,
        "kind": alert.kind.value,
        "monitoring_service": alert.monitoring_service,
        "is_test": alert.is_test,
        "is_legacy_schema": alert.is_legacy_schema,
        "connection": name,
        "accepted": _accepted(alert, chosen),
        "correlation_key": "test:… (each test has a lane of its own)" if alert.is_test else correlation.key,
        "effect": _effect(alert),
        "work_item": content.work_item,
        "title": content.title,
        "impact": content.impact,
        "urgency": content.urgency,
        "priority": content.priority,
        "assignment_group": content.assignment_group,
        "fields": dict(content.fields),
        "configuration_items": [{"id": b.id, "name": b.name, "rule": b.rule, "reason": b.reason} for b in bindings],
        "closes_by_itself_after_hours": close_after.total_seconds() / 3600 if close_after else None,
        "reasons": list(content.reasons),
        "warnings": list(alert.warnings),
        "description": content.description,
    }


def _effect(alert: Alert) -> str:
    if alert.condition is Condition.RESOLVED:
        return "resolves the work item of this alert, and makes none"
    if alert.ended:
        return "says that its problem is over: resolves the work item there is, or records one already resolved"
    return "makes a work item, or joins the open one of its correlation key"


def _accepted(alert: Alert, chosen: ConnectionSettings | None) -> str:
    """Whether the connection takes alerts of these subscriptions."""
    named = subscriptions(alert)
    if chosen is None:
        return "not checked: there is no configuration"
    listed = {subscription.lower() for subscription in chosen.subscriptions}
    if "*" in listed or (named and named <= listed):
        return "yes"
    if not named:
        return "to quarantine: it names no subscription, and the connection lists subscriptions"
    return f"refused with 403: the connection does not list subscription {', '.join(sorted(named - listed))}"


def _print(explained: dict[str, Any]) -> None:
    description = explained.pop("description")
    print_details(explained)
    out.print("\n[bold]description[/]")
    out.print(description, markup=False)
