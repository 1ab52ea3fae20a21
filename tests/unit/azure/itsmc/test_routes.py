"""Routes of a connection: decided by the program's own conditions, for alerts of each rule."""

import json
from typing import Any

from tests.unit.azure.itsmc.building import SERVICENOW, SUBSCRIPTION, rule

from secure_export.alerts.alert import Alert, Kind
from secure_export.alerts.decode import decode
from secure_export.azure.itsmc.inventory import Rule
from secure_export.azure.itsmc.routes import LOG_ALERTS, conditions, routes_of
from secure_export.azure.itsmc.ticket import read_ticket
from secure_export.azure.itsmc.treatment import Treatment, treatment_of
from secure_export.policy.conditions import MAX_CONDITION_CHARS, checked_condition
from secure_export.policy.decide import Policy
from secure_export.policy.settings import RouteSettings

METRIC = "Microsoft.Insights/metricAlerts"


def treatment(**said: Any) -> Treatment:
    return treatment_of("action", read_ticket(json.dumps({"WorkItemType": "Incident", **said})), SERVICENOW)


def alert_of(one: Rule, *, with_id: bool = True) -> Alert:
    essentials = {
        "alertId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/1",
        "alertRule": one.name,
        "severity": "Sev2",
        "monitorCondition": "Fired",
        "monitoringService": "Log Alerts V2" if one.is_log else "Platform",
        "signalType": "Log" if one.is_log else "Metric",
        "firedDateTime": "2026-01-01T00:00:00Z",
        **({"alertRuleID": one.id} if with_id else {}),
    }
    condition = {"conditionType": "LogQueryCriteria" if one.is_log else "SingleResourceMultipleMetricCriteria"}
    body = {"essentials": essentials, "alertContext": {**condition, "condition": {"allOf": []}}}
    return decode(json.dumps({"schemaId": "azureMonitorCommonAlertSchema", "data": body}).encode())


def routed(routes: list[dict[str, Any]], one: Rule, *, with_id: bool = True) -> tuple[str, str]:
    chosen = Policy(*(RouteSettings.model_validate(route) for route in routes))
    settings = chosen.route_of(alert_of(one, with_id=with_id)).settings
    return settings.work_item, settings.group_by.value


def test_one_treatment_is_one_route_for_logs_and_one_for_all_others() -> None:
    """Grouping was for log alerts; the last route takes what no other does."""
    log, metric = rule("logs"), rule("cpu", METRIC)
    routes = routes_of([(treatment(CreateOneWIPerCI=True), [log, metric])])
    assert [one.get("when") for one in routes] == [LOG_ALERTS, None]
    assert routed(routes, log) == ("incident", "ci")
    assert routed(routes, metric) == ("incident", "alert")


def test_one_route_is_enough_where_logs_are_treated_like_all() -> None:
    """What a condition would not change has none."""
    assert len(routes_of([(treatment(CreateOneWIPerLog=True), [rule("logs")])])) == 1


def test_rules_that_differ_from_the_usual_are_told_by_their_id_and_else_by_their_name() -> None:
    """An alert without its rule's id is told by the name."""
    usual = [rule(f"usual-{number}") for number in range(3)]
    events = [rule('odd "one"'), rule("cpu", METRIC)]
    routes = routes_of([(treatment(CreateOneWIPerCI=True), usual), (treatment(WorkItemType="Event"), events)])
    for with_id in (True, False):
        assert routed(routes, events[0], with_id=with_id) == ("event", "rule")
        assert routed(routes, events[1], with_id=with_id) == ("event", "alert")
        assert routed(routes, usual[0], with_id=with_id) == ("incident", "ci")


def test_a_rule_of_the_same_name_elsewhere_is_not_meant() -> None:
    """The id decides where there is one."""
    routes = routes_of([
        (treatment(), [rule("a"), rule("b"), rule("same", group="rg-1")]),
        (treatment(WorkItemType="Event"), [rule("same", group="rg-2")]),
    ])  # fmt: skip
    assert routed(routes, rule("same", group="rg-1")) == ("incident", "rule")
    assert routed(routes, rule("same", group="rg-2")) == ("event", "rule")


def test_a_rule_counts_for_the_first_that_has_it() -> None:
    """It made two work items with ITSMC, and makes one here."""
    both = rule("both")
    routes = routes_of([(treatment(), [both]), (treatment(WorkItemType="Event"), [both])])
    assert routed(routes, both) == ("incident", "rule")
    assert len(routes) == 2


def test_conditions_stay_within_what_the_configuration_takes() -> None:
    """Many rules become several conditions, each of which can be decided."""
    found = conditions([rule(f"rule-{number:04}", group="a-rather-long-resource-group-name") for number in range(60)])
    assert len(found) > 1
    assert all(len(checked_condition(one)) <= MAX_CONDITION_CHARS for one in found)


def test_the_kinds_of_log_alerts_are_those_that_alerts_have() -> None:
    """A kind that no alert has would route nothing."""
    named = json.loads(LOG_ALERTS.partition(" in ")[2])
    assert set(named) == {Kind.LOG_SEARCH.value, Kind.SIMPLE_LOG.value, Kind.LOG_SEARCH_V1.value}
