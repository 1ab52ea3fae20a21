"""Which configuration items a work item keeps."""

from secure_export.workitems.bindings import LEFT_OUT, bound_late, merged_bindings
from secure_export.workitems.work_item import Binding


def found(*numbers: int) -> tuple[Binding, ...]:
    return tuple(Binding(f"ci-{n}", f"vm-{n}", "resource-id", "") for n in numbers)


def missing(*numbers: int) -> tuple[Binding, ...]:
    return tuple(Binding(None, f"lost-{n}", "not-in-cmdb", "") for n in numbers)


def test_a_work_item_of_very_many_alerts_stays_of_a_size() -> None:
    """Each alert that joins must cost the same, so that what is kept is bounded, and it is said that more was named."""
    kept: tuple[Binding, ...] = ()
    for n in range(400):
        kept = merged_bindings(kept, (*found(n), *missing(n)))
    assert sum(b.id is not None for b in kept) == 200
    assert sum(b.id is None and b.rule != LEFT_OUT for b in kept) == 50
    assert [b.rule for b in kept].count(LEFT_OUT) == 1
    assert kept[0] == found(0)[0], "the first one found stays the primary one"


def test_what_fits_is_kept_as_it_is() -> None:
    """Below the bound nothing is left out."""
    bindings = (*found(1, 2), *missing(3))
    assert merged_bindings(bindings, found(4)) == (*found(1, 2), *missing(3), *found(4))


def test_a_ci_that_appears_takes_the_place_of_what_was_missing() -> None:
    """However often the lane is looked at, each thing is listed once."""
    late = Binding("ci-9", "lost-1", "name", "")
    assert bound_late((*found(1), *missing(1)), (*found(1), late)) == (*found(1), late)
