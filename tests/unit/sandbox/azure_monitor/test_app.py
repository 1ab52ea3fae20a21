"""The standing stand-in over HTTP, with the sandbox's Entra ID beside it."""

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from secure_export.sandbox import serving
from secure_export.sandbox.azure_monitor import AzureMonitor, Estate, Station, groups_for, run_azure_monitor
from secure_export.sandbox.azure_monitor.app import azure_monitor_app
from secure_export.sandbox.azure_monitor.catalogue import kinds
from secure_export.sandbox.azure_monitor.scenario import OLD_SCHEMA_GROUP
from secure_export.sandbox.entra import AZNS_APP_ID, AZNS_SANDBOX_SECRET, RESOURCE_APP_ID, run_entra, start_entra


class Desk:
    """A client of the control API."""

    def __init__(self, station: Station, session: aiohttp.ClientSession) -> None:
        self.station = station
        self.session = session

    async def get(self, path: str) -> Any:
        async with self.session.get(f"/control{path}") as answer:
            return await answer.json()

    async def post(self, path: str, status: int = 202, **body: Any) -> Any:
        async with self.session.post(f"/control{path}", json=body) as answer:
            assert answer.status == status
            shown = await answer.json()
        await self.station.settled()
        return shown

    async def page(self) -> str:
        async with self.session.get("/") as answer:
            assert answer.content_type == "text/html"
            return await answer.text()


@pytest.fixture
async def desk(estate: Estate, receiver: Any, tokens: Any, clock: Any) -> AsyncGenerator[Desk]:
    """Serve a station whose groups call the receiver, at a time that moves a minute with each look."""
    times = (datetime(2026, 5, 4, 9, tzinfo=UTC) + timedelta(minutes=number) for number in itertools.count())
    groups = groups_for(receiver.url, tenant_id=estate.tenant, identifier_uri="api://hook")
    monitor = AzureMonitor(
        tokens.url.removesuffix("/token"), "client", "secret", groups=groups, clock=clock, sleep=clock.sleep
    )
    station = Station(estate, monitor, now=lambda: next(times))
    async with serving.serving(azure_monitor_app(station), name="Azure Monitor") as running:
        async with aiohttp.ClientSession(running.base_url) as session:
            yield Desk(station, session)
        await station.close()


async def test_an_alert_is_fired_and_resolved(desk: Desk, receiver: Any) -> None:
    """Both notifications carry the same id, and the end is as late as it was ordered."""
    fired = await desk.post("/fire", kind="metric-static", rule="hot <b>", resource="vm-dc-02")
    await desk.post("/resolve", number=fired["number"])
    (alert,) = await desk.get("/alerts")
    assert (alert["is_over"], alert["alert_id"]) == (True, fired["alert_id"])
    assert alert["resource"].endswith("/vm-dc-02")
    first, last = await desk.get("/deliveries")
    assert [(one["condition"], one["outcome"]) for one in (first, last)] == [
        ("Fired", "Delivered"),
        ("Resolved", "Delivered"),
    ]
    assert first["alert_id"] == last["alert_id"] == fired["alert_id"]
    minutes = [json.loads(body)["data"]["essentials"]["firedDateTime"][:16] for body in receiver.bodies]
    assert minutes == ["2026-05-04T09:00", "2026-05-04T09:01"]
    assert "accepted" in first["answer"]


async def test_the_end_can_come_first(desk: Desk) -> None:
    """Resolved before fired, on order."""
    await desk.post("/fire", kind="prometheus", ends_first=True)
    assert [one["condition"] for one in await desk.get("/deliveries")] == ["Resolved", "Fired"]


async def test_groups_can_be_chosen(desk: Desk) -> None:
    """An alert through the group with the common schema off."""
    await desk.post("/fire", kind="metric-static", groups=[OLD_SCHEMA_GROUP])
    (delivery,) = await desk.get("/deliveries")
    assert (delivery["schema"], delivery["group"]) == ("old", OLD_SCHEMA_GROUP)


async def test_a_round_runs_and_says_what_to_expect(desk: Desk) -> None:
    """The answer has the expectations; the deliveries are those of the totals; two rounds differ."""
    shown = await desk.post("/round")
    assert len(await desk.get("/deliveries")) == shown["totals"]["calls"]
    assert {"problem", "alert_ids", "is_resolved", "binding", "resource_id"} <= shown["expectations"][0].keys()
    again = await desk.post("/round")
    assert again["expectations"][0]["alert_ids"] != shown["expectations"][0]["alert_ids"]
    assert (await desk.post("/round", seed=4)) == (await desk.post("/round", seed=4))


async def test_failures_are_shown_with_each_attempt(desk: Desk, receiver: Any) -> None:
    """The list and the page tell why a notification did not arrive, and what is banned."""
    receiver.statuses = [503] * 6
    await desk.post("/fire", kind="backup")
    await desk.post("/fire", kind="backup")
    first, second = await desk.get("/deliveries")
    assert (first["outcome"], second["outcome"]) == ("GaveUp", "Banned")
    assert [one["status"] for one in first["attempts"]] == [503] * 6
    assert receiver.url in (await desk.get(""))["banned"]
    page = await desk.page()
    assert "Banned end points" in page
    assert "did not succeed after 5 retries" in page


