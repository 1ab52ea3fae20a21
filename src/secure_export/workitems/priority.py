"""Priority from impact and urgency, as ITIL has it: the one place that knows the matrix."""

_MATRIX = (
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
)


def priority(impact: int, urgency: int) -> int:
    """Say how soon an incident is to be worked on.

    Args:
        impact: 1 (high) to 3 (low): how much is concerned.
        urgency: 1 (high) to 3 (low): how soon it hurts.

    Returns:
        1 (critical) to 5 (planning).

    Raises:
        ValueError: Impact or urgency is not 1, 2 or 3.
    """
    for name, value in (("impact", impact), ("urgency", urgency)):
        if value not in (1, 2, 3):
            raise ValueError(f"{name} {value} is none of 1 (high), 2 (medium) and 3 (low)")
    return _MATRIX[impact - 1][urgency - 1]
