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

INSUFFICIENT_SCOPE = 'Bearer error="insufficient_scope"'


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """What an authorised caller posted to a connection's webhook."""

    connection: str
    caller: Caller
    received_at: datetime
    body: bytes
    encoding: str = ""


def entry_of(post: Post, door: ConnectionDoor) -> Entry:
    """Say what is recorded of a post: an alert with its lane, or why it goes to quarantine.

    Raises:
        Refusal: The alert speaks for a subscription that the connection does not take alerts from.
    """
    try:
        alert = _alert(post)
        _must_belong(alert, post.connection, door)
        lane = lane_of_test(post.received_at) if alert.is_test else door.correlate(alert)
    except NotUnderstood as error:
        return _quarantined(post, str(error))
    except Refusal:
        raise
    except Exception as error:
        # Reading is pure, so that trying again fails again: keep the body for a person instead of having Azure drop it.
        log.exception("alert reading failed", connection=post.connection)
        return _quarantined(
            post,
            f"The program failed on this body ({type(error).__name__}); the log says more. Please report it.",
        )
    return Entry(
        connection=post.connection,
        body=post.body,
        received_at=post.received_at,
        caller=describe(post.caller),
        dedupe_key=dedupe_key(post.connection, alert),
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


def _alert(post: Post) -> Alert:
    if post.encoding not in {"", "identity"}:
        raise NotUnderstood(
            f"The body is compressed ({post.encoding[:40]}); Azure Monitor sends plain JSON. Nobody unpacked it."
        )
    if not post.body or post.body.isspace():
        raise NotUnderstood("The body is empty.")
    return decode(post.body)


def _must_belong(alert: Alert, connection: str, door: ConnectionDoor) -> None:
    """Let pass only what speaks for subscriptions that the connection takes alerts from."""
    if door.takes_any_subscription:
        return
    named = subscriptions(alert)
    if not named:
        raise NotUnderstood(
            f"The alert names no subscription, and connection {connection} takes alerts of listed subscriptions only. "
            'Write subscriptions = ["*"] for that connection if such alerts belong there, then replay it.'
        )
    strangers = named - door.subscriptions
    if strangers:
        raise Refusal(
            403,
            "subscription-not-allowed",
            f"The alert speaks for subscription {', '.join(sorted(strangers))[:200]}, which connection {connection} "
            "does not list under subscriptions. Add it there if its alerts belong here.",
            authenticate=INSUFFICIENT_SCOPE,
        )


def _quarantined(post: Post, reason: str) -> Entry:
    return Entry(
        connection=post.connection,
        body=post.body,
        received_at=post.received_at,
        caller=describe(post.caller),
        quarantine_reason=reason,
    )
