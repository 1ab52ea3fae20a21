"""Doors that the real ARM does not have: its settings, faults, roles, resources, and alerts to order."""

from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from starlette.routing import Route

from secure_export.sandbox.azure_monitor.arm.action_groups import as_group
from secure_export.sandbox.azure_monitor.arm.alerts_api import ALERTS
from secure_export.sandbox.azure_monitor.arm.firing import Firing
from secure_export.sandbox.azure_monitor.arm.rbac import ROLES, Grant
from secure_export.sandbox.azure_monitor.arm.seeding import put
from secure_export.sandbox.azure_monitor.arm.world import World
from secure_export.sandbox.azure_monitor.shapes import alert_row
from secure_export.sandbox.azure_monitor.station import Station
from secure_export.sandbox.control import clock_doors, control_routes, counter_doors, fault_doors, setting_doors
from secure_export.sandbox.control.orders import BadOrderError, plain, read
from secure_export.sandbox.rest_faults import Fault

NOTICE: Final = "SANDBOX: a stand-in for Azure Resource Manager. Anyone on this machine can do anything here."


@dataclass(frozen=True)
class _FireOrder:
    rule: str | None = None
    kind: str | None = None
    resource: str | None = None


@dataclass(frozen=True)
class _NumberOrder:
    number: int


@dataclass(frozen=True)
class _BanOrder:
    url: str = ""


@dataclass(frozen=True)
class _SubscriptionOrder:
    id: str
    name: str = "another"
    tenant: str | None = None


@dataclass(frozen=True)
class _GroupOrder:
    subscription: str
    name: str
    location: str = "westeurope"


@dataclass(frozen=True)
class _ProviderOrder:
    subscription: str
    namespace: str
    state: str = "NotRegistered"


@dataclass(frozen=True)
class _ResourceOrder:
    subscription: str
    group: str
    type: str
    name: str
    properties: dict[str, Any] = field(default_factory=dict)
    location: str = "global"


@dataclass(frozen=True)
class _StateOrder:
    alert: str
    state: str
    by: str = "ada@lindenhof-logistics.example"
    comments: str = ""


def arm_control_routes(world: World, station: Station) -> list[Route]:
    """Give the routes under ``/control/arm``."""
    doors = _Doors(world, station)
    return control_routes(
        "/control/arm",
        NOTICE,
        doors.overview,
        {
            **fault_doors(world.faults, Fault),
            **clock_doors(world.clock),
            **counter_doors(world.counters),
            **setting_doors("/behaviour", world.behaviour),
            "/grants": {"GET": doors.grants, "POST": doors.add_grant, "DELETE": doors.clear_grants},
            "/subscriptions": {"GET": doors.subscriptions, "POST": doors.add_subscription},
            "/groups": {"POST": doors.add_group},
            "/providers": {"POST": doors.set_provider},
            "/resources": {"GET": doors.resources, "POST": doors.put_resource},
            "/alerts": {"GET": doors.alerts, "DELETE": doors.clear_alerts},
            "/alerts/state": {"POST": doors.set_state},
            "/fire": {"POST": doors.fire},
            "/resolve": {"POST": doors.resolve},
            "/settled": {"POST": doors.settled},
            "/tokens": {"DELETE": doors.forget_tokens},
            "/bans": {"GET": doors.bans, "POST": doors.ban, "DELETE": doors.lift_bans},
        },
    )


