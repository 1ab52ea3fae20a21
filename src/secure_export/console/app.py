"""The console and its JSON API as one ASGI application."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from secure_export.clock import Clock, utc_now
from secure_export.console.access import Access, Gate, Right, Visitor
from secure_export.console.answers import json_answer, json_trouble, trouble_of
from secure_export.console.api import Api, Replay
from secure_export.console.contract import Actions, Records
from secure_export.console.desk_json import FORMS
from secure_export.console.desk_pages import DeskPages
from secure_export.console.guarded import Handler, guarded
from secure_export.console.headers import SecurityHeaders
from secure_export.console.openapi import openapi
from secure_export.console.operations import API, Operation, operations
from secure_export.console.page_actions import PageActions
from secure_export.console.pages import Pages
from secure_export.console.render import Renderer
from secure_export.itsm.desk.contract import DeskRecords

_DESCRIPTION = f"{API}/openapi.json"


def console_app(  # noqa: PLR0913 - what the console shows and does comes from these
    *,
    records: Records,
    actions: Actions,
    desk: DeskRecords,
    gate: Gate,
    replay: Replay,
    local_access: bool,
    clock: Clock = utc_now,
) -> ASGIApp:
    """Make the console.

    Args:
        records: What is kept.
        actions: What operators do.
        desk: The desk's incidents and CIs.
        gate: Checks tokens.
        replay: Takes notifications out of quarantine.
        local_access: Whether requests made on this machine need no token (see ``access.why_not_local``).
        clock: The time.
    """
    access, render = Access(gate, local_access=local_access), Renderer(clock)
    api = Api(records=records, actions=actions, desk=desk, replay=replay, clock=clock)
    described = operations(api)
    routes = [
        *_page_routes(
            access,
            render,
            Pages(records=records, render=render),
            DeskPages(desk=desk, render=render),
            PageActions(records=records, actions=actions, desk=desk, replay=replay, clock=clock),
        ),
        Mount("/static", StaticFiles(packages=[("secure_export.console", "static")])),
        *(_api_route(access, operation) for operation in described),
        _description_route(access, described),
    ]

    def routing_trouble(request: Request, error: Exception) -> Response:
        trouble = trouble_of(request, error)
        is_api = request.scope["path"].startswith("/api/")
        return json_trouble(trouble) if is_api else render.trouble(request, trouble)

    return Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: routing_trouble},
    )


def _page_routes(
    access: Access, render: Renderer, pages: Pages, desk: DeskPages, actions: PageActions
) -> list[BaseRoute]:
    def look(path: str, handler: Handler) -> Route:
        return Route(path, guarded(access, Right.LOOK, handler, render.trouble), methods=["GET"])

    def act(path: str, handler: Handler) -> Route:
        return Route(path, guarded(access, Right.ACT, handler, render.trouble), methods=["POST"])

    return [
        look("/", pages.overview),
        look("/alerts", pages.alerts),
        look("/alerts/{id:path}", pages.alert),
        look("/work-items", pages.work_items),
        look("/work-items/{id}", pages.work_item),
        act("/work-items/{id}/retry", actions.retry_work_item),
        look("/lanes", pages.lanes),
        act("/lanes/{key:path}/retry", actions.retry_lane),
        look("/quarantine", pages.quarantine),
        look("/quarantine/{id}", pages.quarantined),
        act("/quarantine/{id}/replay", actions.replay),
        look("/desk/incidents", desk.incidents),
        look("/desk/incidents/{number}", desk.incident),
        *(act(f"/desk/incidents/{{number}}/{what}", actions.acting(what)) for what in FORMS),
        look("/cmdb", desk.cmdb),
        look("/cmdb/{id:path}", desk.ci),
    ]


def _api_route(access: Access, operation: Operation) -> Route:
    endpoint = guarded(access, operation.right, operation.handler, lambda _, trouble: json_trouble(trouble))
    return Route(API + operation.path, endpoint, methods=[operation.method])


def _description_route(access: Access, described: list[Operation]) -> Route:
    document = openapi(described)

    async def describe(_request: Request, _visitor: Visitor) -> Response:
        return json_answer(document)

    return Route(_DESCRIPTION, guarded(access, Right.LOOK, describe, lambda _, t: json_trouble(t)), methods=["GET"])
