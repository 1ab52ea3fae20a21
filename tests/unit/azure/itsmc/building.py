"""Builds what Azure shows of ITSMC, for the tests of this folder."""

import json
from typing import Any

from secure_export.azure.itsmc.inventory import Group, Inventory, Rule, group_of, rule_of
from secure_export.azure.itsmc.migration import Migration, migration_of
from secure_export.azure.itsmc.names import Known
from secure_export.azure.itsmc.treatment import Tool
from secure_export.itsm.servicenow.settings import why_not_settable

SUBSCRIPTION = "7b1d6f20-3c44-4e0b-9a86-1f2e5d8c9a01"
WORKSPACE = "5b0e9c52-6b6f-4f7e-9f0e-2f4b3f1c7a10"
CONNECTION = "1f0c7d3e-55aa-4b11-8f6e-0d9b1c2a3e44"
SERVICENOW = Tool("servicenow", why_not_settable)


def action(name: str, *, connection: str = CONNECTION, **said: Any) -> dict[str, Any]:
    told = {"PayloadRevision": 0, "WorkItemType": "Incident", "UseTemplate": False, "WorkItemData": "{}", **said}
    return {
        "name": name,
        "workspaceId": f"{SUBSCRIPTION}|{WORKSPACE}",
        "connectionId": connection,
        "ticketConfiguration": json.dumps(told),
        "region": "westeurope",
    }


def rule(name: str, kind: str = "Microsoft.Insights/scheduledQueryRules", group: str = "rg") -> Rule:
    return rule_of({
        "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{kind}/{name}",
        "name": name,
        "properties": {"enabled": True, "scopes": [f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"]},
    })  # fmt: skip


def group(name: str, *actions: dict[str, Any], rules: tuple[Rule, ...] = (), **more: Any) -> Group:
    properties = {"enabled": True, "itsmReceivers": list(actions), **more}
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{more.pop('resource_group', 'rg')}"
    path = f"{scope}/providers/Microsoft.Insights/actionGroups/{name}"
    found = group_of({"id": path, "properties": properties}, "tenant")
    assert found is not None
    return Group(found.tenant_id, found.id, found.enabled, found.receivers, found.webhooks, rules)


def migration(*groups: Group, tool: Tool = SERVICENOW, known: Known | None = None, named: bool = True) -> Migration:
    workspaces = {WORKSPACE: "log-central"} if named else {}
    return migration_of(Inventory((SUBSCRIPTION,), groups, workspaces), tool, known or Known())
