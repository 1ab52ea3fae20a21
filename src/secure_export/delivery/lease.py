"""For how long a lane is kept without a word: pure."""

from datetime import timedelta

_LONGEST_MARGIN_SECONDS = 30.0


def lease_for(step_timeout_seconds: float) -> timedelta:
    """Say for how long a claim holds: the longest step, and half of that again but 30 seconds at most.

    The margin is for what comes around a step: reading, writing down, and a process that gets no time to run. It grows
    with the step, for who sets a short time-out wants lanes of a stopped process to be taken over soon.
    """
    return timedelta(seconds=step_timeout_seconds + _margin(step_timeout_seconds))


def step_needs(step_timeout_seconds: float) -> timedelta:
    """Say how much of a lease must be left for a step to begin; less than a new lease has."""
    return timedelta(seconds=step_timeout_seconds + _margin(step_timeout_seconds) / 2)


def _margin(step_timeout_seconds: float) -> float:
    return min(step_timeout_seconds / 2, _LONGEST_MARGIN_SECONDS)
