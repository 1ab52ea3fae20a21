"""The demo's round as a table: every kind of alert, and how its story goes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from secure_export.sandbox.azure_monitor.expectation import Binding


class Course(StrEnum):
    """How a story is told."""

    PLAIN = "fires, then ends"
    OPEN = "fires and stays so"
    TWICE = "reaches the same receiver through two action groups"
    REVERSED = "ends before it fires"
    LATE = "fires, ends, and the fired notification comes once more"
    AGAIN = "fires, ends, and fires anew"
    REPEATED = "fires three times, each time as another alert"
    OLD_SCHEMA = "is sent with the common alert schema off"
    OLD_SCHEMA_OPEN = "is sent with the common alert schema off, and stays open"
    TEST_TWICE = "is a test, sent twice with the same ids"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the plan; rule, resource and binding only where they differ from the kind's own."""

    kind: str
    course: Course = Course.PLAIN
    rule: str | None = None
    resource: str | None = None
    binding: Binding | None = None


PLAN: Final = (
    Line("metric-static", Course.TWICE),
    Line("metric-static", Course.REVERSED, "cpu-batch", "vm-batch-01"),
    Line("metric-two-conditions"),
    Line("metric-several-resources", Course.LATE),
    Line("metric-dynamic", Course.AGAIN),
    Line("metric-web-test", Course.REVERSED),
    Line("metric-stateless", Course.REPEATED),
    Line("log-search-resource", Course.TWICE),
    Line("log-search-computer"),
    Line("log-search-workspace", Course.OPEN),
    Line("log-search-ambiguous"),
    Line("log-search-under-platform"),
    Line("simple-log"),
    Line("log-v1-results"),
    Line("log-v1-measurement"),
    Line("application-insights-v1-results"),
    Line("application-insights-v1-measurement"),
    Line("activity-administrative", Course.TWICE),
    Line("activity-policy"),
    Line("activity-autoscale"),
    Line("activity-security"),
    Line("activity-recommendation"),
    Line("service-health-incident"),
    Line("service-health-maintenance", Course.OPEN),
    Line("resource-health"),
    Line("resource-health-other-spelling", Course.REVERSED),
    Line("prometheus"),
    Line("smart-detector-value"),
    Line("smart-detector-failures"),
    Line("budget-spent"),
    Line("budget-forecast"),
    Line("backup"),
    Line("unknown-service"),
    Line("metric-static", Course.OLD_SCHEMA, "cpu-old-schema", "vm-shop-web-02"),
    Line("metric-several-resources", Course.OLD_SCHEMA_OPEN, "memory-old-schema", "vm-wms-app-01"),
    Line("log-v1-results", Course.OLD_SCHEMA, "agents-old-schema"),
    # The older body names the application by an id of its own; the resource stands only beside the search results.
    Line("application-insights-v1-results", Course.OLD_SCHEMA, "errors-old-schema", binding=Binding.EITHER),
    Line("activity-administrative", Course.OLD_SCHEMA, "vault-old-schema"),
    Line("service-health-incident", Course.OLD_SCHEMA, "incident-old-schema"),
    Line("budget-spent", Course.OLD_SCHEMA, "yearly-old-schema"),
    Line("classic-metric", Course.OLD_SCHEMA),
    Line("autoscale-notification", Course.OLD_SCHEMA),
    Line("test-metric-static", Course.TEST_TWICE),
)
