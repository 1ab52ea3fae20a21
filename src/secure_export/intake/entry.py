"""From a body to the entry that is recorded."""

from datetime import datetime

import msgspec
import structlog

from secure_export.alerts.alert import Alert
from secure_export.alerts.decode import decode
from secure_export.alerts.references import subscriptions
from secure_export.errors import NotUnderstood
from secure_export.identity.caller import Caller, Refusal
from secure_export.intake.contract import Entry
from secure_export.intake.dedupe import dedupe_key, lane_of_test
from secure_export.intake.door import ConnectionDoor

log = structlog.get_logger(__name__)


def entry_of(
    connection: str, door: ConnectionDoor, body: bytes, caller: Caller, received_at: datetime, *, encoding: str = ""
) -> Entry:
    """Say what is recorded of a body: an alert with its lane, or why it goes to quarantine.

    Raises:
        Refusal: The alert speaks for a subscription that the connection does not take alerts from.
    """
    try:
        alert = _alert(body, encoding)
        reason = _not_placed(connection, door, alert)
        lane = lane_of_test(received_at) if alert.is_test else door.correlate(alert)
    except NotUnderstood as error:
        return _quarantined(connection, body, caller, received_at, str(error))
    except Refusal:
        raise
    except Exception as error:
        # Reading is pure, so that trying again fails again: keep the body for a person instead of having Azure drop it.
        log.exception("alert reading failed", connection=connection)
        reason = f"The program failed on this body ({type(error).__name__}); the log has the details. Please report it."
        return _quarantined(connection, body, caller, received_at, reason)
    if reason:
        return _quarantined(connection, body, caller, received_at, reason)
    return Entry(
        connection=connection,
        body=body,
        received_at=received_at,
        caller=describe(caller),
        dedupe_key=dedupe_key(connection, alert),
        correlation_key=lane,
        alert_id=alert.id,
    )


def describe(caller: Caller) -> bytes:
    """Write down who sent a notification, without anything that would let somebody in."""
    return _encode(
        {
            "tenant": caller.tenant_id,
            "application": caller.application_id,
            "version": caller.token_version,
            "token_id": caller.token_id,
        }
    )


_encode = msgspec.json.Encoder().encode


def _alert(body: bytes, encoding: str) -> Alert:
    if encoding not in ("", "identity"):
        raise NotUnderstood(
            f"The body is compressed ({encoding[:40]}); Azure Monitor sends plain JSON. Nobody unpacked it."
        )
    if not body.strip():
        raise NotUnderstood("The body is empty.")
    return decode(body)


def _not_placed(connection: str, door: ConnectionDoor, alert: Alert) -> str | None:
    """Say why an understood alert has no place here; None when it has one."""
    if door.takes_any_subscription:
        return None
    named = subscriptions(alert)
    if not named:
        return (
            f"The alert names no subscription, and connection {connection} takes alerts of listed subscriptions only. "
            'Write subscriptions = ["*"] for that connection if such alerts belong there, then replay it.'
        )
    strangers = named - door.subscriptions
    if strangers:
        raise Refusal(
            403,
            "subscription-not-allowed",
            f"The alert speaks for subscription {', '.join(sorted(strangers))[:200]}, which connection {connection} does not list "
            "under subscriptions. Add it there if its alerts belong here.",
            authenticate=INSUFFICIENT_SCOPE,
        )
    return None


INSUFFICIENT_SCOPE = 'Bearer error="insufficient_scope"'


def _quarantined(connection: str, body: bytes, caller: Caller, received_at: datetime, reason: str) -> Entry:
    return Entry(
        connection=connection,
        body=body,
        received_at=received_at,
        caller=describe(caller),
        quarantine_reason=reason,
    )
