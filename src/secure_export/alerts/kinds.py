"""What an alert is about, told by the content of its context first and by the service's name last.

Names mislead: the documentation's own samples put ``LogQueryCriteria`` under ``Platform`` and write ``Platform`` above
version 1 log searches (Azure Monitor docs, "Sample alert payloads"). A service we do not know is OTHER.
"""

from secure_export.alerts.alert import Ending, Kind
from secure_export.alerts.members import Members

_BY_CONDITION_TYPE = {
    "singleresourcemultiplemetriccriteria": Kind.METRIC,
    "multipleresourcemultiplemetriccriteria": Kind.METRIC,
    "dynamicthresholdcriteria": Kind.DYNAMIC_METRIC,
    "webtestlocationavailabilitycriteria": Kind.WEB_TEST,
    "logquerycriteria": Kind.LOG_SEARCH,
}
_BY_EVENT_SOURCE = {
    "administrative": Kind.ADMINISTRATIVE,
    "policy": Kind.POLICY,
    "autoscale": Kind.AUTOSCALE,
    "security": Kind.SECURITY,
    "recommendation": Kind.RECOMMENDATION,
    "servicehealth": Kind.SERVICE_HEALTH,
    "resourcehealth": Kind.RESOURCE_HEALTH,
}
_BY_OPERATION = {
    "microsoft.servicehealth": Kind.SERVICE_HEALTH,
    "microsoft.resourcehealth": Kind.RESOURCE_HEALTH,
    "microsoft.security": Kind.SECURITY,
    "microsoft.advisor": Kind.RECOMMENDATION,
}
_BY_SERVICE = {
    "platform": Kind.METRIC,
    "logalertsv2": Kind.LOG_SEARCH,
    "simplelogalert": Kind.SIMPLE_LOG,
    "loganalytics": Kind.LOG_SEARCH_V1,
    "applicationinsights": Kind.LOG_SEARCH_V1,
    "prometheus": Kind.PROMETHEUS,
    "smartdetector": Kind.SMART_DETECTOR,
    "costalerts": Kind.BUDGET,
    "azurebackup": Kind.BACKUP,
    "servicehealth": Kind.SERVICE_HEALTH,
    "resourcehealth": Kind.RESOURCE_HEALTH,
    **{f"activitylog-{source}": kind for source, kind in _BY_EVENT_SOURCE.items()},
}
_BY_MEMBER = (
    (("AlertData", "AlertCategory"), Kind.BUDGET),
    (("SmartDetectorId", "SmartDetectorName", "DetectionSummary"), Kind.SMART_DETECTOR),
    (("SearchQuery", "SearchIntervalStartTimeUtc", "AffectedConfigurationItems"), Kind.LOG_SEARCH_V1),
    (("linkedResourceId", "protectedItemId"), Kind.BACKUP),
)

ACTIVITY_LOG = frozenset(
    {
        Kind.ADMINISTRATIVE,
        Kind.POLICY,
        Kind.AUTOSCALE,
        Kind.SECURITY,
        Kind.RECOMMENDATION,
        Kind.SERVICE_HEALTH,
        Kind.RESOURCE_HEALTH,
    }
)
"""What the activity log tells; always ``Fired`` (Azure Monitor docs, "Types of Azure Monitor alerts")."""

_ENDING = {
    **dict.fromkeys(ACTIVITY_LOG, Ending.NEVER),
    Kind.SERVICE_HEALTH: Ending.BY_TIME,
    Kind.RESOURCE_HEALTH: Ending.BY_TIME,
    Kind.BUDGET: Ending.NEVER,
    Kind.LOG_SEARCH_V1: Ending.NEVER,
    Kind.SIMPLE_LOG: Ending.NEVER,
    Kind.SMART_DETECTOR: Ending.NEVER,
}


def kind_by_condition_type(condition_type: str) -> Kind | None:
    """Tell the kind of a metric alert or log search; None for a condition type that we do not know."""
    return _BY_CONDITION_TYPE.get(condition_type.lower())


def kind_of(service: str, context: Members) -> Kind:
    """Tell the kind of an alert.

    Args:
        service: ``monitoringService`` as written.
        context: Its ``alertContext``.
    """
    squeezed = service.lower().replace(" ", "")
    by_condition = _by_condition(squeezed, context)
    if by_condition is not None:
        return by_condition
    for names, kind in _BY_MEMBER:
        if context.has(*names):
            return kind
    if context.has("expression") and context.has("expressionValue", "labels", "ruleGroup"):
        return Kind.PROMETHEUS
    return _by_event(context) or _BY_SERVICE.get(squeezed, Kind.OTHER)


def ending_of(kind: Kind) -> Ending:
    """Say how a problem of a kind ends in the common alert schema."""
    return _ENDING.get(kind, Ending.BY_ID)


def _by_condition(service: str, context: Members) -> Kind | None:
    kind = kind_by_condition_type(context.text("conditionType"))
    if kind is Kind.LOG_SEARCH and (service == "simplelogalert" or _has_events(context)):
        return Kind.SIMPLE_LOG
    return kind


def _has_events(context: Members) -> bool:
    return any(criterion.has("event") for criterion in context.object("condition").objects("allOf"))


def _by_event(context: Members) -> Kind | None:
    """Tell an activity log event by its operation, its source (a number in some bodies) or its properties."""
    provider = context.text("operationName").lower().partition("/")[0]
    properties = context.object("properties")
    if provider in _BY_OPERATION:
        return _BY_OPERATION[provider]
    source = _BY_EVENT_SOURCE.get(context.text("eventSource").lower())
    if source is not None:
        return source
    if properties.has("trackingId") and properties.has("incidentType", "stage"):
        return Kind.SERVICE_HEALTH
    return Kind.RESOURCE_HEALTH if properties.has("currentHealthStatus") else None
