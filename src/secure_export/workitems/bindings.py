"""Which configuration items a work item is about: pure."""

from secure_export.workitems.work_item import Binding

LEFT_OUT = "left-out"
_MOST_BOUND = 200
_MOST_UNBOUND = 50
_WHY_LEFT_OUT = f"more are named than are kept: {_MOST_BOUND} that were found, and {_MOST_UNBOUND} that were not"


def merged_bindings(old: tuple[Binding, ...], new: tuple[Binding, ...]) -> tuple[Binding, ...]:
    """Add what is not there yet; what was found takes the place of what was not, by id and by name."""
    found = {b.name.lower(): b for b in (*new, *old) if b.id is not None}
    merged: dict[tuple[str | None, str], Binding] = {}
    for binding in (*old, *new):
        kept = found.get(binding.name.lower(), binding) if binding.id is None else binding
        merged.setdefault((kept.id, "" if kept.id is not None else kept.name.lower()), kept)
    return _bounded(tuple(merged.values()))


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


def _bounded(bindings: tuple[Binding, ...]) -> tuple[Binding, ...]:
    """Keep a work item of very many alerts at a size that each of them can pay for."""
    named = [b for b in bindings if b.rule != LEFT_OUT]
    bound = [b for b in named if b.id is not None][:_MOST_BOUND]
    unbound = [b for b in named if b.id is None][:_MOST_UNBOUND]
    if len(bound) + len(unbound) == len(bindings):
        return bindings
    return (*bound, *unbound, Binding(None, "", LEFT_OUT, _WHY_LEFT_OUT))
