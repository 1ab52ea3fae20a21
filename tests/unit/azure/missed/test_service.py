"""Catching up with the real store, intake and delivery: fetched alerts become work items, and never two."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.azure_sandbox import Azure
from tests.unit.azure.conftest import settings_for
from tests.unit.azure.missed.test_catching_up import fire, link

from secure_export.app import Parts, doors, opened
from secure_export.azure.errors import AzureUnreachable, NothingAsked, NotSignedIn
from secure_export.azure.missed.wishes import Bounds
from secure_export.azure.settings import MissedSettings
from secure_export.azure_work.missed_alerts import MissedAlerts
from secure_export.azure_work.taking import FETCHED_BY
from secure_export.azure_work.told_acts import ToldActs
from secure_export.azure_work.work import AzureWork, every
from secure_export.delivery.alone import Alone
from secure_export.delivery.contract import Allotment, Allotments, PlacesAsked
from secure_export.delivery.place_keeper import Terms
from secure_export.delivery.place_keepers import PlaceKeepers
from secure_export.delivery.worker import Worker
from secure_export.errors import StoreUnavailable
from secure_export.identity.caller import Caller
from secure_export.intake.entry import Post, entry_of
from secure_export.itsm.desk.incident import IncidentState
from secure_export.itsm.desk.people_changes import SetState
from secure_export.itsm.registry import connector_types
from secure_export.itsm.share import Share
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, SHARED
from secure_export.sandbox.entra.identities import NOBODY, SERVICE, Identity
from secure_export.sandbox.rest_faults import Fault, FaultKind
from secure_export.secrets import SecretMissing
from secure_export.settings import ConnectionSettings, Settings, StoreSettings
from secure_export.telemetry.complaints import Complaints
from secure_export.telemetry.metrics import Metrics

CALLER = Caller(
    tenant_id="t", application_id="a", object_id="o", roles=(), token_version="2.0", token_id="u", expires_at=0
)
EARLIER = timedelta(minutes=10)


def settings_in(
    azure: Azure, folder: Path, monkeypatch: pytest.MonkeyPatch, *, who: Identity = SERVICE, **own: Any
) -> Settings:
    return Settings(
        identity={"authority": azure.authority, "tenant_id": azure.tenant, "audience": ["api://x"]},
        store=StoreSettings(url=f"sqlite:///{folder}/store.db"),
        azure=settings_for(azure, monkeypatch, who=who).model_copy(update=own),
        connections={"desk": ConnectionSettings(type="desk", subscriptions=[PRODUCTION])},
    )


@pytest.fixture
async def parts(azure: Azure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Parts]:
    async with opened(settings_in(azure, tmp_path, monkeypatch), connector_types()) as found:
        yield found


@asynccontextmanager
async def delivering(parts: Parts) -> AsyncIterator[None]:
    worker = Worker(parts.targets["desk"], parts.store.lanes, watch=Metrics(), clock=parts.store.clock)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        await worker.stop()
        with suppress(asyncio.CancelledError):
            await task


async def until(parts: Parts, holds: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Look until the work items are as wanted."""
    async with asyncio.timeout(10):
        while True:
            rows = list((await parts.store.records.work_items()).rows)
            if holds(rows) and not any(row["owed"] for row in rows):
                return rows
            await asyncio.sleep(0.01)


async def missed_alert(azure: Azure, *, resolved: bool = True) -> tuple[bytes, bytes]:
    """Let an alert fire and resolve ten minutes ago; gives what the webhook would have brought."""
    link(azure, "cpu-shop-web")
    azure.arm.clock.move(-EARLIER)
    await fire(azure, "cpu-shop-web", resolved=resolved)
    azure.arm.clock.move(EARLIER)
    story = azure.station.alerts[1].story
    assert story.ended is not None
    return tuple(json.dumps(one.body(common_schema=True)).encode() for one in (story.fired, story.ended))  # type: ignore[return-value]


async def deliver(parts: Parts, body: bytes) -> str:
    """Take in what Azure delivers."""
    post = Post(connection="desk", caller=CALLER, received_at=parts.store.clock(), body=body)
    return (await parts.store.journal.append(entry_of(post, doors(parts.settings)["desk"]))).status


