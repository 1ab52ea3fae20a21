"""What a service desk reads: a title that says what is wrong, and a description with what matters."""

from unicodedata import category

import pytest
from tests.unit.alerts.samples import SHARED, alert, own_names, read, shared, shared_names

from secure_export.alerts.alert import Alert
from secure_export.alerts.decode import decode
from secure_export.alerts.summary import Summary, description, facts, title

TITLES = {
    "common/activity-administrative-fired": "Operation virtualMachines/deallocate on web-02: Succeeded "
    "(by ops.team@example.com)",
    "common/activity-autoscale-fired": "Autoscale of checkout-workers from 9 to 10 instances",
    "common/activity-policy-fired": "Policy requireTls12 on shopmedia: AuditIfNotExists",
    "common/activity-recommendation-fired": "Recommendation for shopmedia: Turn on soft delete for blobs "
    "(medium impact)",
    "common/activity-rule-id-as-alert-id-fired": "Operation vaults/write on shop-keys: Succeeded "
    "(by ops.team@example.com)",
    "common/activity-security-fired": "Security alert Virus on web-02: Blocked",
    "common/backup-fired": "Backup Failure: web-02 in vault vault-west",
    "common/backup-resolved": "Backup Failure: web-02 in vault vault-west (resolved)",
    "common/budget-actual-fired": "Budget marketing-2026 at 812.40 USD of 1,000 USD",
    "common/budget-forecast-fired": "Budget marketing-2026 forecast at 1,111 USD of 1,000 USD",
    "common/log-simple-fired": "payment exceptions: The payment gateway did not answer within 30 s.",
    "common/log-v1-application-insights-2019-fired": "failed requests: 42 results (alert when above 0) on "
    "shop-frontend",
    "common/log-v1-metric-measurement-fired": "cpu by counter: 1 result (alert when above 85.5) on batch-04",
    "common/log-v1-number-of-results-fired": "batch heartbeat: 3 results (alert when above 0) on "
    "batch-03.corp.example.com",
    "common/log-v2-by-computer-fired": "errors on app servers: number of results is above 3 (now 11) on app-07",
    "common/log-v2-by-computer-resolved": "errors on app servers: number of results is no longer above 3 (now 0) "
    "on app-07",
    "common/log-v2-by-resource-fired": "disk space below 10 percent: AggregatedValue is below 10 (now 6.5) on web-02, "
    "InstanceName D:",
    "common/log-v2-workspace-only-fired": "no heartbeat at all: number of results is below 1 (now 0)",
    "common/metric-dynamic-fired": "Egress of shopmedia is above its learned threshold 47658 (now 150101), "
    "ApiName GetBlob",
    "common/metric-dynamic-resolved": "Egress of shopmedia is no longer above its learned threshold 48120 (now 20110), "
    "ApiName GetBlob",
    "common/metric-multi-resource-fired": "Available Memory Bytes of web-02 is below 524288000 (now 211812352), "
    "and 1 more condition",
    "common/metric-multi-resource-resolved": "vm memory and cpu on web-02 is over (now Available Memory Bytes "
    "1893240832)",
    "common/metric-only-what-is-required": "Azure alert",
    "common/metric-static-fired": "Percentage CPU of web-01 is above 85 % (now 93.4)",
    "common/metric-static-resolved": "Percentage CPU of web-01 is no longer above 85 % (now 12.75)",
    "common/metric-webtest-fired": "Availability test shop-home-page fails from 4 locations",
    "common/metric-webtest-resolved": "Availability test shop-home-page is back (fails from 0 locations)",
    "common/metric-wrong-types": "cpu_percent of orders and 1 more is above 90 % (now 97.125)",
    "common/prometheus-fired": "PodCrashLooping on aks-shop: Pod basket-5c7d9 restarts again and again",
    "common/prometheus-resolved": "PodCrashLooping on aks-shop (resolved): Pod basket-5c7d9 restarts again and again",
    "common/real-rule-called-test-fired": "Percentage CPU of test-vm is above 85 % (now 93.4)",
    "common/resource-health-available-fired": "web-01 is Available (was Unavailable): The virtual machine runs again",
    "common/resource-health-unavailable-fired": "web-01 is Unavailable (was Available): The host of this virtual "
    "machine failed",
    "common/service-health-incident-active-fired": "Azure service issue KX7P-4T8: Virtual Machines in West Europe",
    "common/service-health-incident-resolved-fired": "Azure service issue KX7P-4T8: Virtual Machines in West Europe "
    "(resolved)",
    "common/service-health-maintenance-planned-fired": "Azure planned maintenance ZQ1L-V90: Azure SQL Database in "
    "North Europe",
    "common/smart-detector-failures-fired": "Failure Anomalies in shop-frontend: An abnormal rise in failed request "
    "rate",
    "common/smart-detector-latency-fired": "Dependency Performance Degradation Detector in shop-frontend: Calls to the "
    "payment gateway take longer than usual",
    "common/test-budget-fired": "Test notification: Budget Test_actual_cost_budget at 11,111 USD of 1,000 USD",
    "common/test-metric-fired": "Test notification: Transactions of test-storageAccount is above 0 (now 100), "
    "ApiName GetBlob",
    "common/test-metric-other-id-fired": "Test notification: Transactions of test-storageAccount is above 0 (now 100)",
    "common/test-service-health-fired": "Test notification: Azure service issue TEST-TTT: AzureServiceName in Global "
    "(resolved)",
    "common/unknown-service-fired": "device offline on edge-12 (Data Box Edge)",
    "common/unknown-service-resolved": "device offline on edge-12 (Data Box Edge) (resolved)",
    "legacy/activity-administrative": "Operation virtualMachines/restart on web-02: Succeeded "
    "(by ops.team@example.com)",
    "legacy/activity-recommendation": "Recommendation for web-02: Use availability zones (high impact)",
    "legacy/activity-resource-health": "web-01 is Degraded (was Available): The disk answers slowly",
    "legacy/activity-service-health-active": "Azure service issue KX7P-4T8: Virtual Machines in West Europe",
    "legacy/activity-service-health-resolved": "Azure service issue KX7P-4T8: Virtual Machines in West Europe "
    "(resolved)",
    "legacy/autoscale-scale-in": "Autoscale of checkout-workers from 3 to 2 instances",
    "legacy/budget": "Budget marketing-2026 at 812.40 EUR of 1,000 EUR",
    "legacy/classic-metric-activated": "Requests of shop-site is at or above 100 (now 140)",
    "legacy/classic-metric-resolved": "Requests of shop-site is no longer at or above 100 (now 20)",
    "legacy/log-analytics-metric-measurement": "batch heartbeat: 2 results (alert when above 0) on batch-06",
    "legacy/log-analytics-number-of-results": "batch heartbeat: 2 results (alert when above 0) on batch-05",
    "legacy/log-application-insights": "failed requests: 2 results (alert when above 0), Operation GET /basket",
    "legacy/metric-activated": "dtu_consumption_percent of orders is above 90 % (now 96.5)",
    "legacy/metric-deactivated": "dtu_consumption_percent of orders is no longer above 90 % (now 31)",
    "legacy/metric-dynamic-activated": "Egress of orders is above its learned threshold 47658 (now 150101)",
    "legacy/metric-dynamic-deactivated": "Egress of orders is no longer above its learned threshold 47658 (now 11)",
}

