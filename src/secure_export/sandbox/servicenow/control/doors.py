"""The doors of the control API: faults, limits, the clock, the instance itself, and who may come in."""

from typing import Any, Final

from starlette.routing import Route

from secure_export.sandbox.control import Doors, clock_doors, control_routes, counter_doors, fault_doors
from secure_export.sandbox.servicenow.control.keys import KeyDoors
from secure_export.sandbox.servicenow.control.limits import limit_doors
from secure_export.sandbox.servicenow.control.world import WorldDoors
from secure_export.sandbox.servicenow.faults import Fault
from secure_export.sandbox.servicenow.station import Station

NOTICE: Final = "SANDBOX: a stand-in for ServiceNow. Anyone on this machine can do anything here; nothing is real."


def routes(station: Station) -> list[Route]:
    """Give the routes under ``/control``."""
    world, keys = WorldDoors(station), KeyDoors(station)
    doors: Doors = {
        **fault_doors(station.faults, Fault),
        **limit_doors(station.limits),
        **clock_doors(station.instance.clock),
        **counter_doors(station.counters, station.limits.semaphore),
        "/properties": {"GET": world.properties, "POST": world.set_property},
        "/choices": {"GET": world.choices, "POST": world.set_choice},
        "/acls": {"GET": world.acls, "POST": world.add_acl, "DELETE": world.remove_acl},
        "/columns": {"POST": world.set_column},
        "/columns/{table}/{column}": {"DELETE": world.remove_column},
        "/users": {"GET": world.users, "POST": world.set_user},
        "/unlock": {"POST": world.unlock},
        "/records/{table}": {"GET": world.records, "POST": world.insert},
        "/records/{table}/{sys_id}": {"GET": world.record, "PATCH": world.update, "DELETE": world.delete},
        "/snapshot": {"POST": world.copy},
        "/restore": {"POST": world.clone},
        "/jobs": {"POST": world.jobs},
        "/clients": {"GET": keys.clients, "POST": keys.set_client},
        "/tokens": {"GET": keys.tokens},
        "/tokens/revoke": {"POST": keys.revoke},
        "/api-keys": {"POST": keys.set_api_key},
        "/api-keys/policies": {"DELETE": keys.close_apis},
        "/oidc": {"POST": keys.set_provider},
        "/certificates": {"POST": keys.set_certificate},
        "/scopes": {"POST": keys.set_scopes},
        "/refusals": {"GET": keys.refusals},
    }

    def overview() -> dict[str, Any]:
        return {
            "url": station.instance.url,
            "now": station.instance.clock.now().isoformat(),
            "faults": sum(1 for _ in station.faults),
            "requests": station.counters.total,
            "incidents": station.instance.tables.count("incident"),
        }

    return control_routes("/control", NOTICE, overview, doors)
