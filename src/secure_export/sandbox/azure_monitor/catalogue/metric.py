"""Metric alerts (``Platform``): static, several resources, dynamic, web tests; and their older schema."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from secure_export.sandbox.azure_monitor.catalogue.story import Body, Ending, Notification, Story, common_body
from secure_export.sandbox.azure_monitor.catalogue.workshop import Workshop, essentials, rule_id, stamp, versions
from secure_export.sandbox.azure_monitor.estate import Resource

_INVESTIGATE = "https://portal.azure.com/#view/Microsoft_Azure_Support/Investigate.ReactView/alertId/"


@dataclass(frozen=True, slots=True)
class _Rule:
    """A metric alert rule as far as its notifications show it."""

    name: str
    severity: str
    condition_type: str
    description: str
    window: str
    fired: list[dict[str, Any]]
    healthy: list[dict[str, Any]]
    properties: dict[str, str] | None = None
    extras: dict[str, Any] = field(default_factory=dict)
    is_stateful: bool = True


def _criterion(metric: str, namespace: str | None, threshold: str, value: float | None, **more: Any) -> dict[str, Any]:
    """Give one item of ``allOf``; ``more`` goes over it, under the names that Azure uses."""
    return {
        "metricName": metric,
        "metricNamespace": namespace,
        "operator": "GreaterThan",
        "threshold": threshold,
        "timeAggregation": "Average",
        "dimensions": [],
        "metricValue": value,
        "webTestName": None,
        **more,
    }


def _dimensions(**values: str) -> list[dict[str, str]]:
    return [{"name": name.replace("__", "."), "value": value} for name, value in values.items()]


def static(shop: Workshop) -> Story:
    """One metric of one resource over a fixed threshold."""
    vm = shop.it("vm-shop-web-01")
    cpu = ("Percentage CPU", "Microsoft.Compute/virtualMachines", "85")
    # A dimension that is called ResourceId and holds no ARM id, as in the official sample.
    which = _dimensions(ResourceId=shop.guid())
    return _story(
        "metric-static",
        shop,
        vm,
        _Rule(
            shop.named("cpu-shop-web"),
            "Sev2",
            "SingleResourceMultipleMetricCriteria",
            "CPU of a web server above 85 % for five minutes.",
            "PT5M",
            [_criterion(*cpu, round(shop.chance.uniform(86, 99), 4), dimensions=which)],
            [_criterion(*cpu, round(shop.chance.uniform(10, 50), 3), dimensions=which)],
            {"team": "team-shop", "runbook": "https://runbooks.lindenhof-logistics.example/cpu"},
        ),
    )


def several_conditions(shop: Workshop) -> Story:
    """Two metrics of a nested resource at once; one value is unknown, and the description has line breaks."""
    database = shop.it("orders")
    space = "Microsoft.Sql/servers/databases"
    return _story(
        "metric-two-conditions",
        shop,
        database,
        _Rule(
            shop.named("sql orders: DTU and log"),
            "Sev1",
            "SingleResourceMultipleMetricCriteria",
            "The orders database is short of DTU.\r\nCheck long queries first.\n\nThen scale.",
            "PT15M",
            [
                _criterion("dtu_consumption_percent", space, "90", 97.5),
                _criterion("log_write_percent", space, "80", None, timeAggregation="Maximum"),
            ],
            [_criterion("dtu_consumption_percent", space, "90", 41.25)],
        ),
    )


def several_resources(shop: Workshop) -> Story:
    """A rule over many resources: one alert for each of them."""
    vm = shop.it("vm-wms-db-01")
    which = _dimensions(microsoft__resourceId=vm.id, microsoft__resourceType=vm.type)
    memory = ("Available Memory Bytes", "Microsoft.Compute/virtualMachines", "1073741824")
    low: dict[str, Any] = {"operator": "LessThan", "dimensions": which}
    return _story(
        "metric-several-resources",
        shop,
        vm,
        _Rule(
            shop.named("memory-all-windows-servers"),
            "Sev0",
            "MultipleResourceMultipleMetricCriteria",
            "",
            "PT5M",
            [_criterion(*memory, 402653184, **low)],
            [_criterion(*memory, 6442450944.0, **low)],
            extras={
                "staticThresholdFailingPeriods": {"numberOfEvaluationPeriods": 0, "minFailingPeriodsToAlert": 0},
            },
        ),
    )


def dynamic(shop: Workshop) -> Story:
    """A threshold that Azure learned; it stands there as text all the same."""
    account = shop.it("stshopmedia")
    learned: dict[str, Any] = {
        "alertSensitivity": "Medium",
        "failingPeriods": {"numberOfEvaluationPeriods": 4, "minFailingPeriodsToAlert": 3},
        "ignoreDataBefore": None,
    }
    egress = ("Egress", "microsoft.storage/storageaccounts", "47658.1135")
    criteria = [_criterion(*egress, value, timeAggregation="Total", **learned) for value in (250101, 30012)]
    for one in criteria:
        del one["webTestName"]
    return _story(
        "metric-dynamic",
        shop,
        account,
        _Rule(
            shop.named("egress-unusual"),
            "Sev3",
            "DynamicThresholdCriteria",
            "More data leaves the account than usual.",
            "PT5M",
            criteria[:1],
            criteria[1:],
        ),
    )


def web_test(shop: Workshop) -> Story:
    """An availability test that fails from several places."""
    component = shop.it("appi-shop")
    name = f"checkout-page-{component.name}"
    failed = {"timeAggregation": "Sum", "webTestName": name}
    return _story(
        "metric-web-test",
        shop,
        component,
        _Rule(
            shop.named(name),
            "Sev1",
            "WebtestLocationAvailabilityCriteria",
            "The checkout page cannot be reached from three places.",
            "PT5M",
            [_criterion("Failed Location", None, "2", 3, **failed)],
            [_criterion("Failed Location", None, "2", 0, **failed)],
        ),
    )


def stateless(shop: Workshop) -> Story:
    """A rule with autoMitigate off: it fires again and again with new ids, and never resolves."""
    namespace = shop.it("sb-warehouse")
    return _story(
        "metric-stateless",
        shop,
        namespace,
        _Rule(
            shop.named("dead-letters"),
            "Sev3",
            "SingleResourceMultipleMetricCriteria",
            "Messages are in the dead-letter queue.",
            "PT1M",
            [
                _criterion(
                    "DeadletteredMessages",
                    "Microsoft.ServiceBus/namespaces",
                    "0",
                    shop.chance.randint(1, 40),
                    dimensions=_dimensions(EntityName="pick-orders"),
                )
            ],
            [],
            is_stateful=False,
        ),
    )


def _story(kind: str, shop: Workshop, resource: Resource, rule: _Rule) -> Story:
    alert_id = shop.alert_id(resource.subscription)
    fired = Notification(
        "Fired",
        alert_id,
        _common(shop, resource, rule, alert_id, is_over=False),
        _legacy(shop, resource, rule, is_over=False),
    )
    if not rule.is_stateful:
        return Story(kind, rule.name, Ending.NEVER, fired, resource=resource)
    ended = Notification(
        "Resolved",
        alert_id,
        _common(shop, resource, rule, alert_id, is_over=True),
        _legacy(shop, resource, rule, is_over=True),
    )
    return Story(kind, rule.name, Ending.RESOLVED, fired, ended, resource)


def _common(shop: Workshop, resource: Resource, rule: _Rule, alert_id: str, *, is_over: bool) -> Body:
    told_at = shop.over_at if is_over else shop.at
    head = essentials(
        alert_id=alert_id,
        rule=rule.name,
        severity=rule.severity,
        signal="Metric",
        service="Platform",
        targets=[resource.id.lower()],
        # Captured resolved bodies say here when it was resolved, not when it fired.
        fired_at=stamp(told_at),
        condition="Resolved" if is_over else "Fired",
        alertRuleID=rule_id(resource, "metricAlerts", rule.name),
        configurationItems=[resource.name],
        originAlertId=shop.metric_origin(resource, rule.name),
        description=rule.description,
        **versions(),
        targetResourceType=resource.type.lower(),
        targetResourceGroup=resource.group.lower(),
        investigationLink=_INVESTIGATE + quote(alert_id, safe=""),
    )
    if is_over:
        head["resolvedDateTime"] = stamp(told_at)
    context = {
        "properties": rule.properties,
        "conditionType": rule.condition_type,
        "condition": _condition(shop, rule, is_over=is_over),
    }
    return common_body(head, context, customProperties=rule.properties)


def _condition(shop: Workshop, rule: _Rule, *, is_over: bool) -> dict[str, Any]:
    if is_over:
        return {"windowSize": rule.window, "allOf": rule.healthy, **rule.extras}
    window = {"windowStartTime": stamp(shop.at, 3), "windowEndTime": stamp(shop.at, 3)}
    return {"windowSize": rule.window, "allOf": rule.fired, **rule.extras, **window}


def _legacy(shop: Workshop, resource: Resource, rule: _Rule, *, is_over: bool) -> Body:
    return {
        "schemaId": "AzureMonitorMetricAlert",
        "data": {
            "version": "2.0",
            "properties": rule.properties,
            "status": "Deactivated" if is_over else "Activated",
            "context": {
                "timestamp": stamp(shop.over_at if is_over else shop.at),
                "id": rule_id(resource, "metricAlerts", rule.name).replace(" ", "%20"),
                "name": rule.name,
                "description": rule.description,
                "conditionType": rule.condition_type,
                "severity": rule.severity.removeprefix("Sev"),
                "condition": {"windowSize": rule.window, "allOf": rule.healthy if is_over else rule.fired},
                "subscriptionId": resource.subscription,
                "resourceGroupName": resource.group,
                "resourceName": resource.name,
                "resourceType": resource.type,
                "resourceId": resource.id,
                "portalLink": f"https://portal.azure.com/#resource{resource.id}",
            },
        },
    }