class _Doors:
    """One method a door."""

    def __init__(self, world: World, station: Station) -> None:
        self._world = world
        self._station = station
        self._firing = Firing(world, station)

    def overview(self) -> dict[str, Any]:
        world = self._world
        return {
            "now": world.clock.now().isoformat(),
            "subscriptions": self.subscriptions(),
            "resource_groups": [row["id"] for row in world.groups.values()],
            "resources": [row["id"] for row in world.resources.values()],
            "alerts": sum(1 for _ in world.ledger.all()),
            "requests": world.counters.total,
        }

    def grants(self, *_: object) -> list[dict[str, Any]]:
        return [plain(one) for one in self._world.access.grants]

    def add_grant(self, _: Request, body: bytes) -> list[dict[str, Any]]:
        grant = read(body, Grant)
        if grant.role not in ROLES:
            raise BadOrderError(f"Unknown: {grant.role}. Known are: {', '.join(ROLES)}.")
        self._world.access.grants.append(grant)
        return self.grants()

    def clear_grants(self, request: Request, _: bytes) -> list[dict[str, Any]]:
        """Take away the roles of the principal that the query names, or all roles."""
        principal = request.query_params.get("principal")
        kept = [one for one in self._world.access.grants if principal not in (None, one.principal)]
        self._world.access.grants[:] = kept
        return self.grants()

    def subscriptions(self, *_: object) -> list[dict[str, Any]]:
        return [plain(one) for one in self._world.subscriptions.values()]

    def add_subscription(self, _: Request, body: bytes) -> dict[str, Any]:
        order = read(body, _SubscriptionOrder)
        added = self._world.add_subscription(order.id, order.name, order.tenant or self._world.estate.tenant)
        return dict(plain(added))

    def add_group(self, _: Request, body: bytes) -> dict[str, Any]:
        order = read(body, _GroupOrder)
        return self._world.add_group(order.subscription, order.name, order.location)

    def set_provider(self, _: Request, body: bytes) -> dict[str, Any]:
        order = read(body, _ProviderOrder)
        found = self._world.subscriptions.get(order.subscription.lower())
        if found is None:
            raise BadOrderError(f"There is no subscription {order.subscription!r}.")
        found.providers[order.namespace] = order.state
        return dict(found.providers)

    def resources(self, *_: object) -> list[dict[str, Any]]:
        return list(self._world.resources.values())

    def put_resource(self, _: Request, body: bytes) -> dict[str, Any]:
        """Put a resource there, past all checks; Azure Monitor hears of an action group."""
        order = read(body, _ResourceOrder)
        self._world.add_group(order.subscription, order.group)
        key = put(
            self._world, order.subscription, order.group, order.type, order.name, order.properties, order.location
        )
        row = self._world.resources[key.lower()]
        if order.type.lower() == "microsoft.insights/actiongroups" and "webhookReceivers" in order.properties:
            self._world.monitor.put_group(as_group(row))
        return row

    def alerts(self, *_: object) -> list[dict[str, Any]]:
        return [
            {"id": one.id, "guid": one.guid, "type": ALERTS, "essentials": one.shown_essentials()}
            for one in self._world.ledger.all()
        ]

    def clear_alerts(self, *_: object) -> dict[str, Any]:
        self._world.ledger.clear()
        return {"alerts": 0}

    def set_state(self, _: Request, body: bytes) -> dict[str, Any]:
        """Change an alert's state as a person does in the portal."""
        order = read(body, _StateOrder)
        alert = self._world.ledger.find(order.alert)
        if alert is None:
            raise BadOrderError(f"There is no alert {order.alert!r}.")
        self._world.ledger.change_state(alert, order.state, by=order.by, comments=order.comments)
        return {"id": alert.id, "essentials": alert.shown_essentials()}

    def fire(self, _: Request, body: bytes) -> dict[str, Any]:
        order = read(body, _FireOrder)
        return alert_row(self._firing.fire(order.rule, kind=order.kind, resource=order.resource))

    def resolve(self, _: Request, body: bytes) -> dict[str, Any]:
        return alert_row(self._station.resolve(read(body, _NumberOrder).number))

    async def settled(self, *_: object) -> dict[str, Any]:
        """Wait until every notification has ended."""
        await self._station.settled()
        return {"deliveries": len(self._world.monitor.deliveries)}

    def bans(self, *_: object) -> dict[str, float]:
        return self._world.monitor.bans.listed()

    def forget_tokens(self, *_: object) -> dict[str, Any]:
        """Let action groups ask for new tokens, which carry the roles of now."""
        self._world.monitor.forget_tokens()
        return {"tokens": 0}

    def ban(self, _: Request, body: bytes) -> dict[str, float]:
        """Call a webhook no more for fifteen minutes, as after an outage; without an address none of any group."""
        url, monitor = read(body, _BanOrder).url, self._world.monitor
        known = {one.service_uri for group in monitor.groups.values() for one in group.webhooks}
        for endpoint in {url} if url else known:
            monitor.bans.ban(endpoint)
        return self.bans()

    def lift_bans(self, *_: object) -> dict[str, float]:
        for endpoint in self._world.monitor.bans.listed():
            self._world.monitor.bans.lift(endpoint)
        return self._world.monitor.bans.listed()
