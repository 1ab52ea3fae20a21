"""What is made of many measured values."""

from collections.abc import Sequence


def percentile(ordered: Sequence[float], share: float) -> float:
    """Give the value that a share of all are not above; 0 where there are none.

    Args:
        ordered: The values, smallest first.
        share: 0 to 1; 1 gives the largest.
    """
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ratio(one: float, other: float) -> float:
    """Give how many times the other the one is; 0 where the other is 0."""
    return one / other if other else 0.0


def longest_overtaking(confirmed: Sequence[float]) -> float:
    """Say by how many seconds something was overtaken by what came after it, at most.

    Args:
        confirmed: When each was confirmed, in the order in which they came.
    """
    longest, earliest_of_later = 0.0, float("inf")
    for at in reversed(confirmed):
        longest = max(longest, at - earliest_of_later)
        earliest_of_later = min(earliest_of_later, at)
    return longest
