"""Alert rules and processing rules over real HTTP, and whom an alert reaches (entra-facts 6.2 and 6.3)."""

from typing import Any

import pytest
from tests.azure_sandbox import Azure, Client
from tests.unit.sandbox.azure_monitor.arm.arm_requests import (
    GROUP,
    GROUPS,
    RULES,
    SHOP,
    SUBSCRIPTION,
    group,
    processing_rule,
    webhook,
)
from tests.unit.sandbox.azure_monitor.conftest import Receiver

from secure_export.sandbox.azure_monitor.arm import alert_rules
from secure_export.sandbox.azure_monitor.arm.firing import Firing
from secure_export.sandbox.azure_monitor.estate import SHARED

METRIC = f"{SHOP}/providers/Microsoft.Insights/metricAlerts"
LOG = f"{SHOP}/providers/Microsoft.Insights/scheduledQueryRules"
ACTIVITY = f"{SHOP}/providers/Microsoft.Insights/activityLogAlerts"
SMART = f"{SHOP}/providers/Microsoft.AlertsManagement/smartDetectorAlertRules"
ALL = [
    (f"{METRIC}/cpu-shop-web?api-version=2018-03-01", "severity"),
    (f"{LOG}/errors-checkout?api-version=2022-06-15", "scopes"),
    (f"{ACTIVITY}/vault-changed?api-version=2020-10-01", "condition"),
    (f"{SMART}/failure anomalies - appi-shop?api-version=2021-04-01", "detector"),
]
RULE = f"{RULES}/apr?api-version=2021-08-08"
GROUP_ID = f"{GROUPS}/ag-itsm"


@pytest.mark.parametrize(("path", "required"), ALL)
async def test_a_rule_can_be_read_and_written_back(arm: Client, path: str, required: str) -> None:
    """What a rule needs may not be left out; what Azure does not know is dropped."""
    found = (await arm.get(path)).body
    body = {"location": found["location"], "properties": {**found["properties"], "nonsense": 1}}
    written = await arm.put(path, body)
    assert (written.status, written.body["properties"]) == (200, found["properties"])
    less = {name: value for name, value in found["properties"].items() if name != required}
    assert (await arm.put(path, {**body, "properties": less})).status == 400
    assert (await arm.delete(path)).status == 200
    made = await arm.put(path, body)
    assert made.status == (200 if "metricAlerts" in path else 201)


async def test_a_rule_names_at_most_five_action_groups(arm: Client) -> None:
    """The sixth is refused; a patch replaces the list."""
    path = ALL[0][0]
    six = [{"actionGroupId": f"{GROUPS}/ag-{number}"} for number in range(6)]
    assert (await arm.patch(path, {"properties": {"actions": six}})).status == 400
    assert (await arm.patch(path, {"properties": {"actions": six[:5]}})).status == 200
    found = (await arm.get(path)).body["properties"]
    assert (len(found["actions"]), found["severity"]) == (5, 2)
    assert (await arm.patch(path, {"properties": {"actions": [{"actionGroupId": "ag"}]}})).status == 400
    assert (await arm.patch(path, {"properties": {"severity": 5}})).status == 400


async def test_the_oldest_log_rules_name_their_groups_elsewhere(azure: Azure, arm: Client) -> None:
    """Version 2018-04-16 has a shape of its own."""
    action = {"aznsAction": {"actionGroup": [GROUP_ID]}, "severity": "2"}
    body = {"location": "westeurope", "properties": {"source": {"query": "x"}, "action": action, "enabled": "true"}}
    made = await arm.put(f"{LOG}/old?api-version=2018-04-16", body)
    assert made.status == 201
    assert alert_rules.groups_of(azure.arm.resources[f"{LOG}/old".lower()]) == [GROUP_ID.lower()]


async def test_a_processing_rule_is_made_changed_and_deleted(arm: Client) -> None:
    """201, 200; a patch switches it off."""
    assert (await arm.put(RULE, processing_rule(GROUP_ID))).status == 201
    assert (await arm.put(RULE, processing_rule(GROUP_ID))).status == 200
    assert (await arm.patch(RULE, {"properties": {"enabled": False}})).body["properties"]["enabled"] is False
    listed = await arm.get(f"{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/actionRules?api-version=2021-08-08")
    assert {one["name"] for one in listed.values} == {"apr", "quiet-batch"}
    assert (await arm.delete(RULE)).status == 200
    assert (await arm.get(RULE)).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {**processing_rule(GROUP_ID), "location": "westeurope"},
        processing_rule(),
        processing_rule(GROUP_ID, scope=f"/subscriptions/{SHARED}"),
        processing_rule(GROUP_ID, scopes=[]),
        processing_rule(GROUP_ID, actions=[]),
        processing_rule(GROUP_ID, actions=[{"actionType": "Explode"}]),
        processing_rule(GROUP_ID, conditions=[{"field": "Mood", "operator": "Equals", "values": ["x"]}]),
        processing_rule(GROUP_ID, conditions=[{"field": "Severity", "operator": "Like", "values": ["x"]}]),
        processing_rule(GROUP_ID, conditions=[{"field": "Severity", "operator": "Equals", "values": ["x"] * 6}]),
    ],
)
async def test_a_processing_rule_that_azure_does_not_take_is_refused(arm: Client, body: dict[str, Any]) -> None:
    """400 in the front door's envelope."""
    refused = await arm.put(RULE, body)
    assert (refused.status, set(refused.body)) == (400, {"error"})


