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
    """Keep what an earlier notification told and a later one does not; each time is told by the one that knows it."""
    before: dict[str, Any] = msgspec.json.decode(old)
    after: dict[str, Any] = msgspec.json.decode(new)
    kept = {name: value for name, value in before.items() if after.get(name) in (None, "", [])}
    return _encoder.encode(after | kept)


def _text(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at is not None else None
