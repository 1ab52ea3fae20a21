"""From recorded notifications to arrivals: decode, bind, ask policy."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from secure_export.alerts.alert import Alert, Condition
from secure_export.alerts.decode import decode
from secure_export.alerts.references import References, references
from secure_export.alerts.test_notification import test_alert_id
from secure_export.cmdb.bind import bind
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import Pending
from secure_export.delivery.facts import facts
from secure_export.errors import NotUnderstood, SecureExportError, StoreUnavailable
from secure_export.telemetry.complaints import Complaints
from secure_export.workitems.arrival import Arrival
from secure_export.workitems.work_item import Binding

# A time in the future would make everything that follows old news: the sender's clock is wrong, or worse.
_CLOCKS_DIFFER = timedelta(minutes=5)
_BOUND_AT_A_TIME = 8
_READ_AT_A_TIME = 20

Told = tuple[Arrival, bytes]
"""An arrival with its alert's facts for display."""


class CmdbFailed(Exception):  # noqa: N818 - reads as what it says
    """The CMDB gave no answer; the message says so for people, the cause is for the log."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a lane's pending notifications, oldest first.

    Attributes:
        arrivals: Each with its alert's facts for display.
        unreadable: Notifications that this version cannot read any more, with the reason.
    """

    arrivals: list[Told]
    unreadable: list[tuple[int, str]]


async def read(target: Target, correlation_key: str, pending: Sequence[Pending], complaints: Complaints) -> Reading:
    """Make arrivals of notifications.

    Reading is pure but for the CMDB: a body on which the program fails would fail again, so it goes to quarantine,
    where it is shown, and does not hold up the others of its lane.

    Raises:
        CmdbFailed: The CMDB gave no answer.
        StoreUnavailable: The CMDB is in our own store, which cannot be read.
    """
    reader = _Reader(target, correlation_key, complaints)
    decoded = [seen for count, one in enumerate(pending) if (seen := await reader.alert(one, count)) is not None]
    bindings = await _bound(target, [named for _, _, named in decoded])
    arrivals: list[Told] = []
    for count, (source, alert, named) in enumerate(decoded):
        told = await reader.arrival(source, alert, bindings[named], count)
        if told is not None:
            arrivals.append(told)
    return Reading(arrivals, reader.unreadable)


def spelled_alike(told: Sequence[Told], known: Iterable[str]) -> list[Told]:
    """Let arrivals speak of an alert by one spelling: the one that is known, or else the first.

    Alert ids are resource ids, and the case of those varies between messages.

    Args:
        told: Arrivals.
        known: The alert ids that are known.
    """
    spelling = {alert_id.lower(): alert_id for alert_id in known}
    return [(_spelled(arrival, spelling), shown) for arrival, shown in told]


def _spelled(arrival: Arrival, spelling: dict[str, str]) -> Arrival:
    alert_id = spelling.setdefault(arrival.alert_id.lower(), arrival.alert_id)
    if alert_id == arrival.alert_id:
        return arrival
    problem = alert_id if arrival.problem == arrival.alert_id else arrival.problem
    return replace(arrival, alert_id=alert_id, problem=problem)


async def _bound(target: Target, named: Iterable[References]) -> dict[References, tuple[Binding, ...]]:
    """Bind what alerts name; those of one lane mostly name the same, which is looked up once."""
    left, found = list(dict.fromkeys(named)), dict[References, tuple[Binding, ...]]()
    try:
        async with asyncio.timeout(target.step_timeout_seconds):
            while left:
                some, left = left[:_BOUND_AT_A_TIME], left[_BOUND_AT_A_TIME:]
                found |= zip(some, await _each_bound(target, some), strict=True)
    except StoreUnavailable:
        raise
    except Exception as error:
        said = str(error) if isinstance(error, SecureExportError) else f"{type(error).__name__}; the log says more"
        raise CmdbFailed(f"the CMDB gave no answer: {said}") from error
    return found


async def _each_bound(target: Target, named: Sequence[References]) -> Sequence[tuple[Binding, ...]]:
    if len(named) == 1:  # the usual case, without the cost of a task
        return [await bind(target.connector.cmdb, named[0], target.subscriptions)]
    return await asyncio.gather(*(bind(target.connector.cmdb, one, target.subscriptions) for one in named))


class _Reader:
    """Reads one lane's notifications; see ``read``."""

    def __init__(self, target: Target, correlation_key: str, complaints: Complaints) -> None:
        self._target = target
        self._correlation_key = correlation_key
        self._complaints = complaints
        self.unreadable: list[tuple[int, str]] = []

    async def alert(self, one: Pending, count: int) -> tuple[Pending, Alert, References] | None:
        await _let_others_run(count)
        try:
            alert = decode(one.body)
            return one, alert, references(alert)
        except NotUnderstood as error:
            self.unreadable.append((one.notification, str(error)))
        except Exception as error:  # noqa: BLE001 - see ``read``
            self._failed(one, error)
        return None

    async def arrival(self, one: Pending, alert: Alert, bindings: tuple[Binding, ...], count: int) -> Told | None:
        await _let_others_run(count)
        try:
            return self._arrival(one, alert, bindings)
        except Exception as error:  # noqa: BLE001 - see ``read``
            self._failed(one, error)
        return None

    def _failed(self, one: Pending, error: Exception) -> None:
        self._complaints.failed("alert reading failed", error, notification=one.notification)
        reason = f"The program failed on this body ({type(error).__name__}); the log says more. Please report it."
        self.unreadable.append((one.notification, reason))

    def _arrival(self, one: Pending, alert: Alert, bindings: tuple[Binding, ...]) -> Told:
        route = self._target.policy.route_of(alert)
        content = route.content(alert, bindings)
        alert_id = test_alert_id(alert.id, self._correlation_key) if alert.is_test else alert.id
        arrival = Arrival(
            notification=one.notification,
            alert_id=alert_id,
            problem=alert_id if alert.is_test else alert.problem,
            ending=alert.ending,
            fired=alert.condition is Condition.FIRED,
            ended=alert.ended,
            event_at=min(alert.event_at or one.received_at, one.received_at + _CLOCKS_DIFFER),
            received_at=one.received_at,
            content=content,
            close_after=route.close_after(alert),
            record_short_lived=route.keeps_short_lived,
            reopen_within=route.reopen_within,
            when_people_end=route.when_people_end,
        )
        return arrival, facts(alert, title=content.title)


async def _let_others_run(count: int) -> None:
    """Give the loop to others now and then: reading two hundred alerts would hold up intake."""
    if count and count % _READ_AT_A_TIME == 0:
        await asyncio.sleep(0)
