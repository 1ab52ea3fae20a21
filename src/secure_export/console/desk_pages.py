"""The desk's pages: incidents and configuration items."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from secure_export.console.access import Visitor
from secure_export.console.pages import asked_of, list_values
from secure_export.console.parameters import ANY_OPEN, CIS, INCIDENTS, incident_filter
from secure_export.console.query import listed
from secure_export.console.render import Renderer
from secure_export.errors import NotFound
from secure_export.itsm.desk.contract import DeskRecords
from secure_export.itsm.desk.incident import IncidentState

_START = (IncidentState.IN_PROGRESS, "Start work")
_HOLD = (IncidentState.ON_HOLD, "Put on hold")
_RESOLVE = (IncidentState.RESOLVED, "Resolve")
_CLOSE = (IncidentState.CLOSED, "Close")
MOVES: Mapping[IncidentState, tuple[tuple[IncidentState, str], ...]] = {
    IncidentState.NEW: (_START, _HOLD, _RESOLVE, _CLOSE),
    IncidentState.IN_PROGRESS: (_HOLD, _RESOLVE, _CLOSE),
    IncidentState.ON_HOLD: ((IncidentState.IN_PROGRESS, "Continue work"), _RESOLVE, _CLOSE),
    IncidentState.RESOLVED: ((IncidentState.IN_PROGRESS, "Reopen"), _CLOSE),
    IncidentState.CLOSED: (),
}
_INCIDENTS_OF_CI = 20


class DeskPages:
    """Handlers of the desk's pages.

    Args:
        desk: The desk's records.
        render: Makes pages.
    """

    def __init__(self, *, desk: DeskRecords, render: Renderer) -> None:
        self._desk = desk
        self._render = render

    async def incidents(self, request: Request, visitor: Visitor) -> Response:
        """List incidents; open ones unless others are asked for."""
        asked = asked_of(request, INCIDENTS)
        if "state" not in request.query_params:
            asked["state"] = ANY_OPEN
        page = await listed(self._desk.incidents(**incident_filter(asked)))
        return self._render.page(
            request, visitor, "incidents.html", rows=page.incidents, **list_values(asked, page.next_cursor)
        )

    async def incident(self, request: Request, visitor: Visitor) -> Response:
        """Show one incident."""
        details = await self._desk.incident(request.path_params["number"])
        return self._render.page(
            request,
            visitor,
            "incident.html",
            incident=details.incident,
            cis=details.cis,
            timeline=details.timeline,
            moves=MOVES[details.incident.state],
        )

    async def cmdb(self, request: Request, visitor: Visitor) -> Response:
        """List configuration items."""
        asked = asked_of(request, CIS)
        page = await listed(self._desk.list_cis(**asked))
        return self._render.page(request, visitor, "cmdb.html", rows=page.cis, **list_values(asked, page.next_cursor))

    async def ci(self, request: Request, visitor: Visitor) -> Response:
        """Show one configuration item with its relations and incidents."""
        ci_id = request.path_params["id"]
        found = await self._desk.cis([ci_id])
        if not found:
            raise NotFound(f"the CMDB has no configuration item {ci_id[:100]!r}; it may have been deleted")
        incidents = await self._desk.incidents(ci=ci_id, limit=_INCIDENTS_OF_CI)
        return self._render.page(
            request,
            visitor,
            "ci.html",
            ci=found[0],
            relations=await self._desk.relations(ci_id),
            incidents=incidents.incidents,
        )
