"""The schemas from before the common alert schema, told by their schema id or by their members.

An action sends them while "Enable the common alert schema" is off, which is the default (Azure Monitor docs, "Common
alert schema"). Each becomes the same alert as in the common schema, with its context in the common form.
"""

from collections.abc import Callable

from secure_export.alerts.alert import Alert
from secure_export.alerts.legacy.activity_log import SCHEMA as ACTIVITY_LOG_SCHEMA
from secure_export.alerts.legacy.activity_log import read_activity_log
from secure_export.alerts.legacy.autoscale import read_autoscale
from secure_export.alerts.legacy.budget import SCHEMA as BUDGET_SCHEMA
from secure_export.alerts.legacy.budget import read_budget
from secure_export.alerts.legacy.log_search import read_log_search
from secure_export.alerts.legacy.metric import read_classic_metric, read_metric
from secure_export.alerts.members import Members
from secure_export.errors import NotUnderstood

_READERS: dict[str, Callable[[Members], Alert]] = {
    "azuremonitormetricalert": read_metric,
    ACTIVITY_LOG_SCHEMA.lower(): read_activity_log,
    "microsoft.insights/logalert": read_log_search,
    BUDGET_SCHEMA.lower(): read_budget,
}
_OF_CUSTOM_PAYLOADS = ("alertname", "SearchResult", "SearchResults", "IncludeSearchResults", "linktosearchresults")
_SWITCH_ON = 'set "Enable the common alert schema" to Yes on the webhook action of the action group'


def read_legacy(body: Members) -> Alert:
    """Read a body that is not in the common alert schema.

    Raises:
        NotUnderstood: It is in none of the legacy schemas either, or lacks what its schema has.
    """
    schema = body.text("schemaId")
    if schema:
        reader = _READERS.get(schema.lower())
        data = body.object("data")
        if reader is None or not data:
            raise NotUnderstood(_unknown_schema(schema, has_data=bool(data)))
        return reader(data)
    return _read_without_schema(body)


def _read_without_schema(body: Members) -> Alert:
    context = body.object("context")
    if body.has("SearchQuery") and body.has("AlertRuleName", "WorkspaceId", "ApplicationId"):
        return read_log_search(body)
    if body.has("operation") and context.has("newCapacity", "oldCapacity"):
        return read_autoscale(body)
    if body.has("status") and context.has("condition", "conditionType"):
        return read_classic_metric(body)
    if body.has(*_OF_CUSTOM_PAYLOADS):
        raise NotUnderstood(
            "The body looks like a log alert's custom JSON payload, whose form only its author knows. Remove the "
            f"custom JSON payload from the alert rule and {_SWITCH_ON}; then replay what is not too old, or let it go."
        )
    names = ", ".join(name[:40] for name, _ in list(body)[:8]) or "none"
    raise NotUnderstood(
        f"The body has no schemaId and is in no form that Azure Monitor is known to send (its members: {names}). If an "
        f"action group sent it, {_SWITCH_ON}."
    )


def _unknown_schema(schema: str, *, has_data: bool) -> str:
    if schema.lower() in _READERS and not has_data:
        return f"The body has the schema {schema}, but its data is missing or empty."
    return (
        f"The body has the schema {schema[:80]!r}, which is not known here. If an action group sent it, {_SWITCH_ON}."
    )
