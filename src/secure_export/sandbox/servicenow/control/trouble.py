"""Faults, limits, the clock, and what was counted."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request

from secure_export.sandbox.orders import BadOrderError, plain, read
from secure_export.sandbox.servicenow.control.station import Station
from secure_export.sandbox.servicenow.faults import Fault
from secure_export.sandbox.servicenow.limits import RateRule

_SHOWN = 100


@dataclass(frozen=True)
class _ClockOrder:
    set: datetime | None = None
    advance_seconds: float = 0.0
    frozen: bool | None = None


@dataclass(frozen=True)
class _LimitsOrder:
    rates: list[dict[str, Any]] | None = None
    threads: int | None = None
    queue: int | None = None
    service_seconds: float | None = None
    session_queue: int | None = None


class TroubleDoors:
    """One method a door.

    Args:
        station: What is changed.
    """

    def __init__(self, station: Station) -> None:
        self._station = station

    def faults(self, _: Request, __: bytes) -> list[dict[str, Any]]:
        """Tell the faults that are set, and how often each was met."""
        faults = self._station.faults
        return [{**plain(fault), "met": faults.met(fault.id)} for fault in faults]

    def set_fault(self, _: Request, body: bytes) -> dict[str, Any]:
        """Set a fault."""
        return dict(plain(self._station.faults.set(read(body, Fault))))

    def clear_faults(self, request: Request, _: bytes) -> dict[str, int]:
        """Clear all faults, or the one that the path names."""
        return {"cleared": self._station.faults.clear(request.path_params.get("fault"))}

    def limits(self, *_: object) -> dict[str, Any]:
        """Tell what is taken at most, and what runs and waits now."""
        limits = self._station.limits
        semaphore = limits.semaphore
        return {
            "rates": plain(limits.rates.rules),
            "threads": semaphore.threads,
            "queue": semaphore.queue,
            "service_seconds": semaphore.service_seconds,
            "session_queue": limits.sessions.queue,
            "running": semaphore.running,
            "waiting": semaphore.waiting,
            "most_at_a_time": semaphore.most_at_a_time,
        }

    def set_limits(self, _: Request, body: bytes) -> dict[str, Any]:
        """Change those limits that are named; ``rates`` replaces all rate limit rules."""
        order, limits = read(body, _LimitsOrder), self._station.limits
        semaphore = limits.semaphore
        if order.rates is not None:
            rules = [_rate_rule(one) for one in order.rates]
            limits.rates.clear()
            for rule in rules:
                limits.rates.add(rule)
        semaphore.threads = order.threads or semaphore.threads
        semaphore.queue = semaphore.queue if order.queue is None else order.queue
        if order.service_seconds is not None:
            semaphore.service_seconds = order.service_seconds
        limits.sessions.queue = order.session_queue or limits.sessions.queue
        return self.limits()

    def clock(self, *_: object) -> dict[str, Any]:
        """Tell the instance's time."""
        clock = self._station.instance.clock
        return {"now": clock.now().isoformat(), "ahead_seconds": clock.shift.total_seconds()}

    def set_clock(self, _: Request, body: bytes) -> dict[str, Any]:
        """Set the time, go on by some seconds, or stand still."""
        order, clock = read(body, _ClockOrder), self._station.instance.clock
        if order.set is not None:
            clock.move(_utc(order.set) - clock.now())
        clock.move(timedelta(seconds=order.advance_seconds))
        if order.frozen is not None:
            (clock.freeze if order.frozen else clock.run)()
        return self.clock()

    def counters(self, request: Request, _: bytes) -> dict[str, Any]:
        """Tell how often what was asked, and the last requests, newest first."""
        limit = request.query_params.get("limit", str(_SHOWN))
        if not limit.isascii() or not limit.isdigit():
            raise BadOrderError("limit is a whole number.")
        return self._station.counters.as_json(int(limit))

    def reset_counters(self, *_: object) -> dict[str, int]:
        """Forget what was counted."""
        self._station.counters.reset()
        self._station.limits.semaphore.most_at_a_time = 0
        return {"total": 0}


def _rate_rule(order: dict[str, Any]) -> RateRule:
    return read(msgspec.json.encode(order), RateRule)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
