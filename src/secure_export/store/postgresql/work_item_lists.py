"""Work items as JSON objects."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from secure_export.console.contract import Page
from secure_export.store.filters import Filters
from secure_export.store.numbers import NUMBERS_READ, the_one_of_number
from secure_export.store.paging import one_of, page, rows_before, rows_on_page
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.numbered import numbered
from secure_export.store.row import Row
from secure_export.store.rows import work_item
from secure_export.store.work_item_objects import step_object, work_item_details, work_item_object
from secure_export.workitems.work_item import State

_ALERTS_LISTED = 1000
_STEPS_LISTED = 1000

_ALERTS_OF = """
SELECT work_item, coalesce(told_id, alert_id) FROM unnest($1::text[]) AS given (item) CROSS JOIN LATERAL (
    SELECT work_item, told_id, alert_id, seq FROM alerts WHERE work_item = item ORDER BY seq LIMIT $2) AS found
ORDER BY seq
"""
_OF_NUMBER = """
SELECT seq, document, id, connection FROM work_items
WHERE lower(left(number, 100)) = lower($1) AND number IS NOT NULL ORDER BY seq DESC LIMIT $2
"""
_STEPS = """
SELECT kind, started_at, finished_at, outcome, reason FROM steps WHERE work_item = $1 ORDER BY id DESC LIMIT $2
"""


async def list_work_items(  # noqa: PLR0913 - filters by name
    connection: Connection,
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
    filters.flag(owed, "owed", "NOT owed")
    filters.flag(unbound, "unbound > 0", "unbound = 0")
    sql = f"SELECT seq, document FROM work_items WHERE {filters.where} ORDER BY seq DESC LIMIT ?"  # noqa: S608 - constants
    rows = await connection.fetch(numbered(sql), *filters.values, limit + 1)
    items = [(seq, work_item(document)) for seq, document in rows]
    alerts = await _alerts_of(connection, [item.id for _, item in items])
    return page([(seq, work_item_object(item, alerts[item.id])) for seq, item in items], limit)


async def one_work_item(connection: Connection, item_id: str) -> dict[str, Any]:
    """Give a work item by its id or its number, with what it says and the steps taken for it.

    Raises:
        NotFound: There is none, or several connections have one of this number.
    """
    row: Row | None = await connection.fetchrow("SELECT seq, document FROM work_items WHERE id = $1", item_id)
    if row is None:
        row = the_one_of_number(item_id, await connection.fetch(_OF_NUMBER, item_id, NUMBERS_READ))
    item = work_item(row[1])
    alerts = await _alerts_of(connection, [item.id])
    steps = await connection.fetch(_STEPS, row[0], _STEPS_LISTED)
    return work_item_details(item, alerts[item.id], [step_object(one) for one in reversed(steps)])


async def _alerts_of(connection: Connection, item_ids: Sequence[str]) -> dict[str, list[str]]:
    """Give the ids of each work item's alerts, oldest first; of very many only the first."""
    found: dict[str, list[str]] = defaultdict(list)
    if item_ids:
        for item_id, alert_id in await connection.fetch(_ALERTS_OF, item_ids, _ALERTS_LISTED):
            found[item_id].append(alert_id)
    return found
