"""Rows of a CSV file, whatever separates its columns."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from secure_export.cmdb.drafts import Problem
from secure_export.cmdb.import_row import Row, names_a_ci, snake_case

_DELIMITERS = ",;\t|"
_LONGEST_CELL = 32 * 1024 * 1024
_EXCEL_HINT = "sep="


def rows_of_csv(text: str, name: str) -> tuple[list[Row], list[Problem]]:
    """Read the rows of a CSV file with a header line.

    Args:
        text: The file's text.
        name: Its name, for messages.
    """
    lines = text.lstrip("\r\n")
    skipped = text.count("\n") - lines.count("\n")
    delimiter = _delimiter(lines)
    if lines.lower().startswith(_EXCEL_HINT):
        lines, skipped = lines.partition("\n")[2], skipped + 1
    with _long_cells():
        return _rows(lines, delimiter, skipped, name)


def _rows(text: str, delimiter: str, skipped: int, name: str) -> tuple[list[Row], list[Problem]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    rows: list[Row] = []
    problems: list[Problem] = []
    header: list[str] | None = None
    before = skipped
    try:
        for cells in reader:
            where, before = f"line {before + 1}", skipped + reader.line_num
            if header is None:
                header = [snake_case(cell) for cell in cells]
                if (wrong := _wrong_header(header, cells)) is not None:
                    return [], [Problem(name, wrong)]
            elif any(cell.strip() for cell in cells):
                _take(header, cells, where, rows, problems)
    except csv.Error as error:
        problems.append(Problem(f"line {before + 1}", f"this and what follows cannot be read as CSV: {error}"))
    return rows, problems


def _take(header: Sequence[str], cells: Sequence[str], where: str, rows: list[Row], problems: list[Problem]) -> None:
    if any(cell.strip() for cell in cells[len(header) :]):
        problems.append(Problem(where, f"it has {len(cells)} cells, but the header has {len(header)} columns"))
        return
    rows.append(Row(where, {column: cell for column, cell in zip(header, cells, strict=False) if column}))


def _wrong_header(header: Sequence[str], cells: Sequence[str]) -> str | None:
    if not names_a_ci(header):
        found = ", ".join(cell.strip() for cell in cells)[:200]
        return f"no column is called name or resource_id; the first line has: {found}"
    doubles = sorted({column for column in header if column and header.count(column) > 1})
    return f"the column {doubles[0]} is there more than once; name columns differently" if doubles else None


def _delimiter(text: str) -> str:
    """The character that makes the most columns of the header known, or else the most columns."""
    first, _, _ = text.partition("\n")
    if first.lower().startswith(_EXCEL_HINT) and len(first.strip()) > len(_EXCEL_HINT):
        return first.strip("\r\n")[len(_EXCEL_HINT)]
    return max(_DELIMITERS, key=lambda one: _columns(first, one))


def _columns(header: str, delimiter: str) -> tuple[bool, int]:
    try:
        columns = [snake_case(cell) for cell in next(csv.reader([header], delimiter=delimiter))]
    except (csv.Error, StopIteration):
        return (False, 0)
    return (names_a_ci(columns), len(columns))


@contextmanager
def _long_cells() -> Iterator[None]:
    """Take cells as long as the ``properties`` of large resources; the module's limit is 128 KiB."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)
