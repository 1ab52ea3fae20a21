"""What the real Entra ID does not have: doors that turn keys, mint any token, and cause trouble. Sandbox only."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from secure_export.sandbox.control import Doors, clock_doors, control_routes
from secure_export.sandbox.control.orders import read
from secure_export.sandbox.entra.directory import ClientApplication, ResourceApplication
from secure_export.sandbox.entra.entra import SandboxEntra
from secure_export.sandbox.entra.minting import Order
from secure_export.sandbox.entra.outage import ALL_DOORS, Door, Outage, OutageMode

NOTICE = "SANDBOX: a stand-in for Entra ID. Anyone can mint any token here; trust nothing it signs."


@dataclass(frozen=True)
class _KeyOrder:
    tenant: str | None = None


@dataclass(frozen=True, kw_only=True)
class _TokenOrder(Order):
    lifetime_seconds: int | None = None


@dataclass(frozen=True)
class _OutageOrder:
    mode: OutageMode
    seconds: float = 30.0
    doors: frozenset[Door] = ALL_DOORS


def entra_control_routes(entra: SandboxEntra) -> list[Route]:
    """Give the routes under ``/control``, Graph's left out."""
    control = _Control(entra)
    doors: Doors = {
        **clock_doors(entra.clock),
        "/keys/rotate": {"POST": control.rotate},
        "/keys/emergency-roll": {"POST": control.emergency_roll},
        "/keys/own": {"POST": control.own_keys},
        "/tokens": {"POST": control.token},
        "/outage": {"POST": control.outage},
        "/clients": {"POST": control.client},
        "/resources": {"POST": control.resource},
    }
    return control_routes("/control", NOTICE, control.state, doors)


class _Control:
    """One method a door."""

    def __init__(self, entra: SandboxEntra) -> None:
        self._entra = entra

    def state(self) -> dict[str, Any]:
        directory = self._entra.directory
        return {
            "base_url": self._entra.base_url,
            "default_tenant": self._entra.default_tenant,
            "tenants": "any" if directory.tenants is None else sorted(directory.tenants),
            "clients": [
                {"client_id": one.client_id, "name": one.name, "secret": one.secret}
                for one in directory.clients.values()
            ],
            "resources": [
                {
                    "client_id": one.client_id,
                    "identifier_uris": list(one.identifier_uris),
                    "token_version": one.token_version,
                    "roles": {client: list(roles) for client, roles in one.roles.items()},
                }
                for one in directory.resources.values()
            ],
            "keys": self._kids(None),
            "outage": {"mode": self._entra.outage.mode, "doors": sorted(self._entra.outage.doors)},
            "requests": dict(self._entra.requests),
        }

    def rotate(self, _: Request, body: bytes) -> dict[str, str]:
        tenant = read(body, _KeyOrder).tenant
        self._entra.ring(tenant).rotate()
        return self._kids(tenant)

    def emergency_roll(self, _: Request, body: bytes) -> dict[str, str]:
        tenant = read(body, _KeyOrder).tenant
        self._entra.ring(tenant).emergency_roll()
        return self._kids(tenant)

    def own_keys(self, _: Request, body: bytes) -> dict[str, str]:
        tenant = read(body, _KeyOrder).tenant or self._entra.default_tenant
        self._entra.give_own_keys(tenant)
        return self._kids(tenant)

    def token(self, _: Request, body: bytes) -> dict[str, str]:
        order = read(body, _TokenOrder)
        if order.lifetime_seconds is not None:
            order = replace(order, lifetime=timedelta(seconds=order.lifetime_seconds))
        return {"access_token": self._entra.mint(order), "notice": NOTICE}

    def outage(self, _: Request, body: bytes) -> dict[str, str]:
        wanted = read(body, _OutageOrder)
        self._entra.outage = Outage(wanted.mode, wanted.seconds, wanted.doors)
        return {"mode": wanted.mode}

    def client(self, _: Request, body: bytes) -> dict[str, str]:
        client = read(body, ClientApplication)
        self._entra.directory.register_client(client)
        return {"registered": client.client_id}

    def resource(self, _: Request, body: bytes) -> dict[str, str]:
        resource = read(body, ResourceApplication)
        self._entra.directory.register_resource(resource)
        return {"registered": resource.client_id}

    def _kids(self, tenant: str | None) -> dict[str, str]:
        ring = self._entra.ring(tenant)
        kids = {"current": ring.current.kid, "next": ring.next.kid}
        return kids if ring.previous is None else {**kids, "previous": ring.previous.kid}
