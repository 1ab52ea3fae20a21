"""The whole stand-in as one ASGI application: the APIs behind the doors, the token endpoint, the page, the control."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from secure_export.sandbox.counters import Counters
from secure_export.sandbox.servicenow import (
    attachment_api,
    batch_api,
    change_api,
    cmdb_instance_api,
    cmdb_meta_api,
    control,
    event_api,
    import_api,
    reconcile_api,
    stats_api,
    table_api,
    tinyurl_api,
)
from secure_export.sandbox.servicenow.door import Door
from secure_export.sandbox.servicenow.errors import SnowError, no_resource
from secure_export.sandbox.servicenow.faults import Faults
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.limits import Limits
from secure_export.sandbox.servicenow.misbehaviour import watch
from secure_export.sandbox.servicenow.oauth import BODY_ONLY_PROPERTY, TokenRefusedError
from secure_export.sandbox.servicenow.page import page_routes
from secure_export.sandbox.servicenow.sign_in.door import SignIn
from secure_export.sandbox.servicenow.station import Station
from secure_export.sandbox.wire import Receive, Scope, Send

TOKEN_PATH: Final = "/oauth_token.do"  # noqa: S105 - a path
_APIS: Final = (
    table_api,
    stats_api,
    batch_api,
    import_api,
    attachment_api,
    tinyurl_api,
    change_api,
    cmdb_instance_api,
    cmdb_meta_api,
    reconcile_api,
    event_api,
)
_FORM: Final = "application/x-www-form-urlencoded"
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_UNSET_URL: Final = "https://localhost"


class ServiceNowApp:
    """A stand-in for a ServiceNow instance, as an ASGI application.

    Args:
        instance: The instance; ``url`` is set by the first request if nobody set it before.

    Attributes:
        instance: The instance: rows, clock, properties, access rules.
        sign_in: Who may come in, and how: passwords, OAuth, API keys, OIDC providers, certificates.
        faults: The faults that are set.
        limits: What is taken at most.
        counters: What was asked.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.sign_in = SignIn(instance)
        self.faults = Faults()
        self.limits = Limits(instance)
        self.counters = Counters()
        watch(instance)
        api_routes = [*_api_routes(instance), *_token_routes(self.sign_in, instance)]
        station = Station(instance, self.sign_in, self.faults, self.limits, self.counters)
        self._own_routes = [*control.routes(station), *page_routes(instance)]
        self._api_routes = api_routes
        self._own = Starlette(routes=self._own_routes)
        self._door = Door(station, _api(api_routes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self.instance.url == _UNSET_URL:
            self.instance.url = str(Request(scope).base_url).rstrip("/")
        app = self._own if self._is_own(scope) else self._door
        await app(scope, receive, send)

    def _is_own(self, scope: Scope) -> bool:
        """Say whether a request is for the page or the control API, which no fault and no sign-in stands before."""
        path: str = scope["path"]
        if path.startswith("/api/") or any(route.matches(scope)[0] is Match.FULL for route in self._api_routes):
            return False
        return any(route.matches(scope)[0] is not Match.NONE for route in self._own_routes)


def servicenow_app(instance: Instance | None = None) -> ServiceNowApp:
    """Give the ASGI application of a stand-in; a new instance with the demo data if none is given."""
    return ServiceNowApp(instance or Instance())


def _api_routes(instance: Instance) -> list[Route]:
    return [route for module in _APIS for route in module.routes(instance)]


def _api(routes: Iterable[Route]) -> Starlette:
    return Starlette(routes=list(routes), exception_handlers={SnowError: _refused, HTTPException: _not_served})


def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, SnowError)  # noqa: S101 - it is registered for these
    return JSONResponse(refusal.as_json(), refusal.status)


def _not_served(request: Request, problem: Exception) -> Response:
    """Answer a path or method that no API has, in the envelope."""
    assert isinstance(problem, HTTPException)  # noqa: S101 - it is registered for these
    refusal = no_resource(request.url.path)
    if problem.status_code == 405:  # noqa: PLR2004 - HTTP's own number
        refusal = SnowError(405, "Method not supported", f"{request.method} is not supported by {request.url.path}")
    return JSONResponse(refusal.as_json(), refusal.status, headers=problem.headers)


def _token_routes(sign_in: SignIn, instance: Instance) -> list[Route]:
    async def token(request: Request) -> Response:
        form = await _form(request, body_only=instance.properties.flag(BODY_ONLY_PROPERTY, default=True))
        order = sign_in.token_order(form, request.headers.get("authorization", ""))
        try:
            return JSONResponse(sign_in.oauth.answer(order, f"{instance.url}{TOKEN_PATH}"), headers=_NO_STORE)
        except TokenRefusedError as refusal:
            return JSONResponse(refusal.as_json(), 401, headers=_NO_STORE)

    return [Route(TOKEN_PATH, token, methods=["POST"])]


async def _form(request: Request, *, body_only: bool) -> dict[str, str]:
    """Read what a token is asked for with; JSON is not understood, and counts as nothing."""
    form = {} if body_only else dict(request.query_params)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
        form |= dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
    return form
