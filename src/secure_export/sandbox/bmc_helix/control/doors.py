"""The doors of the control API: faults, limits, the clock, who is signed in, and the server itself."""

from typing import Any, Final

from starlette.routing import Route

from secure_export.sandbox.bmc_helix.control.tokens import token_doors
from secure_export.sandbox.bmc_helix.control.world import WorldDoors
from secure_export.sandbox.bmc_helix.faults import Fault
from secure_export.sandbox.bmc_helix.forms.incident import BASE
from secure_export.sandbox.bmc_helix.station import Station
from secure_export.sandbox.control import (
    Doors,
    clock_doors,
    control_routes,
    counter_doors,
    fault_doors,
    setting_doors,
    turn_doors,
)

NOTICE: Final = "SANDBOX: a stand-in for BMC Helix. Anyone on this machine can do anything here; nothing is real."


def routes(station: Station) -> list[Route]:
    """Give the routes under ``/control``."""
    world = WorldDoors(station)
    doors: Doors = {
        **fault_doors(station.faults, Fault),
        **turn_doors(station.turns),
        **clock_doors(station.server.clock),
        **counter_doors(station.counters, station.turns),
        **token_doors(station.tokens),
        **setting_doors("/site", station.server.site),
        "/fields": {"POST": world.set_field},
        "/reasons": {"GET": world.reasons, "POST": world.set_reasons},
        "/accounts": {"GET": world.accounts, "POST": world.set_account},
        "/people": {"POST": world.add_person},
        "/groups": {"POST": world.add_group},
        "/companies": {"POST": world.add_company},
        "/cis": {"GET": world.cis, "POST": world.add_ci},
        "/cis/{identity}": {"DELETE": world.retire_ci},
        "/incidents": {"GET": world.incidents, "POST": world.open_incident},
        "/incidents/{number}": {"GET": world.incident, "DELETE": world.delete_incident},
        "/incidents/{number}/{act}": {"POST": world.act},
        "/copy": {"POST": world.copy},
        "/restore": {"POST": world.restore},
        "/jobs": {"POST": world.jobs},
    }

    def overview() -> dict[str, Any]:
        return {
            "now": station.server.clock.now().isoformat(),
            "faults": sum(1 for _ in station.faults),
            "requests": station.counters.total,
            "incidents": station.server.entries.count(BASE),
        }

    return control_routes("/control", NOTICE, overview, doors)
