"""The ITIL matrix."""

from itertools import product

import pytest

from secure_export.workitems.priority import priority


@pytest.mark.parametrize(
    ("impact", "urgency", "expected"),
    [
        (1, 1, 1),
        (1, 2, 2),
        (1, 3, 3),
        (2, 1, 2),
        (2, 2, 3),
        (2, 3, 4),
        (3, 1, 3),
        (3, 2, 4),
        (3, 3, 5),
    ],
)
def test_the_matrix_of_itil(impact: int, urgency: int, expected: int) -> None:
    """Each pair of impact and urgency has the priority that ITIL's usual matrix gives it."""
    assert priority(impact, urgency) == expected


def test_more_impact_or_urgency_never_lowers_the_priority() -> None:
    """A more important pair is never worked on later than a less important one."""
    for impact, urgency in product((1, 2), (1, 2, 3)):
        assert priority(impact, urgency) <= priority(impact + 1, urgency)
        assert priority(urgency, impact) <= priority(urgency, impact + 1)


@pytest.mark.parametrize(("impact", "urgency"), [(0, 1), (1, 0), (4, 1), (1, 4), (-1, 1)])
def test_values_outside_the_matrix_are_refused(impact: int, urgency: int) -> None:
    """An impact or urgency that does not exist is an error, not a priority made up."""
    with pytest.raises(ValueError, match="is none of"):
        priority(impact, urgency)
