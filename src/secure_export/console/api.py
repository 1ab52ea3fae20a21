"""The JSON API: what each address does."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from secure_export.clock import Clock
from secure_export.console.access import Visitor
from secure_export.console.answers import json_answer
from secure_export.console.body import read_json
from secure_export.console.contract import Actions, Page, Records
from secure_export.console.desk_json import (
    FORMS,
    ConfigurationItemPage,
    Form,
    IncidentPageObject,
    ci_detail,
    ci_object,
    incident_detail,
    incident_object,
)
from secure_export.console.guarded import Handler
from secure_export.console.parameters import (
    ALERT,
    ALERTS,
    CIS,
    INCIDENTS,
    LANES,
    QUARANTINE,
    WORK_ITEMS,
    incident_filter,
)
from secure_export.console.query import listed, read_query
from secure_export.errors import NotFound
from secure_export.itsm.desk.contract import DeskRecords

_HIGHEST_ID = 2**63 - 1

T = TypeVar("T")


class Replay(Protocol):
    """Takes a notification out of quarantine, as ``secure_export.intake.replay.Replay`` does."""

    async def __call__(self, notification: int, by: str) -> None:
        """Read it again and send it on its way.

        Raises:
            NotFound: It is not in quarantine.
            NotUnderstood: It still is not understood.
        """
        ...


class Api:
    """Handlers of the JSON API.

    Args:
        records: What is kept.
        actions: What operators do.
        desk: The desk's incidents and CIs.
        replay: Takes notifications out of quarantine.
        clock: The time.
    """

    def __init__(self, *, records: Records, actions: Actions, desk: DeskRecords, replay: Replay, clock: Clock) -> None:
        self._records = records
        self._actions = actions
        self._desk = desk
        self._replay = replay
        self._clock = clock

    async def alerts(self, request: Request, _visitor: Visitor) -> Response:
        """List alerts."""
        return _page(await listed(self._records.alerts(**read_query(request.query_params, ALERTS))))

    async def alert(self, request: Request, _visitor: Visitor) -> Response:
        """Give one alert."""
        asked = read_query(request.query_params, ALERT)

        async def find(alert_id: str) -> Mapping[str, Any]:
            return await self._records.alert(alert_id, **asked)

        return json_answer(await with_slash(find, request.path_params["id"]))

    async def work_items(self, request: Request, _visitor: Visitor) -> Response:
        """List work items."""
        return _page(await listed(self._records.work_items(**read_query(request.query_params, WORK_ITEMS))))

    async def work_item(self, request: Request, _visitor: Visitor) -> Response:
        """Give one work item."""
        return json_answer(await self._records.work_item(request.path_params["id"]))

    async def lanes(self, request: Request, _visitor: Visitor) -> Response:
        """List lanes."""
        return _page(await listed(self._records.lanes(**read_query(request.query_params, LANES))))

    async def retry(self, request: Request, visitor: Visitor) -> Response:
        """Make the lanes of a key ready."""

        async def act(key: str) -> int:
            return await self._actions.retry(key, by=visitor.by, now=self._clock())

        return json_answer({"retried": await with_slash(act, request.path_params["key"])})

    async def quarantine(self, request: Request, _visitor: Visitor) -> Response:
        """List quarantined notifications."""
        return _page(await listed(self._records.quarantine(**read_query(request.query_params, QUARANTINE))))

    async def quarantined(self, request: Request, _visitor: Visitor) -> Response:
        """Give one quarantined notification."""
        return json_answer(await self._records.quarantined(notification_id(request.path_params["id"])))

    async def replay(self, request: Request, visitor: Visitor) -> Response:
        """Take a notification out of quarantine."""
        number = notification_id(request.path_params["id"])
        await self._replay(number, visitor.by)
        return json_answer({"notification": str(number), "status": "accepted"})

    async def cis(self, request: Request, _visitor: Visitor) -> Response:
        """List CIs."""
        page = await listed(self._desk.list_cis(**read_query(request.query_params, CIS)))
        items = tuple(ci_object(ci) for ci in page.cis)
        return json_answer(ConfigurationItemPage(items=items, next_cursor=page.next_cursor))

    async def ci(self, request: Request, _visitor: Visitor) -> Response:
        """Give one CI."""
        ci_id = request.path_params["id"]
        found = await self._desk.cis([ci_id])
        if not found:
            raise NotFound(f"the CMDB has no CI {ci_id[:100]!r}; /api/v1/cis lists those it has")
        return json_answer(ci_detail(found[0], await self._desk.relations(ci_id)))

    async def incidents(self, request: Request, _visitor: Visitor) -> Response:
        """List the desk's incidents."""
        page = await listed(self._desk.incidents(**incident_filter(read_query(request.query_params, INCIDENTS))))
        items = tuple(incident_object(incident) for incident in page.incidents)
        return json_answer(IncidentPageObject(items=items, next_cursor=page.next_cursor))

    async def incident(self, request: Request, _visitor: Visitor) -> Response:
        """Give one incident."""
        return json_answer(incident_detail(await self._desk.incident(request.path_params["number"])))

    def acting(self, what: str) -> Handler:
        """Make the handler that does one of ``FORMS`` to an incident."""

        async def act(request: Request, visitor: Visitor) -> Response:
            number = request.path_params["number"]
            form = await read_json(request, FORMS[what])
            await act_on_incident(self._desk, self._actions, number, what, form, by=visitor.by, clock=self._clock)
            return json_answer(incident_detail(await self._desk.incident(number)))

        return act


async def act_on_incident(  # noqa: PLR0913 - who does what to which, and where it is kept
    desk: DeskRecords, actions: Actions, number: str, what: str, form: Form, *, by: str, clock: Clock
) -> None:
    """Do to an incident what a person wants; the audit log has it before it is tried.

    Raises:
        NotFound: There is no such incident.
        ActionRefused: It cannot be done.
    """
    now = clock()
    action = form.action()
    await desk.incident(number, timeline_limit=1)
    await actions.audit(by=by, action=f"desk.{what}", subject=number, now=now)
    await desk.act(number, action, by=by, now=now)


def notification_id(text: str) -> int:
    """Read a notification's id.

    Raises:
        NotFound: No notification can have it.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _HIGHEST_ID):  # noqa: PLR2004
        raise NotFound(f"no notification has the id {text[:40]!r}; ids are numbers")
    return int(text)


async def with_slash(find: Callable[[str], Awaitable[T]], key: str) -> T:
    """Find what has this key, or the key with a slash before it, which some clients and proxies take for a double one.

    Raises:
        NotFound: Neither is there.
    """
    try:
        return await find(key)
    except NotFound:
        if key.startswith("/"):
            raise
        try:
            return await find(f"/{key}")
        except NotFound:
            pass
        raise


def _page(page: Page) -> Response:
    content: Mapping[str, Any] = {"items": list(page.rows), "next_cursor": page.next_cursor}
    return json_answer(content)
