"""Work items as JSON objects."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from secure_export.console.contract import Page
from secure_export.store.filters import Filters
from secure_export.store.numbers import NUMBERS_READ, the_one_of_number
from secure_export.store.paging import one_of, page, rows_before, rows_on_page
from secure_export.store.rows import work_item
from secure_export.store.work_item_objects import step_object, work_item_details, work_item_object
from secure_export.workitems.work_item import State

_ALERTS_LISTED = 1000
_STEPS_LISTED = 1000

_OF_NUMBER = """
SELECT seq, document, id, connection FROM work_items WHERE number = ? AND number IS NOT NULL ORDER BY seq DESC LIMIT ?
"""


def list_work_items(  # noqa: PLR0913 - filters by name
    connection: sqlite3.Connection,
    *,
    name: str | None,
    state: str | None,
    owed: bool | None,
    unbound: bool | None,
    cursor: str | None,
    limit: int,
) -> Page:
    """List work items, newest first."""
    limit = rows_on_page(limit)
    filters = Filters("seq < ?", rows_before(cursor))
    filters.equal("connection", name)
    if one_of("state", state, [one.value for one in State]):
        filters.flag(state == State.OPEN, "state = 'open'", "state = 'resolved'")
    filters.flag(owed, "owed = 1", "owed = 0")
    filters.flag(unbound, "unbound > 0", "unbound = 0")
    rows = connection.execute(
        f"SELECT seq, document FROM work_items WHERE {filters.where} ORDER BY seq DESC LIMIT ?",  # noqa: S608 - constants
        (*filters.values, limit + 1),
    ).fetchall()
    items = [(seq, work_item(document)) for seq, document in rows]
    alerts = _alerts_of(connection, [item.id for _, item in items])
    return page([(seq, work_item_object(item, alerts.get(item.id, []))) for seq, item in items], limit)


def one_work_item(connection: sqlite3.Connection, item_id: str) -> dict[str, Any]:
    """Give a work item by its id or its number, with what it says and the steps taken for it.

    Raises:
        NotFound: There is none, or several connections have one of this number.
    """
    row = connection.execute("SELECT seq, document FROM work_items WHERE id = ?", (item_id,)).fetchone()
    if row is None:
        row = the_one_of_number(item_id, connection.execute(_OF_NUMBER, (item_id, NUMBERS_READ)).fetchall())
    item = work_item(row[1])
    alerts = _alerts_of(connection, [item.id])[item.id]
    return work_item_details(item, alerts, _steps(connection, row[0]))


def _alerts_of(connection: sqlite3.Connection, item_ids: Sequence[str]) -> dict[str, list[str]]:
    """Give the ids of each work item's alerts, oldest first; of very many only the first."""
    query = "SELECT work_item, coalesce(told_id, alert_id) FROM alerts WHERE work_item = ? ORDER BY seq LIMIT ?"
    found: dict[str, list[str]] = {}
    for item_id in item_ids:
        found[item_id] = [row[1] for row in connection.execute(query, (item_id, _ALERTS_LISTED))]
    return found


def _steps(connection: sqlite3.Connection, seq: int) -> list[dict[str, Any]]:
    """Give a work item's steps, oldest first; of very many only the last."""
    rows = connection.execute(
        "SELECT kind, started_at, finished_at, outcome, reason FROM steps WHERE work_item = ? ORDER BY id DESC LIMIT ?",
        (seq, _STEPS_LISTED),
    ).fetchall()
    return [step_object(row) for row in reversed(rows)]
