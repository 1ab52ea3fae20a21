"""Prometheus, smart detection, budgets, backup, and a service that nobody has heard of."""

from typing import Any

from secure_export.sandbox.azure_monitor.catalogue.story import Body, Ending, Notification, Story, common_body
from secure_export.sandbox.azure_monitor.catalogue.workshop import Workshop, essentials, stamp, versions
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, TENANT_DOMAIN, Resource


def prometheus(shop: Workshop) -> Story:
    """A rule over Prometheus metrics: the target is the Azure Monitor workspace, the cluster stands in a label."""
    cluster = shop.it("aks-warehouse")
    account = shop.estate.named("amw-central")
    group = f"/subscriptions/{account.subscription}/resourceGroups/{account.group}"
    rule_group = f"{group}/providers/Microsoft.AlertsManagement/prometheusRuleGroups/kubernetes"
    rule, alert_id, origin = shop.named("kubernetes/pods-crash"), shop.alert_id(account.subscription), shop.guid()

    def body(*, is_over: bool) -> Body:
        head = essentials(
            alert_id=alert_id,
            rule=rule,
            severity="Sev2",
            signal="Metric",
            service="Prometheus",
            targets=[account.id.lower()],
            fired_at=stamp(shop.at, 3),
            condition="Resolved" if is_over else "Fired",
            configurationItems=[cluster.name],
            originAlertId=origin,
            description="",
            **versions(),
        )
        if is_over:
            head["resolvedDateTime"] = stamp(shop.over_at, 3)
        context = {
            "interval": "PT1M",
            "expression": "increase(kube_pod_container_status_restarts_total[15m]) > 3",
            "expressionValue": "0" if is_over else "7",
            "for": "PT5M",
            "labels": {
                "alertname": "pods-crash",
                "cluster": cluster.name,
                "namespace": "picking",
                "microsoft.resourceid": cluster.id.lower(),
            },
            "annotations": {"summary": "Containers of the picking service restart again and again."},
            "ruleGroup": rule_group,
        }
        return common_body(head, context, customProperties={})

    fired = Notification("Fired", alert_id, body(is_over=False))
    return Story(
        "prometheus", rule, Ending.RESOLVED, fired, Notification("Resolved", alert_id, body(is_over=True)), cluster
    )


def smart_detector_value(shop: Workshop) -> Story:
    """Smart detection of slow dependencies; its end is never told."""
    context = {
        "DetectionSummary": "Calls to a dependency take longer than usual",
        "FormattedOccurrenceTime": stamp(shop.at, 0),
        "DetectedValue": "0.9 sec",
        "NormalValue": "0.2 sec (over the last 7 days)",
        "PresentationInsightEventRequest": "/query?query=systemEvents",
        "SmartDetectorId": "DependencyPerformanceDegradationDetector",
        "SmartDetectorName": "Dependency Performance Degradation Detector",
        "AnalysisTimestamp": stamp(shop.at),
    }
    return _smart("smart-detector-value", shop, shop.named("slow dependencies"), "SmartDetector", context)


def smart_detector_failures(shop: Workshop) -> Story:
    """Smart detection of failures: another spelling of the service and of a member."""
    context = {
        "DetectionSummary": "More requests fail than usual",
        "FormattedOccurenceTime": stamp(shop.at, 0),
        "DetectedFailureRate": "18.2% (in the last 20 minutes)",
        "NormalFailureRate": "0.4% (over the last 40 minutes)",
        "FailureRateChart": [["10:00 AM", 0.4], ["10:20 AM", 18.2]],
        "ArmSystemEventsRequest": "/query?query=systemEvents",
        "LinksTable": [{"Link": '<a href="https://portal.azure.com">View</a>'}],
        "SmartDetectorId": "FailureAnomaliesDetector",
        "SmartDetectorName": "Failure Anomalies",
        "AnalysisTimestamp": stamp(shop.at),
    }
    return _smart("smart-detector-failures", shop, shop.named("failure anomalies"), "Smart Detector", context)


def budget_spent(shop: Workshop) -> Story:
    """Too much was spent: no rule, no severity, no signal, no target, and a CI that is none."""
    return _budget(shop, "budget-spent", {"ThresholdType": "Actual", "SpentAmount": "$12,480.55"})


def budget_forecast(shop: Workshop) -> Story:
    """Too much will be spent."""
    amounts = {"ThresholdType": "Forecasted", "SpentAmount": "$6,002.10", "ForecastedTotalForPeriod": "$13,111.00"}
    return _budget(shop, "budget-forecast", amounts)


