"""Looks through subscriptions for action groups with ITSM actions, and for the rules that use them."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from typing import Any

from secure_export.azure.api import AzureApi
from secure_export.azure.errors import AzureRefused
from secure_export.azure.itsmc.inventory import Group, Inventory, Rule, group_of, rule_of
from secure_export.azure.setup.steps.action_group import API_VERSION
from secure_export.azure.setup.steps.alert_rule import KINDS

_SUBSCRIPTIONS_VERSION = "2022-12-01"
_WORKSPACES = ("Microsoft.OperationalInsights/workspaces", "2022-10-01")
# Kinds that an action group can be named in and that `azure apply` does not link; not every cloud has them.
_FURTHER = (
    ("Microsoft.AlertsManagement/actionRules", "2021-08-08"),
    ("Microsoft.AlertsManagement/prometheusRuleGroups", "2023-03-01"),
)
_NOT_THERE = {400, 404}


async def readable_subscriptions(manager: AzureApi) -> list[str]:
    """List the subscriptions that who signed in may read anything of, in lower case."""
    listed = manager.items("/subscriptions", query={"api-version": _SUBSCRIPTIONS_VERSION})
    return sorted([str(one["subscriptionId"]).lower() async for one in listed])


async def look(manager: AzureApi, tenant_id: str, subscriptions: Sequence[str]) -> Inventory:
    """Look through subscriptions of one tenant.

    Args:
        manager: Azure Resource Manager, signed in to the tenant.
        tenant_id: The tenant.
        subscriptions: Which.

    Raises:
        AzureUnreachable: Azure does not answer.
        NotSignedIn: There is no token.
    """
    found = _Found(manager)
    groups = [
        group
        for subscription in subscriptions
        async for there in found.listed(subscription, "Microsoft.Insights/actionGroups", API_VERSION)
        if (group := group_of(there, tenant_id)) is not None
    ]
    rules = [rule async for rule in found.rules(subscriptions)] if groups else []
    workspaces = await found.workspaces(groups, subscriptions)
    ordered = sorted((_with_rules(group, rules) for group in groups), key=lambda one: one.id.lower())
    return Inventory(tuple(subscriptions), tuple(ordered), workspaces, tuple(found.remarks))


def together(inventories: Iterable[Inventory], *, remarks: Sequence[str] = ()) -> Inventory:
    """Put what was found in several tenants together."""
    parts = list(inventories)
    return Inventory(
        tuple(one for part in parts for one in part.subscriptions),
        tuple(one for part in parts for one in part.groups),
        {key: name for part in parts for key, name in part.workspaces.items()},
        (*remarks, *(one for part in parts for one in part.remarks)),
    )


class _Found:
    """Lists resources, and notes what may not be read."""

    def __init__(self, manager: AzureApi) -> None:
        self._manager = manager
        self.remarks: list[str] = []

    async def listed(
        self, subscription: str, kind: str, version: str, *, may_be_missing: bool = False
    ) -> AsyncIterator[dict[str, Any]]:
        """List the resources of a kind in a subscription; a refusal is noted, and ends nothing."""
        path = f"/subscriptions/{subscription}/providers/{kind}"
        try:
            async for one in self._manager.items(path, query={"api-version": version}):
                yield one
        except AzureRefused as error:
            if may_be_missing and (error.status in _NOT_THERE or error.is_denied):
                return
            self.remarks.append(
                f"{kind} of subscription {subscription} were not looked through: {error.code or error.status}; "
                "have the role Reader or Monitoring Reader there, and run this again"
            )

    async def rules(self, subscriptions: Sequence[str]) -> AsyncIterator[Rule]:
        """List the rules of every kind that can name an action group."""
        for subscription in subscriptions:
            for kind in KINDS:
                async for there in self.listed(subscription, kind.name, kind.api_version):
                    yield rule_of(there)
            for name, version in _FURTHER:
                async for there in self.listed(subscription, name, version, may_be_missing=True):
                    yield rule_of(there)

    async def workspaces(self, groups: Iterable[Group], subscriptions: Sequence[str]) -> dict[str, str]:
        """Find the names of the workspaces that hold the ITSM connections; they only make better names here."""
        wanted = {one.workspace_id.partition("|")[0].lower() for group in groups for one in group.receivers}
        names: dict[str, str] = {}
        for subscription in sorted(wanted & set(subscriptions)):
            async for there in self.listed(subscription, *_WORKSPACES, may_be_missing=True):
                customer = str((there.get("properties") or {}).get("customerId", "")).lower()
                names[customer] = str(there.get("name", ""))
        return names


def _with_rules(group: Group, rules: Iterable[Rule]) -> Group:
    return replace(group, rules=tuple(rule for rule in rules if group.id.lower() in rule.groups))
