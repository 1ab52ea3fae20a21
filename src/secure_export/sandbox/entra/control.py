"""What the real Entra ID does not have: doors that turn keys, mint any token, and cause trouble. Sandbox only."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from secure_export.sandbox.entra.directory import ClientApplication, ResourceApplication
from secure_export.sandbox.entra.entra import SandboxEntra
from secure_export.sandbox.entra.minting import Algorithm, KeyPart, Order
from secure_export.sandbox.entra.outage import ALL_DOORS, Door, Outage, OutageMode

NOTICE = "SANDBOX: a stand-in for Entra ID. Anyone can mint any token here; trust nothing it signs."


class _KeyOrder(msgspec.Struct, forbid_unknown_fields=True):
    tenant: str | None = None


class _TokenOrder(msgspec.Struct, forbid_unknown_fields=True):
    tenant: str | None = None
    client_id: str | None = None
    audience: str | None = None
    version: int | None = None
    roles: list[str] | None = None
    lifetime_seconds: int | None = None
    claims: dict[str, Any] = {}
    header: dict[str, Any] = {}
    key: KeyPart = "current"
    algorithm: Algorithm = "RS256"


class _OutageOrder(msgspec.Struct, forbid_unknown_fields=True):
    mode: OutageMode
    seconds: float = 30.0
    doors: frozenset[Door] = ALL_DOORS


class _ClientOrder(msgspec.Struct, forbid_unknown_fields=True):
    client_id: str
    secret: str
    name: str = ""
    shown_proof: str = "1"


class _ResourceOrder(msgspec.Struct, forbid_unknown_fields=True):
    client_id: str
    identifier_uris: tuple[str, ...] = ()
    token_version: int = 2
    roles: dict[str, tuple[str, ...]] = {}
    assignment_required: bool = False
    wants_idtyp: bool = False
    audience_is_guid: bool = False


def control_routes(entra: SandboxEntra) -> list[Route]:
    """Give the routes under ``/control``; those that change something take and give JSON."""
    control = _Control(entra)
    posts: dict[str, Callable[[bytes], Any]] = {
        "keys/rotate": control.rotate,
        "keys/emergency-roll": control.emergency_roll,
        "keys/own": control.own_keys,
        "tokens": control.token,
        "outage": control.outage,
        "clients": control.client,
        "resources": control.resource,
    }
    return [
        Route("/control", _get(control.state), methods=["GET"]),
        *(Route(f"/control/{path}", _post(change), methods=["POST"]) for path, change in posts.items()),
    ]


def _get(look: Callable[[], Any]) -> Callable[[Request], Any]:
    async def door(_: Request) -> Response:
        return JSONResponse(look())

    return door


def _post(change: Callable[[bytes], Any]) -> Callable[[Request], Any]:
    async def door(request: Request) -> Response:
        try:
            return JSONResponse(change(await request.body() or b"{}"))
        except (msgspec.DecodeError, LookupError) as problem:
            return JSONResponse({"error": str(problem), "notice": NOTICE}, status_code=400)

    return door


class _Control:
    """One method a door."""

    def __init__(self, entra: SandboxEntra) -> None:
        self._entra = entra

    def state(self) -> dict[str, Any]:
        directory = self._entra.directory
        return {
            "notice": NOTICE,
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

    def rotate(self, body: bytes) -> dict[str, str]:
        tenant = msgspec.json.decode(body, type=_KeyOrder).tenant
        self._entra.ring(tenant).rotate()
        return self._kids(tenant)

    def emergency_roll(self, body: bytes) -> dict[str, str]:
        tenant = msgspec.json.decode(body, type=_KeyOrder).tenant
        self._entra.ring(tenant).emergency_roll()
        return self._kids(tenant)

    def own_keys(self, body: bytes) -> dict[str, str]:
        tenant = msgspec.json.decode(body, type=_KeyOrder).tenant or self._entra.default_tenant
        self._entra.give_own_keys(tenant)
        return self._kids(tenant)

    def token(self, body: bytes) -> dict[str, str]:
        wanted = msgspec.json.decode(body, type=_TokenOrder)
        order = Order(
            tenant=wanted.tenant,
            client_id=wanted.client_id,
            audience=wanted.audience,
            version=wanted.version,
            roles=None if wanted.roles is None else tuple(wanted.roles),
            lifetime=None if wanted.lifetime_seconds is None else timedelta(seconds=wanted.lifetime_seconds),
            claims=wanted.claims,
            header=wanted.header,
            key=wanted.key,
            algorithm=wanted.algorithm,
        )
        return {"access_token": self._entra.mint(order), "notice": NOTICE}

    def outage(self, body: bytes) -> dict[str, str]:
        wanted = msgspec.json.decode(body, type=_OutageOrder)
        self._entra.outage = Outage(wanted.mode, wanted.seconds, wanted.doors)
        return {"mode": wanted.mode}

    def client(self, body: bytes) -> dict[str, str]:
        wanted = msgspec.json.decode(body, type=_ClientOrder)
        self._entra.directory.register_client(ClientApplication(**msgspec.structs.asdict(wanted)))
        return {"registered": wanted.client_id}

    def resource(self, body: bytes) -> dict[str, str]:
        wanted = msgspec.json.decode(body, type=_ResourceOrder)
        self._entra.directory.register_resource(ResourceApplication(**msgspec.structs.asdict(wanted)))
        return {"registered": wanted.client_id}

    def _kids(self, tenant: str | None) -> dict[str, str]:
        ring = self._entra.ring(tenant)
        kids = {"current": ring.current.kid, "next": ring.next.kid}
        return kids if ring.previous is None else {**kids, "previous": ring.previous.kid}
