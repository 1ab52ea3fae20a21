"""The common alert schema: one body, the same for every service (Azure Monitor docs, "Common alert schema").

Bodies as they should be are read by typed decoding. Whatever that refuses is read again member by member, so that a
number where text is usual, a broken character or a name in another case does not cost the alert. Both ways end in
``alert_of``.
"""

from typing import Any

import msgspec

from secure_export.alerts.alert import Alert, Condition, Ending, Kind
from secure_export.alerts.kinds import kind_by_condition_type, kind_of
from secure_export.alerts.members import NULL, Members, NotJson, read_json, text_of, texts_of
from secure_export.alerts.severity import severity_of
from secure_export.alerts.standing import Said, standing
from secure_export.alerts.timestamps import read_time
from secure_export.errors import NotUnderstood

SCHEMA_ID = "azureMonitorCommonAlertSchema"
LONGEST_ID = 2048
FETCHED = (
    "Azure did not deliver this notification: it was fetched from Azure, without the configuration items that only the "
    "webhook brings. If the service was not down at that time, find out why with 'azure verify'."
)

_CONDITIONS = {
    "Fired": Condition.FIRED,
    "Resolved": Condition.RESOLVED,
    "fired": Condition.FIRED,
    "resolved": Condition.RESOLVED,
}
_LOG_SEARCH_SERVICE = "Log Alerts V2"
_SEVERITIES = frozenset(f"Sev{level}" for level in range(5))


class Essentials(msgspec.Struct, frozen=True, rename="camel"):
    """``data.essentials``. Everything but the first two may be absent or null."""

    alert_id: str
    monitor_condition: str
    alert_rule: str | None = None
    rule_id: str | None = msgspec.field(name="alertRuleID", default=None)
    rule_id_by_other_name: str | None = msgspec.field(name="alertRuleId", default=None)
    severity: str | None = None
    signal_type: str | None = None
    monitoring_service: str | None = None
    targets: tuple[str, ...] | None = msgspec.field(name="alertTargetIDs", default=None)
    configuration_items: tuple[str, ...] | None = None
    origin_alert_id: str | None = None
    fired_date_time: str | None = None
    resolved_date_time: str | None = None
    description: str | None = None
    investigation_link: str | None = None


class Data(msgspec.Struct, frozen=True, rename="camel"):
    """``data``."""

    essentials: Essentials
    alert_context: msgspec.Raw = NULL
    custom_properties: dict[str, str] | None = None


class Body(msgspec.Struct, frozen=True, rename="camel"):
    """The whole body; ``azure.missed`` marks the one that it makes of what Azure could not deliver."""

    schema_id: str
    data: Data
    fetched_from_azure: bool = False


class _ContextHead(msgspec.Struct, frozen=True, rename="camel"):
    """What tells metric alerts and log searches from all others."""

    condition_type: str | None = None


_read_head = msgspec.json.Decoder(_ContextHead).decode


def alert_of(data: Data, warnings: tuple[str, ...] = ()) -> Alert:
    """Make the alert of what was read.

    Raises:
        NotUnderstood: It has no usable id, or is neither fired nor resolved.
    """
    said = data.essentials
    condition = _CONDITIONS.get(said.monitor_condition) or _condition(said.monitor_condition)
    if not said.alert_id.strip() or len(said.alert_id) > LONGEST_ID:
        raise NotUnderstood(
            f"alertId is empty or longer than {LONGEST_ID:,} characters, so that no alert can be told by it."
        )
    fired_at = read_time(said.fired_date_time) if said.fired_date_time else None
    resolved_at = read_time(said.resolved_date_time) if said.resolved_date_time else None
    if (fired_at is None and said.fired_date_time) or (resolved_at is None and said.resolved_date_time):
        warnings = (*warnings, *_unreadable_times(said))
    service = said.monitoring_service or ""
    kind = _plain_kind(service, data.alert_context)
    if kind is not None:
        alert_id, ending, problem, ended = said.alert_id, Ending.BY_ID, said.alert_id, condition is Condition.RESOLVED
        event_at = resolved_at if ended else fired_at
    else:
        context = context_members(data.alert_context)
        kind = kind_of(service, context)
        alert_id, ending, problem, ended, event_at = standing(
            kind,
            Said(said.alert_id, condition, said.targets or (), said.origin_alert_id, fired_at, resolved_at),
            context,
        )
    severity = said.severity
    return Alert(
        id=alert_id,
        condition=condition,
        kind=kind,
        ending=ending,
        problem=problem,
        ended=ended,
        event_at=event_at,
        monitoring_service=service,
        rule=said.alert_rule or None,
        rule_id=said.rule_id or said.rule_id_by_other_name or None,
        severity=severity if severity in _SEVERITIES else severity_of(severity or ""),
        signal_type=said.signal_type or None,
        targets=said.targets or (),
        configuration_items=said.configuration_items or (),
        origin_id=said.origin_alert_id or None,
        fired_at=fired_at,
        resolved_at=resolved_at,
        description=said.description or None,
        investigation_link=said.investigation_link or None,
        custom_properties=data.custom_properties or {},
        context=data.alert_context,
        warnings=warnings,
    )


