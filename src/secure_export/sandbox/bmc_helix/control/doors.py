"""The routes under ``/control``: JSON in, JSON out, no sign-in; for this machine only."""

from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from secure_export.sandbox.bmc_helix.control.station import Station
from secure_export.sandbox.bmc_helix.control.trouble import TroubleDoors
from secure_export.sandbox.bmc_helix.control.world import WorldDoors
from secure_export.sandbox.bmc_helix.errors import ArError
from secure_export.sandbox.bmc_helix.forms.incident import BASE
from secure_export.sandbox.from_here import is_from_here
from secure_export.sandbox.orders import BadOrderError

NOTICE: Final = "SANDBOX: a stand-in for BMC Helix. Anyone on this machine can do anything here; nothing is real."

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
    trouble, world = TroubleDoors(station), WorldDoors(station)
    return {
        "/control/faults": {"GET": trouble.faults, "POST": trouble.set_fault, "DELETE": trouble.clear_faults},
        "/control/faults/{fault}": {"DELETE": trouble.clear_faults},
        "/control/limits": {"GET": trouble.limits, "POST": trouble.set_limits},
        "/control/clock": {"GET": trouble.clock, "POST": trouble.set_clock},
        "/control/counters": {"GET": trouble.counters, "DELETE": trouble.reset_counters},
        "/control/tokens": {"GET": trouble.tokens},
        "/control/tokens/revoke": {"POST": trouble.revoke},
        "/control/site": {"GET": world.site, "POST": world.set_site},
        "/control/fields": {"POST": world.set_field},
        "/control/reasons": {"GET": world.reasons, "POST": world.set_reasons},
        "/control/accounts": {"GET": world.accounts, "POST": world.set_account},
        "/control/people": {"POST": world.add_person},
        "/control/groups": {"POST": world.add_group},
        "/control/companies": {"POST": world.add_company},
        "/control/cis": {"GET": world.cis, "POST": world.add_ci},
        "/control/cis/{identity}": {"DELETE": world.retire_ci},
        "/control/incidents": {"GET": world.incidents, "POST": world.open_incident},
        "/control/incidents/{number}": {"GET": world.incident, "DELETE": world.delete_incident},
        "/control/incidents/{number}/{act}": {"POST": world.act},
        "/control/copy": {"POST": world.copy},
        "/control/restore": {"POST": world.restore},
        "/control/jobs": {"POST": world.jobs},
    }


def _overview(station: Station, doors: list[str]) -> dict[str, Any]:
    server = station.server
    return {
        "notice": NOTICE,
        "now": server.clock.now().isoformat(),
        "doors": doors,
        "faults": sum(1 for _ in station.faults),
        "requests": station.counters.total,
        "incidents": server.entries.count(BASE),
    }


def _route(path: str, method: str, door: Door) -> Route:
    async def endpoint(request: Request) -> Response:
        if not is_from_here(request):
            return JSONResponse({"error": "Only this machine may use /control.", "notice": NOTICE}, status_code=403)
        try:
            return JSONResponse(door(request, await request.body()))
        except ArError as refusal:
            return JSONResponse(refusal.as_json(), status_code=refusal.status)
        except (BadOrderError, LookupError) as problem:
            return JSONResponse({"error": str(problem), "notice": NOTICE}, status_code=400)

    return Route(path, endpoint, methods=[method])
