"""Alert processing rules: what they may say, and what they do to an alert (entra-facts 6.3, azure-facts 2.5)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from secure_export.sandbox.azure_monitor.arm.errors import bad_request
from secure_export.sandbox.azure_monitor.arm.visit import Visit
from secure_export.sandbox.azure_monitor.arm.world import Row, World

KIND: Final = "microsoft.alertsmanagement/actionrules"
MOST_VALUES: Final = 5
ADD: Final = "AddActionGroups"
REMOVE: Final = "RemoveAllActionGroups"
_MEMBERS: Final = ("scopes", "conditions", "schedule", "actions", "description", "enabled")
_FIELDS: Final = frozenset(
    {
        "Severity",
        "MonitorService",
        "MonitorCondition",
        "SignalType",
        "TargetResourceType",
        "TargetResource",
        "TargetResourceGroup",
        "AlertRuleId",
        "AlertRuleName",
        "Description",
        "AlertContext",
    }
)
_OPERATORS: Final[Mapping[str, Callable[[str, list[str]], bool]]] = {
    "Equals": lambda text, values: text in values,
    "NotEquals": lambda text, values: text not in values,
    "Contains": lambda text, values: any(one in text for one in values),
    "DoesNotContain": lambda text, values: all(one not in text for one in values),
}


async def check(visit: Visit, row: Row) -> Row:
    """Take a processing rule.

    Raises:
        RestError: Azure takes no such rule.
    """
    if row["location"].lower() != "global":
        raise bad_request("Alert processing rules have the location Global.", "LocationNotAvailableForResourceType")
    said = {name: row["properties"][name] for name in _MEMBERS if row["properties"].get(name) is not None}
    _check_scopes(said.get("scopes"), visit.named["subscription"])
    for one in said.get("conditions") or ():
        _check_condition(one)
    _check_actions(said.get("actions"))
    stamps = row.get("systemData") or {"createdAt": visit.world.clock.now().isoformat(), "createdBy": visit.caller.name}
    return {**row, "properties": {"enabled": True, **said}, "systemData": stamps}


def groups_for(world: World, facts: Mapping[str, str], own: Iterable[str]) -> tuple[list[str], bool]:
    """Say which action groups an alert reaches.

    Args:
        world: Where the rules are.
        facts: What the conditions look at, by field.
        own: The groups that its rule names.

    Returns:
        The ids of the groups, and whether a rule suppressed them.
    """
    rules = [row["properties"] for row in world.of_type(KIND) if row["properties"]["enabled"]]
    hit = [one for one in rules if _covers(one, facts)]
    actions = [action for one in hit for action in one["actions"]]
    if any(one["actionType"] == REMOVE for one in actions):
        return [], True
    added = [group.lower() for one in actions for group in one.get("actionGroupIds", ())]
    return list(dict.fromkeys((*own, *added))), False


def _covers(rule: Mapping[str, Any], facts: Mapping[str, str]) -> bool:
    target = facts["TargetResource"].lower()
    in_scope = any(f"{target}/".startswith(f"{scope.rstrip('/').lower()}/") for scope in rule["scopes"])
    return in_scope and all(_holds(one, facts) for one in rule.get("conditions") or ())


def _holds(condition: Mapping[str, Any], facts: Mapping[str, str]) -> bool:
    values = [str(one).lower() for one in condition["values"]]
    return _OPERATORS[condition["operator"]](facts.get(condition["field"], "").lower(), values)


def _check_scopes(scopes: Any, subscription: str) -> None:
    if not isinstance(scopes, list) or not scopes:
        raise bad_request("The property scopes is required.")
    for one in scopes:
        if not str(one).lower().startswith(f"/subscriptions/{subscription.lower()}"):
            raise bad_request(f"The scope '{one}' lies outside the rule's subscription.", "InvalidScope")


def _check_condition(condition: Any) -> None:
    if not isinstance(condition, dict) or condition.get("field") not in _FIELDS:
        raise bad_request("A condition needs a known field.")
    if condition.get("operator") not in _OPERATORS:
        raise bad_request("A condition needs a known operator.")
    values = condition.get("values")
    if not isinstance(values, list) or not 0 < len(values) <= MOST_VALUES:
        raise bad_request(f"A condition has one to {MOST_VALUES} values.")


def _check_actions(actions: Any) -> None:
    if not isinstance(actions, list) or not actions:
        raise bad_request("The property actions is required.")
    for one in actions:
        kind = one.get("actionType") if isinstance(one, dict) else None
        if kind not in {ADD, REMOVE}:
            raise bad_request(f"The actionType must be {ADD} or {REMOVE}.")
        if kind == ADD and not one.get("actionGroupIds"):
            raise bad_request("AddActionGroups needs actionGroupIds.")
