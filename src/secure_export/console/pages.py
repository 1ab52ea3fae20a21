"""The console's pages: what each of them shows."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from secure_export.console.access import Visitor
from secure_export.console.api import notification_id, with_slash
from secure_export.console.contract import Records
from secure_export.console.parameters import ALERT, ALERTS, LANES, QUARANTINE, WORK_ITEMS
from secure_export.console.query import Parameter, listed, read_query
from secure_export.console.render import NOTICE, Renderer, query_text
from secure_export.console.timeline import alert_timeline, seconds_to_ticket
from secure_export.errors import NotFound

ROWS = 50
_NEWEST = 12
_FEW = 5
_IGNORED = frozenset({NOTICE})


class Pages:
    """Handlers of the pages that show what the service does.

    Args:
        records: What is kept.
        render: Makes pages.
    """

    def __init__(self, *, records: Records, render: Renderer) -> None:
        self._records = records
        self._render = render

    async def overview(self, request: Request, visitor: Visitor) -> Response:
        """Show what waits, what is parked, and what is new."""
        records = self._records
        return self._render.page(
            request,
            visitor,
            "overview.html",
            counts=await records.counts(),
            parked=(await records.lanes(state="parked", limit=_NEWEST)).rows,
            waiting=(await records.lanes(state="waiting", limit=_NEWEST)).rows,
            quarantine=(await records.quarantine(limit=_NEWEST)).rows,
            unbound=(await records.work_items(state="open", unbound=True, limit=_FEW)).rows,
            work_items=(await records.work_items(limit=_NEWEST)).rows,
        )

    async def alerts(self, request: Request, visitor: Visitor) -> Response:
        """List alerts."""
        asked = asked_of(request, ALERTS)
        page = await listed(self._records.alerts(**asked))
        return self._list(request, visitor, "alerts.html", asked, page.rows, page.next_cursor)

    async def alert(self, request: Request, visitor: Visitor) -> Response:
        """Show one alert's way from token to ticket."""
        asked = read_query(request.query_params, ALERT, ignored=_IGNORED)

        async def find(alert_id: str) -> dict[str, Any]:
            return await self._records.alert(alert_id, **asked)

        alert = await with_slash(find, request.path_params["id"])
        item = await self._work_item_of(alert)
        return self._render.page(
            request,
            visitor,
            "alert.html",
            alert=alert,
            item=item,
            moments=alert_timeline(alert, item),
            to_ticket=seconds_to_ticket(alert, item),
        )

    async def work_items(self, request: Request, visitor: Visitor) -> Response:
        """List work items."""
        asked = asked_of(request, WORK_ITEMS)
        page = await listed(self._records.work_items(**asked))
        return self._list(request, visitor, "work_items.html", asked, page.rows, page.next_cursor)

    async def work_item(self, request: Request, visitor: Visitor) -> Response:
        """Show one work item."""
        item = await self._records.work_item(request.path_params["id"])
        alerts = (await self._records.alerts(work_item=item["id"], limit=ROWS)).rows
        return self._render.page(request, visitor, "work_item.html", item=item, alerts=alerts)

    async def lanes(self, request: Request, visitor: Visitor) -> Response:
        """List lanes."""
        asked = asked_of(request, LANES)
        page = await listed(self._records.lanes(**asked))
        return self._list(request, visitor, "lanes.html", asked, page.rows, page.next_cursor)

    async def quarantine(self, request: Request, visitor: Visitor) -> Response:
        """List quarantined notifications."""
        asked = asked_of(request, QUARANTINE)
        page = await listed(self._records.quarantine(**asked))
        return self._list(request, visitor, "quarantine.html", asked, page.rows, page.next_cursor)

    async def quarantined(self, request: Request, visitor: Visitor) -> Response:
        """Show one quarantined notification."""
        kept = await self._records.quarantined(notification_id(request.path_params["id"]))
        return self._render.page(request, visitor, "quarantined.html", kept=kept)

    async def _work_item_of(self, alert: dict[str, Any]) -> dict[str, Any] | None:
        """Give the work item an alert went into; one that retention has deleted since is none."""
        if not alert.get("work_item"):
            return None
        try:
            return await self._records.work_item(alert["work_item"])
        except NotFound:
            return None

    def _list(  # noqa: PLR0913, PLR0917 - what every list page is made of
        self,
        request: Request,
        visitor: Visitor,
        template: str,
        asked: dict[str, Any],
        rows: Any,
        next_cursor: str | None,
    ) -> Response:
        return self._render.page(request, visitor, template, rows=rows, **list_values(asked, next_cursor))


def asked_of(request: Request, parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    """Read what a list page was asked for."""
    return {"limit": ROWS, **read_query(request.query_params, parameters, ignored=_IGNORED)}


def list_values(asked: dict[str, Any], next_cursor: str | None) -> dict[str, Any]:
    """Give what every list's template needs: the filters, and where newer and older rows are."""
    filters = {name: value for name, value in asked.items() if name not in {"cursor", "limit"}}
    kept = filters if asked["limit"] == ROWS else {**filters, "limit": asked["limit"]}
    return {
        "filters": filters,
        "older": query_text({**kept, "cursor": next_cursor}) if next_cursor else None,
        "newest": query_text(kept),
        "is_first": "cursor" not in asked,
    }
