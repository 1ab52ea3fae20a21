"""From recorded notifications to arrivals: decode, bind, ask policy."""

from collections.abc import Sequence
from dataclasses import dataclass

from secure_export.alerts.alert import Alert, Condition
from secure_export.alerts.decode import decode
from secure_export.alerts.references import references
from secure_export.alerts.test_notification import test_alert_id
from secure_export.cmdb.bind import bind
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import Pending
from secure_export.delivery.facts import facts
from secure_export.errors import NotUnderstood
from secure_export.workitems.arrival import Arrival


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a lane's pending notifications, oldest first.

    Attributes:
        arrivals: Each with its alert's facts for display.
        unreadable: Notifications that this version cannot read any more, with the reason.
    """

    arrivals: tuple[tuple[Arrival, bytes], ...]
    unreadable: tuple[tuple[int, str], ...]


async def read(target: Target, correlation_key: str, pending: Sequence[Pending]) -> Reading:
    """Make arrivals of notifications."""
    arrivals: list[tuple[Arrival, bytes]] = []
    unreadable: list[tuple[int, str]] = []
    for one in pending:
        try:
            alert = decode(one.body)
        except NotUnderstood as error:
            unreadable.append((one.notification, str(error)))
            continue
        arrivals.append(await _arrival(target, correlation_key, one, alert))
    return Reading(tuple(arrivals), tuple(unreadable))


async def _arrival(target: Target, correlation_key: str, one: Pending, alert: Alert) -> tuple[Arrival, bytes]:
    bindings = await bind(target.connector.cmdb, references(alert))
    content = target.policy.content(alert, bindings)
    alert_id = test_alert_id(alert.id, correlation_key) if alert.is_test else alert.id
    arrival = Arrival(
        notification=one.notification,
        alert_id=alert_id,
        problem=alert_id if alert.is_test else alert.problem,
        ending=alert.ending,
        fired=alert.condition is Condition.FIRED,
        ended=alert.ended,
        event_at=alert.event_at or one.received_at,
        received_at=one.received_at,
        content=content,
        close_after=target.policy.close_after(alert),
        record_short_lived=target.policy.keeps_short_lived(alert),
    )
    return arrival, facts(alert, title=content.title)
