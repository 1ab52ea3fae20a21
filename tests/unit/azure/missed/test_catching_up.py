"""Catching up against the sandbox's Azure: what is missing is taken in, once, whatever happens in between."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.azure_sandbox import Azure
from tests.azure_specs import SPECS, violations
from tests.unit.azure.conftest import GROUP, settings_for

from secure_export.alerts.alert import Condition
from secure_export.alerts.decode import decode
from secure_export.azure.errors import AzureRefused
from secure_export.azure.missed.alerts_api import AlertsApi
from secure_export.azure.missed.catching_up import CatchingUp
from secure_export.azure.missed.finding import Found, Outcome
from secure_export.azure.missed.meant import OurGroup
from secure_export.azure.missed.progress import Progress, to_keep
from secure_export.azure.missed.wishes import Bounds, Wishes
from secure_export.azure.session import signed_in
from secure_export.errors import StoreUnavailable
from secure_export.sandbox.azure_monitor.arm.firing import Firing
from secure_export.sandbox.azure_monitor.arm.seeding import put
from secure_export.sandbox.azure_monitor.estate import PRODUCTION
from secure_export.sandbox.entra.identities import NOBODY, READER, Identity
from secure_export.sandbox.rest_faults import Fault, FaultKind

DAY = timedelta(days=1)
WISHES = Wishes(look_back=DAY, keeps=400 * DAY)


class Book:
    """What a store and its intake do: remembers, and can die."""

    def __init__(self) -> None:
        self.cursors: dict[str, str] = {}
        self.taken: list[tuple[str, str, Condition]] = []
        self.dies_after: int | None = None

    async def cursor(self, name: str) -> str:
        return self.cursors.get(name, "")

    async def keep_cursor(self, name: str, value: str) -> None:
        self.cursors[name] = value

    async def recorded(self, connection: str, alert_ids: Sequence[str]) -> Mapping[str, frozenset[Condition]]:
        found: dict[str, set[Condition]] = {}
        for name, alert_id, condition in self.taken:
            if name == connection and alert_id.lower() in {one.lower() for one in alert_ids}:
                found.setdefault(alert_id.lower(), set()).add(condition)
        return {alert_id: frozenset(told) for alert_id, told in found.items()}

    async def take_in(self, connection: str, body: bytes) -> tuple[Outcome, str]:
        if self.dies_after is not None and len(self.taken) >= self.dies_after:
            raise StoreUnavailable("killed")
        alert = decode(body)
        self.taken.append((connection, alert.id, alert.condition))
        return Outcome.TAKEN_IN, ""


@pytest.fixture
def book() -> Book:
    return Book()


def link(azure: Azure, *rules: str) -> None:
    """Let rules of the sandbox name our action group."""
    for one in azure.arm.resources.values():
        if one["name"] in rules:
            one["properties"]["actions"] = [*one["properties"].get("actions", []), {"actionGroupId": GROUP.lower()}]


@asynccontextmanager
async def catching_up(
    azure: Azure,
    book: Book,
    monkeypatch: pytest.MonkeyPatch,
    *,
    who: Identity = READER,
    bounds: Bounds | None = None,
    every: str | None = None,
    connections: Sequence[str] = ("desk",),
) -> AsyncIterator[CatchingUp]:
    settings = settings_for(azure, monkeypatch, who=who)
    async with signed_in(settings, azure.tenant, authority=azure.authority) as session:
        ours = [OurGroup(GROUP.lower(), one, every) for one in connections]
        yield CatchingUp(AlertsApi(session.manager), book, book, ours, clock=lambda: datetime.now(UTC), bounds=bounds)


async def found_by(run: CatchingUp, wishes: Wishes = WISHES) -> list[Found]:
    return [one async for one in run.run([PRODUCTION], wishes)]


def taken(found: Sequence[Found]) -> list[tuple[str, Condition]]:
    return [(one.rule, one.condition) for one in found if one.outcome is Outcome.TAKEN_IN]


async def fire(azure: Azure, *rules: str, resolved: bool = False) -> None:
    for rule in rules:
        fired = Firing(azure.arm, azure.station).fire(rule)
        await azure.station.settled()
        if resolved:
            azure.station.resolve(fired.number)
            await azure.station.settled()


async def test_what_fired_and_resolved_meanwhile_is_taken_in_once_and_in_order(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what was meant for us; a second run finds all of it known; the requests are as Microsoft describes them."""
    link(azure, "cpu-shop-web", "dtu-orders")
    await fire(azure, "cpu-shop-web", resolved=True)
    await fire(azure, "dtu-orders", "cpu-wms-app")
    async with catching_up(azure, book, monkeypatch) as run:
        found = await found_by(run)
        assert sorted(taken(found)) == [
            ("cpu-shop-web", Condition.FIRED),
            ("cpu-shop-web", Condition.RESOLVED),
            ("dtu-orders", Condition.FIRED),
        ]
        times = [one.at for one in found if one.at is not None]
        assert times == sorted(times)
        assert len(times) == len(found)
        (other,) = [one for one in found if one.outcome is Outcome.NOT_OURS]
        assert (other.rule, other.reason) == ("cpu-wms-app", "its rule names none of our groups")
        assert {one.outcome for one in await found_by(run)} == {Outcome.KNOWN, Outcome.NOT_OURS}
    assert len(book.taken) == 3


