"""When each alert came, and when the tool confirmed its work item: read from the store, where both are written down."""

from dataclasses import dataclass

from bench.stores import Place

# The same on both stores; each alert has a work item of its own.
_CONFIRMATIONS = """
SELECT notifications.received_at, max(steps.finished_at) FROM steps
JOIN work_items ON work_items.seq = steps.work_item
JOIN alerts ON alerts.work_item = work_items.id
JOIN alert_notifications ON alert_notifications.alert = alerts.seq
JOIN notifications ON notifications.id = alert_notifications.notification
GROUP BY notifications.id, notifications.received_at ORDER BY notifications.id
"""


@dataclass(frozen=True)
class Confirmation:
    """One alert's way, in seconds since 1970."""

    received_at: float
    confirmed_at: float

    @property
    def waited_ms(self) -> float:
        """How long the alert waited, in milliseconds."""
        return (self.confirmed_at - self.received_at) * 1000


def confirmations(place: Place) -> list[Confirmation]:
    """Read the ways of all alerts whose work item was confirmed, in the order in which they came."""
    return [Confirmation(received / 1e6, finished / 1e6) for received, finished in place.fetch(_CONFIRMATIONS)]


def waits(of: list[Confirmation]) -> list[float]:
    """Give how long alerts waited, in milliseconds, shortest first."""
    return sorted(one.waited_ms for one in of)
