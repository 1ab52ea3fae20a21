"""The stand-in's HTTP doors, those that Entra has too."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from secure_export.sandbox.entra import token_endpoint
from secure_export.sandbox.entra.control import entra_control_routes
from secure_export.sandbox.entra.entra import SandboxEntra
from secure_export.sandbox.entra.errors import EntraError
from secure_export.sandbox.entra.graph.api import GraphApi
from secure_export.sandbox.entra.graph.control import graph_control_routes
from secure_export.sandbox.entra.identities import GRAPH_APP_ID
from secure_export.sandbox.entra.outage import Door, OutageMode
from secure_export.sandbox.rest_door import Door as RestDoor

_NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
_DAY = {"Cache-Control": "max-age=86400, private"}


def entra_app(entra: SandboxEntra) -> Starlette:
    """Give the ASGI application of a stand-in; Graph, in life another host, is below ``/graph``."""
    doors = _Doors(entra)
    graph = GraphApi(entra.graph, lambda token: entra.checked(token, GRAPH_APP_ID))
    return Starlette(
        routes=[
            *entra_control_routes(entra),
            *graph_control_routes(entra),
            Mount("/graph", RestDoor(graph)),
            Route("/{tenant}/.well-known/openid-configuration", doors.configuration_1),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", doors.configuration_2),
            Route("/{tenant}/discovery/keys", doors.keys_1),
            Route("/{tenant}/discovery/v2.0/keys", doors.keys_2),
            Route("/{tenant}/oauth2/token", doors.token_1, methods=["POST"]),
            Route("/{tenant}/oauth2/v2.0/token", doors.token_2, methods=["POST"]),
        ],
    )


class _Doors:
    """One method a door and version."""

    def __init__(self, entra: SandboxEntra) -> None:
        self._entra = entra

    async def configuration_1(self, request: Request) -> Response:
        return await self._document(request, Door.METADATA, lambda tenant: self._entra.configuration(tenant, 1))

    async def configuration_2(self, request: Request) -> Response:
        return await self._document(request, Door.METADATA, lambda tenant: self._entra.configuration(tenant, 2))

    async def keys_1(self, request: Request) -> Response:
        return await self._document(request, Door.KEYS, lambda tenant: self._entra.keys(tenant, 1))

    async def keys_2(self, request: Request) -> Response:
        return await self._document(request, Door.KEYS, lambda tenant: self._entra.keys(tenant, 2))

    async def token_1(self, request: Request) -> Response:
        return await self._token(request, 1)

    async def token_2(self, request: Request) -> Response:
        return await self._token(request, 2)

    async def _document(self, request: Request, door: Door, make: Callable[[str], dict[str, Any]]) -> Response:
        if (trouble := await self._trouble(request, door)) is not None:
            return trouble
        try:
            return JSONResponse(make(request.path_params["tenant"]), headers=_DAY)
        except EntraError as refusal:
            return self._refused(refusal)

    async def _token(self, request: Request, version: int) -> Response:
        if (trouble := await self._trouble(request, Door.TOKEN)) is not None:
            return trouble
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        authorization = request.headers.get("authorization", "")
        try:
            body = token_endpoint.answer(self._entra, request.path_params["tenant"], version, form, authorization)
        except EntraError as refusal:
            return self._refused(refusal)
        return JSONResponse(body, headers=_NO_STORE)

    async def _trouble(self, request: Request, door: Door) -> Response | None:
        """Count the request and misbehave if told to; None: go on as usual."""
        if not self._entra.base_url:
            self._entra.base_url = str(request.base_url).rstrip("/")
        self._entra.requests[request.url.path] += 1
        match self._entra.outage.of(door):
            case OutageMode.ERROR:
                return PlainTextResponse("The service is unavailable.", status_code=500)
            case OutageMode.GARBAGE:
                return PlainTextResponse('{"keys": [{"kty": "RSA", "n": <html>', media_type="application/json")
            case OutageMode.EMPTY:
                return JSONResponse({})
            case OutageMode.SLOW:
                await asyncio.sleep(self._entra.outage.seconds)
        return None

    def _refused(self, refusal: EntraError) -> Response:
        return JSONResponse(refusal.as_json(self._entra.now()), status_code=refusal.status, headers=_NO_STORE)