async def test_requests_are_as_described(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request, unknown parameters included, is one that Microsoft's descriptions know."""
    if not SPECS.is_dir():
        pytest.skip("the official descriptions are not beside this checkout")
    asked: list[str] = []

    class Manager:
        async def call(self, method: str, path: str, *, query: Any = None, json: Any = None) -> Any:
            url = f"https://management.azure.com{path}?" + "&".join(f"{k}={v}" for k, v in (query or {}).items())
            asked.extend(violations(method, url, json))
            return type("Answer", (), {"body": {"value": [], "data": []}})()

    api = AlertsApi(Manager())  # type: ignore[arg-type] # what is asked of it
    await api.page(PRODUCTION)
    await api.groups_of_rules([PRODUCTION])
    link(azure, "cpu-shop-web")
    await fire(azure, "cpu-shop-web")
    settings = settings_for(azure, monkeypatch, who=READER)
    async with signed_in(settings, azure.tenant, authority=azure.authority) as session:
        (listed,) = (await AlertsApi(session.manager).page(PRODUCTION)).alerts
    assert await api.alert(listed) == listed
    assert asked == []


async def test_a_dry_run_takes_nothing_in_and_keeps_no_cursor(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what is missing."""
    link(azure, "cpu-shop-web")
    await fire(azure, "cpu-shop-web")
    async with catching_up(azure, book, monkeypatch) as run:
        (one,) = await found_by(run, Wishes(look_back=DAY, keeps=DAY, dry_run=True))
    assert one.outcome is Outcome.MISSING
    assert (book.taken, book.cursors) == ([], {})


async def test_a_run_that_is_killed_is_gone_on_with_and_nothing_is_taken_in_twice(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after every notification in turn, the runs together take in each of them once."""
    link(azure, "cpu-shop-web", "dtu-orders")
    await fire(azure, "cpu-shop-web", "dtu-orders", resolved=True)
    async with catching_up(azure, book, monkeypatch) as run:
        for count in range(4):
            book.dies_after = count
            with pytest.raises(StoreUnavailable):
                await found_by(run)
            assert len(book.taken) == count
        book.dies_after = None
        await found_by(run)
    assert len(book.taken) == len(set(book.taken)) == 4


async def test_a_run_that_reaches_its_bounds_is_gone_on_with_at_its_page(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One page and one alert at a time, all are taken in at last; the run says that it is not done."""
    monkeypatch.setattr("secure_export.azure.missed.alerts_api._ON_A_PAGE", 1)
    link(azure, "cpu-shop-web", "dtu-orders")
    await fire(azure, "cpu-shop-web", "dtu-orders", "cpu-shop-web")
    async with catching_up(azure, book, monkeypatch, bounds=Bounds(pages=1, alerts=5)) as run:
        counts = []
        for _ in range(3):
            await found_by(run)
            counts.append((len(book.taken), bool(run.unfinished)))
    assert counts == [(1, True), (2, True), (3, False)]
    async with catching_up(azure, Book(), monkeypatch, bounds=Bounds(alerts=2)) as run:
        assert len(taken(await found_by(run))) == 2
        assert run.unfinished == {PRODUCTION}


async def test_what_azure_is_probably_still_delivering_is_left_to_the_next_run(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azure tries for more than a minute; what it could not bring by then is fetched."""
    link(azure, "cpu-shop-web")
    await fire(azure, "cpu-shop-web")
    async with catching_up(azure, book, monkeypatch) as run:
        assert await found_by(run, Wishes(look_back=DAY, keeps=DAY, patience=timedelta(minutes=2))) == []
        assert len(taken(await found_by(run))) == 1


async def test_what_ended_before_the_time_that_is_looked_at_stays_in_the_past(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an old alert that a person touched, nor the end of one that was never recorded, becomes a work item."""
    link(azure, "cpu-shop-web", "dtu-orders")
    azure.arm.clock.move(-3 * DAY)
    await fire(azure, "cpu-shop-web")
    await fire(azure, "dtu-orders", resolved=True)
    azure.arm.clock.move(3 * DAY)
    for one in azure.arm.ledger.all():
        azure.arm.ledger.change_state(one, "Closed", by="ada")
    azure.station.resolve(1)
    await azure.station.settled()
    async with catching_up(azure, book, monkeypatch) as run:
        found = await found_by(run)
        assert [(one.rule, one.condition, one.outcome) for one in found] == [
            ("cpu-shop-web", Condition.RESOLVED, Outcome.NOT_OURS)
        ]
        book.taken.append(("desk", found[0].alert_id, Condition.FIRED))
        assert taken(await found_by(run)) == [("cpu-shop-web", Condition.RESOLVED)]


async def test_what_a_processing_rule_suppressed_is_not_fetched(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People did not want to be told of it; a whole subscription's alerts are ours where a rule brings them."""
    shop = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod"
    quiet = {"scopes": [shop], "actions": [{"actionType": "RemoveAllActionGroups"}], "enabled": True}
    put(azure.arm, PRODUCTION, "rg-shop-prod", "Microsoft.AlertsManagement/actionRules", "quiet", quiet)
    await fire(azure, "cpu-shop-web", "cpu-wms-app")
    async with catching_up(azure, book, monkeypatch, every=PRODUCTION) as run:
        found = await found_by(run)
    assert sorted((one.outcome, one.reason) for one in found) == [
        (Outcome.NOT_OURS, "an alert processing rule suppressed it"),
        (Outcome.TAKEN_IN, "a processing rule brings every alert of the subscription to ag-itsm"),
    ]


async def test_throttling_is_waited_out(azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """``Retry-After`` of both APIs is kept, and nothing is lost by it."""
    link(azure, "cpu-shop-web")
    await fire(azure, "cpu-shop-web")
    for path in ("*/alerts", "*/resources", "*/alerts/*"):
        azure.arm.faults.set(Fault(kind=FaultKind.THROTTLED, path=path, seconds=0, times=1))
    async with catching_up(azure, book, monkeypatch) as run:
        assert len(taken(await found_by(run))) == 1


async def test_an_alert_that_azure_no_longer_shows_is_taken_in_as_it_was_listed(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only its context is lost then."""
    link(azure, "cpu-shop-web")
    await fire(azure, "cpu-shop-web")
    gone = Fault(kind=FaultKind.ERROR_BEFORE, path="*/alerts/*", status=404, code="AlertNotFound", times=None)
    azure.arm.faults.set(gone)
    async with catching_up(azure, book, monkeypatch) as run:
        assert len(taken(await found_by(run))) == 1


async def test_who_may_not_read_alerts_is_told_so(azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing reader's role is an error, and no empty list."""
    async with catching_up(azure, book, monkeypatch, who=NOBODY) as run:
        with pytest.raises(AzureRefused) as refused:
            await found_by(run)
    assert refused.value.is_denied


@pytest.mark.parametrize("page", ["https://elsewhere.example/alerts?page=2", "/subscriptions/gone?page=2"])
async def test_a_page_that_azure_no_longer_gives_does_not_hold_up_the_subscription(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    """It begins again at the first page: an address that was kept may be too old, or of another cloud."""
    link(azure, "cpu-shop-web")
    await fire(azure, "cpu-shop-web")
    start = datetime.now(UTC) - DAY
    book.cursors[f"azure-missed:{PRODUCTION}"] = to_keep(Progress(floor=start, until=start, began=start, page=page))
    async with catching_up(azure, book, monkeypatch) as run:
        assert len(taken(await found_by(run))) == 1


async def test_an_alert_that_azure_lists_and_does_not_give_holds_up_no_other(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is taken in as it was listed, without its context."""
    link(azure, "cpu-shop-web", "dtu-orders")
    await fire(azure, "cpu-shop-web", "dtu-orders")
    first = next(iter(azure.arm.ledger.all()))
    azure.arm.faults.set(
        Fault(kind=FaultKind.ERROR_BEFORE, path=f"*/alerts/{first.guid}", status=400, code="BadRequest", times=None)
    )
    async with catching_up(azure, book, monkeypatch) as run:
        assert sorted(taken(await found_by(run))) == [
            ("cpu-shop-web", Condition.FIRED),
            ("dtu-orders", Condition.FIRED),
        ]


async def test_what_was_read_is_taken_in_before_trouble_is_told(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that always ends at the same place comes further all the same, and keeps no cursor behind it."""
    link(azure, "cpu-shop-web", "dtu-orders")
    await fire(azure, "cpu-shop-web", "dtu-orders")
    last = max(azure.arm.ledger.all(), key=lambda one: one.started)
    azure.arm.faults.set(Fault(kind=FaultKind.ERROR_BEFORE, path=f"*/alerts/{last.guid}", status=403, times=None))
    async with catching_up(azure, book, monkeypatch) as run:
        with pytest.raises(AzureRefused):
            await found_by(run)
        assert len(book.taken) == 1
        assert book.cursors == {}
        azure.arm.faults.clear(None)
        assert len(taken(await found_by(run))) == 1


async def test_a_run_is_bounded_in_time_within_a_page(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run takes in at least one alert, so that many short ones come to the end, too."""
    link(azure, "cpu-shop-web", "dtu-orders")
    await fire(azure, "cpu-shop-web", "dtu-orders")
    async with catching_up(azure, book, monkeypatch, bounds=Bounds(seconds=0)) as run:
        counts = []
        for _ in range(3):
            await found_by(run)
            counts.append((len(book.taken), bool(run.unfinished)))
    assert counts == [(1, True), (2, False), (2, False)]


async def test_all_of_a_page_is_read_before_any_of_it_is_taken_in(
    azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fired and ended in the outage comes at once, and opens no work item while others are being read."""
    link(azure, "cpu-shop-web", "dtu-orders")
    await fire(azure, "cpu-shop-web", "dtu-orders", resolved=True)
    reading = azure.arm.faults.set(Fault(kind=FaultKind.DELAY, path="*/alerts/*", seconds=0, times=None))
    read: list[int] = []

    class Noting(Book):
        async def take_in(self, connection: str, body: bytes) -> tuple[Outcome, str]:
            read.append(azure.arm.faults.met(reading.id))
            return await super().take_in(connection, body)

    book = Noting()
    async with catching_up(azure, book, monkeypatch) as run:
        await found_by(run)
    assert read == [2, 2, 2, 2]


async def test_the_end_of_what_was_recorded_is_fetched_whatever_its_rule_names_now(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its work item is open: nobody else would ever end it."""
    await fire(azure, "cpu-shop-web", resolved=True)
    (alert,) = azure.arm.ledger.all()
    alert_id = f"/subscriptions/{PRODUCTION}/providers/Microsoft.AlertsManagement/alerts/{alert.guid}"
    async with catching_up(azure, book, monkeypatch) as run:
        assert taken(await found_by(run)) == []
        book.taken.append(("desk", alert_id, Condition.FIRED))
        book.cursors.clear()
        (found,) = [one for one in await found_by(run) if one.outcome is Outcome.TAKEN_IN]
    assert (found.condition, found.connection, found.reason) == (
        Condition.RESOLVED,
        "desk",
        "its firing was recorded",
    )


async def test_what_a_connection_took_in_under_its_former_name_is_known(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every pass after it was renamed, and for people who look farther back; what is missing is fetched for it."""
    link(azure, "cpu-shop-web", "dtu-orders")
    await fire(azure, "cpu-shop-web", resolved=True)
    async with catching_up(azure, book, monkeypatch) as run:
        assert len(taken(await found_by(run))) == 2
    async with catching_up(azure, book, monkeypatch, connections=["renamed"]) as run:
        for wishes in (WISHES, replace(WISHES, since=datetime.now(UTC) - DAY), WISHES):
            assert taken(await found_by(run, wishes)) == []
        await fire(azure, "dtu-orders")
        assert taken(await found_by(run)) == [("dtu-orders", Condition.FIRED)]
    assert [name for name, _, _ in book.taken] == ["desk", "desk", "renamed"]


async def test_a_further_connection_is_no_new_name_of_another(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it should have been told is fetched for it, though another was told the same."""
    link(azure, "cpu-shop-web")
    await fire(azure, "cpu-shop-web")
    async with catching_up(azure, book, monkeypatch) as run:
        await found_by(run)
    async with catching_up(azure, book, monkeypatch, connections=["desk", "further"]) as run:
        assert taken(await found_by(run)) == [("cpu-shop-web", Condition.FIRED)]
    assert [name for name, _, _ in book.taken] == ["desk", "further"]