TOLD = {
    "common/metric-static-fired": [
        "Checkout gets slow when a web server is this busy.\nRestart nothing",
        "Metric: Percentage CPU",
        "Alert when: above 85 %",
        "Value: 93.4 %",
        "Aggregation: Average",
        "Window: PT5M",
        "Severity: Sev2",
        "Fired: 2026-02-10 06:14:22 UTC",
        "Investigate in Azure: https://portal.azure.com/#view",
        "team: shop",
    ],
    "common/metric-static-resolved": ["Resolved: 2026-02-10 06:39:51 UTC"],
    "common/metric-multi-resource-fired": [
        "Condition: 2 of 2",
        "Metric: Percentage CPU",
        "Alert when: at or above 70 %",
    ],
    "common/metric-dynamic-fired": ["Sensitivity: Medium", "Failing periods: 3 of 4", "Dimensions: ApiName GetBlob"],
    "common/log-v2-by-computer-fired": ["Query: Event | where", "Results in Azure: https://portal.azure.com"],
    "common/log-v1-number-of-results-fired": [
        "Search window: 2/10/2026 1:36:31 PM to 2/10/2026 1:51:31 PM",
        "Search interval: 15 minutes",
        "First results:\n$table: Heartbeat, Computer: batch-03",
    ],
    "common/log-simple-fired": ["ExceptionType: PaymentGatewayTimeout"],
    "common/activity-administrative-fired": [
        "Operation: Microsoft.Compute/virtualMachines/deallocate/action",
        "Caller: ops.team@example.com",
        "Status: Succeeded",
        "Sub-status: Accepted (HTTP Status Code: 202)",
    ],
    "common/activity-policy-fired": ["Policy: requireTls12, AuditIfNotExists, assigned as baseline"],
    "common/activity-security-fired": ["filePath: C:\\Temp\\eicar.com", "threatStatus: Quarantined"],
    "common/activity-autoscale-fired": ["Instances: 9 before, 10 after", "description: The autoscale engine"],
    "common/service-health-incident-active-fired": [
        "Service: Virtual Machines",
        "Region: West Europe",
        "Tracking id: KX7P-4T8",
        "Stage: Active",
        "Summary of impact: Starting at 18:40 UTC some virtual machines",
        "the status page (https://status.example.com/kx7p)",
    ],
    "common/resource-health-unavailable-fired": ["Health before: Available", "Cause: PlatformInitiated"],
    "common/prometheus-fired": [
        "Expression: sum by",
        "namespace=checkout",
        "Annotation description: Look at its log first.",
    ],
    "common/smart-detector-failures-fired": [
        "Detected: 21% of requests failed",
        "Normal: 0.4%",
        "Occurred: 2026-02-11T11:50",
    ],
    "common/budget-forecast-fired": [
        "Threshold passed: 1,000 USD",
        "Spent: 840.11 USD",
        "Creator: finance@example.com",
    ],
    "common/backup-fired": [
        "Possible causes: The agent of",
        "Recommended actions: Update the agent; Run the backup again",
    ],
    "common/unknown-service-fired": ["deviceState: Disconnected", "ports[1].up: true", "firmware.version: 2.3"],
    "common/test-metric-fired": ["This is a test of an action group"],
    "legacy/metric-activated": ['set "Enable the common alert schema" to Yes', "Aggregation: Average"],
    "legacy/classic-metric-activated": ["Window: PT15M"],
}

