"""The rows that a log search found: not more of them than is worth the time."""

from typing import Any

import pytest

from secure_export.alerts.members import Members
from secure_export.alerts.results import result_cells, result_rows


def table(columns: int, rows: int) -> dict[str, Any]:
    return {"columns": [{"name": f"c{n}"} for n in range(columns)], "rows": [["x"] * columns] * rows}


HUGE: dict[str, Any] = {
    "tables": {"SearchResults": {"tables": [table(200, 100)] * 25}},
    "narrow tables": {"SearchResults": {"tables": [table(1, 100)] * 200}},
    "events": {"condition": {"allOf": [{"event": [[{"name": "a", "value": "b"}] * 3] * 100}] * 200}},
    "one long event": {"condition": {"allOf": [{"event": [[{"name": "a", "value": "b"}] * 50_000]}]}},
}


@pytest.mark.parametrize("context", HUGE.values(), ids=HUGE.keys())
def test_not_more_than_some_thousand_cells_are_read(context: dict[str, Any]) -> None:
    """One body with half a million cells does not hold up all others."""
    assert 100 <= len(list(result_cells(Members(context)))) <= 2200


def test_columns_of_very_many_tables_are_not_read() -> None:
    """A table costs its columns, however few rows it has."""
    read = list(result_rows(Members({"SearchResults": {"tables": [table(200, 0) | {"rows": [[]]}] * 200}})))
    assert len(read) <= 10


def test_what_searches_find_is_read_whole() -> None:
    """A hundred rows of twenty columns, as a real search may bring them, are all there."""
    rows = list(result_rows(Members({"SearchResults": {"tables": [table(20, 100)]}})))
    assert [len(row) for row in rows] == [20] * 100
    assert rows[0][19] == ("c19", "x")
