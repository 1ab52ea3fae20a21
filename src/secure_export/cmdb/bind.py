"""Looks up what an alert names in a CMDB, and binds it; the deciding part is ``decide``."""

from collections.abc import Sequence

from secure_export.alerts.references import References
from secure_export.cmdb.contract import Cmdb, ConfigurationItem
from secure_export.cmdb.decide import decide, decide_one, with_blind_spots
from secure_export.cmdb.subjects import Subject, subject_of, subjects_of, wanted_names, wanted_resource_ids
from secure_export.workitems.work_item import Binding


async def bind(cmdb: Cmdb, references: References, listed: frozenset[str] | None = None) -> tuple[Binding, ...]:
    """Say which CIs an alert is about, with at most two calls to the CMDB.

    Args:
        cmdb: Where CIs are looked up.
        references: What the alert names (``secure_export.alerts.references``).
        listed: The subscriptions, in lower case, whose CIs a mere name may mean; None: all. Whoever may send an alert
            may write any name into it, so that names must not reach what the connection does not list.
    """
    candidates = await _candidates(cmdb, subjects_of(references))
    return with_blind_spots(decide(references, candidates, listed), cmdb.unreadable)


async def bind_again(
    cmdb: Cmdb, bindings: Sequence[Binding], listed: frozenset[str] | None = None
) -> tuple[Binding, ...]:
    """Try again what could not be bound, by the same rules as before.

    Args:
        cmdb: Where CIs are looked up.
        bindings: All bindings of a work item.
        listed: As for ``bind``.

    Returns:
        All bindings of the work item as they are now, in the same order: one that found its CI takes the place of
        the one that had not, unless that CI is bound already.
    """
    subjects = {
        index: subject for index, one in enumerate(bindings) if (subject := subject_of(one, listed)) is not None
    }
    if not subjects:
        return tuple(bindings)
    candidates = await _candidates(cmdb, tuple(subjects.values()))
    bound = {one.id for one in bindings if one.id is not None}
    now: list[Binding] = []
    for index, before in enumerate(bindings):
        after = decide_one(subjects[index], candidates) if index in subjects else before
        if index not in subjects or after.id is None:
            now.append(before)
        elif after.id not in bound:
            bound.add(after.id)
            now.append(after)
    return tuple(now)


async def _candidates(cmdb: Cmdb, subjects: Sequence[Subject]) -> tuple[ConfigurationItem, ...]:
    """Give all CIs that may be meant; names of what the ids found already are not asked for."""
    ids = wanted_resource_ids(subjects)
    by_id = await cmdb.by_resource_ids(ids) if ids else ()
    found = {ci.resource_id for ci in by_id}
    names = wanted_names(s for s in subjects if s.resource is None or s.resource.text not in found)
    by_name = await cmdb.by_names(names) if names else ()
    return tuple({ci.id: ci for ci in (*by_id, *by_name)}.values())