def backup(shop: Workshop) -> Story:
    """A backup failed: the CI is the vault, the machine concerned is linked in the context."""
    vault, vm = shop.estate.named("rsv-central"), shop.it("vm-wms-db-01")
    alert_id = shop.alert_id(vault.subscription)
    head = essentials(
        alert_id=alert_id,
        rule="Backup Failure",
        severity="Sev1",
        signal="Log",
        service="Azure Backup",
        targets=[vault.id],
        fired_at=stamp(shop.at),
        configurationItems=[vault.name],
        originAlertId=f"{shop.guid()}|{vm.name}|BackupFailure|{shop.hexadecimal(24)}",
        description="The backup did not finish: the snapshot ran into a time-out.",
        region=vault.location,
        **versions(),
    )
    context = {
        "category": "Backup Failure",
        "sourceId": vault.id,
        "linkedResourceId": vm.id,
        "linkedResourceName": vm.name,
        "protectedItemId": f"{vault.id}/backupFabrics/Azure/protectedItems/{vm.name}",
        "extendedInfo": {
            "jobId": shop.guid(),
            "possibleCauses": "The agent in the machine does not answer.",
            "occurrenceCount": 1,
            "recommendedActions": "Check that the agent runs, then start the backup again.",
        },
        "affectedItems": [],
        "sourceType": vault.type,
        "alertVersionNumber": "1.0",
    }
    fired = Notification("Fired", alert_id, common_body(head, context))
    return Story("backup", "Backup Failure", Ending.NEVER, fired, resource=vm)


def unknown_service(shop: Workshop) -> Story:
    """A service that came after everything was written, with hardly any member set."""
    firewall = shop.it("fw-central")
    rule, alert_id = shop.named("orbital uplink degraded"), shop.alert_id(firewall.subscription)

    def body(*, is_over: bool) -> Body:
        head: dict[str, Any] = {
            "alertId": alert_id,
            "alertRule": rule,
            "severity": "Sev2",
            "monitorCondition": "Resolved" if is_over else "Fired",
            "monitoringService": "Azure Orbital Watch",
            "alertTargetIDs": [firewall.id],
            "firedDateTime": stamp(shop.at, 6, "+00:00"),
        }
        if is_over:
            head["resolvedDateTime"] = stamp(shop.over_at, 6, "+00:00")
        return {"data": {"essentials": head, "alertContext": None}, "schemaId": "azureMonitorCommonAlertSchema"}

    fired, ended = (Notification(one, alert_id, body(is_over=one == "Resolved")) for one in ("Fired", "Resolved"))
    return Story("unknown-service", rule, Ending.RESOLVED, fired, ended, firewall)


def _smart(kind: str, shop: Workshop, rule: str, service: str, context: dict[str, Any]) -> Story:
    component: Resource = shop.it("appi-shop")
    alert_id = shop.alert_id(component.subscription)
    head = essentials(
        alert_id=alert_id,
        rule=rule,
        severity="Sev3",
        signal="Log",
        service=service,
        targets=[component.id.lower()],
        fired_at=stamp(shop.at),
        configurationItems=[component.name],
        originAlertId=shop.hexadecimal(64),
        description="Found by smart detection.",
        **versions(),
    )
    return Story(
        kind, rule, Ending.NEVER, Notification("Fired", alert_id, common_body(head, context)), resource=component
    )


def _budget(shop: Workshop, kind: str, amounts: dict[str, str]) -> Story:
    scope, name = f"/subscriptions/{PRODUCTION}", shop.named(kind.replace("budget", "monthly"))
    alert_id = f"{scope}/providers/Microsoft.CostManagement/alerts/{shop.guid()}"
    head = essentials(
        alert_id=alert_id,
        rule=None,
        severity=None,
        signal=None,
        service="CostAlerts",
        targets=None,
        fired_at=stamp(shop.at, 3),
        configurationItems=["budgets"],
        originAlertId=None,
        description=f"Your spend for budget {name} is now {amounts['SpentAmount']}.",
        **versions(),
    )
    data = {
        "Scope": f"{scope}/",
        "BudgetType": "Cost",
        "BudgetThreshold": "$10,000.00",
        "NotificationThresholdAmount": "$9,000.00",
        "BudgetName": name,
        "BudgetId": f"{scope}/providers/Microsoft.Consumption/budgets/{name}",
        "BudgetStartDate": "2025-01-01",
        "BudgetCreator": f"finance@{TENANT_DOMAIN}",
        "Unit": "USD",
        **amounts,
    }
    body = common_body(head, {"AlertCategory": "budgets", "AlertData": data})
    return Story(kind, None, Ending.NEVER, Notification("Fired", alert_id, body, _legacy_budget(shop, name, amounts)))


def _legacy_budget(shop: Workshop, name: str, amounts: dict[str, str]) -> Body:
    return {
        "schemaId": "AIP Budget Notification",
        "data": {
            "SubscriptionName": "lindenhof-production",
            "SubscriptionId": PRODUCTION,
            "EnrollmentNumber": "",
            "DepartmentName": "",
            "AccountName": "",
            "BillingAccountId": "",
            "BillingProfileId": "",
            "InvoiceSectionId": "",
            "ResourceGroup": "",
            "SpendingAmount": amounts["SpentAmount"].lstrip("$").replace(",", ""),
            "BudgetStartDate": stamp(shop.at.replace(day=1), 3),
            "Budget": "10000",
            "Unit": "USD",
            "BudgetCreator": f"finance@{TENANT_DOMAIN}",
            "BudgetName": name,
            "BudgetType": "Cost",
            "NotificationThresholdAmount": "9000.0",
        },
    }
