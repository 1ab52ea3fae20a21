"""What the buttons of the pages do.

Each answers by sending the browser on to a page, so that a reload repeats nothing.
"""

from starlette.requests import Request
from starlette.responses import Response

from secure_export.clock import Clock
from secure_export.console.access import Visitor
from secure_export.console.api import Replay, act_on_incident, notification_id
from secure_export.console.body import read_form
from secure_export.console.contract import Actions, Records
from secure_export.console.desk_json import FORMS
from secure_export.console.guarded import Handler
from secure_export.console.present import segment
from secure_export.console.render import NOTICE
from secure_export.itsm.desk.contract import DeskRecords


class PageActions:
    """Handlers of the pages' forms.

    Args:
        records: What is kept.
        actions: What operators do.
        desk: The desk's records.
        replay: Takes notifications out of quarantine.
        clock: The time.
    """

    def __init__(self, *, records: Records, actions: Actions, desk: DeskRecords, replay: Replay, clock: Clock) -> None:
        self._records = records
        self._actions = actions
        self._desk = desk
        self._replay = replay
        self._clock = clock

    async def retry_lane(self, request: Request, visitor: Visitor) -> Response:
        """Try a lane again."""
        await self._actions.retry(request.path_params["key"], by=visitor.by, now=self._clock())
        return _on_to("/lanes", "retried")

    async def retry_work_item(self, request: Request, visitor: Visitor) -> Response:
        """Try the lane of a work item again."""
        item = await self._records.work_item(request.path_params["id"])
        await self._actions.retry(item["correlation_key"], by=visitor.by, now=self._clock())
        return _on_to(f"/work-items/{segment(item['id'])}", "retried")

    async def replay(self, request: Request, visitor: Visitor) -> Response:
        """Take a notification out of quarantine."""
        await self._replay(notification_id(request.path_params["id"]), visitor.by)
        return _on_to("/quarantine", "replayed")

    def acting(self, what: str) -> Handler:
        """Make the handler that does one of ``FORMS`` to an incident."""

        async def act(request: Request, visitor: Visitor) -> Response:
            number = request.path_params["number"]
            form = await read_form(request, FORMS[what])
            await act_on_incident(self._desk, self._actions, number, what, form, by=visitor.by, clock=self._clock)
            return _on_to(f"/desk/incidents/{segment(number)}", what)

        return act


def _on_to(path: str, notice: str) -> Response:
    return Response(status_code=303, headers={"location": f"{path}?{NOTICE}={notice}", "cache-control": "no-store"})
