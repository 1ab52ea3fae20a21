"""Doors that the real Graph does not have: its settings, faults, and what every tenant's directory holds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from secure_export.sandbox.entra.identities import ARM_APP_ID, PERMISSIONS, Identity, User
from secure_export.sandbox.from_here import is_from_here
from secure_export.sandbox.orders import BadOrderError, plain, read
from secure_export.sandbox.rest_faults import Fault

if TYPE_CHECKING:
    from secure_export.sandbox.entra.entra import SandboxEntra

NOTICE: Final = "SANDBOX: a stand-in for Microsoft Graph. Anyone on this machine can do anything here; nothing is real."
Door = Callable[[Request, bytes], Any]


@dataclass(frozen=True)
class _ClockOrder:
    advance_seconds: float = 0.0
    frozen: bool | None = None


@dataclass(frozen=True)
class _LagOrder:
    reads: int = 0
    seconds: float = 60.0
    share: float = 1.0


@dataclass(frozen=True)
class _LimitsOrder:
    requests: int | None = None
    writes: int | None = None
    page_size: int | None = None


@dataclass(frozen=True)
class _TenantOrder:
    verified_domains: tuple[str, ...] | None = None
    uri_policy: bool | None = None


@dataclass(frozen=True)
class _WhoOrder:
    token: str


def graph_control_routes(entra: "SandboxEntra") -> list[Route]:
    """Give the routes under ``/control/graph``, and ``/control/clock``."""
    doors = _Doors(entra)
    table: dict[str, dict[str, Door]] = {
        "/control/clock": {"GET": doors.clock, "POST": doors.set_clock},
        "/control/graph": {"GET": doors.overview},
        "/control/graph/faults": {"GET": doors.faults, "POST": doors.set_fault, "DELETE": doors.clear_faults},
        "/control/graph/faults/{fault}": {"DELETE": doors.clear_faults},
        "/control/graph/lag": {"GET": doors.lag, "POST": doors.set_lag},
        "/control/graph/limits": {"GET": doors.limits, "POST": doors.set_limits},
        "/control/graph/counters": {"GET": doors.counters, "DELETE": doors.reset_counters},
        "/control/graph/identities": {"POST": doors.add_identity},
        "/control/graph/users": {"POST": doors.add_user},
        "/control/graph/who": {"POST": doors.who},
        "/control/graph/tenants/{tenant}": {"GET": doors.tenant, "POST": doors.set_tenant, "DELETE": doors.reset},
        "/control/graph/tenants/{tenant}/applications/{application}": {"GET": doors.application},
    }
    return [_route(path, method, door) for path, methods in table.items() for method, door in methods.items()]


def _route(path: str, method: str, door: Door) -> Route:
    async def endpoint(request: Request) -> Response:
        if not is_from_here(request):
            return JSONResponse({"error": "Only this machine may use /control.", "notice": NOTICE}, status_code=403)
        try:
            return JSONResponse(door(request, await request.body()))
        except (BadOrderError, LookupError) as problem:
            return JSONResponse({"error": str(problem), "notice": NOTICE}, status_code=400)

    return Route(path, endpoint, methods=[method])


class _Doors:
    """One method a door."""

    def __init__(self, entra: "SandboxEntra") -> None:
        self._entra = entra
        self._graph = entra.graph

    def overview(self, *_: object) -> dict[str, Any]:
        graph = self._graph
        return {
            "notice": NOTICE,
            "now": graph.clock.now().isoformat(),
            "graph_url": f"{self._entra.base_url}/graph",
            "identities": [plain(one) for one in graph.identities.values()],
            "users": [plain(one) for one in graph.users.values()],
            "tenants": list(graph.tenants),
            "lag": plain(graph.lag),
            "limits": plain(graph.limits),
            "requests": graph.counters.total,
        }

    def clock(self, *_: object) -> dict[str, Any]:
        clock = self._entra.clock
        return {"now": clock.now().isoformat(), "ahead_seconds": clock.shift.total_seconds()}

    def set_clock(self, _: Request, body: bytes) -> dict[str, Any]:
        order, clock = read(body, _ClockOrder), self._entra.clock
        clock.move(timedelta(seconds=order.advance_seconds))
        if order.frozen is not None:
            (clock.freeze if order.frozen else clock.run)()
        return self.clock()

    def faults(self, *_: object) -> list[dict[str, Any]]:
        faults = self._graph.faults
        return [{**plain(one), "met": faults.met(one.id)} for one in faults]

    def set_fault(self, _: Request, body: bytes) -> dict[str, Any]:
        return dict(plain(self._graph.faults.set(read(body, Fault))))

    def clear_faults(self, request: Request, _: bytes) -> dict[str, int]:
        return {"cleared": self._graph.faults.clear(request.path_params.get("fault"))}

    def lag(self, *_: object) -> dict[str, Any]:
        return dict(plain(self._graph.lag))

    def set_lag(self, _: Request, body: bytes) -> dict[str, Any]:
        order, lag = read(body, _LagOrder), self._graph.lag
        lag.reads, lag.seconds, lag.share = order.reads, order.seconds, order.share
        return self.lag()

    def limits(self, *_: object) -> dict[str, Any]:
        return dict(plain(self._graph.limits))

    def set_limits(self, _: Request, body: bytes) -> dict[str, Any]:
        order, limits = read(body, _LimitsOrder), self._graph.limits
        for name in ("requests", "writes", "page_size"):
            if (value := getattr(order, name)) is not None:
                setattr(limits, name, value)
        return self.limits()

    def counters(self, *_: object) -> dict[str, Any]:
        return self._graph.counters.as_json()

    def reset_counters(self, *_: object) -> dict[str, Any]:
        self._graph.counters.reset()
        return self._graph.counters.as_json()

    def add_identity(self, _: Request, body: bytes) -> dict[str, Any]:
        identity = read(body, Identity)
        if unknown := [one for one in identity.permissions if one not in PERMISSIONS]:
            raise BadOrderError(f"Unknown: {', '.join(unknown)}. Known are: {', '.join(PERMISSIONS)}.")
        self._graph.add_identity(identity)
        return {"added": identity.client_id}

    def add_user(self, _: Request, body: bytes) -> dict[str, Any]:
        user = read(body, User)
        self._graph.add_user(user)
        return {"added": user.upn}

    def who(self, _: Request, body: bytes) -> dict[str, Any]:
        """Say what a token for ARM claims: how a stand-in for ARM in another process checks it."""
        return {"claims": self._entra.checked(read(body, _WhoOrder).token, ARM_APP_ID)}

    def tenant(self, request: Request, _: bytes) -> dict[str, Any]:
        return self._graph.tenant(request.path_params["tenant"]).as_json()

    def set_tenant(self, request: Request, body: bytes) -> dict[str, Any]:
        order, tenant = read(body, _TenantOrder), self._graph.tenant(request.path_params["tenant"])
        if order.verified_domains is not None:
            tenant.verified_domains = order.verified_domains
        if order.uri_policy is not None:
            tenant.uri_policy = order.uri_policy
        return {"verified_domains": list(tenant.verified_domains), "uri_policy": tenant.uri_policy}

    def reset(self, request: Request, _: bytes) -> dict[str, Any]:
        return self._graph.reset(request.path_params["tenant"]).as_json()

    def application(self, request: Request, _: bytes) -> dict[str, Any]:
        """Tell who owns an application, as ARM's replica sees it: how it checks who may name it in a webhook."""
        tenant, key = self._graph.tenant(request.path_params["tenant"]), request.path_params["application"].lower()
        row = tenant.applications.seen(key)
        if row is None:
            return {"application": None}
        owners = list(tenant.owners.seen(key) or ())
        return {"application": {"appId": row["appId"], "identifierUris": row["identifierUris"], "owners": owners}}
