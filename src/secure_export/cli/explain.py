"""``secure-export explain``: the dry run."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from secure_export.alerts.alert import Alert, Condition
from secure_export.alerts.decode import decode
from secure_export.alerts.references import references, subscriptions
from secure_export.cli.options import DEFAULT_FILE, AsJson, parts, run_async
from secure_export.cli.output import out, print_details, print_json, print_table
from secure_export.clock import utc_now
from secure_export.cmdb.bind import bind
from secure_export.delivery.connection import Target
from secure_export.errors import SecureExportError, SettingsError
from secure_export.ids import new_id
from secure_export.itsm.contract import ShowsRecords
from secure_export.policy.decide import Policy, Route
from secure_export.policy.settings import RouteSettings
from secure_export.settings import ConnectionSettings, Settings
from secure_export.workitems.work_item import Binding, Desired, State, WorkItem


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

    CIs, names and choices are looked up in the ITSM tool, and the record is shown field by field where the connector
    can tell it. Without a configuration the default rules and no CMDB are used.

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
    if config is None and not DEFAULT_FILE.exists():
        bindings = _unlooked(alert, "there is no configuration, and so no CMDB to look it up in")
        return _explanation(alert, Policy(RouteSettings()).route_of(alert), bindings, None, None)
    async with parts(config or DEFAULT_FILE) as found:
        name = _chosen(found.settings, connection)
        chosen, target = found.settings.connections[name], found.targets[name]
        route = target.policy.route_of(alert)
        bindings = await _bound(target, alert)
        explained = _explanation(alert, route, bindings, name, chosen)
        return {**explained, "record": await _record(target, alert, _item(alert, name, route, bindings))}


def _chosen(settings: Settings, connection: str | None) -> str:
    names = list(settings.connections)
    if connection is None and len(names) == 1:
        return names[0]
    if connection not in names:
        raise SettingsError(f"name one of the connections with --connection: {', '.join(names)}")
    return connection


async def _bound(target: Target, alert: Alert) -> Sequence[Binding]:
    """The CIs as the connection's CMDB has them; a CMDB that does not answer ends nothing."""
    try:
        return await bind(target.connector.cmdb, references(alert), target.subscriptions)
    except SecureExportError as error:
        return _unlooked(alert, f"the CMDB gave no answer: {error}")


def _unlooked(alert: Alert, why: str) -> Sequence[Binding]:
    found = references(alert)
    named = [one.resource_id for one in found.resources] + list(found.names)
    return [Binding(None, name, "not-looked-up", why) for name in named]


def _item(alert: Alert, connection: str, route: Route, bindings: Sequence[Binding]) -> WorkItem:
    """The first work item that the alert would become."""
    desired = Desired(State.OPEN, route.content(alert, bindings))
    now = utc_now()
    return WorkItem(new_id(now), connection, route.correlate(alert).key, 1, desired, None, now)


async def _record(target: Target, alert: Alert, item: WorkItem) -> dict[str, Any] | None:
    """The record that the tool would get; None where it would get none, or the connector cannot say."""
    if alert.condition is Condition.RESOLVED or not isinstance(target.connector, ShowsRecords):
        return None
    shown = await target.connector.preview(item)
    return {"table": shown.table, "fields": dict(shown.fields), "remarks": list(shown.remarks)}


def _explanation(
    alert: Alert, route: Route, bindings: Sequence[Binding], name: str | None, chosen: ConnectionSettings | None
) -> dict[str, Any]:
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
    description, record = explained.pop("description"), explained.pop("record", None)
    print_details(explained)
    out.print("\n[bold]description[/]")
    out.print(description, markup=False)
    if record is not None:
        _print_record(record, description)


def _print_record(record: dict[str, Any], description: str) -> None:
    out.print(f"\nrecord in {record['table']}, as it would be written", style="bold", markup=False)
    fields = {name: "as above" if text == description else text for name, text in record["fields"].items()}
    print_table(("field", "value"), fields.items(), empty="nothing can be said of it")
    for remark in record["remarks"]:
        out.print(f"· {remark}", markup=False)