FACTS = {
    "common/metric-static-fired": {
        "metric": "Percentage CPU",
        "operator": "above",
        "threshold": "85",
        "value": "93.4",
        "resource": "web-01",
        "resource_group": "shop-prod",
        "severity": "Sev2",
        "custom_team": "shop",
        "resource_type": "microsoft.compute/virtualmachines",
    },
    "common/log-v2-by-computer-fired": {"dimension_computer": "app-07", "dimensions": "Computer app-07"},
    "common/service-health-incident-active-fired": {
        "service": "Virtual Machines",
        "region": "West Europe",
        "tracking_id": "KX7P-4T8",
        "stage": "Active",
    },
    "common/activity-administrative-fired": {
        "operation": "Microsoft.Compute/virtualMachines/deallocate/action",
        "caller": "ops.team@example.com",
        "status": "Succeeded",
    },
    "common/budget-forecast-fired": {"budget": "marketing-2026", "amount": "1,111 USD", "budget_amount": "1,000 USD"},
    "common/prometheus-fired": {"label_namespace": "checkout", "cluster": "aks-shop"},
    "common/backup-fired": {"vault": "vault-west", "backed_up": "web-02"},
    "common/metric-webtest-fired": {"web_test": "shop-home-page"},
    "common/resource-health-unavailable-fired": {"health": "Unavailable"},
    "common/smart-detector-latency-fired": {"value": "0.95 sec"},
}


def test_there_is_an_expectation_for_every_sample() -> None:
    """A sample that is added without its title fails here."""
    assert set(TITLES) == set(own_names())


