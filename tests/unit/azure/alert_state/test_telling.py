"""Telling Azure what people did, against the sandbox's Azure."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.azure_sandbox import Azure
from tests.azure_specs import SPECS, violations
from tests.unit.azure.conftest import settings_for

from secure_export.azure.alert_state.telling import Telling, Told
from secure_export.azure.errors import AzureRefused, AzureUnreachable, NotSignedIn
from secure_export.azure.session import signed_in
from secure_export.delivery.contract import UntoldAct
from secure_export.sandbox.azure_monitor.arm.firing import Firing
from secure_export.sandbox.azure_monitor.arm.ledger import Alert
from secure_export.sandbox.entra.identities import READER, SERVICE, Identity
from secure_export.sandbox.rest_faults import Fault, FaultKind
from secure_export.workitems.peoples_act import PeoplesAct

GONE = "/subscriptions/7b1d6f20-3c44-4e0b-9a86-1f2e5d8c9a01/providers/Microsoft.AlertsManagement/alerts/"


class Book:
    """Acts that are owed until they are written down as told."""

    def __init__(self) -> None:
        self.acts: list[UntoldAct] = []
        self.told: list[tuple[str, str]] = []

    def add(self, act: PeoplesAct, *alert_ids: str) -> None:
        place = len(self.acts) + 1
        self.acts.append(UntoldAct(place, f"item-{place}", "desk", f"INC{place}", act, alert_ids))

    async def untold_acts(self, *, after: int, limit: int) -> Sequence[UntoldAct]:
        told = {one for one, _ in self.told}
        return [one for one in self.acts if one.place > after and one.work_item not in told][:limit]

    async def act_told(self, work_item: str, act: Any) -> None:
        self.told.append((work_item, act.value))


@pytest.fixture
def book() -> Book:
    return Book()


async def fired(azure: Azure, rule: str = "cpu-shop-web") -> tuple[str, Alert]:
    one = Firing(azure.arm, azure.station).fire(rule)
    await azure.station.settled()
    alert_id = one.story.fired.alert_id
    assert alert_id is not None
    found = azure.arm.ledger.find(alert_id.rpartition("/")[2])
    assert found is not None
    return alert_id, found


@asynccontextmanager
async def telling(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch, *, who: Identity = SERVICE, calls: int = 600
) -> AsyncIterator[Telling]:
    settings = settings_for(azure, monkeypatch, who=who)
    async with signed_in(settings, azure.tenant, authority=azure.authority) as session:
        yield Telling(book, lambda _: session.manager, calls=calls)


async def test_what_people_did_is_told_once_with_the_work_items_number(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acknowledged, and then Closed; who looks at the alert in Azure finds the work item."""
    alert_id, alert = await fired(azure)
    async with telling(azure, book, monkeypatch) as tell:
        book.add(PeoplesAct.ACKNOWLEDGED, alert_id)
        assert await tell.run() == Told(changed=1)
        assert (alert.state, alert.condition) == ("Acknowledged", "Fired")
        book.add(PeoplesAct.RESOLVED, alert_id)
        assert await tell.run() == Told(changed=1)
        assert await tell.run() == Told()
    assert alert.state == "Closed"
    assert "Work item INC2 was resolved by a person" in alert.history[0].comments
    assert book.told == [("item-1", "acknowledged"), ("item-2", "resolved")]


