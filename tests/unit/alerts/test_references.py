"""Which resources an alert names, in which order, and for which subscriptions it speaks."""

import pytest
from tests.unit.alerts.samples import CENTRAL, SUBSCRIPTION, WEB_01, alert, own, own_names, read

from secure_export.alerts.decode import decode
from secure_export.alerts.references import references, subscriptions

OTHER = "0badc0de-0000-4000-8000-000000000001"
ELSEWHERE = f"/subscriptions/{OTHER}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/victim"
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/logs/providers/microsoft.operationalinsights/workspaces/logs"
COMPONENT = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/shop/providers/microsoft.insights/components/shop"

NAMED = {
    "common/metric-static-fired": (["web-01 by alertTargetIDs"], [], []),
    "common/metric-multi-resource-fired": (["web-02 by alertTargetIDs"], [], []),
    "common/metric-webtest-fired": (["shop-frontend by alertTargetIDs"], [], []),
    "common/log-v2-by-computer-fired": ([], ["app-07"], ["logs-central"]),
    "common/log-v2-by-resource-fired": (["web-02 by dimension _ResourceId"], [], ["logs-central"]),
    "common/log-v2-workspace-only-fired": ([], [], ["logs-central"]),
    "common/log-v1-number-of-results-fired": ([], ["batch-03.corp.example.com"], ["logs-central"]),
    "common/log-v1-metric-measurement-fired": ([], ["batch-04"], ["logs-central"]),
    "common/log-v1-application-insights-2019-fired": (["shop-frontend by alertTargetIDs"], [], []),
    "common/activity-administrative-fired": (["web-02 by alertTargetIDs"], [], []),
    "common/activity-autoscale-fired": (["checkout-workers by autoscale resourceName"], [], ["checkout-scale"]),
    "common/activity-security-fired": ([], ["web-02"], [SUBSCRIPTION]),
    "common/service-health-incident-active-fired": ([], [], [SUBSCRIPTION]),
    "common/resource-health-unavailable-fired": (["web-01 by alertTargetIDs"], [], []),
    "common/prometheus-fired": (["aks-shop by label microsoft.resourceid"], [], ["prometheus-west"]),
    "common/budget-actual-fired": ([], [], ["budgets"]),
    "common/backup-fired": (["web-02 by linkedResourceId"], [], ["vault-west"]),
    "common/unknown-service-fired": (["edge-12 by alertTargetIDs"], [], []),
    "legacy/metric-activated": (["orders by alertTargetIDs"], [], []),
    "legacy/log-analytics-number-of-results": ([], ["batch-05"], ["logs-central"]),
    "legacy/log-analytics-metric-measurement": ([], ["batch-06"], []),
    "legacy/autoscale-scale-in": (["checkout-workers by alertTargetIDs"], [], []),
}


@pytest.mark.parametrize(("name", "resources", "names", "ignored"), [(name, *told) for name, told in NAMED.items()])
def test_each_sample_names_what_is_affected(
    name: str, resources: list[str], names: list[str], ignored: list[str]
) -> None:
    """Full ids first, with where they stand; then names; and what is no affected CI, with the reason."""
    found = references(read(name))
    assert [f"{one.resource_id.rpartition('/')[2]} by {one.source}" for one in found.resources] == resources
    assert list(found.names) == names
    assert [what.rpartition("/")[2] for what, _ in found.ignored] == ignored
    assert all(why for _, why in found.ignored)


@pytest.mark.parametrize("name", own_names())
def test_no_reference_is_outside_the_subscriptions_it_speaks_for(name: str) -> None:
    """Whatever could be bound was asked for at intake."""
    found = read(name)
    speaks_for = subscriptions(found)
    assert speaks_for <= {SUBSCRIPTION, CENTRAL}
    assert {one.resource_id.split("/")[2] for one in references(found).resources} <= speaks_for


def test_ids_are_in_normal_form_and_come_once() -> None:
    """Target and dimension in two cases are one resource."""
    context = {
        "conditionType": "SingleResourceMultipleMetricCriteria",
        "condition": {"allOf": [{"dimensions": [{"name": "microsoft.resourceId", "value": WEB_01.upper() + "/"}]}]},
    }
    assert [one.resource_id for one in references(alert(context)).resources] == [WEB_01]


def test_a_target_that_azure_calls_the_item_comes_first() -> None:
    """Of two targets the one whose name is a configuration item is the more telling."""
    other = WEB_01.replace("web-01", "nic-01")
    found = references(alert(None, alertTargetIDs=[other, WEB_01]))
    assert [one.resource_id for one in found.resources] == [WEB_01, other]


@pytest.mark.parametrize("name", ["web-01", "WEB-01", "web-01.corp.example.com", " web-01 "])
def test_a_name_that_a_full_id_covers_is_not_told_again(name: str) -> None:
    """Also as a fully qualified name."""
    assert references(alert(None, configurationItems=[name])).names == ()


def test_the_scope_of_names_is_where_the_target_lies() -> None:
    """Names are looked for in the target's subscription and group first; a queried workspace's group says nothing."""
    found = references(alert(None, configurationItems=["other"]))
    assert (found.subscription, found.resource_group) == (SUBSCRIPTION, "shop-prod")
    queried = references(read("common/log-v2-by-computer-fired"))
    assert (queried.subscription, queried.resource_group) == (CENTRAL, None)


