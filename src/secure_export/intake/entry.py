"""From a body to the entry that is recorded."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

import msgspec

from secure_export.alerts.alert import Alert
from secure_export.alerts.decode import decode
from secure_export.alerts.references import subscriptions
from secure_export.alerts.test_notification import PLACEHOLDER_SUBSCRIPTIONS
from secure_export.errors import NotUnderstood
from secure_export.identity.caller import Caller, Refusal
from secure_export.intake.contract import Entry
from secure_export.intake.dedupe import dedupe_key
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.lanes_of_tests import own_lane

INSUFFICIENT_SCOPE = 'Bearer realm="secure-export", error="insufficient_scope"'
_HEAD_BYTES = 1024
_OF_AN_ALERT = "Add it there if its alerts belong here."
_OF_A_TEST = "It is a test notification of the portal, whose subscription can be made up; add that one to let tests in."


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """What an authorised caller posted to a connection's webhook."""

    connection: str
    caller: Caller
    received_at: datetime
    body: bytes
    encoding: str = ""


def entry_of(
    post: Post,
    door: ConnectionDoor,
    *,
    test_lane: Callable[[str, datetime], str] = own_lane,
    on_failure: Callable[[Exception], None] | None = None,
) -> Entry:
    """Say what is recorded of a post: an alert with its lane, or why it goes to quarantine.

    Args:
        post: What was posted.
        door: What its connection lets in.
        test_lane: Makes the correlation key of a test of a connection that came at a time.
        on_failure: Told when the program itself fails on the body.

    Raises:
        Refusal: The alert speaks for a subscription that the connection does not take alerts from.
    """
    try:
        return _understood(post, door, test_lane)
    except NotUnderstood as error:
        return quarantined(post, str(error))
    except Refusal:
        raise
    except Exception as error:  # noqa: BLE001 - reading is pure: it would fail again, and Azure would drop the alert
        if on_failure is not None:
            on_failure(error)
        return quarantined(post, failure_reason(error))


def quarantined(post: Post, reason: str) -> Entry:
    """Make the entry of a post that goes to quarantine."""
    return Entry(
        connection=post.connection,
        body=post.body,
        received_at=post.received_at,
        caller=describe(post.caller),
        quarantine_reason=reason,
    )


def cut(entry: Entry) -> Entry:
    """Keep no more than the head of a quarantined body; the reason says how large it was, and its digest."""
    size = len(entry.body)
    if size <= _HEAD_BYTES:
        return entry
    full = (
        f"The quarantine of this connection is full for this hour: only the first {_HEAD_BYTES:,} of {size:,} bytes "
        f"were kept (SHA-256 of all: {sha256(entry.body).hexdigest()})."
    )
    return msgspec.structs.replace(
        entry, body=entry.body[:_HEAD_BYTES], quarantine_reason=f"{entry.quarantine_reason} {full}"
    )


def failure_reason(error: Exception) -> str:
    """Say for people who look at quarantine that the fault is the program's."""
    return f"The program failed on this body ({type(error).__name__}); the log says more. Please report it."


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


def _understood(post: Post, door: ConnectionDoor, test_lane: Callable[[str, datetime], str]) -> Entry:
    alert = _alert(post)
    _must_belong(alert, post.connection, door)
    return Entry(
        connection=post.connection,
        body=post.body,
        received_at=post.received_at,
        caller=describe(post.caller),
        dedupe_key=dedupe_key(post.connection, alert),
        correlation_key=test_lane(post.connection, post.received_at) if alert.is_test else door.correlate(alert),
        alert_id=alert.id,
    )


def _alert(post: Post) -> Alert:
    if post.encoding not in {"", "identity"}:
        raise NotUnderstood(
            f"The body is compressed ({post.encoding[:40]}); Azure Monitor sends plain JSON. Nobody unpacked it."
        )
    if not post.body or post.body.isspace():
        raise NotUnderstood("The body is empty.")
    return decode(post.body)


def _must_belong(alert: Alert, connection: str, door: ConnectionDoor) -> None:
    """Let pass only what speaks for subscriptions that the connection takes alerts from, and canned tests.

    These speak for nobody; refused, they would make the portal say that the set-up of Entra ID is wrong.
    """
    if door.takes_any_subscription:
        return
    named = subscriptions(alert)
    if not named:
        raise NotUnderstood(
            f"The alert names no subscription, and connection {connection} takes alerts of listed subscriptions only. "
            'Write subscriptions = ["*"] for that connection if such alerts belong there, then replay it.'
        )
    strangers = named - door.subscriptions
    if strangers and not (alert.is_test and named <= PLACEHOLDER_SUBSCRIPTIONS):
        raise Refusal(
            403,
            "subscription-not-allowed",
            f"The alert speaks for subscription {', '.join(sorted(strangers))[:200]}, which connection {connection} "
            f"does not list under subscriptions. {_OF_A_TEST if alert.is_test else _OF_AN_ALERT}",
            authenticate=INSUFFICIENT_SCOPE,
        )
