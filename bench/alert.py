"""The alert that is measured with: a metric alert of 2.5 KB with ids and texts of its own."""

import msgspec

ALERT_ID = b"@ALERT-ID-OF-36-CHARACTERS-LONG-HERE"
FIRED_AT = b"@FIRED-AT-26-CHARACTERS-HER"
SUBSCRIPTION = "5a7f1c9e-3b42-4d18-9c60-2f8e1d4b7a35"

TARGET = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop-production/providers/"
    "Microsoft.Compute/virtualMachineScaleSets/checkout-workers"
)


def metric_alert() -> bytes:
    """Give the body, with the two places that each request fills."""
    return msgspec.json.encode(
        {
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {
                "essentials": _essentials(),
                "alertContext": _context(),
                "customProperties": {"team": "checkout", "runbook": "https://runbooks.example.com/checkout/cpu"},
            },
        }
    )


def alertmanager_alert() -> bytes:
    """Give a body for Alertmanager that says as much, with the same two places."""
    essentials = _essentials()
    labels = {
        "alertname": essentials["alertRule"],
        "alert_id": ALERT_ID.decode(),
        "severity": essentials["severity"],
        "resource": TARGET.lower(),
    }
    annotations = {
        **{name: str(value) for name, value in essentials.items() if name not in {"alertId", "firedDateTime"}},
        "context": msgspec.json.encode(_context()).decode(),
    }
    return msgspec.json.encode([{"labels": labels, "annotations": annotations, "startsAt": FIRED_AT.decode()}])


def alerta_alert() -> bytes:
    """Give a body for Alerta that says as much, with the same two places; every alert is one of its own there too."""
    essentials = _essentials()
    return msgspec.json.encode(
        {
            "resource": ALERT_ID.decode(),
            "event": essentials["alertRule"],
            "environment": "Production",
            "severity": "major",
            "service": ["checkout"],
            "text": essentials["description"],
            "createTime": FIRED_AT.decode(),
            "attributes": {
                **{name: str(value) for name, value in essentials.items() if name not in {"alertId", "firedDateTime"}},
                "target": TARGET.lower(),
            },
            "rawData": msgspec.json.encode(_context()).decode(),
        }
    )


def _essentials() -> dict[str, object]:
    return {
        "alertId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/{ALERT_ID.decode()}",
        "alertRule": "checkout-workers-cpu-above-85-percent",
        "alertRuleID": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop-monitoring/providers/"
        "microsoft.insights/metricAlerts/checkout-workers-cpu-above-85-percent",
        "severity": "Sev2",
        "signalType": "Metric",
        "monitorCondition": "Fired",
        "monitoringService": "Platform",
        "targetResourceType": "microsoft.compute/virtualmachinescalesets",
        "targetResourceGroup": "shop-production",
        "alertTargetIDs": [TARGET.lower()],
        "configurationItems": ["checkout-workers"],
        "originAlertId": f"{SUBSCRIPTION}_shop-monitoring_microsoft.insights_metricAlerts_checkout-cpu_-1180247",
        "firedDateTime": FIRED_AT.decode(),
        "description": "The checkout workers use more than 85 percent of their processors; orders may take longer to "
        "confirm. Look at the queue depth first, then at the latest release of the checkout service.",
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
        "investigationLink": "https://portal.azure.com/#view/Microsoft_Azure_Monitoring_Alerts/Investigation.ReactView"
        f"/alertId/%2Fsubscriptions%2F{SUBSCRIPTION}%2Fproviders%2FMicrosoft.AlertsManagement%2Falerts%2Finvestigate",
    }


def _context() -> dict[str, object]:
    return {
        "properties": {"costCentre": "4711-checkout", "environment": "production"},
        "conditionType": "SingleResourceMultipleMetricCriteria",
        "condition": {
            "windowSize": "PT5M",
            "allOf": [
                {
                    "metricName": name,
                    "metricNamespace": "Microsoft.Compute/virtualMachineScaleSets",
                    "operator": "GreaterThan",
                    "threshold": threshold,
                    "timeAggregation": "Average",
                    "dimensions": [{"name": "VMName", "value": "checkout-workers_7"}],
                    "metricValue": value,
                    "webTestName": None,
                }
                for name, threshold, value in (("Percentage CPU", "85", 93.4), ("OS Disk Queue Depth", "4", 6.75))
            ],
            "windowStartTime": "2026-03-02T09:14:05.117Z",
            "windowEndTime": "2026-03-02T09:19:05.117Z",
        },
    }