async def test_an_alert_that_was_missed_becomes_a_work_item_that_is_resolved(azure: Azure, parts: Parts) -> None:
    """Both notifications are taken in; the alert says that it was fetched, and so does who sent it."""
    await missed_alert(azure)
    metrics = Metrics()
    work = MissedAlerts(parts, metrics)
    async with delivering(parts):
        assert await work.catch_up() == 2
        (item,) = await until(parts, lambda rows: bool(rows) and rows[0]["state"] == "resolved")
        assert await work.catch_up() == 0
    (alert,) = (await parts.store.records.alerts()).rows
    assert "it was fetched from Azure" in alert["warnings"][0]
    whole = await parts.store.records.alert(alert["id"])
    assert {one["caller"]["application"] for one in whole["notifications"]} == {FETCHED_BY}
    assert any("fetched from Azure" in one for one in (await parts.store.records.work_item(item["id"]))["reasons"])
    assert b'secure_export_missed_total{connection="desk"} 2.0' in metrics.exposition()[0]


@pytest.mark.parametrize("first", ["fetched", "delivered"])
async def test_what_is_fetched_and_delivered_too_makes_one_work_item(azure: Azure, parts: Parts, first: str) -> None:
    """In both orders, and if both are recorded before anything is folded."""
    bodies = await missed_alert(azure)
    work = MissedAlerts(parts, Metrics())
    if first == "fetched":
        assert await work.catch_up() == 2
    for body in bodies:
        await deliver(parts, body)
    if first == "delivered":
        await work.catch_up()
    async with delivering(parts):
        (item,) = await until(parts, lambda rows: bool(rows) and rows[0]["state"] == "resolved")
        for body in bodies:
            await deliver(parts, body)
        rows = await until(parts, lambda rows: bool(rows) and rows[0]["state"] == "resolved")
        assert [row["id"] for row in rows] == [item["id"]]
        assert await work.catch_up() == 0


async def test_only_the_end_is_fetched_of_an_alert_whose_firing_was_delivered(azure: Azure, parts: Parts) -> None:
    """The work item that was open is resolved by it."""
    fired, _ = await missed_alert(azure)
    async with delivering(parts):
        await deliver(parts, fired)
        await until(parts, lambda rows: bool(rows) and rows[0]["state"] == "open")
        assert await MissedAlerts(parts, Metrics()).catch_up() == 1
        assert len(await until(parts, lambda rows: rows[0]["state"] == "resolved")) == 1


async def test_two_processes_that_catch_up_at_once_record_everything_once(azure: Azure, parts: Parts) -> None:
    """What both fetch is the same to the byte, and the second of it a duplicate."""
    await missed_alert(azure)
    counts = await asyncio.gather(*(MissedAlerts(parts, Metrics()).catch_up() for _ in range(3)))
    assert sum(counts) == 2


async def set_state(parts: Parts, number: str, state: IncidentState) -> None:
    """Let a person set an incident's state, and wait until Azure is owed the news."""
    action = SetState(state, resolution="mended" if state is IncidentState.RESOLVED else "")
    await parts.store.desk.act(number, action, by="ada", now=parts.store.clock())
    keys = await parts.store.upkeep.open_keys("desk", after="", limit=10)
    await parts.store.upkeep.wake_for_look("desk", keys, now=parts.store.clock())
    async with asyncio.timeout(5):
        while not await parts.store.upkeep.untold_acts(after=0, limit=1):  # noqa: ASYNC110 - it is polled
            await asyncio.sleep(0.01)


async def test_a_person_who_acknowledges_and_resolves_is_told_to_azure(azure: Azure, parts: Parts) -> None:
    """From the desk to the state in Azure; an end that Azure told of is never told back."""
    await missed_alert(azure, resolved=False)
    work = MissedAlerts(parts, Metrics())
    (listed,) = azure.arm.ledger.all()
    async with delivering(parts):
        assert await work.catch_up() == 1
        (row,) = await until(parts, bool)
        await ToldActs(parts).tell_acts()
        assert listed.state == "New"
        for state, wanted in (("in-progress", "Acknowledged"), ("resolved", "Closed")):
            await set_state(parts, row["number"], IncidentState(state))
            await ToldActs(parts).tell_acts()
            assert listed.state == wanted
            assert f"Work item {row['number']}" in listed.history[0].comments
        assert await parts.store.upkeep.untold_acts(after=0, limit=1) == []