def read_leniently(data: object, warnings: tuple[str, ...] = ()) -> Alert:
    """Read ``data`` member by member, whatever types its members have.

    Args:
        data: The JSON value of ``data``.
        warnings: What was found before.

    Raises:
        NotUnderstood: The essentials, or what is required of them, are missing.
    """
    members = Members(data)
    essentials = members.object("essentials")
    for name in ("alertId", "monitorCondition"):
        if not essentials.text(name):
            raise NotUnderstood(
                f"The body says that it is in the common alert schema, but data.essentials.{name} is missing or empty."
            )
    context = members.value("alertContext")
    custom = members.object("customProperties")
    return alert_of(
        Data(
            essentials=_lenient_essentials(essentials),
            alert_context=msgspec.Raw(msgspec.json.encode(context)),
            custom_properties={name: text for name, value in custom if (text := _any_text(value))},
        ),
        warnings,
    )


def context_members(raw: msgspec.Raw) -> Members:
    """Give the members of an alert's context; none when it cannot be read."""
    try:
        return Members(read_json(raw))
    except NotJson:
        return Members(None)


def _plain_kind(service: str, context: msgspec.Raw) -> Kind | None:
    """Tell a metric alert or a log search without reading its whole context; None for all others."""
    try:
        condition_type = _read_head(context).condition_type
    except (ValueError, RecursionError):
        return None
    kind = kind_by_condition_type(condition_type) if condition_type else None
    if kind is Kind.LOG_SEARCH and (service != _LOG_SEARCH_SERVICE or b'event"' in bytes(context).lower()):
        return None
    return kind


def _condition(text: str) -> Condition:
    known = _CONDITIONS.get(text.strip().lower())
    if known is None:
        raise NotUnderstood(f"monitorCondition is {text[:40]!r}; an alert is either Fired or Resolved.")
    return known


def _unreadable_times(said: Essentials) -> list[str]:
    times = {"firedDateTime": said.fired_date_time, "resolvedDateTime": said.resolved_date_time}
    return [
        f"{name} cannot be read as a time ({text[:40]!r}); the time of arrival is used instead."
        for name, text in times.items()
        if text and read_time(text) is None
    ]


def _lenient_essentials(essentials: Members) -> Essentials:
    return Essentials(
        alert_id=essentials.text("alertId"),
        monitor_condition=essentials.text("monitorCondition"),
        alert_rule=essentials.text("alertRule"),
        rule_id=essentials.text("alertRuleID"),
        severity=essentials.text("severity"),
        signal_type=essentials.text("signalType"),
        monitoring_service=essentials.text("monitoringService"),
        targets=texts_of(essentials.value("alertTargetIDs")),
        configuration_items=texts_of(essentials.value("configurationItems")),
        origin_alert_id=essentials.text("originAlertId"),
        fired_date_time=_time_text(essentials.value("firedDateTime")),
        resolved_date_time=_time_text(essentials.value("resolvedDateTime")),
        description=essentials.text("description"),
        investigation_link=essentials.text("investigationLink"),
    )


def _time_text(value: object) -> str | None:
    """What stands for a time, so that something that is none can be named in a warning."""
    return text_of(value) or (_any_text(value) if value is not None else None) or None


def _any_text(value: Any) -> str:
    return text_of(value) or ("" if value in (None, "") else msgspec.json.encode(value).decode())
