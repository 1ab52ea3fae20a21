"""Alert rules that name the action group, each kind in its own way (Azure Monitor REST API, alert rules)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import Action, Change, Difference, Side, digest_of
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import Permission, write_rules
from secure_export.azure.setup.record import Made
from secure_export.azure.setup.whole import read, read_whole, write

_MOST_ACTION_GROUPS = 5
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RuleKind:
    """How one kind of alert rule names action groups.

    Attributes:
        name: Its resource type.
        api_version: What it is read and written with.
        newer: Further API versions, which may know more of a rule.
        listed: The action groups' ids in a rule.
        with_list: The rule's properties with another list of ids; entries that stay keep what else they hold.
    """

    name: str
    api_version: str
    newer: tuple[str, ...]
    listed: Callable[[Mapping[str, Any]], list[str]]
    with_list: Callable[[Mapping[str, Any], list[str]], Json]

    @property
    def type(self) -> str:
        """Its resource type, in lower case."""
        return self.name.lower()

    @property
    def permission(self) -> Permission:
        """What linking rules of this kind asks for."""
        return write_rules(self.name)


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
    RuleKind("Microsoft.Insights/metricAlerts", "2018-03-01", ("2026-01-01",), _metric_listed, _metric_with),
    RuleKind("Microsoft.Insights/scheduledQueryRules", "2022-06-15", ("2023-12-01", "2026-03-01"), _log_listed,
             _log_with),
    RuleKind("Microsoft.Insights/activityLogAlerts", "2020-10-01", ("2026-01-01",), _activity_listed, _activity_with),
    RuleKind("Microsoft.AlertsManagement/smartDetectorAlertRules", "2021-04-01", (), _detector_listed, _detector_with),
)  # fmt: skip


def kind_of(rule_id: str) -> RuleKind | None:
    """Tell of which kind a rule is, by its resource id; None: of none whose action groups we can set."""
    _, _, tail = rule_id.lower().partition("/providers/")
    parts = tail.split("/")
    return next((kind for kind in KINDS if kind.type == "/".join(parts[:2])), None) if len(parts) == 3 else None  # noqa: PLR2004 - namespace, type, name


class AlertRule:
    """One alert rule's link to one action group."""

    side: ClassVar = Side.AZURE
    kind: ClassVar = "alert rule"

    def __init__(self, rule_id: str, group_id: str) -> None:
        self.rule_id = rule_id
        self.group_path = group_id
        self._kind = kind_of(rule_id)
        self.name = f"{rule_id} → {group_id.rpartition('/')[2]}"

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        kind = self._kind
        if kind is None:
            return self._blocked("rules of this kind are linked by hand: add the action group in the rule's own page")
        there = await read(context, self.rule_id, kind.api_version)
        if there is None:
            return self._blocked("there is no such alert rule; check the id in azure.action_groups.….link.rules")
        listed = kind.listed(there["properties"])
        if _among(self.group_path, listed):
            return Change(self.side, self.kind, self.name, Action.KEEP)
        if len(listed) >= _MOST_ACTION_GROUPS:
            return self._blocked(f"the rule names {_MOST_ACTION_GROUPS} action groups, which is the most")
        before = {"rule": self.rule_id, "action_group": self.group_path}
        new = (Difference("action groups", "", self.group_path),)
        own = {one.path.lower() for one in context.wanted.groups}
        seen = digest_of(kind.with_list(there["properties"], [one for one in listed if one.lower() not in own]))
        return Change(self.side, self.kind, self.name, Action.CHANGE, new, before=before, seen=seen)

    @property
    def needs(self) -> tuple[Permission, ...]:
        """See ``Step.needs``."""
        return () if self._kind is None else (self._kind.permission,)

    @property
    def scope(self) -> str:
        """See ``Step.scope``."""
        return self.rule_id[: self.rule_id.lower().find("/providers/")]

    async def make(self, context: Context, change: Change) -> None:
        """See ``Step.make``."""
        kind = self._kind
        if kind is None:
            raise AzureRefused(0, "", f"{self.rule_id} is of no kind that can be linked")
        await _write(context, self.rule_id, kind, lambda listed: [*listed, self.group_path])

        async def shows() -> bool:
            there = await read(context, self.rule_id, kind.api_version)
            return there is not None and _among(self.group_path, kind.listed(there["properties"]))

        await context.until(change.address, shows)

    def ids(self, _: Context) -> dict[str, str]:
        """See ``Step.ids``."""
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
    there = await read_whole(context, rule_id, kind.api_version, kind.newer)
    if there is None:
        return False
    listed = kind.listed(there.properties)
    ids = list({one.lower(): one for one in change(listed)}.values())
    if ids == listed:
        return False
    await write(context, rule_id, there, kind.with_list(there.properties, ids))
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


def _among(group_id: str, listed: list[str]) -> bool:
    return any(one.lower() == group_id.lower() for one in listed)
