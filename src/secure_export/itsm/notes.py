"""Bringing notes into a record's history: what a record lacks, shared over as few entries as may be. Pure.

Entries of a history cannot be taken back, and are not written twice without being seen: each entry goes with the
revision that the record holds after it, so that a look after a lost answer can tell exactly which of them are there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from secure_export.itsm.texts import SHORTENED, Size, cut
from secure_export.workitems.work_item import Binding, Note

BETWEEN_NOTES = "\n\n---\n\n"


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
