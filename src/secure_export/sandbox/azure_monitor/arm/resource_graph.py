"""Resource Graph's query end point, with its quota and pages (entra-facts 6.6)."""

import base64
import binascii
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from secure_export.sandbox.azure_monitor.arm import kql
from secure_export.sandbox.azure_monitor.arm.errors import error_reply, refused
from secure_export.sandbox.azure_monitor.arm.ledger import Alert
from secure_export.sandbox.azure_monitor.arm.visit import Visit
from secure_export.sandbox.azure_monitor.arm.world import Row
from secure_export.sandbox.reply import Reply, json_reply
from secure_export.sandbox.rest_call import RestError

VERSIONS: Final = ("2021-03-01", "2022-10-01", "2024-04-01")
MOST_ON_A_PAGE: Final = 1_000
USUAL_PAGE: Final = 100
SECONDS: Final = 5
_MEMBERS: Final = frozenset({"subscriptions", "managementGroups", "query", "options", "facets"})
_OPTIONS: Final = frozenset(
    {"$skipToken", "$top", "$skip", "resultFormat", "allowPartialScopes", "authorizationScopeFilter"}
)
_READ: Final = "Microsoft.ResourceGraph/resources/read"


async def resources(visit: Visit) -> Reply:
    """Answer a query over what the caller may read."""
    visit.must_be_version("Microsoft.ResourceGraph/resources", VERSIONS)
    quota = _quota(visit)
    body = visit.body()
    if unknown := body.keys() - _MEMBERS:
        raise _bad(f"Unknown member '{min(unknown)}'.")
    options = body.get("options") or {}
    if unknown := options.keys() - _OPTIONS:
        raise _bad(f"Unknown option '{min(unknown)}'.")
    if not isinstance(body.get("query"), str) or not body["query"].strip():
        raise _bad("The query is missing.")
    rows = _answered(visit, body["query"], _subscriptions(visit, body.get("subscriptions")))
    return json_reply(200, _page(rows, options)).with_headers(quota)


def _quota(visit: Visit) -> dict[str, str]:
    now, most = visit.world.clock.now(), visit.world.behaviour.queries
    window = visit.world.windows.find(most, SECONDS, "resource graph", visit.caller.object_id)
    if seconds := window.take(now):
        headers = {
            "Retry-After": str(seconds),
            "x-ms-user-quota-remaining": "0",
            "x-ms-user-quota-resets-after": f"00:00:{seconds:02d}",
        }
        raise RestError(
            error_reply(
                429,
                "RateLimiting",
                "The client application has been throttled and should not attempt to repeat the request until some "
                "time has elapsed.",
            ).with_headers(headers)
        )
    return {
        "x-ms-user-quota-remaining": str(window.left(now)),
        "x-ms-user-quota-resets-after": f"00:00:{SECONDS:02d}",
    }


def _subscriptions(visit: Visit, asked: Any) -> list[str]:
    """Give the subscriptions that are looked at: those asked for, or all, of which the caller may read something."""
    known = visit.world.subscriptions
    wanted = [str(one).lower() for one in asked] if asked else list(known)
    same = [one for one in wanted if one in known and known[one].tenant.lower() == visit.caller.tenant.lower()]
    seen = [one for one in same if visit.world.access.touches(visit.caller, f"/subscriptions/{one}")]
    if not seen:
        raise refused(
            403,
            "AuthorizationFailed",
            f"The client '{visit.caller.name}' with object id '{visit.caller.object_id}' does not have authorization "
            f"to perform action '{_READ}' over any of the given subscriptions.",
        )
    return seen


def _answered(visit: Visit, query: str, subscriptions: list[str]) -> list[Row]:
    tables = {
        "resources": lambda: _seen(visit, visit.world.all_rows(), subscriptions),
        "resourcecontainers": lambda: _seen(visit, _containers(visit), subscriptions),
        "alertsmanagementresources": lambda: _seen(visit, _alerts(visit), subscriptions),
    }
    try:
        return kql.run(query, tables, visit.world.clock.now())
    except kql.QueryError as problem:
        raise _bad(str(problem), problem.code) from None
    except (TypeError, AttributeError, IndexError) as problem:
        raise _bad(f"A function or operator was given what it does not take: {problem}.", "InvalidQuery") from None


