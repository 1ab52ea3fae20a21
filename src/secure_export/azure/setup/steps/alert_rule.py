"""Alert rules that name the action group, each kind in its own way (Azure Monitor REST API, alert rules)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import Action, Change, Difference, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import WRITE_RULES, Permission
from secure_export.azure.setup.record import Made

_READ_ONLY = {"id", "name", "type", "systemData", "etag"}
_MOST_ACTION_GROUPS = 5
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RuleKind:
    """How one kind of alert rule names action groups.

    Attributes:
        type: Its resource type, in lower case.
        api_version: What it is read and written with.
        listed: The action groups' ids in a rule.
        with_list: The rule's properties with another list of ids; entries that stay keep what else they hold.
    """

    type: str
    api_version: str
    listed: Callable[[Mapping[str, Any]], list[str]]
    with_list: Callable[[Mapping[str, Any], list[str]], Json]


def _metric_listed(properties: Mapping[str, Any]) -> list[str]:
    return [one["actionGroupId"] for one in properties.get("actions") or ()]


def _metric_with(properties: Mapping[str, Any], ids: list[str]) -> Json:
    return {**properties, "actions": _objects(properties.get("actions") or (), ids)}


def _log_listed(properties: Mapping[str, Any]) -> list[str]:
    return list((properties.get("actions") or {}).get("actionGroups") or ())


def _log_with(properties: Mapping[str, Any], ids: list[str]) -> Json:
    return {**properties, "actions": {**(properties.get("actions") or {}), "actionGroups": ids}}


def _activity_listed(properties: Mapping[str, Any]) -> list[str]:
    return [one["actionGroupId"] for one in (properties.get("actions") or {}).get("actionGroups") or ()]


def _activity_with(properties: Mapping[str, Any], ids: list[str]) -> Json:
    actions = properties.get("actions") or {}
    return {**properties, "actions": {**actions, "actionGroups": _objects(actions.get("actionGroups") or (), ids)}}


def _detector_listed(properties: Mapping[str, Any]) -> list[str]:
    return list((properties.get("actionGroups") or {}).get("groupIds") or ())


def _detector_with(properties: Mapping[str, Any], ids: list[str]) -> Json:
    return {**properties, "actionGroups": {**(properties.get("actionGroups") or {}), "groupIds": ids}}


def _objects(there: Any, ids: list[str]) -> list[Json]:
    known = {str(one["actionGroupId"]).lower(): dict(one) for one in there}
    return [known.get(one.lower(), {"actionGroupId": one}) for one in ids]


KINDS = (
    RuleKind("microsoft.insights/metricalerts", "2018-03-01", _metric_listed, _metric_with),
    RuleKind("microsoft.insights/scheduledqueryrules", "2022-06-15", _log_listed, _log_with),
    RuleKind("microsoft.insights/activitylogalerts", "2020-10-01", _activity_listed, _activity_with),
    RuleKind("microsoft.alertsmanagement/smartdetectoralertrules", "2021-04-01", _detector_listed, _detector_with),
)


def kind_of(rule_id: str) -> RuleKind | None:
    """Tell of which kind a rule is, by its resource id; None: of none whose action groups we can set."""
    _, _, tail = rule_id.lower().partition("/providers/")
    parts = tail.split("/")
    return next((kind for kind in KINDS if kind.type == "/".join(parts[:2])), None) if len(parts) == 3 else None  # noqa: PLR2004 - namespace, type, name


class AlertRule:
    """One alert rule's link to one action group."""

    side: ClassVar = Side.AZURE
    kind: ClassVar = "alert rule"
    needs: ClassVar[tuple[Permission, ...]] = (WRITE_RULES,)

    def __init__(self, rule_id: str, group_id: str) -> None:
        self.rule_id = rule_id
        self.group_id = group_id
        self.name = f"{rule_id} → {group_id.rpartition('/')[2]}"

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        kind = kind_of(self.rule_id)
        if kind is None:
            return self._blocked("rules of this kind are linked by hand: add the action group in the rule's own page")
        there = await _read(context, self.rule_id, kind)
        if there is None:
            return self._blocked("there is no such alert rule; check the id in azure.action_groups.….link.rules")
        listed = kind.listed(there["properties"])
        if _among(self.group_id, listed):
            return Change(self.side, self.kind, self.name, Action.KEEP)
        if len(listed) >= _MOST_ACTION_GROUPS:
            return self._blocked(f"the rule names {_MOST_ACTION_GROUPS} action groups, which is the most")
        before = {"rule": self.rule_id, "action_group": self.group_id}
        new = (Difference("action groups", "", self.group_id),)
        return Change(self.side, self.kind, self.name, Action.CHANGE, new, before=before)

    async def make(self, context: Context, change: Change) -> dict[str, str]:
        """See ``Step.make``."""
        kind = kind_of(self.rule_id)
        if kind is None:
            raise AzureRefused(0, "", f"{self.rule_id} is of no kind that can be linked")
        await _write(context, self.rule_id, kind, lambda listed: [*listed, self.group_id])

        async def shows() -> bool:
            there = await _read(context, self.rule_id, kind)
            return there is not None and _among(self.group_id, kind.listed(there["properties"]))

        await context.until(change.address, shows)
        return {}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Take the action group out of the rule."""
        rule_id, own = str(made.before["rule"]), str(made.before["action_group"]).lower()
        kind = kind_of(rule_id)
        if kind is None:
            return False
        return await _write(context, rule_id, kind, lambda listed: [one for one in listed if one.lower() != own])

    def _blocked(self, reason: str) -> Change:
        return Change(self.side, self.kind, self.name, Action.BLOCKED, reason=reason)


async def _write(context: Context, rule_id: str, kind: RuleKind, change: Callable[[list[str]], list[str]]) -> bool:
    """Read the rule, change its list, and write it; whether there was anything to write."""
    there = await _read(context, rule_id, kind)
    if there is None:
        return False
    listed = kind.listed(there["properties"])
    ids = list({one.lower(): one for one in change(listed)}.values())
    if ids == listed:
        return False
    body = {key: value for key, value in there.items() if key not in _READ_ONLY}
    body["properties"] = kind.with_list(there["properties"], ids)
    await context.manager.call("PUT", rule_id, query={"api-version": kind.api_version}, json=body)
    return True


async def rules_of_resource_group(context: Context, subscription: str, resource_group: str) -> list[str]:
    """List the ids of all alert rules of a resource group that can be linked, kind by kind."""
    scope = f"/subscriptions/{subscription}/resourceGroups/{resource_group}"
    found: list[str] = []
    for kind in KINDS:
        path = f"{scope}/providers/{kind.type}"
        try:
            found += [str(i["id"]) async for i in context.manager.items(path, query={"api-version": kind.api_version})]
        except AzureRefused as error:
            if not error.is_missing:
                raise
    return sorted(found, key=str.lower)


async def _read(context: Context, rule_id: str, kind: RuleKind) -> Json | None:
    try:
        answer = await context.manager.call("GET", rule_id, query={"api-version": kind.api_version})
    except AzureRefused as error:
        if error.is_missing:
            return None
        raise
    there: Json = answer.body
    return there


def _among(group_id: str, listed: list[str]) -> bool:
    return any(one.lower() == group_id.lower() for one in listed)
