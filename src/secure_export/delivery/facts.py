"""What console, JSON API and command line show of an alert, beside its state."""

from datetime import datetime
from typing import Any

import msgspec

from secure_export.alerts.alert import Alert

_encoder = msgspec.json.Encoder()


def facts(alert: Alert, *, title: str) -> bytes:
    """Give an alert's facts as compact JSON, in the words of the HTTP contract."""
    return _encoder.encode(
        {
            "id": alert.id,
            "title": title,
            "kind": alert.kind.value,
            "monitoring_service": alert.monitoring_service,
            "rule": alert.rule,
            "severity": alert.severity,
            "targets": alert.targets,
            "fired_at": _text(alert.fired_at),
            "resolved_at": _text(alert.resolved_at),
            "is_test": alert.is_test,
            "is_legacy_schema": alert.is_legacy_schema,
            "investigation_link": alert.investigation_link,
            "warnings": alert.warnings,
        }
    )


def merged(old: bytes, new: bytes) -> bytes:
    """Keep what an earlier notification told and a later one does not.

    A resolved body's ``firedDateTime`` can equal its ``resolvedDateTime`` (Azure Monitor docs, samples of the common
    alert schema), so the time of firing is the fired body's. An end before the firing that is told now is of an
    earlier outage.

    Args:
        old: What is there; empty when nothing is.
        new: What a notification adds; empty when it adds nothing.
    """
    if not old or not new:
        return new or old
    before: dict[str, Any] = msgspec.json.decode(old)
    after: dict[str, Any] = msgspec.json.decode(new)
    if after.get("resolved_at") is not None and before.get("fired_at") is not None:
        after["fired_at"] = before["fired_at"]
    if _is_before(before.get("resolved_at"), after.get("fired_at")) and after.get("resolved_at") is None:
        before["resolved_at"] = None
    kept = {name: value for name, value in before.items() if after.get(name) in (None, "", [])}
    return _encoder.encode(after | kept)


def _is_before(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and datetime.fromisoformat(one) < datetime.fromisoformat(other)


def _text(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at is not None else None
