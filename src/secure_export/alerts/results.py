"""The rows that a log search found, where its alert brings them along.

Version 1 log searches send tables (``SearchResults``, in 2019 ``SearchResult``), simple log alerts send events; version
2 never sends any (Azure Monitor docs, "Sample alert payloads").
"""

from collections.abc import Iterator
from typing import Any

from secure_export.alerts.members import Members, text_of

_MOST_TABLES = 10
_MOST_ROWS = 100
_MOST_COLUMNS = 200
_MOST_CELLS = 2000


def result_rows(context: Members) -> Iterator[list[tuple[str, str]]]:
    """Give rows as columns and values: at most 100 of a table or event list, and none after 2,000 cells."""
    cells = 0
    for row in _rows(context):
        yield row
        cells += len(row)
        if cells >= _MOST_CELLS:
            return


def result_cells(context: Members) -> Iterator[tuple[str, str]]:
    """Give columns and values of all rows."""
    for row in result_rows(context):
        yield from row


def _rows(context: Members) -> Iterator[list[tuple[str, str]]]:
    for name in ("SearchResults", "SearchResult"):
        for table in context.object(name).objects("tables")[:_MOST_TABLES]:
            yield from _of_table(table)
    for criterion in context.object("condition").objects("allOf"):
        events = criterion.value("event")
        for event in events[:_MOST_ROWS] if isinstance(events, list) else ():
            cells = [Members(cell) for cell in event[:_MOST_COLUMNS]] if isinstance(event, list) else []
            yield [(cell.text("name"), cell.text("value")) for cell in cells]


def _of_table(table: Members) -> Iterator[list[tuple[str, str]]]:
    columns = [column.text("name") for column in table.objects("columns")]
    rows: Any = table.value("rows")
    for row in rows[:_MOST_ROWS] if isinstance(rows, list) else ():
        if isinstance(row, list):
            yield [(column, text_of(cell)) for column, cell in zip(columns, row, strict=False)]
