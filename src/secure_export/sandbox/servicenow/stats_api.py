"""The Aggregate API: ``/api/now/stats/{table}`` (servicenow-facts 7.3)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.servicenow import aggregates
from secure_export.sandbox.servicenow.aggregates import FUNCTIONS, Order, Wanted
from secure_export.sandbox.servicenow.caller import caller
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.operators import number
from secure_export.sandbox.servicenow.presenting import Display, Presenter
from secure_export.sandbox.servicenow.rest import pairs_query, result, versioned
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User


def routes(instance: Instance) -> list[Route]:
    """Give the routes of the Aggregate API."""

    async def stats(request: Request) -> Response:
        return _Question(instance, request, caller(request)).answered()

    return versioned("now", "stats/{table}", stats, "GET")


class _Question:
    """One request."""

    def __init__(self, instance: Instance, request: Request, user: User) -> None:
        self._instance = instance
        self._table: str = request.path_params["table"]
        instance.require_table(self._table)
        self._parameters = request.query_params
        columns = instance.dictionary.columns(self._table)
        self._page = instance.query(self._table, pairs_query(request, list(columns)), user)
        self._group_by = [name for name in self._list("sysparm_group_by") if name.split(".")[0] in columns]
        fields = {one: [name for name in self._list(f"sysparm_{one}_fields") if name in columns] for one in FUNCTIONS}
        self._wanted = Wanted(self._flag("sysparm_count"), {one: names for one, names in fields.items() if names})
        self._presenter = Presenter(instance, user, display=Display.BOTH, with_links=False, fields=self._group_by)

    def answered(self) -> Response:
        """Compute and answer; a plain count counts rows that the caller may not see, too."""
        if self._group_by:
            return result(self._groups())
        stats = aggregates.compute(self._page.rows, self._wanted)
        if self._wanted.count:
            stats["count"] = str(self._page.total)
        return result({"stats": stats})

    def _groups(self) -> list[dict[str, Any]]:
        conditions = aggregates.read_having(self._parameters.get("sysparm_having", ""))
        groups = [
            (keys, rows)
            for keys, rows in aggregates.group(self._page.rows, self._keys).items()
            if aggregates.fulfils(rows, conditions)
        ]
        for order in reversed(aggregates.read_order(self._parameters.get("sysparm_order_by", ""))):
            groups.sort(key=partial(self._rank, order), reverse=order.descending)
        return [self._told(rows) for _, rows in groups]

    def _keys(self, row: Row) -> tuple[str, ...]:
        shown = self._presenter.show(self._table, row)
        return tuple(shown[name]["value"] if name in shown else "" for name in self._group_by)

    def _rank(self, order: Order, group: tuple[Sequence[str], Sequence[Row]]) -> tuple[float, str]:
        keys, rows = group
        if order.function:
            return number(aggregates.value_of(order.function, order.column, rows)) or 0.0, ""
        value = keys[self._group_by.index(order.column)] if order.column in self._group_by else ""
        return number(value) or 0.0, value

    def _told(self, rows: Sequence[Row]) -> dict[str, Any]:
        shown = self._presenter.show(self._table, rows[0])
        fields = [self._field(name, shown.get(name, {"display_value": "", "value": ""})) for name in self._group_by]
        return {"stats": aggregates.compute(rows, self._wanted), "groupby_fields": fields}

    def _field(self, name: str, cell: dict[str, str]) -> dict[str, str]:
        match self._parameters.get("sysparm_display_value", "false"):
            case "all":
                return {"field": name, **cell}
            case "true":
                return {"field": name, "value": cell["display_value"]}
        return {"field": name, "value": cell["value"]}

    def _list(self, name: str) -> list[str]:
        return [part.strip() for part in self._parameters.get(name, "").split(",") if part.strip()]

    def _flag(self, name: str) -> bool:
        return self._parameters.get(name, "").lower() == "true"
