"""Compares our clock with a tool's: a line of ``secure-export check``."""

from datetime import datetime, timedelta

from secure_export.itsm.contract import CheckResult

_CLOCKS_DIFFER = timedelta(minutes=2)


def clock_result(there: datetime | None, here: datetime, *, whose: str) -> CheckResult:
    """Compare the clocks.

    Args:
        there: The tool's time; None: it does not tell it.
        here: Ours.
        whose: What the tool is called, such as ``the server``.
    """
    if there is None:
        return CheckResult("clock", passed=True, detail=f"{whose} does not tell its time (header Date)")
    seconds = round((here - there).total_seconds())
    detail = f"ours is {abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} {whose}'s"
    if abs(here - there) <= _CLOCKS_DIFFER:
        return CheckResult("clock", passed=True, detail=detail)
    return CheckResult("clock", passed=False, detail=f"{detail}: set this machine's clock by NTP")
