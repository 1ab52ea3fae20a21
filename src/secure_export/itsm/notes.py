"""Bringing notes into a record's history: what a record lacks, shared over as few entries as may be. Pure.

Entries of a history cannot be taken back, and are not written twice without being seen: each entry goes with the
revision that the record holds after it, so that a look after a lost answer can tell exactly which of them are there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from secure_export.itsm.texts import SHORTENED, Size, cut
from secure_export.workitems.work_item import Binding, Desired, Note

BETWEEN_NOTES = "\n\n---\n\n"
OPENED_AGAIN = "Opened again: its alert fires in Azure."
_OVER = "Azure Monitor says it is over."


@dataclass(frozen=True, slots=True)
class Part:
    """What one call brings into a record's history.

    Attributes:
        text: One entry; empty: none.
        revision: The revision that the record then holds.
    """

    text: str
    revision: int


def parts(notes: Sequence[Note], held: int, revision: int, *, most: int, size: Size) -> list[Part]:
    """Share the notes that a record does not have yet over as few entries as their length allows.

    Args:
        notes: The notes that are owed, oldest first.
        held: The revision that the record holds.
        revision: The revision that it is to hold.
        most: How long an entry may be.
        size: How the tool counts lengths.

    Returns:
        One part at least; the last brings the record to ``revision``.
    """
    entries: list[tuple[str, int]] = []
    for note in (note for note in notes if note.revision > held):
        text = cut(note.text, most, size=size, ending=SHORTENED)
        joined = f"{entries[-1][0]}{BETWEEN_NOTES}{text}" if entries else ""
        if entries and size(joined) <= most:
            entries[-1] = (joined, note.revision)
        else:
            if entries and entries[-1][1] == note.revision:
                entries[-1] = (entries[-1][0], note.revision - 1)
            entries.append((text, note.revision))
    last = entries.pop() if entries else ("", revision)
    return [*(Part(text, at) for text, at in entries), Part(last[0], revision)]


def bound_cis(bindings: Sequence[Binding]) -> tuple[Binding, ...]:
    """Give the CIs that were found, each once."""
    return tuple({binding.id: binding for binding in bindings if binding.id}.values())


def resolution_of(desired: Desired) -> str:
    """Give the words that a record is resolved with; there are always some."""
    return desired.resolution.strip() or _OVER


def reached(there: int, desired: Desired) -> int:
    """Give the revision that a record tells of, or 0 if we have not reached it.

    Such a one was written by a later life of our store, before it was restored: it says nothing about the notes that
    are owed now.
    """
    return there if there <= desired.revision else 0


def opening_notes(desired: Desired) -> tuple[list[Note], int]:
    """Say which notes, and which revision, a new record begins with.

    Further configuration items are added after it is made: until then it does not hold the whole revision.
    """
    if len(bound_cis(desired.content.bindings)) <= 1:
        return list(desired.notes), desired.revision
    return [note for note in desired.notes if note.revision < desired.revision], desired.revision - 1
