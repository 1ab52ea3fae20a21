"""The alert as we know it, whatever schema it came in."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec


class Condition(StrEnum):
    """What Azure says of an alert: it fired, or it is resolved."""

    FIRED = "fired"
    RESOLVED = "resolved"


class Kind(StrEnum):
    """What an alert is about, told by its content; a service we do not know is OTHER."""

    METRIC = "metric"
    DYNAMIC_METRIC = "dynamic-metric"
    WEB_TEST = "web-test"
    LOG_SEARCH = "log-search"
    SIMPLE_LOG = "simple-log"
    LOG_SEARCH_V1 = "log-search-v1"
    ADMINISTRATIVE = "administrative"
    POLICY = "policy"
    AUTOSCALE = "autoscale"
    SECURITY = "security"
    RECOMMENDATION = "recommendation"
    SERVICE_HEALTH = "service-health"
    RESOURCE_HEALTH = "resource-health"
    PROMETHEUS = "prometheus"
    SMART_DETECTOR = "smart-detector"
    BUDGET = "budget"
    BACKUP = "backup"
    OTHER = "other"


class Ending(StrEnum):
    """How a problem of this kind ends.

    ``BY_ID``: Azure sends a resolved notification with the same alert id, and a problem that ended stays ended.
    ``BY_TIME``: many alerts with ids of their own speak of one problem (service health, resource health,
    the legacy metric schema); the latest event decides, so a later one may open the problem again.
    ``NEVER``: nothing that Azure sends ends it (activity log, budgets, version 1 log searches).
    """

    BY_ID = "by-id"
    BY_TIME = "by-time"
    NEVER = "never"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What one notification says.

    Attributes:
        id: The ``alertId`` as Azure wrote it (opaque text); made up, and stable, for the legacy schemas. Where it names
            a rule or a budget instead of one alert, what tells the alert from others follows after ``~``.
        condition: What Azure said.
        kind: What it is about.
        ending: How a problem of this kind ends.
        problem: What fires and ends: the alert's own id, or what several alerts share (see ``Ending.BY_TIME``). All
            thresholds of one budget are one problem too, although nothing that Azure sends ends it.
        ended: Whether this notification says the problem is over: resolved, or over by its content.
        event_at: When that happened by Azure's clock; None where the body does not say.
        monitoring_service: ``essentials.monitoringService`` as written; empty when absent; for the legacy schemas what
            the common schema would say.
        rule: The alert rule's name.
        rule_id: The alert rule's ARM id.
        severity: ``Sev0`` (critical) to ``Sev4`` (verbose); None where Azure sets none (budgets).
        signal_type: ``Metric``, ``Log``, ``Activity Log`` or what else was written.
        targets: ``alertTargetIDs`` as written; compare without regard to case.
        configuration_items: ``configurationItems`` as written: short names mostly, never trusted to be ids.
        origin_id: ``originAlertId``: stable for a metric rule and time series across firings.
        fired_at: ``firedDateTime`` in UTC; in a resolved body it can equal ``resolved_at``.
        resolved_at: ``resolvedDateTime`` in UTC.
        description: The rule's description.
        investigation_link: A link into the Azure portal.
        custom_properties: Key and value texts set on the rule; written by rule authors, so not to be trusted.
        context: ``alertContext`` as raw JSON, decoded only by those who need it; ``null`` when absent; in the common
            form for the legacy schemas. It may hold anything: ``alerts.members`` reads it tolerantly.
        is_test: A canned body of the portal's "Test action group".
        is_legacy_schema: The action sends without the common alert schema: a set-up mistake.
        warnings: What an administrator should mend, in sentences.
    """

    id: str
    condition: Condition
    kind: Kind
    ending: Ending
    problem: str
    ended: bool
    event_at: datetime | None = None
    monitoring_service: str = ""
    rule: str | None = None
    rule_id: str | None = None
    severity: str | None = None
    signal_type: str | None = None
    targets: tuple[str, ...] = ()
    configuration_items: tuple[str, ...] = ()
    origin_id: str | None = None
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
    description: str | None = None
    investigation_link: str | None = None
    custom_properties: Mapping[str, str] = {}
    context: msgspec.Raw = msgspec.Raw(b"null")
    is_test: bool = False
    is_legacy_schema: bool = False
    warnings: tuple[str, ...] = ()
