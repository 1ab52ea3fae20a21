"""The HTTP doors of the standing stand-in: a page to read, and a control API. Sandbox only."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from secure_export.sandbox.azure_monitor import catalogue
from secure_export.sandbox.azure_monitor.action_group import ActionGroup
from secure_export.sandbox.azure_monitor.arm.api import ArmApi
from secure_export.sandbox.azure_monitor.arm.control import arm_control_routes
from secure_export.sandbox.azure_monitor.arm.world import World
from secure_export.sandbox.azure_monitor.page import page
from secure_export.sandbox.azure_monitor.scenario import MAIN_GROUP
from secure_export.sandbox.azure_monitor.shapes import alert_row, delivery_row
from secure_export.sandbox.azure_monitor.station import Station
from secure_export.sandbox.control import Doors, control_routes
from secure_export.sandbox.control.orders import read
from secure_export.sandbox.rest_door import Door

NOTICE = "SANDBOX: a stand-in for Azure Monitor. Nothing here happens in Azure."


@dataclass(frozen=True)
class _FireOrder:
    kind: str
    groups: tuple[str, ...] = (MAIN_GROUP,)
    rule: str | None = None
    resource: str | None = None
    ends_first: bool = False


@dataclass(frozen=True)
class _ResolveOrder:
    number: int


@dataclass(frozen=True)
class _RoundOrder:
    seed: int | None = None
    pause: float = 0.0


@dataclass(frozen=True)
class _AuthorityOrder:
    authority: str
    client_id: str | None = None
    client_secret: str | None = None


def azure_monitor_app(station: Station, world: World | None = None) -> Starlette:
    """Give the ASGI application of a station.

    Args:
        station: It.
        world: The state of ARM, which, in life another host, is below ``/arm``; None: there is no ARM.
    """
    control = _Control(station)
    doors: Doors = {
        "/kinds": {"GET": lambda *_: catalogue.kinds()},
        "/estate": {"GET": lambda *_: station.estate.resource_graph_export()},
        "/alerts": {"GET": control.alerts},
        "/deliveries": {"GET": control.deliveries},
        "/action-groups": {"GET": control.groups, "POST": control.put_group},
        "/fire": {"POST": control.fire},
        "/resolve": {"POST": control.resolve},
        "/round": {"POST": control.start_round},
        "/authority": {"POST": control.set_authority},
    }
    return Starlette(
        routes=[
            Route("/", _page(station)),
            *(_arm_routes(station, world) if world is not None else ()),
            *control_routes("/control", NOTICE, control.state, doors, posted=202),
        ]
    )


def _arm_routes(station: Station, world: World) -> list[BaseRoute]:
    arm = Door(ArmApi(world, station.run_in_background))
    return [*arm_control_routes(world, station), Mount("/arm", arm)]


def _page(station: Station) -> Callable[[Request], Any]:
    async def door(_: Request) -> Response:
        return HTMLResponse(
            page(station), headers={"Content-Security-Policy": "default-src 'self'; style-src 'unsafe-inline'"}
        )

    return door


class _Control:
    """One method a door."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def state(self) -> dict[str, Any]:
        monitor = self._station.monitor
        return {
            "authority": monitor.authority,
            "action_groups": list(monitor.groups),
            "banned": monitor.bans.listed(),
            "deliveries": len(monitor.deliveries),
            "subscriptions": list(self._station.estate.subscriptions),
        }

    def alerts(self, *_: object) -> list[dict[str, Any]]:
        return [alert_row(one) for one in self._station.alerts.values()]

    def deliveries(self, *_: object) -> list[dict[str, Any]]:
        return [delivery_row(one) for one in self._station.monitor.deliveries]

    def groups(self, *_: object) -> dict[str, Any]:
        return {one.name: one.to_arm() for one in self._station.monitor.groups.values()}

    def fire(self, _: Request, body: bytes) -> dict[str, Any]:
        order = read(body, _FireOrder)
        return alert_row(
            self._station.fire(
                order.kind, groups=order.groups, rule=order.rule, resource=order.resource, ends_first=order.ends_first
            )
        )

    def resolve(self, _: Request, body: bytes) -> dict[str, Any]:
        return alert_row(self._station.resolve(read(body, _ResolveOrder).number))

    def start_round(self, _: Request, body: bytes) -> dict[str, Any]:
        order = read(body, _RoundOrder)
        scenario = self._station.start_round(seed=order.seed, pause=order.pause)
        return {
            "steps": len(scenario.steps),
            "totals": asdict(scenario.totals),
            "expectations": [asdict(one) for one in scenario.expectations],
        }

    def put_group(self, _: Request, body: bytes) -> dict[str, Any]:
        group = read(body, ActionGroup)
        self._station.monitor.put_group(group)
        return group.to_arm()

    def set_authority(self, _: Request, body: bytes) -> dict[str, str]:
        order = read(body, _AuthorityOrder)
        self._station.monitor.ask_tokens_of(order.authority, order.client_id, order.client_secret)
        return {"authority": self._station.monitor.authority}
