"""What the instance takes at most."""

from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request

from secure_export.sandbox.control import Doors, TurnsOrder, set_turns, turns
from secure_export.sandbox.control.orders import plain, read
from secure_export.sandbox.servicenow.limits import Limits, RateRule


@dataclass(frozen=True)
class _LimitsOrder(TurnsOrder):
    rates: list[dict[str, Any]] | None = None
    session_queue: int | None = None


def limit_doors(limits: Limits) -> Doors:
    """Give the doors that tell what is taken at most, and that change those limits that are named."""

    def told(*_: object) -> dict[str, Any]:
        rules, queue = plain(limits.rates.rules), limits.sessions.queue
        return {"rates": rules, **turns(limits.semaphore), "session_queue": queue}

    def put(_: Request, body: bytes) -> dict[str, Any]:
        """Change limits; ``rates`` replaces all rate limit rules."""
        order = read(body, _LimitsOrder)
        if order.rates is not None:
            rules = [read(msgspec.json.encode(one), RateRule) for one in order.rates]
            limits.rates.clear()
            for rule in rules:
                limits.rates.add(rule)
        set_turns(limits.semaphore, order)
        limits.sessions.queue = order.session_queue or limits.sessions.queue
        return told()

    return {"/limits": {"GET": told, "POST": put}}
