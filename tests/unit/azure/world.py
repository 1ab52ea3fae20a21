"""Looks at a sandbox's Azure as a whole: what changed, and what was asked."""

import json
import re
from typing import Any

from tests.azure_sandbox import Azure

_GUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def state_of(azure: Azure, tenant_id: str | None = None) -> str:
    """Everything that Azure holds, but for what was deleted softly."""
    tenant = azure.entra.graph.tenant(tenant_id or azure.tenant).as_json()
    kept = {name: value for name, value in tenant.items() if name != "deleted"}
    return json.dumps([kept, list(azure.arm.all_rows())], sort_keys=True, default=str)


def shape_of(azure: Azure) -> list[str]:
    """The same, with ids and times drawn away, so that two runs can be compared."""
    told = json.loads(state_of(azure))
    rows = [*(row for rows in told[0].values() if isinstance(rows, list) for row in rows), *told[1]]
    return sorted(_TIME.sub("T", _GUID.sub("G", json.dumps(row, sort_keys=True))) for row in rows)


def writes(azure: Azure) -> list[str]:
    """The requests that may have changed something."""
    asked = [*azure.entra.graph.counters.last(), *azure.arm.counters.last()]
    return [f"{one.method} {one.path}" for one in asked if one.method != "GET" and "/oauth2/" not in one.path]


def webhooks(azure: Azure, group: str) -> list[dict[str, Any]]:
    """The webhooks of an action group."""
    return list(azure.arm.resources[group.lower()]["properties"]["webhookReceivers"])
