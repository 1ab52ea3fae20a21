"""Forgetting under load: what retention no longer keeps is deleted, or dropped by days, while alerts come in."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from bench.contenders import Running
from bench.intake import plan_for
from bench.load import run
from bench.stores import Place

KEPT_DAYS = 41.0
_CONNECTIONS = 64


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """Forgetting while alerts come in.

    Attributes:
        kept_days: How long the past is kept; the rest is forgotten.
        seconds: For how long was forgotten and measured.
        deleted: How many rows were deleted, beside what went with days that were dropped whole.
        gone: How many notifications are gone.
        rate_before: Alerts taken in a second before.
        rate: Alerts taken in a second meanwhile.
        p99: In milliseconds, meanwhile.
        errors: Requests that were not taken meanwhile.
    """

    kept_days: float
    seconds: float
    deleted: int
    gone: int
    rate_before: float
    rate: float
    p99: float
    errors: int


def measure_retention(place: Place, running: Running, seconds: float) -> Retention:
    """Take alerts in for some seconds, then as long with forgetting beside.

    Args:
        place: A store with a past of more days.
        running: The program on it.
        seconds: For how long each.
    """
    plan = plan_for(running, _CONNECTIONS, seconds)
    before = run(plan)
    there = _old(place)
    command: Sequence[str] = (sys.executable, "-m", "bench.forgetting", place.url, str(KEPT_DAYS))
    forgetting = subprocess.Popen([*command, str(seconds)], stdout=subprocess.PIPE)
    during = run(plan)
    told, _ = forgetting.communicate(timeout=seconds + 120)
    return Retention(
        kept_days=KEPT_DAYS,
        seconds=seconds,
        deleted=int(told),
        gone=there - _old(place),
        rate_before=before.rate,
        rate=during.rate,
        p99=during.p99,
        errors=before.errors + during.errors,
    )


def _old(place: Place) -> int:
    """Count the notifications of the past."""
    until = int((datetime.now(UTC) - timedelta(hours=23)).timestamp() * 1e6)
    found: int = place.fetch(f"SELECT count(*) FROM notifications WHERE received_at < {until}")[0][0]  # noqa: S608 - a number
    return found
