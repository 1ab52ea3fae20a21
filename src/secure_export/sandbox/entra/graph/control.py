"""Doors that the real Graph does not have: its settings, faults, and what every tenant's directory holds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.routing import Route

from secure_export.sandbox.control import control_routes, counter_doors, fault_doors, setting_doors
from secure_export.sandbox.control.orders import BadOrderError, plain, read
from secure_export.sandbox.entra.identities import ARM_APP_ID, PERMISSIONS, Identity, User
from secure_export.sandbox.rest_faults import Fault

if TYPE_CHECKING:
    from secure_export.sandbox.entra.entra import SandboxEntra

NOTICE: Final = "SANDBOX: a stand-in for Microsoft Graph. Anyone on this machine can do anything here; nothing is real."


@dataclass(frozen=True)
class _LagOrder:
    reads: int = 0
    seconds: float = 60.0
    share: float = 1.0


@dataclass(frozen=True)
class _TenantOrder:
    verified_domains: tuple[str, ...] | None = None
    uri_policy: bool | None = None


@dataclass(frozen=True)
class _WhoOrder:
    token: str


def graph_control_routes(entra: "SandboxEntra") -> list[Route]:
    """Give the routes under ``/control/graph``."""
    doors = _Doors(entra)
    return control_routes(
        "/control/graph",
        NOTICE,
        doors.overview,
        {
            **fault_doors(entra.graph.faults, Fault),
            **counter_doors(entra.graph.counters),
            "/lag": {"GET": doors.lag, "POST": doors.set_lag},
            **setting_doors("/limits", entra.graph.limits),
            "/identities": {"POST": doors.add_identity},
            "/users": {"POST": doors.add_user},
            "/who": {"POST": doors.who},
            "/tenants/{tenant}": {"GET": doors.tenant, "POST": doors.set_tenant, "DELETE": doors.reset},
            "/tenants/{tenant}/applications/{application}": {"GET": doors.application},
        },
    )


class _Doors:
    """One method a door."""

    def __init__(self, entra: "SandboxEntra") -> None:
        self._entra = entra
        self._graph = entra.graph

    def overview(self) -> dict[str, Any]:
        graph = self._graph
        return {
            "now": graph.clock.now().isoformat(),
            "graph_url": f"{self._entra.base_url}/graph",
            "identities": [plain(one) for one in graph.identities.values()],
            "users": [plain(one) for one in graph.users.values()],
            "tenants": list(graph.tenants),
            "lag": plain(graph.lag),
            "limits": plain(graph.limits),
            "requests": graph.counters.total,
        }

    def lag(self, *_: object) -> dict[str, Any]:
        return dict(plain(self._graph.lag))

    def set_lag(self, _: Request, body: bytes) -> dict[str, Any]:
        order, lag = read(body, _LagOrder), self._graph.lag
        lag.reads, lag.seconds, lag.share = order.reads, order.seconds, order.share
        return self.lag()

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
