"""Which configuration items a work item is about: pure."""

from secure_export.workitems.work_item import Binding


def merged_bindings(old: tuple[Binding, ...], new: tuple[Binding, ...]) -> tuple[Binding, ...]:
    """Add what is not there yet; what was found takes the place of what was not, by id and by name."""
    found = {b.name.lower(): b for b in (*new, *old) if b.id is not None}
    merged: dict[tuple[str | None, str], Binding] = {}
    for binding in (*old, *new):
        kept = found.get(binding.name.lower(), binding) if binding.id is None else binding
        merged.setdefault((kept.id, "" if kept.id is not None else kept.name.lower()), kept)
    return tuple(merged.values())


def bound_late(old: tuple[Binding, ...], new: tuple[Binding, ...]) -> tuple[Binding, ...]:
    """Let a later answer take the place of what was not found; nothing changes when that found nothing.

    Args:
        old: What the work item has.
        new: What came of looking up again what was not found: all bindings as they are now, or only those looked up.
    """
    if not any(b.id is not None for b in new):
        return old
    found = {b.id for b in new if b.id is not None}
    stays = (b for b in old if b not in new and b.id not in found and (b.id is not None or not b.name))
    return merged_bindings(tuple(stays), new)
