"""The HTTP doors of the standing stand-in: a page to read, and a control API. Sandbox only."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from secure_export.sandbox.azure_monitor import catalogue
from secure_export.sandbox.azure_monitor.action_group import ActionGroup, Webhook
from secure_export.sandbox.azure_monitor.arm.api import ArmApi
from secure_export.sandbox.azure_monitor.arm.control import arm_control_routes
from secure_export.sandbox.azure_monitor.arm.world import World
from secure_export.sandbox.azure_monitor.page import page
from secure_export.sandbox.azure_monitor.scenario import MAIN_GROUP
from secure_export.sandbox.azure_monitor.shapes import alert_row, delivery_row
from secure_export.sandbox.azure_monitor.station import Station
from secure_export.sandbox.rest_door import Door

NOTICE = "SANDBOX: a stand-in for Azure Monitor. Nothing here happens in Azure."


class _Fire(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    groups: tuple[str, ...] = (MAIN_GROUP,)
    rule: str | None = None
    resource: str | None = None
    ends_first: bool = False


class _Resolve(msgspec.Struct, forbid_unknown_fields=True):
    number: int


class _Round(msgspec.Struct, forbid_unknown_fields=True):
    seed: int | None = None
    pause: float = 0.0


class _Group(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    short_name: str
    webhooks: list[Webhook]
    enabled: bool = True


class _Authority(msgspec.Struct, forbid_unknown_fields=True):
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
    looks: dict[str, Callable[[], Any]] = {
        "": control.state,
        "/kinds": catalogue.kinds,
        "/estate": station.estate.resource_graph_export,
        "/alerts": control.alerts,
        "/deliveries": control.deliveries,
        "/action-groups": control.groups,
    }
    changes: dict[str, Callable[[bytes], Any]] = {
        "/fire": control.fire,
        "/resolve": control.resolve,
        "/round": control.start_round,
        "/action-groups": control.put_group,
        "/authority": control.set_authority,
    }
    return Starlette(
        routes=[
            Route("/", _page(station)),
            *(_arm_routes(station, world) if world is not None else ()),
            *(Route(f"/control{path}", _get(look), methods=["GET"]) for path, look in looks.items()),
            *(Route(f"/control{path}", _post(change), methods=["POST"]) for path, change in changes.items()),
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


def _get(look: Callable[[], Any]) -> Callable[[Request], Any]:
    async def door(_: Request) -> Response:
        return JSONResponse(look())

    return door


def _post(change: Callable[[bytes], Any]) -> Callable[[Request], Any]:
    async def door(request: Request) -> Response:
        try:
            return JSONResponse(change(await request.body() or b"{}"), status_code=202)
        except (msgspec.DecodeError, LookupError, ValueError) as problem:
            return JSONResponse({"error": str(problem), "notice": NOTICE}, status_code=400)

    return door


class _Control:
    """One method a door."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def state(self) -> dict[str, Any]:
        monitor = self._station.monitor
        return {
            "notice": NOTICE,
            "authority": monitor.authority,
            "action_groups": list(monitor.groups),
            "banned": monitor.bans.listed(),
            "deliveries": len(monitor.deliveries),
            "subscriptions": list(self._station.estate.subscriptions),
        }

    def alerts(self) -> list[dict[str, Any]]:
        return [alert_row(one) for one in self._station.alerts.values()]

    def deliveries(self) -> list[dict[str, Any]]:
        return [delivery_row(one) for one in self._station.monitor.deliveries]

    def groups(self) -> dict[str, Any]:
        return {one.name: one.to_arm() for one in self._station.monitor.groups.values()}

    def fire(self, body: bytes) -> dict[str, Any]:
        wanted = msgspec.json.decode(body, type=_Fire)
        return alert_row(
            self._station.fire(
                wanted.kind,
                groups=wanted.groups,
                rule=wanted.rule,
                resource=wanted.resource,
                ends_first=wanted.ends_first,
            )
        )

    def resolve(self, body: bytes) -> dict[str, Any]:
        return alert_row(self._station.resolve(msgspec.json.decode(body, type=_Resolve).number))

    def start_round(self, body: bytes) -> dict[str, Any]:
        wanted = msgspec.json.decode(body, type=_Round)
        scenario = self._station.start_round(seed=wanted.seed, pause=wanted.pause)
        return {
            "steps": len(scenario.steps),
            "totals": asdict(scenario.totals),
            "expectations": [asdict(one) for one in scenario.expectations],
        }

    def put_group(self, body: bytes) -> dict[str, Any]:
        wanted = msgspec.json.decode(body, type=_Group)
        group = ActionGroup(wanted.name, wanted.short_name, tuple(wanted.webhooks), wanted.enabled)
        self._station.monitor.put_group(group)
        return group.to_arm()

    def set_authority(self, body: bytes) -> dict[str, str]:
        wanted = msgspec.json.decode(body, type=_Authority)
        self._station.monitor.ask_tokens_of(wanted.authority, wanted.client_id, wanted.client_secret)
        return {"authority": self._station.monitor.authority}
