"""Which work item a number means that people read in the tool: pure."""

from collections.abc import Sequence

from secure_export.errors import NotFound
from secure_export.store.row import Row

NUMBERS_READ = 100


def the_one_of_number(asked: str, rows: Sequence[Row]) -> Row:
    """Choose among the work items of a number: the newest, unless several connections have one.

    Args:
        asked: The number, or an id that no work item has.
        rows: ``seq, document, id, connection`` of the work items with that number, newest first.

    Raises:
        NotFound: There is none, or several connections have one.
    """
    newest: dict[str, Row] = {}
    for row in rows:
        newest.setdefault(row[3], row)
    if len(newest) > 1:
        choice = ", ".join(f"{row[2]} of {connection}" for connection, row in newest.items())
        raise NotFound(f"{asked} is a number in several connections; ask for one of the work items by its id: {choice}")
    if not newest:
        raise NotFound(f"there is no work item {asked}; list them to see which there are")
    return rows[0]
