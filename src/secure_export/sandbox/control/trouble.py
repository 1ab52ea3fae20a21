"""The doors that every control API has: faults, the clock, what was counted, and how many requests run at a time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request

from secure_export.sandbox.clock import Clock
from secure_export.sandbox.control.orders import BadOrderError, change, plain, read
from secure_export.sandbox.control.routes import Doors
from secure_export.sandbox.counters import Counters
from secure_export.sandbox.faults import F, Faults
from secure_export.sandbox.turns import Semaphore

_SHOWN: Final = 100


@dataclass(frozen=True)
class _ClockOrder:
    set: datetime | None = None
    advance_seconds: float = 0.0
    frozen: bool | None = None


@dataclass(frozen=True)
class TurnsOrder:
    """Which limits change, and to what; see ``Semaphore``."""

    threads: int | None = None
    queue: int | None = None
    service_seconds: float | None = None


def fault_doors(faults: Faults[F, Any], kind: type[F]) -> Doors:
    """Give the doors that tell, set and clear faults of a kind."""

    def told(*_: object) -> list[dict[str, Any]]:
        return [{**plain(fault), "met": faults.met(fault.id)} for fault in faults]

    def put(_: Request, body: bytes) -> Any:
        return plain(faults.set(read(body, kind)))

    def clear(request: Request, _: bytes) -> dict[str, int]:
        return {"cleared": faults.clear(request.path_params.get("fault"))}

    return {"/faults": {"GET": told, "POST": put, "DELETE": clear}, "/faults/{fault}": {"DELETE": clear}}


def clock_doors(clock: Clock) -> Doors:
    """Give the doors that tell the time, set it, let it go on by some seconds, or stand still."""

    def told(*_: object) -> dict[str, Any]:
        return {"now": clock.now().isoformat(), "ahead_seconds": clock.shift.total_seconds()}

    def put(_: Request, body: bytes) -> dict[str, Any]:
        order = read(body, _ClockOrder)
        if order.set is not None:
            clock.move((order.set if order.set.tzinfo else order.set.replace(tzinfo=UTC)) - clock.now())
        clock.move(timedelta(seconds=order.advance_seconds))
        if order.frozen is not None:
            (clock.freeze if order.frozen else clock.run)()
        return told()

    return {"/clock": {"GET": told, "POST": put}}


def counter_doors(counters: Counters, turns: Semaphore | None = None) -> Doors:
    """Give the doors that tell what was asked, the last requests newest first, and that forget it."""

    def told(request: Request, _: bytes) -> dict[str, Any]:
        return counters.as_json(whole_number(request, "limit", _SHOWN))

    def reset(*_: object) -> dict[str, Any]:
        counters.reset()
        if turns is not None:
            turns.most_at_a_time = 0
        return counters.as_json()

    return {"/counters": {"GET": told, "DELETE": reset}}


def turn_doors(semaphore: Semaphore) -> Doors:
    """Give the doors that tell how many requests run at a time, and that change it."""

    def put(_: Request, body: bytes) -> dict[str, Any]:
        set_turns(semaphore, read(body, TurnsOrder))
        return turns(semaphore)

    return {"/limits": {"GET": lambda *_: turns(semaphore), "POST": put}}


def setting_doors(path: str, settings: Any) -> Doors:
    """Give the doors that tell the settings of a dataclass, and that change those that are named."""
    return {path: {"GET": lambda *_: plain(settings), "POST": lambda _, body: change(body, settings)}}


def turns(semaphore: Semaphore) -> dict[str, Any]:
    """Tell how many requests run at a time, and how many do now."""
    names = ("threads", "queue", "service_seconds", "running", "waiting", "most_at_a_time")
    return {name: getattr(semaphore, name) for name in names}


def set_turns(semaphore: Semaphore, order: TurnsOrder) -> None:
    """Change those limits that are named; no thread at all would never answer, so 0 changes nothing."""
    semaphore.threads = order.threads or semaphore.threads
    semaphore.queue = semaphore.queue if order.queue is None else order.queue
    if order.service_seconds is not None:
        semaphore.service_seconds = order.service_seconds


def whole_number(request: Request, name: str, default: int) -> int:
    """Read a number of the query string.

    Raises:
        BadOrderError: It is none.
    """
    text = request.query_params.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise BadOrderError(f"{name} is a whole number.")
    return int(text)