async def test_who_can_tell_azure_nothing_says_so(azure: Azure, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may be able to; what is owed stays owed, and is told by the first that can."""
    await missed_alert(azure, resolved=False)
    (listed,) = azure.arm.ledger.all()
    async with delivering(parts):
        await MissedAlerts(parts, Metrics()).catch_up()
        (row,) = await until(parts, bool)
        await set_state(parts, row["number"], IncidentState("in-progress"))
        monkeypatch.setenv("AZURE_SECRET", "wrong")
        with pytest.raises(NothingAsked):
            await ToldActs(parts).tell_acts()
        monkeypatch.delenv("AZURE_SECRET")
        with pytest.raises(SecretMissing):
            await ToldActs(parts).tell_acts()
        denied = parts.settings.model_copy(update={"azure": settings_for(azure, monkeypatch, who=NOBODY)})
        with pytest.raises(NothingAsked):
            await ToldActs(replace(parts, settings=denied)).tell_acts()
        monkeypatch.setenv("AZURE_SECRET", SERVICE.client_secret)
        azure.arm.faults.set(Fault(kind=FaultKind.DELAY, path="*/alerts/*", seconds=60, times=None))
        with pytest.raises(AzureUnreachable, match="given up"):
            await ToldActs(parts, longest_seconds=0.1).tell_acts()
        azure.arm.faults.clear()
        assert listed.state == "New"
        await ToldActs(parts).tell_acts()
    assert listed.state == "Acknowledged"


async def test_an_end_by_azure_is_never_told_back(azure: Azure, parts: Parts) -> None:
    """We resolve the work item because Azure resolved the alert: that is no act of a person."""
    await missed_alert(azure)
    work = MissedAlerts(parts, Metrics())
    async with delivering(parts):
        await work.catch_up()
        await until(parts, lambda rows: bool(rows) and rows[0]["state"] == "resolved")
        await ToldActs(parts).tell_acts()
    (listed,) = azure.arm.ledger.all()
    assert listed.state == "New"


async def test_a_subscription_that_fails_does_not_hide_the_others(
    azure: Azure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even an answer that nobody expected costs only the subscription in which it came."""
    await missed_alert(azure)
    settings = settings_in(azure, tmp_path, monkeypatch, missed=MissedSettings(subscriptions=(SHARED, PRODUCTION)))
    garbage = Fault(kind=FaultKind.GARBAGE, path="*/resources", body=SHARED, times=None)
    azure.arm.faults.set(garbage)
    async with opened(settings, connector_types()) as parts:
        with capture_logs() as logs:
            assert await MissedAlerts(parts, Metrics()).catch_up() == 2
    assert [(one["event"], one["subscription"]) for one in logs if one["log_level"] == "error"] == [
        ("azure work failed", SHARED)
    ]


async def test_who_lacks_the_role_is_told_which(azure: Azure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words that an administrator can act on."""
    settings = settings_in(azure, tmp_path, monkeypatch, who=NOBODY)
    async with opened(settings, connector_types()) as parts:
        with capture_logs() as logs, pytest.raises(NothingAsked):
            await MissedAlerts(parts, Metrics()).catch_up()
    (told,) = [one for one in logs if one["event"] == "azure missed refused"]
    assert "role Monitoring Reader" in told["reason"]


@pytest.mark.parametrize("trouble", ["no secret", "wrong secret", "hangs"])
async def test_who_can_ask_nothing_says_so(
    azure: Azure, parts: Parts, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """It is told in the log, and to the timer, which leaves it to another process."""
    if trouble == "no secret":
        monkeypatch.delenv("AZURE_SECRET")
    if trouble == "wrong secret":
        monkeypatch.setenv("AZURE_SECRET", "wrong")
    if trouble == "hangs":
        azure.arm.faults.set(Fault(kind=FaultKind.DELAY, path="*", seconds=60, times=None))
    with capture_logs() as logs, pytest.raises(NothingAsked):
        await MissedAlerts(parts, Metrics(), bounds=Bounds(seconds=0.1)).catch_up()
    assert "azure work waits" in {one["event"] for one in logs}
    assert "error" not in {one["log_level"] for one in logs}


async def test_what_does_not_fit_into_a_run_is_not_left_until_the_usual_time(azure: Azure, parts: Parts) -> None:
    """After a long outage the next run begins soon, and the last says that there is no more."""
    link(azure, "cpu-shop-web", "dtu-orders")
    azure.arm.clock.move(-EARLIER)
    await fire(azure, "cpu-shop-web", "dtu-orders")
    azure.arm.clock.move(EARLIER)
    work = MissedAlerts(parts, Metrics(), bounds=Bounds(alerts=1))
    async with delivering(parts):
        assert await work.caught_up() == (1, True)
        await until(parts, lambda rows: len(rows) == 1)
        assert await work.caught_up() == (1, False)


class Counted:
    """Hands places out as a store does, and counts how often it was asked."""

    def __init__(self, allotments: Allotments) -> None:
        self._allotments = allotments
        self.count = 0

    async def renew(self, connection: str, asked: PlacesAsked) -> Allotment:
        allotment = await self._allotments.renew(connection, asked)
        self.count += 1
        return allotment

    async def leave(self, connection: str) -> None:
        await self._allotments.leave(connection)


async def test_one_process_at_a_time_asks_azure(azure: Azure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would ask as much again of Azure's limits; when the one that does ends, another goes on."""
    await missed_alert(azure)
    settings = settings_in(azure, tmp_path, monkeypatch, missed=MissedSettings(enabled=True))
    types, metrics = connector_types(), Metrics()
    async with opened(settings, types) as first, opened(settings, types) as second:
        async with first.keepers.alone("missed-alerts"):
            counted = Counted(second.store.allotments)
            keepers = PlaceKeepers(counted)
            keepers.terms = Terms(between_renewals=0.01, soon=0.01)
            azure.arm.counters.reset()
            task = asyncio.create_task(AzureWork(second, metrics, keepers.alone).run())
            async with asyncio.timeout(5):
                while counted.count < 3:  # noqa: ASYNC110 - it is asked by timer
                    await asyncio.sleep(0.01)
            assert azure.arm.counters.last() == []
        await first.keepers.close()
        async with asyncio.timeout(10):
            while b'secure_export_missed_total{connection="desk"} 2.0' not in metrics.exposition()[0]:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await keepers.close()


async def test_the_timer_outlives_a_librarys_own_cancellation() -> None:
    """Only who cancels the timer ends it."""
    runs = asyncio.Event()
    count = 0

    async def job() -> None:
        nonlocal count
        count += 1
        if count == 1:
            raise asyncio.CancelledError
        runs.set()

    task = asyncio.create_task(every(0, job, Alone(Share()), Complaints()))
    async with asyncio.timeout(5):
        await runs.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_has_no_way_to_azure_leaves_it_to_another_process(
    azure: Azure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which process has the place is not drawn by who can do the work."""
    await missed_alert(azure)
    types, metrics, fast = connector_types(), Metrics(), Terms(between_renewals=0.01, soon=0.01)
    # Both have the secret of the second.
    settings = [
        settings_in(azure, tmp_path, monkeypatch, who=who, missed=MissedSettings(enabled=True))
        for who in (NOBODY, SERVICE)
    ]
    async with opened(settings[0], types) as unable, opened(settings[1], types) as able:
        unable.keepers.terms = able.keepers.terms = fast
        with capture_logs() as logs:
            tasks = [asyncio.create_task(AzureWork(unable, Metrics(), unable.keepers.alone).run())]
            async with asyncio.timeout(10):
                while not any(one["event"] == "azure work waits" for one in logs):  # noqa: ASYNC110 - it is told by timer
                    await asyncio.sleep(0.01)
                tasks.append(asyncio.create_task(AzureWork(able, metrics, able.keepers.alone).run()))
                while b'secure_export_missed_total{connection="desk"} 2.0' not in metrics.exposition()[0]:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@pytest.mark.parametrize(
    ("trouble", "seconds", "back_for"),
    [
        (AzureUnreachable("x"), 30, [300]),
        (NotSignedIn("x"), 900, [900]),
        (SecretMissing("x"), 30, [300]),
        (asyncio.CancelledError(), 30, [300]),
        (KeyError("x"), 30, [300]),
        (StoreUnavailable("x"), 30, []),
        (None, 30, []),
    ],
)
async def test_who_could_not_do_it_stands_back_for_a_while(
    trouble: BaseException | None, seconds: float, back_for: list[float]
) -> None:
    """For some minutes, or until its next time; without the store nobody has the place anyway."""
    ran, stood_back = asyncio.Event(), list[float]()

    async def job() -> None:
        ran.set()
        if trouble is not None:
            raise trouble

    with capture_logs():
        task = asyncio.create_task(every(seconds, job, Alone(Share(), stand_back=stood_back.append), Complaints()))
        await ran.wait()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert stood_back == back_for