async def _fired(azure: Azure, rule: str | None = None, **more: Any) -> int:
    alert = Firing(azure.arm, azure.station).fire(rule, **more)
    await azure.station.settled()
    return alert.number


async def test_an_alert_reaches_the_groups_that_its_rule_names(azure: Azure, arm: Client, receiver: Receiver) -> None:
    """Whatever the case of the id; fired and resolved, with what the rule says of itself."""
    await arm.put(GROUP, group(webhook(receiver.url)))
    await _fired(azure, "cpu-shop-web")
    assert receiver.bodies == []
    actions = {"actions": [{"actionGroupId": GROUP_ID.lower()}], "severity": 0}
    await arm.patch(ALL[0][0], {"properties": actions})
    number = await _fired(azure, "cpu-shop-web")
    azure.station.resolve(number)
    await azure.station.settled()
    assert len(receiver.bodies) == 2
    assert all(b'"severity": "Sev0"' in body and b"vm-shop-web-01" in body for body in receiver.bodies)
    assert b'"monitorCondition": "Resolved"' in receiver.bodies[1]


@pytest.mark.parametrize("rule", ["cpu-shop-web", "errors-checkout", "vault-changed", "failure anomalies - appi-shop"])
async def test_rules_of_every_kind_fire(azure: Azure, arm: Client, receiver: Receiver, rule: str) -> None:
    """One processing rule sends the alerts of a whole subscription."""
    await arm.put(GROUP, group(webhook(receiver.url)))
    await arm.put(RULE, processing_rule(GROUP_ID))
    await _fired(azure, rule)
    assert len(receiver.bodies) == 1
    assert rule.encode() in receiver.bodies[0]


async def test_alerts_without_a_rule_here_reach_whom_processing_rules_say(
    azure: Azure, arm: Client, receiver: Receiver
) -> None:
    """Such as a backup's, in the subscription that the rule covers."""
    await arm.put(GROUP, group(webhook(receiver.url)))
    elsewhere = f"/subscriptions/{SHARED}/resourceGroups/rg-monitoring"
    path = f"{elsewhere}/providers/Microsoft.AlertsManagement/actionRules/apr?api-version=2021-08-08"
    assert (await arm.put(path, processing_rule(GROUP_ID, scope=f"/subscriptions/{SHARED}"))).status == 201
    await _fired(azure, kind="backup")
    await _fired(azure, "cpu-shop-web")
    assert len(receiver.bodies) == 1


@pytest.mark.parametrize(
    ("condition", "hit"),
    [
        (("Severity", "Equals", "sev2"), True),
        (("Severity", "NotEquals", "Sev2"), False),
        (("AlertRuleName", "Contains", "shop"), True),
        (("AlertRuleName", "DoesNotContain", "shop"), False),
        (("TargetResourceType", "Equals", "microsoft.compute/virtualmachines"), True),
        (("TargetResourceGroup", "Equals", SHOP), True),
        (("MonitorCondition", "Equals", "Resolved"), False),
        (("MonitorService", "Equals", "Platform"), True),
    ],
)
async def test_conditions_of_processing_rules_decide(
    azure: Azure, arm: Client, receiver: Receiver, condition: tuple[str, str, str], *, hit: bool
) -> None:
    """All of them must hold; the case does not matter."""
    await arm.put(GROUP, group(webhook(receiver.url)))
    field, operator, value = condition
    conditions = [{"field": field, "operator": operator, "values": [value]}]
    assert (await arm.put(RULE, processing_rule(GROUP_ID, conditions=conditions))).status == 201
    await _fired(azure, "cpu-shop-web")
    assert len(receiver.bodies) == hit


async def test_a_processing_rule_can_silence_the_end(azure: Azure, arm: Client, receiver: Receiver) -> None:
    """Suppressed notifications are not sent later either; what fired stays open at the receiver."""
    await arm.put(GROUP, group(webhook(receiver.url)))
    await arm.put(RULE, processing_rule(GROUP_ID))
    resolved = [{"field": "MonitorCondition", "operator": "Equals", "values": ["Resolved"]}]
    silence = processing_rule(conditions=resolved, actions=[{"actionType": "RemoveAllActionGroups"}])
    assert (await arm.put(RULE.replace("/apr", "/quiet"), silence)).status == 201
    number = await _fired(azure, "cpu-shop-web")
    azure.station.resolve(number)
    await azure.station.settled()
    assert len(receiver.bodies) == 1


async def test_a_disabled_rule_fires_nothing(azure: Azure, arm: Client) -> None:
    """Nor does a rule that is not there."""
    await arm.patch(ALL[0][0], {"properties": {"enabled": False}})
    for name in ("cpu-shop-web", "none"):
        with pytest.raises(LookupError):
            Firing(azure.arm, azure.station).fire(name)
    with pytest.raises(LookupError):
        Firing(azure.arm, azure.station).fire(kind="none")


async def test_a_deleted_group_is_called_no_more(azure: Azure, arm: Client, receiver: Receiver) -> None:
    """Though rules still name it."""
    await arm.put(GROUP, group(webhook(receiver.url)))
    await arm.put(RULE, processing_rule(GROUP_ID))
    await arm.delete(GROUP)
    await _fired(azure, "cpu-shop-web")
    assert receiver.bodies == []
