"""When two notifications say the same.

Azure posts a notification once per action group and tries again after a time-out, so the same thing can be said many
times; all of them get the same key. The key begins with the event time, so that the index over it grows at its end.

The portal's "Test action group" posts the same canned body each time, and a person who presses the button twice
expects two tests: tests have no key, and each has a lane of its own (``secure_export.intake.lanes_of_tests``). Delivery
tells the alerts of two tests apart by that lane (``secure_export.alerts.test_notification.test_alert_id``).
"""

from datetime import UTC, datetime
from hashlib import blake2b

from secure_export.alerts.alert import Alert

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGEST_BYTES = 16


def dedupe_key(connection: str, alert: Alert) -> bytes | None:
    """Give 8 bytes of event time (microseconds since 1970, 0 when unknown) and 16 of digest; None for a test."""
    if alert.is_test:
        return None
    event_time = _microseconds(alert.event_at).to_bytes(8, "big")
    alert_id, over = alert.id, "over" if alert.ended else "on"
    # Lengths keep a name from running into the next.
    said = f"{len(connection)}:{connection}{len(alert_id)}:{alert_id}{alert.condition.value} {over}"
    digest = blake2b(said.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES, key=event_time)
    return event_time + digest.digest()


def _microseconds(at: datetime | None) -> int:
    if at is None:
        return 0
    since = at - _EPOCH
    return max(0, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)