def test_a_workspace_is_the_affected_resource_of_its_own_metrics() -> None:
    """Only where nothing else is named: a metric of the workspace itself."""
    context = {
        "conditionType": "SingleResourceMultipleMetricCriteria",
        "condition": {"allOf": [{"metricName": "Queries"}]},
    }
    own_metric = references(alert(context, alertTargetIDs=[WORKSPACE], configurationItems=["logs"]))
    assert [one.resource_id for one in own_metric.resources] == [WORKSPACE]
    context["condition"] = {"allOf": [{"dimensions": [{"name": "Computer", "value": "app-1"}]}]}
    of_a_computer = references(alert(context, alertTargetIDs=[WORKSPACE], configurationItems=[]))
    assert of_a_computer.resources == ()
    assert of_a_computer.names == ("app-1",)


def test_an_application_is_affected_by_its_own_log_search_unless_others_are_named() -> None:
    """App Insights components are queried like workspaces, but they stand for an application."""
    context = {"SearchQuery": "requests", "AffectedConfigurationItems": []}
    assert (
        references(alert(context, alertTargetIDs=[COMPONENT], configurationItems=[])).resources[0].resource_id
        == COMPONENT
    )
    context["AffectedConfigurationItems"] = ["role-2"]
    others = references(alert(context, alertTargetIDs=[COMPONENT], configurationItems=[]))
    assert (others.resources, others.names) == ((), ("role-2",))


def test_a_resource_group_is_affected_by_what_is_done_to_it() -> None:
    """The activity log tells of groups that are deleted."""
    group = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/shop"
    context = {
        "eventSource": "Administrative",
        "operationName": "Microsoft.Resources/subscriptions/resourceGroups/delete",
    }
    assert [one.resource_id for one in references(alert(context, alertTargetIDs=[group])).resources] == [group]
    assert references(alert(None, alertTargetIDs=[group])).ignored[0][0] == group


@pytest.mark.parametrize(
    "hidden",
    [
        {"configurationItems": [ELSEWHERE]},
        {"alertTargetIDs": [WEB_01, ELSEWHERE.upper()]},
        {"alertTargetIDs": [WEB_01, f"//SUBSCRIPTIONS//{OTHER}/odd"]},
        {"alertId": f"/subscriptions/{OTHER}/providers/Microsoft.AlertsManagement/alerts/1"},
    ],
)
def test_no_essential_hides_another_subscription(hidden: dict[str, object]) -> None:
    """A caller of one subscription cannot name a resource of another."""
    assert OTHER in subscriptions(alert(None, **hidden))


@pytest.mark.parametrize(
    ("service", "context"),
    [
        (
            "Log Alerts V2",
            {
                "conditionType": "LogQueryCriteria",
                "condition": {"allOf": [{"dimensions": [{"name": "_ResourceId", "value": ELSEWHERE}]}]},
            },
        ),
        (
            "Platform",
            {
                "conditionType": "SingleResourceMultipleMetricCriteria",
                "condition": {"allOf": [{"dimensions": [{"name": "Computer", "value": ELSEWHERE}]}]},
            },
        ),
        ("Azure Backup", {"linkedResourceId": ELSEWHERE}),
        ("Prometheus", {"expression": "x", "labels": {"microsoft.resourceid": ELSEWHERE}}),
        ("Activity Log - Autoscale", {"eventSource": "Autoscale", "properties": {"resourceName": ELSEWHERE}}),
        ("Activity Log - Administrative", {"eventSource": "Administrative", "authorization": {"scope": ELSEWHERE}}),
        ("Log Analytics", {"SearchQuery": "x", "AffectedConfigurationItems": [ELSEWHERE]}),
        (
            "CostAlerts",
            {
                "AlertCategory": "budgets",
                "AlertData": {"BudgetId": f"/subscriptions/{OTHER}/providers/Microsoft.Consumption/budgets/b"},
            },
        ),
    ],
)
@pytest.mark.parametrize("escaped", [False, True])
def test_no_context_hides_another_subscription(service: str, context: object, *, escaped: bool) -> None:
    """Every place that binding or a budget's problem is taken from is asked for, also when it is written in escapes."""
    found = alert(context, monitoringService=service, alertTargetIDs=[], configurationItems=[])
    if escaped:
        raw = bytes(found.context).replace(b"/subscriptions/", rb"\/\u0073ubscriptions\/")
        found = decode(
            b'{"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"/subscriptions/a/x","monitorCondition":'
            b'"Fired","monitoringService":"' + service.encode() + b'"},"alertContext":' + raw + b"}}"
        )
    bound = {one.resource_id.split("/")[2] for one in references(found).resources}
    assert bound <= subscriptions(found)
    if service != "Platform":
        assert OTHER in subscriptions(found)


def test_paths_are_never_names() -> None:
    """What begins like an id is bound as an id or not at all."""
    found = references(alert(None, configurationItems=["/dev/sda", "web-09"]))
    assert found.names == ("web-09",)
    assert ("/dev/sda" in dict(found.ignored)) is True


def test_a_budget_without_ids_speaks_for_its_scope() -> None:
    """Budgets have no targets."""
    sent = (
        own("common/budget-actual-fired")
        .replace(b"Microsoft.CostManagement/alerts", b"x")
        .replace(b'"/subscriptions/', b'"/Subscriptions/')
    )
    assert subscriptions(decode(sent)) == {SUBSCRIPTION}


def test_an_alert_that_names_no_subscription_speaks_for_none() -> None:
    """Intake then asks whether every subscription is allowed."""
    assert subscriptions(alert(None, alertId="b1946ac9", alertTargetIDs=None, configurationItems=None)) == frozenset()


def test_a_thousand_names_are_bounded() -> None:
    """One alert cannot ask the CMDB for everything."""
    items = [f"web-{number}" for number in range(1000)]
    assert len(references(alert(None, configurationItems=items)).names) <= 100