@pytest.mark.parametrize(("name", "expected"), TITLES.items())
def test_the_title_says_what_is_wrong(name: str, expected: str) -> None:
    """One line that a service desk would want."""
    assert title(read(name)) == expected


@pytest.mark.parametrize(("name", "expected"), TOLD.items())
def test_the_description_holds_what_matters(name: str, expected: list[str]) -> None:
    """The context of each kind is told in plain text."""
    text = description(read(name))
    assert [part for part in expected if part not in text] == []


@pytest.mark.parametrize(("name", "expected"), FACTS.items())
def test_facts_for_templates_have_short_names(name: str, expected: dict[str, str]) -> None:
    """Field templates of routes use them."""
    told = facts(read(name))
    assert expected.items() <= told.items()
    assert all(key == key.lower() and key.replace("_", "").isalnum() for key in told)


@pytest.mark.parametrize("name", own_names())
def test_a_summary_tells_what_the_functions_tell(name: str) -> None:
    """Reading once or three times makes no difference."""
    found = read(name)
    summary = Summary(found)
    assert (summary.title(), summary.description(), summary.facts()) == (title(found), description(found), facts(found))


@pytest.mark.skipif(not SHARED.exists(), reason="the shared payloads are not beside this checkout")
@pytest.mark.parametrize("name", shared_names())
def test_every_body_that_was_seen_is_told(name: str) -> None:
    """Real bodies and parts of bodies give a title of substance and a description that begins with it."""
    found = decode(shared(name))
    line = title(found)
    assert len(line) > 12
    assert description(found).startswith(line.removeprefix("Test notification: ")[:100])
    check_bounds(found)


def check_bounds(found: Alert) -> None:
    """Check what holds for every alert."""
    line, text = title(found), description(found)
    assert 0 < len(line) <= 160
    assert {category(char) for char in line}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert len(text) <= 8000
    assert {category(char) for char in text if char not in "\n\t"}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert all(len(value) <= 2000 for value in facts(found).values())


def test_a_long_title_is_cut_and_says_so() -> None:
    """At 160 characters."""
    line = title(alert(None, alertRule="x" * 500))
    assert len(line) == 160
    assert line.endswith("…")


def test_line_breaks_and_control_characters_do_not_get_into_a_title() -> None:
    """Nor what turns the writing direction round."""
    line = title(alert(None, alertRule="disk\r\nfull \x07\u202enow\u2028!", monitoringService="x"))
    assert line.startswith("disk full now !")


def test_a_huge_alert_has_a_short_description() -> None:
    """Eight thousand characters, with what matters most at the beginning."""
    context = {f"member{number}": "y" * 5000 for number in range(100)}
    text = description(alert(context, alertRule="big", description="z" * 9000, monitoringService="Unheard"))
    assert text.startswith("big on web-01 (Unheard)\n\nzzz")
    assert len(text) <= 8000


@pytest.mark.parametrize(
    ("amount", "told"),
    [("$11,111.00", "11,111 USD"), ("999.99", "999.99 USD"), (1234.5, "1,234.50 USD"), ("unknown", "unknown")],
)
def test_money_is_told_however_it_is_written(amount: object, told: str) -> None:
    """With sign and commas, as number, or as what nobody can read."""
    context = {"AlertCategory": "budgets", "AlertData": {"SpentAmount": amount, "Unit": "USD", "BudgetName": "b"}}
    assert title(alert(context)) == f"Budget b at {told}"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("GreaterThan", "above"),
        ("Greater Than", "above"),
        ("GreaterThanOrEqual", "at or above"),
        ("LowerThan", "below"),
        ("LessThanOrEqual", "at or below"),
        ("Equals", "equal to"),
        ("Sideways", "Sideways"),
    ],
)
def test_operators_are_words(written: str, words: str) -> None:
    """An operator that we do not know stands as it is."""
    context = {
        "conditionType": "SingleResourceMultipleMetricCriteria",
        "condition": {"allOf": [{"metricName": "m", "operator": written, "threshold": "1"}]},
    }
    assert title(alert(context)) == f"m of web-01 is {words} 1"
