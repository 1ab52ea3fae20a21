"""Alerts Management's API: list, get, history, change of state, summary (entra-facts 6.4, azure-facts section 5)."""

import base64
import binascii
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from secure_export.sandbox.azure_monitor.arm.errors import TOO_MANY, bad_request, refused, throttled
from secure_export.sandbox.azure_monitor.arm.ledger import KEPT, STATES, Alert, read
from secure_export.sandbox.azure_monitor.arm.visit import Visit
from secure_export.sandbox.azure_monitor.arm.world import Row
from secure_export.sandbox.reply import Reply, json_reply

ALERTS: Final = "Microsoft.AlertsManagement/alerts"
VERSIONS: Final = (
    "2018-05-05",
    "2018-05-05-preview",
    "2019-03-01",
    "2019-05-05-preview",
    "2023-07-12-preview",
    "2025-05-25-preview",
)
_TYPE: Final = "Microsoft.AlertsManagement/alerts"
_RANGES: Final = {
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
MOST_ON_A_PAGE: Final = 250
MOST_WITH_CONTEXT: Final = 25
_FILTERS: Final = (
    "targetResource",
    "targetResourceType",
    "targetResourceGroup",
    "monitorService",
    "monitorCondition",
    "severity",
    "alertState",
    "alertRule",
)
_OTHERS: Final = frozenset(
    {
        "smartGroupId",
        "includeContext",
        "includeEgressConfig",
        "pageCount",
        "sortBy",
        "sortOrder",
        "select",
        "timeRange",
        "customTimeRange",
        "api-version",
        "ctoken",
        "groupby",
        "includeSmartGroupsCount",
    }
)
_CLOSED: Final = {
    "severity": frozenset({"Sev0", "Sev1", "Sev2", "Sev3", "Sev4"}),
    "alertState": frozenset(STATES),
    "monitorCondition": frozenset({"Fired", "Resolved"}),
}
_SORTED: Final = {
    "name": lambda one: one.name,
    "severity": lambda one: str(one.essentials.get("severity")),
    "alertState": lambda one: one.state,
    "monitorCondition": lambda one: one.condition,
    "targetResource": lambda one: one.target.lower(),
    "targetResourceName": lambda one: one.target.lower().rpartition("/")[2],
    "targetResourceGroup": lambda one: one.shown_essentials()["targetResourceGroup"],
    "targetResourceType": lambda one: one.shown_essentials()["targetResourceType"],
    "startDateTime": lambda one: one.started,
    "lastModifiedDateTime": lambda one: one.modified,
}
_SortKey = Callable[[Alert], Any]
# The stable version's list of what can happen to an alert is shorter than the previews' (entra-facts 6.4).
_STABLE_EVENTS: Final = frozenset({"AlertCreated", "StateChange", "MonitorConditionChange"})
_GROUPED: Final = ("severity", "alertState", "monitorCondition", "monitorService", "signalType", "alertRule")


async def listed(visit: Visit) -> Reply:
    """List alerts, the latest changed first."""
    scope = _enter(visit, f"{ALERTS}/read", "lists", visit.world.behaviour.alert_lists)
    parameters = visit.call.parameters
    found = sorted(_filtered(visit, scope), key=_sort_key(parameters), reverse=_is_descending(parameters))
    with_context = parameters.get("includeContext", "").lower() == "true"
    size, start = _page_count(parameters, with_context=with_context), _start(parameters)
    rows = [_shown(one, with_context=with_context) for one in found[start : start + size]]
    document: Row = {"value": [_selected(row, parameters) for row in rows]}
    if start + size < len(found):
        token = base64.urlsafe_b64encode(str(start + size).encode()).decode()
        document["nextLink"] = f"{visit.call.url}?{urlencode({**parameters, 'ctoken': token})}"
    return json_reply(200, document)


async def got(visit: Visit) -> Reply:
    """Give one alert."""
    _, alert = _one(visit, f"{ALERTS}/read")
    return json_reply(200, _shown(alert, with_context=True))


async def history(visit: Visit) -> Reply:
    """Tell what happened to an alert."""
    _, alert = _one(visit, f"{ALERTS}/history/read")
    is_stable = not visit.version.endswith("preview")
    events = [one.as_json() for one in alert.history if not is_stable or one.event in _STABLE_EVENTS]
    return json_reply(
        200,
        {
            "properties": {"alertId": alert.guid, "modifications": events},
            "id": f"{alert.id}/history/default",
            "type": f"{_TYPE}/history",
            "name": "default",
        },
    )


async def state_changed(visit: Visit) -> Reply:
    """Change what people made of an alert."""
    _, alert = _one(visit, f"{ALERTS}/changestate/action")
    state = visit.call.parameters.get("newState", "")
    if state not in STATES:
        raise bad_request(f"The newState '{state}' is not valid. It is one of: {', '.join(STATES)}.")
    visit.world.ledger.change_state(alert, state, by=visit.caller.name, comments=_comments(visit))
    return json_reply(200, _shown(alert, with_context=False))


async def summary(visit: Visit) -> Reply:
    """Count alerts by one or two of their essentials."""
    scope = _enter(visit, f"{ALERTS}Summary/read", "summaries", visit.world.behaviour.alert_summaries)
    names = [one for one in visit.call.parameters.get("groupby", "").split(",") if one]
    if not names or any(one not in _GROUPED for one in names):
        raise bad_request(f"The groupby must name some of: {', '.join(_GROUPED)}.")
    rows = [one.shown_essentials() for one in _filtered(visit, scope)]
    properties = {"total": len(rows), **_grouped(rows, names)}
    summary_id = f"{scope}/providers/Microsoft.AlertsManagement/alertsSummary/current"
    document = {
        "properties": properties,
        "id": summary_id,
        "type": "Microsoft.AlertsManagement/alertsSummary",
        "name": "current",
    }
    return json_reply(200, document)


def _enter(visit: Visit, action: str, limit: str, most: int) -> str:
    """Let the caller in; gives the scope."""
    scope = visit.named["scope"]
    parts = scope.strip("/").split("/")
    if parts[0].lower() != "subscriptions" or len(parts) < 2:  # noqa: PLR2004 - a word and an id
        raise refused(404, "InvalidResourceType", f"The scope '{scope}' is not valid.")
    visit.with_names(subscription=parts[1]).subscription()
    visit.must_be_version(ALERTS, VERSIONS)
    if seconds := visit.world.windows.find(most, 60.0, "alerts", limit, parts[1].lower()).take(visit.world.clock.now()):
        raise throttled(seconds, TOO_MANY, f"The limit of {most} calls a minute was reached.")
    visit.must(action, scope)
    return scope


def _one(visit: Visit, action: str) -> tuple[str, Alert]:
    scope = _enter(visit, action, "calls", visit.world.behaviour.alert_calls)
    alert = visit.world.ledger.find(visit.named["alert"])
    if alert is None or not _is_below(alert, scope):
        raise refused(404, "AlertNotFound", f"Alert with id '{visit.named['alert']}' not found.")
    return scope, alert


def _is_below(alert: Alert, scope: str) -> bool:
    wanted = scope.rstrip("/").lower()
    return f"{alert.target}/".lower().startswith(f"{wanted}/") or wanted == f"/subscriptions/{alert.subscription}"


def _filtered(visit: Visit, scope: str) -> list[Alert]:
    parameters = visit.call.parameters
    if unknown := parameters.keys() - {*_FILTERS, *_OTHERS}:
        raise bad_request(f"The query parameter '{min(unknown)}' is not known.")
    for name, values in _CLOSED.items():
        if name in parameters and parameters[name] not in values:
            raise bad_request(f"The {name} '{parameters[name]}' is not valid.")
    begin, end = _time_range(parameters, visit.world.clock.now())
    found = [one for one in visit.world.ledger.all() if _is_below(one, scope) and begin <= one.started <= end]
    wanted: dict[str, str] = {name: parameters[name].lower() for name in _FILTERS if name in parameters}
    return [one for one in found if _fits(one.shown_essentials(), wanted)]


def _fits(essentials: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(str(essentials.get(name) or "").lower() == value for name, value in wanted.items())


def _time_range(parameters: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    custom, usual = parameters.get("customTimeRange"), parameters.get("timeRange")
    if custom is not None and usual is not None:
        raise bad_request("Either timeRange or customTimeRange could be used but not both.")
    if custom is None:
        if (usual or "1d") not in _RANGES:
            raise bad_request(f"The timeRange '{usual}' is not valid. It is one of: {', '.join(_RANGES)}.")
        return now - _RANGES[usual or "1d"], now
    begin, end = (read(one) for one in (custom.partition("/")[0], custom.partition("/")[2]))
    if begin is None or end is None or begin > end:
        raise bad_request(f"The customTimeRange '{custom}' is not <start-time>/<end-time>.")
    if begin < now - KEPT:
        raise bad_request("The customTimeRange must lie within 30 days from query time.")
    return begin, end


def _page_count(parameters: Mapping[str, str], *, with_context: bool) -> int:
    most = MOST_WITH_CONTEXT if with_context else MOST_ON_A_PAGE
    text = parameters.get("pageCount", str(MOST_WITH_CONTEXT))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise bad_request(f"The pageCount must be between 1 and {most}.")
    return int(text)


def _start(parameters: Mapping[str, str]) -> int:
    try:
        return int(base64.urlsafe_b64decode(parameters["ctoken"])) if "ctoken" in parameters else 0
    except (ValueError, binascii.Error):
        raise bad_request("The continuation token is not valid.") from None


def _sort_key(parameters: Mapping[str, str]) -> _SortKey:
    name = parameters.get("sortBy", "lastModifiedDateTime")
    if name not in _SORTED:
        raise bad_request(f"The sortBy '{name}' is not valid.")
    return _SORTED[name]


def _is_descending(parameters: Mapping[str, str]) -> bool:
    order = parameters.get("sortOrder", "desc")
    if order not in {"asc", "desc"}:
        raise bad_request(f"The sortOrder '{order}' is not valid.")
    return order == "desc"


def _shown(alert: Alert, *, with_context: bool) -> Row:
    properties: Row = {"essentials": alert.shown_essentials(), "egressConfig": {}}
    if with_context:
        properties["context"] = dict(alert.context)
    return {"properties": properties, "id": alert.id, "type": _TYPE, "name": alert.name}


def _selected(row: Row, parameters: Mapping[str, str]) -> Row:
    names = [one.strip() for one in parameters.get("select", "").split(",") if one.strip()]
    if not names:
        return row
    essentials = row["properties"]["essentials"]
    kept = {name: essentials[name] for name in names if name in essentials}
    return {**row, "properties": {"essentials": kept, "egressConfig": {}}}


def _comments(visit: Visit) -> str:
    """Read the body; its member is ``comments`` by the description and ``comment`` by the official example."""
    if not visit.call.body:
        return ""
    try:
        document = visit.call.document()
    except msgspec.DecodeError:
        raise bad_request("The body is no JSON.") from None
    said = document if isinstance(document, dict) else {}
    return str(said.get("comments") or said.get("comment") or "")


def _grouped(rows: list[Row], names: list[str]) -> Row:
    counts = Counter(str(row.get(names[0])) for row in rows)
    values: list[Row] = []
    for value, count in sorted(counts.items()):
        more = _grouped([row for row in rows if str(row.get(names[0])) == value], names[1:]) if names[1:] else {}
        values.append({"name": value, "count": count, **more})
    return {"groupedby": names[0], "values": values}
