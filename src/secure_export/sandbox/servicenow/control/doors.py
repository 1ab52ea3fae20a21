"""The routes under ``/control``: JSON in, JSON out, no sign-in; for this machine only."""

from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from secure_export.sandbox.from_here import is_from_here
from secure_export.sandbox.orders import BadOrderError
from secure_export.sandbox.servicenow.control.keys import KeyDoors
from secure_export.sandbox.servicenow.control.station import Station
from secure_export.sandbox.servicenow.control.trouble import TroubleDoors
from secure_export.sandbox.servicenow.control.world import WorldDoors
from secure_export.sandbox.servicenow.errors import SnowError

NOTICE: Final = "SANDBOX: a stand-in for ServiceNow. Anyone on this machine can do anything here; nothing is real."

Door = Callable[[Request, bytes], Any]


def control_routes(station: Station) -> list[Route]:
    """Give the routes under ``/control``."""
    doors = _doors(station)
    shown = sorted(f"{method} {path}" for path, methods in doors.items() for method in methods)
    overview: dict[str, Door] = {"GET": lambda _request, _body: _overview(station, shown)}
    return [
        _route(path, method, door)
        for path, methods in {"/control": overview, **doors}.items()
        for method, door in methods.items()
    ]


def _doors(station: Station) -> dict[str, dict[str, Door]]:
    trouble, world, keys = TroubleDoors(station), WorldDoors(station), KeyDoors(station)
    return {
        "/control/faults": {"GET": trouble.faults, "POST": trouble.set_fault, "DELETE": trouble.clear_faults},
        "/control/faults/{fault}": {"DELETE": trouble.clear_faults},
        "/control/limits": {"GET": trouble.limits, "POST": trouble.set_limits},
        "/control/clock": {"GET": trouble.clock, "POST": trouble.set_clock},
        "/control/counters": {"GET": trouble.counters, "DELETE": trouble.reset_counters},
        "/control/properties": {"GET": world.properties, "POST": world.set_property},
        "/control/choices": {"GET": world.choices, "POST": world.set_choice},
        "/control/acls": {"GET": world.acls, "POST": world.add_acl, "DELETE": world.remove_acl},
        "/control/columns": {"POST": world.set_column},
        "/control/columns/{table}/{column}": {"DELETE": world.remove_column},
        "/control/users": {"GET": world.users, "POST": world.set_user},
        "/control/unlock": {"POST": world.unlock},
        "/control/records/{table}": {"GET": world.records, "POST": world.insert},
        "/control/records/{table}/{sys_id}": {"GET": world.record, "PATCH": world.update, "DELETE": world.delete},
        "/control/snapshot": {"POST": world.copy},
        "/control/restore": {"POST": world.clone},
        "/control/jobs": {"POST": world.jobs},
        "/control/clients": {"GET": keys.clients, "POST": keys.set_client},
        "/control/tokens": {"GET": keys.tokens},
        "/control/tokens/revoke": {"POST": keys.revoke},
        "/control/api-keys": {"POST": keys.set_api_key},
        "/control/api-keys/policies": {"DELETE": keys.close_apis},
        "/control/oidc": {"POST": keys.set_provider},
        "/control/certificates": {"POST": keys.set_certificate},
        "/control/scopes": {"POST": keys.set_scopes},
        "/control/refusals": {"GET": keys.refusals},
    }


def _overview(station: Station, doors: list[str]) -> dict[str, Any]:
    instance = station.instance
    return {
        "notice": NOTICE,
        "url": instance.url,
        "now": instance.clock.now().isoformat(),
        "doors": doors,
        "faults": sum(1 for _ in station.faults),
        "requests": station.counters.total,
        "incidents": instance.tables.count("incident"),
    }


def _route(path: str, method: str, door: Door) -> Route:
    async def endpoint(request: Request) -> Response:
        if not is_from_here(request):
            return JSONResponse({"error": "Only this machine may use /control.", "notice": NOTICE}, status_code=403)
        try:
            return JSONResponse(door(request, await request.body()))
        except SnowError as refusal:
            return JSONResponse(refusal.as_json(), status_code=refusal.status)
        except (BadOrderError, LookupError) as problem:
            return JSONResponse({"error": str(problem), "notice": NOTICE}, status_code=400)

    return Route(path, endpoint, methods=[method])