def _seen(visit: Visit, rows: Iterator[Row], subscriptions: list[str]) -> Iterator[Row]:
    for row in rows:
        if row["subscriptionId"].lower() in subscriptions:
            action = f"{row['type']}/read"
            if visit.world.access.allows(visit.caller, action, row["id"]):
                yield row


def _containers(visit: Visit) -> Iterator[Row]:
    for one in visit.world.subscriptions.values():
        yield _container(f"/subscriptions/{one.id}", one.name, "microsoft.resources/subscriptions", one.id, one.tenant)
    for row in visit.world.groups.values():
        subscription = visit.world.subscription(row["id"].split("/")[2])
        kind = "microsoft.resources/subscriptions/resourcegroups"
        yield {
            **_container(row["id"], row["name"], kind, subscription.id, subscription.tenant),
            "resourceGroup": row["name"].lower(),
        }


def _container(container_id: str, name: str, kind: str, subscription: str, tenant: str) -> Row:
    return {
        "id": container_id,
        "name": name,
        "type": kind,
        "tenantId": tenant,
        "subscriptionId": subscription,
        "properties": {},
    }


def _alerts(visit: Visit) -> Iterator[Row]:
    lag = timedelta(seconds=visit.world.behaviour.graph_lag_seconds)
    newest = visit.world.clock.now() - lag
    for one in visit.world.ledger.all():
        if one.modified <= newest:
            yield _alert(visit, one)


def _alert(visit: Visit, alert: Alert) -> Row:
    essentials = alert.shown_essentials()
    return {
        "id": alert.id,
        "name": alert.name,
        "type": "microsoft.alertsmanagement/alerts",
        "tenantId": visit.world.estate.tenant,
        "kind": "",
        "location": "",
        "resourceGroup": essentials["targetResourceGroup"],
        "subscriptionId": alert.subscription,
        "managedBy": "",
        "sku": None,
        "plan": None,
        "properties": {"essentials": essentials, "context": dict(alert.context), "egressConfig": {}},
        "tags": None,
        "identity": None,
        "zones": None,
        "extendedLocation": None,
    }


def _page(rows: list[Row], options: Row) -> Row:
    top, start = options.get("$top", USUAL_PAGE), options.get("$skip", 0)
    if not isinstance(top, int) or not 1 <= top <= MOST_ON_A_PAGE:
        raise _bad(f"The value of $top must be between 1 and {MOST_ON_A_PAGE}.")
    if (token := options.get("$skipToken")) is not None:
        start = _skipped(token)
    shown = rows[start : start + top]
    document: Row = {
        "totalRecords": len(rows),
        "count": len(shown),
        "resultTruncated": "false",
        "facets": [],
        "data": _formatted(shown, str(options.get("resultFormat", "objectArray"))),
    }
    if start + top < len(rows):
        # Without the column id there is no going on: Resource Graph cannot tell rows apart.
        if all("id" in row for row in shown):
            document["$skipToken"] = base64.urlsafe_b64encode(str(start + top).encode()).decode()
        else:
            document["resultTruncated"] = "true"
    return document


def _skipped(token: Any) -> int:
    try:
        return int(base64.urlsafe_b64decode(str(token)))
    except (ValueError, binascii.Error):
        raise _bad("The skip token is not valid.") from None


def _formatted(rows: list[Row], form: str) -> Any:
    if form.lower() == "objectarray":
        return rows
    if form.lower() != "table":
        raise _bad(f"The resultFormat '{form}' is not valid.")
    names = list(rows[0]) if rows else []
    return {
        "columns": [{"name": one, "type": "object"} for one in names],
        "rows": [[row[one] for one in names] for row in rows],
    }


def _bad(text: str, code: str = "InvalidQuery") -> RestError:
    details = [
        {
            "code": "InvalidQuery",
            "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and "
            "fix the error before retrying.",
        },
        {"code": code, "message": text},
    ]
    message = "Please provide below info when asking for support."
    return RestError(error_reply(400, "BadRequest", message, details=details))
