"""Faults, limits, the clock, tokens, and what was counted."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request

from secure_export.sandbox.bmc_helix.control.station import Station
from secure_export.sandbox.bmc_helix.faults import Fault
from secure_export.sandbox.orders import BadOrderError, plain, read

_SHOWN = 100


@dataclass(frozen=True)
class _ClockOrder:
    set: datetime | None = None
    advance_seconds: float = 0.0
    frozen: bool | None = None


@dataclass(frozen=True)
class _LimitsOrder:
    threads: int | None = None
    queue: int | None = None
    service_seconds: float | None = None


@dataclass(frozen=True)
class _RevokeOrder:
    login: str | None = None


class TroubleDoors:
    """One method a door.

    Args:
        station: What is changed.
    """

    def __init__(self, station: Station) -> None:
        self._station = station

    def faults(self, *_: object) -> list[dict[str, Any]]:
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
        """Tell how many requests run at a time, and how many do now."""
        turns = self._station.turns
        return {
            "threads": turns.threads,
            "queue": turns.queue,
            "service_seconds": turns.service_seconds,
            "running": turns.running,
            "waiting": turns.waiting,
            "most_at_a_time": turns.most_at_a_time,
        }

    def set_limits(self, _: Request, body: bytes) -> dict[str, Any]:
        """Change those limits that are named."""
        order, turns = read(body, _LimitsOrder), self._station.turns
        turns.threads = order.threads or turns.threads
        turns.queue = turns.queue if order.queue is None else order.queue
        turns.service_seconds = turns.service_seconds if order.service_seconds is None else order.service_seconds
        return self.limits()

    def clock(self, *_: object) -> dict[str, Any]:
        """Tell the server's time."""
        clock = self._station.server.clock
        return {"now": clock.now().isoformat(), "ahead_seconds": clock.shift.total_seconds()}

    def set_clock(self, _: Request, body: bytes) -> dict[str, Any]:
        """Set the time, go on by some seconds, or stand still."""
        order, clock = read(body, _ClockOrder), self._station.server.clock
        if order.set is not None:
            moment = order.set if order.set.tzinfo else order.set.replace(tzinfo=UTC)
            clock.move(moment - clock.now())
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
        self._station.turns.most_at_a_time = 0
        return {"total": 0}

    def tokens(self, *_: object) -> dict[str, Any]:
        """Tell who is signed in, and why others were not let in; the real thing tells nobody."""
        tokens = self._station.tokens
        return {"given": tokens.given, "sessions": plain(tokens.sessions()), "refusals": tokens.refusals}

    def revoke(self, _: Request, body: bytes) -> dict[str, int]:
        """End all sessions, or those of one user."""
        return {"revoked": self._station.tokens.revoke(read(body, _RevokeOrder).login)}