async def test_nothing_that_people_did_in_azure_is_taken_back(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alert that was closed there stays closed when the work item is acknowledged."""
    alert_id, alert = await fired(azure)
    azure.arm.ledger.change_state(alert, "Closed", by="ada")
    book.add(PeoplesAct.ACKNOWLEDGED, alert_id)
    async with telling(azure, book, monkeypatch) as tell:
        assert await tell.run() == Told(kept=1)
    assert (alert.state, alert.by) == ("Closed", "ada")
    assert len(book.told) == 1


async def test_what_azure_does_not_have_is_owed_no_longer(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alerts older than thirty days answer 404; tests and made-up ids are not asked for at all."""
    book.add(PeoplesAct.RESOLVED, f"{GONE}00000000-0000-4000-8000-000000000000", f"{GONE}Test_Alert", "made-up")
    async with telling(azure, book, monkeypatch) as tell:
        assert await tell.run() == Told(kept=1)
    assert len(book.told) == 1


async def test_what_azure_refuses_stays_owed_and_does_not_hold_up_others(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that is missing today may be there tomorrow."""
    first, _ = await fired(azure)
    second, alert = await fired(azure, "dtu-orders")
    book.add(PeoplesAct.RESOLVED, first)
    book.add(PeoplesAct.RESOLVED, second)
    refusing = Fault(kind=FaultKind.ERROR_BEFORE, path=f"*/{first.rpartition('/')[2]}/changestate", status=403)
    azure.arm.faults.set(refusing)
    async with telling(azure, book, monkeypatch) as tell:
        assert await tell.run() == Told(changed=1, put_off=1)
        assert (alert.state, book.told) == ("Closed", [("item-2", "resolved")])
        azure.arm.faults.clear(None)
        assert await tell.run() == Told(changed=1)


async def test_a_reader_may_not_change_states(azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes Monitoring Contributor; the act stays owed."""
    alert_id, alert = await fired(azure)
    book.add(PeoplesAct.RESOLVED, alert_id)
    async with telling(azure, book, monkeypatch, who=READER) as tell:
        assert await tell.run() == Told(put_off=1)
    assert (alert.state, book.told) == ("New", [])


async def test_throttling_is_waited_out_and_a_lost_answer_does_no_harm(
    azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is set once, whatever happened to the first answer."""
    alert_id, alert = await fired(azure)
    book.add(PeoplesAct.RESOLVED, alert_id)
    azure.arm.faults.set(Fault(kind=FaultKind.THROTTLED, path="*/changestate", seconds=0, times=1))
    azure.arm.faults.set(Fault(kind=FaultKind.RESET_AFTER, path="*/changestate", times=1))
    async with telling(azure, book, monkeypatch) as tell:
        for _ in range(2):
            try:
                await tell.run()
            except AzureUnreachable:
                continue
    assert [one.event for one in alert.history].count("StateChange") == 1
    assert len(book.told) == 1


async def test_a_run_leaves_calls_to_others(azure: Azure, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into one run is told by the next."""
    for rule in ("cpu-shop-web", "dtu-orders"):
        book.add(PeoplesAct.RESOLVED, (await fired(azure, rule))[0])
    async with telling(azure, book, monkeypatch, calls=2) as tell:
        assert await tell.run() == Told(changed=1, put_off=1)
        assert await tell.run() == Told(changed=1)


@pytest.mark.skipif(not SPECS.is_dir(), reason="the official descriptions are not beside this checkout")
async def test_requests_are_as_described(book: Book) -> None:
    """Every request is one that Microsoft's description knows; the body's member is ``comments``."""
    asked: list[tuple[str, str, list[str]]] = []

    class Manager:
        async def call(self, method: str, path: str, *, query: Any = None, json: Any = None) -> Any:
            url = f"https://management.azure.com{path}?" + "&".join(f"{k}={v}" for k, v in (query or {}).items())
            asked.append((method, path.rpartition("/")[2], violations(method, url, json)))
            return type("Answer", (), {"body": None})()

    book.add(PeoplesAct.ACKNOWLEDGED, f"{GONE}00000000-0000-4000-8000-000000000000")
    await Telling(book, lambda _: Manager()).run()  # type: ignore[arg-type,return-value] # what is asked of it
    assert asked == [("GET", "00000000-0000-4000-8000-000000000000", []), ("POST", "changestate", [])]


OTHER = GONE.replace("7b1d6f20", "00000000")


@pytest.mark.parametrize(
    ("trouble", "asked"),
    [(AzureRefused(403, "AuthorizationFailed", "no"), 20), (AzureRefused(429, "", ""), 1), (NotSignedIn("no"), 1)],
)
async def test_a_subscription_that_refuses_everything_does_not_use_up_the_calls_for_others(
    book: Book, trouble: Exception, asked: int
) -> None:
    """After so many refusals in a row the rest is put off without asking; what others have to be told is told."""
    for n in range(50):
        book.add(PeoplesAct.RESOLVED, f"{GONE}00000000-0000-4000-8000-{n:012}")
    book.add(PeoplesAct.RESOLVED, f"{OTHER}00000000-0000-4000-8000-000000000000")
    calls: list[str] = []

    class Refusing:
        async def call(self, _: str, path: str, **__: Any) -> Any:
            calls.append(path)
            raise trouble

    class Willing:
        async def call(self, *_: Any, **__: Any) -> Any:
            return type("Answer", (), {"body": None})()

    managers = {GONE.split("/")[2]: Refusing(), OTHER.split("/")[2]: Willing()}
    tell = Telling(book, managers.get, calls=60)  # type: ignore[arg-type] # what is asked of them
    assert await tell.run() == Told(changed=1, put_off=50)
    assert len(calls) == asked
    assert [one for one, _ in book.told] == ["item-51"]
    await tell.run()
    assert len(calls) == 2 * asked