async def test_the_page_can_be_read_and_escapes_what_people_wrote(desk: Desk) -> None:
    """Alerts and deliveries with their status; it says that it is a stand-in."""
    assert "None yet." in await desk.page()
    await desk.post("/fire", kind="metric-static", rule="<script>alert(1)</script>")
    page = await desk.page()
    assert "A stand-in." in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert 'class="Delivered"' in page


async def test_what_there_is_can_be_listed(desk: Desk, estate: Estate) -> None:
    """Kinds, estate, groups."""
    assert await desk.get("/kinds") == kinds()
    assert (await desk.get("/estate"))["count"] == len(estate.resources)
    assert "SANDBOX" in (await desk.get(""))["notice"]
    assert (await desk.get("/action-groups"))["ag-itsm"]["properties"]["groupShortName"] == "itsm"


async def test_groups_and_the_token_end_point_can_be_set(desk: Desk, receiver: Any, tokens: Any) -> None:
    """A group made by order is used, with tokens of the authority that was set."""
    hook = {
        "name": "w",
        "service_uri": f"{receiver.url}/2",
        "use_aad_auth": True,
        "identifier_uri": "api://2",
        "tenant_id": "t",
    }
    await desk.post("/action-groups", name="mine", short_name="mine", webhooks=[hook])
    await desk.post("/authority", authority=tokens.url.removesuffix("/token") + "/elsewhere/")
    assert (await desk.get(""))["authority"].endswith("/elsewhere")
    await desk.post("/fire", kind="backup", groups=["mine"])
    (delivery,) = await desk.get("/deliveries")
    assert (delivery["url"], delivery["outcome"]) == (f"{receiver.url}/2", "Delivered")
    assert "api%3A%2F%2F2" in tokens.forms[-1]


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("/fire", {"kind": "none"}, "metric-static"),
        ("/fire", {"kind": "backup", "groups": ["none"]}, "no action group"),
        ("/fire", {"kind": "backup", "resource": "none"}, "no resource"),
        ("/fire", {"kind": "backup", "colour": "red"}, "colour"),
        ("/resolve", {"number": 7}, "no alert number 7"),
        ("/action-groups", {"name": "a", "short_name": "", "webhooks": []}, "short name"),
    ],
)
async def test_orders_that_make_no_sense_are_refused(desk: Desk, path: str, body: dict[str, Any], why: str) -> None:
    """The answer says what is wrong, and nothing is sent."""
    assert why in (await desk.post(path, 400, **body))["error"]
    assert await desk.get("/deliveries") == []


async def test_pages_of_other_sites_cannot_use_control(desk: Desk) -> None:
    """A page of another site in a browser on this machine fires nothing."""
    order = {"kind": "backup"}
    async with desk.session.post("/control/fire", json=order, headers={"Origin": "http://other.example"}) as answer:
        assert answer.status == 403
    assert await desk.get("/deliveries") == []


async def test_what_azure_never_ends_cannot_be_ended(desk: Desk) -> None:
    """A budget has no resolved notification."""
    fired = await desk.post("/fire", kind="budget-spent")
    assert "sends nothing" in (await desk.post("/resolve", 400, number=fired["number"]))["error"]


async def test_both_stand_ins_run_by_themselves_until_cancelled(receiver: Any) -> None:
    """The functions behind the commands announce where they listen, and stop when they are cancelled."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    entra = asyncio.create_task(run_entra(announce=lines.put_nowait))
    authority = await _url(lines, "stand-in for Entra")
    monitor = asyncio.create_task(run_azure_monitor(webhook=receiver.url, entra=authority, announce=lines.put_nowait))
    where = await _url(lines, "stand-in for Azure")
    async with aiohttp.ClientSession(where) as session:
        await session.post("/control/fire", json={"kind": "backup"})
    await receiver.called.wait()
    for task in (monitor, entra):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert receiver.headers[0]["authorization"].startswith("Bearer eyJ")
    async with aiohttp.ClientSession() as session:
        for url in (where, authority):
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.get(url)


async def _url(lines: asyncio.Queue[str], wanted: str) -> str:
    while wanted not in (line := await lines.get()):
        pass
    return str(re.findall(r"http://127\.0\.0\.1:\d+", line)[0])


async def test_the_sandboxes_fit_together(estate: Estate, receiver: Any) -> None:
    """The defaults of one are known to the other: a real token reaches the webhook."""
    entra, running = await start_entra()
    groups = groups_for(receiver.url, tenant_id=entra.default_tenant, identifier_uri=f"api://{RESOURCE_APP_ID}")
    async with AzureMonitor(running.base_url, AZNS_APP_ID, AZNS_SANDBOX_SECRET, groups=groups) as monitor:
        station = Station(estate, monitor)
        station.fire("metric-static")
        await station.settled()
    await running.stop()
    assert receiver.headers[0]["authorization"].count(".") == 2
