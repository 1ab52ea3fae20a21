"""The canned bodies of the portal's "Test action group".

They name resources that do not exist, and all of them can have the same ``alertId``, even tests of different types, so
that a second test would be taken for a repetition of the first (Azure Monitor docs, "Action groups", and the payloads
that it shows). The ids differ between page versions, so that several signals are weighed. No name that a person
can give to a rule of their own is enough: a real alert that is taken for a test would never be resolved.
"""

from secure_export.alerts.alert import Alert, Condition, Kind
from secure_export.alerts.common_schema import context_members
from secure_export.alerts.resource_id import last_segment, parse

PLACEHOLDER_SUBSCRIPTIONS = frozenset(
    {
        "11111111-1111-1111-1111-111111111111",
        "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e",
    }
)
"""What stands for the subscription in canned bodies and is nobody's, in lower case: in the payloads that Azure Monitor
docs show ("Action groups", 2026), and in those of 2022 as recorded by others. Other bodies may name other ones."""

_CANNED_IDS = frozenset(
    {
        "test_alert",
        "eeeeeeee-4444-5555-6666-ffffffffffff",
        "12345678-1234-1234-1234-1234567890ab",
        "1234abcd5678efgh1234abcd5678efgh1234abcd5678efgh1234abcd5678efgh",
    }
)
_CANNED_RULES = frozenset(
    {
        "test-activityLogAlertRule",
        "test-availabilityTest-test-applicationInsights",
        "test-dynamicMetricAlertRule",
        "test-logAlertRule-v1-metricMeasurement",
        "test-logAlertRule-v1-numResults",
        "test-logAlertRule-v2",
        "test-metricAlertRule",
        "test-ResourceHealthAlertRule",
        "test-ServiceHealthAlertRule",
        "test-SmartAlertRule",
    }
)
_CANNED_ITEMS = frozenset(
    {"test-VM", "test-computer", "test-storageAccount", "test-applicationInsights", "test-logAnalyticsWorkspace"}
)
_CANNED_GROUP = "test-rg"
_CANNED_DESCRIPTIONS = frozenset({"alertruledescription"})
_CANNED_CALLERS = frozenset({"user-email@domain.com", "user@contoso.com"})
_CANNED_BUDGET_CREATORS = frozenset({"test@sample.test", "email@domain.com"})
_CANNED_BUDGET_TEXT = "deliveryconfirmation:thisisasamplebudgetalert"
_ENOUGH = 4
_TEST_RULE = "test-"
_TELL_BY_CONTENT = frozenset({Kind.SERVICE_HEALTH, Kind.BUDGET, Kind.SMART_DETECTOR})


def is_test(alert: Alert) -> bool:
    """Say whether an alert is a canned body of "Test action group". Tests are always Fired."""
    if alert.condition is not Condition.FIRED:
        return False
    if last_segment(alert.id.partition("~")[0]).lower() in _CANNED_IDS:
        return True
    if not _worth_a_look(alert):
        return False
    return _weight_of_names(alert) + _weight_of_texts(alert) >= _ENOUGH


def test_alert_id(alert_id: str, correlation_key: str) -> str:
    """Make an id of its own for each arrival of a test.

    Args:
        alert_id: The id that all tests have.
        correlation_key: The lane of this arrival; intake makes one for each (``intake.lanes_of_tests``).
    """
    return f"{alert_id}~{correlation_key}"


def _worth_a_look(alert: Alert) -> bool:
    """Spare the common case the weighing."""
    return (
        alert.kind in _TELL_BY_CONTENT
        or (alert.rule is not None and alert.rule.startswith(_TEST_RULE))
        or (alert.rule is None and bool(_CANNED_ITEMS.intersection(alert.configuration_items)))
    )


def _weight_of_names(alert: Alert) -> int:
    """Weigh names: a canned rule counts two, a name that only begins like one, a canned item and its group one each."""
    names = {*alert.configuration_items, *map(last_segment, alert.targets)}
    groups = {parts.resource_group for one in alert.targets if (parts := parse(one))}
    rule = alert.rule or ""
    by_rule = 2 if rule in _CANNED_RULES else int(rule.startswith(_TEST_RULE))
    return by_rule + int(not _CANNED_ITEMS.isdisjoint(names)) + int(_CANNED_GROUP in groups)


def _weight_of_texts(alert: Alert) -> int:
    """Weigh texts, without their spaces, which the portal loses."""
    context = context_members(alert.context)
    properties, budget = context.object("properties"), context.object("AlertData")
    description = _squeezed(alert.description or "")
    if _CANNED_BUDGET_TEXT in description:
        return _ENOUGH
    if _squeezed(properties.text("title")).replace("-", "").startswith("testactiongrouptest"):
        return _ENOUGH
    if budget.text("BudgetCreator").lower() in _CANNED_BUDGET_CREATORS:
        return _ENOUGH if budget.text("BudgetName").lower().startswith("test") else 0
    by_caller = 2 if context.text("caller").lower() in _CANNED_CALLERS else 0
    return by_caller + (2 if description in _CANNED_DESCRIPTIONS else 0)


def _squeezed(text: str) -> str:
    return "".join(text.split()).lower()
