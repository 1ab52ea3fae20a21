"""Old ITSM actions go once our webhook is there, one by one; and come back as they were."""

import copy
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.azure_sandbox import Azure
from tests.azure_specs import needs_specs, violations
from tests.unit.azure.conftest import Opener
from tests.unit.azure.itsmc.building import SERVICENOW

from secure_export.azure.itsmc.looking import look, readable_subscriptions
from secure_export.azure.itsmc.migration import migration_of
from secure_export.azure.itsmc.names import Known
from secure_export.azure.itsmc.removal import compared, put_back, removals, remove, removed_in, settle
from secure_export.azure.itsmc.removed_action import GroupChanged, RemovedAction
from secure_export.azure.setup.change import Action, Change
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.walk import take_back
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, SHARED
from secure_export.sandbox.entra.identities import NOBODY

ITSMC = f"/subscriptions/{SHARED}/resourceGroups/rg-monitoring/providers/Microsoft.Insights/actionGroups/ag-itsmc"
_SHOP = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod"
SHOP = f"{_SHOP}/providers/Microsoft.Insights/actionGroups/ag-itsmc-shop"
WEBHOOK = {
    "name": "secure-export",
    "serviceUri": "https://a.example",
    "useCommonAlertSchema": True,
    "useAadAuth": False,
}


def row(azure: Azure, path: str) -> dict[str, Any]:
    found: dict[str, Any] = azure.arm.resources[path.lower()]
    return found


@pytest.fixture
async def context(azure: Azure, opened: Opener) -> AsyncIterator[Context]:
    """An Azure with our webhook in both action groups."""
    for path in (ITSMC, SHOP):
        row(azure, path)["properties"]["webhookReceivers"] = [dict(WEBHOOK)]
    async with opened() as found:
        yield found


async def steps_in(context: Context) -> list[RemovedAction]:
    subscriptions = await readable_subscriptions(context.manager)
    inventory = await look(context.manager, context.wanted.tenant_id, subscriptions)
    return removals(migration_of(inventory, SERVICENOW, Known()).moves)


async def removed(context: Context, record: Record) -> list[str]:
    steps = await steps_in(context)
    planned = await compared(context, steps)
    return [p.change.name async for p in remove(context, record, steps, planned) if p.done and p.change.is_due]


def state(azure: Azure) -> Any:
    return copy.deepcopy([row(azure, path)["properties"] for path in (ITSMC, SHOP)])


async def test_all_that_uses_itsmc_is_found(context: Context) -> None:
    """Action groups of every subscription, with the rules of each kind that name them in whatever case."""
    inventory = await look(context.manager, "t", await readable_subscriptions(context.manager))
    assert [(one.name, [r.name for r in one.receivers], [r.name for r in one.rules]) for one in inventory.groups] == [
        ("ag-itsmc", ["snow-incident", "snow-event"], ["agents-silent", "service-health"]),
        ("ag-itsmc-shop", ["snow-shop"], ["dtu-orders"]),
    ]
    assert inventory.remarks == ()


async def test_what_may_not_be_read_is_said_and_ends_nothing(azure: Azure, opened: Opener) -> None:
    """Who has no role sees nothing, and is told which role is needed."""
    async with opened(who=NOBODY) as context:
        assert await readable_subscriptions(context.manager) == []
        inventory = await look(context.manager, azure.tenant, [SHARED])
    assert inventory.groups == ()
    assert "Monitoring Reader" in inventory.remarks[0]


async def test_nothing_but_the_old_actions_goes_and_all_comes_back(
    azure: Azure, context: Context, record: Record
) -> None:
    """Receivers of other kinds, names and order are as they were."""
    before = state(azure)
    assert len(await removed(context, record)) == 3
    after = state(azure)
    assert [one.pop("itsmReceivers") for one in after] == [[], []]
    assert after == [{k: v for k, v in one.items() if k != "itsmReceivers"} for one in before]
    assert [made.done for made in removed_in(record, azure.tenant)] == [True] * 3
    assert len([p async for p in put_back(context, record) if p.done]) == 3
    assert state(azure) == before
    assert record.tenants == ()


async def test_destroying_puts_the_old_actions_back_too(azure: Azure, context: Context, record: Record) -> None:
    """``azure destroy`` knows what ``itsmc apply`` took out: nobody is left without a way."""
    before = state(azure)
    await removed(context, record)
    async for _ in take_back(context, record):
        pass
    assert state(azure) == before


async def test_one_action_group_can_be_put_back_alone(azure: Azure, context: Context, record: Record) -> None:
    """The others stay without."""
    await removed(context, record)
    async for _ in put_back(context, record, groups=["AG-ITSMC-SHOP"]):
        pass
    assert [len(one["itsmReceivers"]) for one in state(azure)] == [0, 1]
    assert len(removed_in(record, azure.tenant)) == 2


async def test_without_our_webhook_nothing_goes(azure: Azure, context: Context) -> None:
    """The old way stays until the new one is there."""
    row(azure, SHOP)["properties"]["webhookReceivers"] = []
    changes = await compared(context, await steps_in(context))
    assert [one.action for one in changes] == [Action.TAKE_BACK, Action.TAKE_BACK, Action.BLOCKED]


@pytest.mark.parametrize("what", ["emailReceivers", "tags"])
async def test_a_change_by_somebody_else_is_noticed(azure: Azure, context: Context, record: Record, what: str) -> None:
    """Nothing is written over what somebody changed after a person agreed."""
    steps = await steps_in(context)
    planned = await compared(context, steps)
    if what == "tags":
        row(azure, ITSMC)["tags"] = {"owner": "somebody"}
    else:
        row(azure, ITSMC)["properties"][what] = [{"name": "new", "emailAddress": "a@b.example"}]
    before = state(azure)
    with pytest.raises(GroupChanged):
        async for _ in remove(context, record, steps, planned):
            pass
    assert state(azure) == before
    assert record.tenants == ()


async def test_a_change_in_the_last_moment_is_noticed(azure: Azure, context: Context) -> None:
    """Between the last look and the write somebody may still come."""
    step = (await steps_in(context))[0]
    change = await step.compare(context)
    row(azure, ITSMC)["tags"] = {"owner": "somebody"}
    with pytest.raises(GroupChanged):
        await step.make(context, change)
    assert len(row(azure, ITSMC)["properties"]["itsmReceivers"]) == 2


async def test_an_action_that_was_changed_meanwhile_is_left(azure: Azure, context: Context) -> None:
    """What would go is not what was looked at."""
    steps = await steps_in(context)
    row(azure, SHOP)["properties"]["itsmReceivers"][0]["region"] = "northeurope"
    assert [one.action for one in await compared(context, steps)][-1] is Action.BLOCKED


class Dies(Record):
    """A record whose program is killed at one of its writes, before or after."""

    def __init__(self, path: Path, at: int, *, before: bool) -> None:
        super().__init__(path)
        self._left, self._before = at, before

    def _write(self) -> None:
        self._left -= 1
        if self._left or not self._before:
            super()._write()
        if not self._left:
            raise KeyboardInterrupt


async def test_killed_at_any_write_the_next_run_ends_the_same(azure: Azure, context: Context, tmp_path: Path) -> None:
    """All actions are out, all are remembered as they were, and all can be put back."""
    whole, path = state(azure), tmp_path / "record.json"
    for at, before in itertools.product((1, 2, 3, 6), (True, False)):
        with pytest.raises(KeyboardInterrupt):
            await removed(context, Dies(path, at, before=before))
        record = Record(path)
        await settle(context, record)
        await removed(context, record)
        assert [one["itsmReceivers"] for one in state(azure)] == [[], []]
        assert [made.done for made in record.of(azure.tenant)] == [True] * 3
        async for _ in put_back(context, record):
            pass
        assert state(azure) == whole


async def test_stopped_between_writing_down_and_writing_nothing_is_remembered(
    azure: Azure, context: Context, record: Record
) -> None:
    """What was not taken out is not put back twice."""
    steps = await steps_in(context)
    change: Change = await steps[0].compare(context)
    record.intend(azure.tenant, change)
    await settle(context, record)
    assert record.tenants == ()


async def test_a_name_that_others_took_meanwhile_is_left(azure: Azure, context: Context, record: Record) -> None:
    """Names are unique in an action group, over all kinds of receivers."""
    await removed(context, record)
    row(azure, SHOP)["properties"]["emailReceivers"] = [{"name": "SNOW-shop", "emailAddress": "a@b.example"}]
    reasons = [p.change.reason async for p in put_back(context, record, groups=["ag-itsmc-shop"]) if p.done]
    assert reasons == ["the action group is gone, or has one of that name"]


@needs_specs
async def test_what_is_written_is_as_described(
    azure: Azure, context: Context, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write is a whole action group by the official description, without unknown members."""
    sent: list[tuple[str, str, Any]] = []
    call: Callable[..., Any] = context.manager.call

    async def seen(method: str, path: str, **how: Any) -> Any:
        if method == "PUT":
            sent.append((method, f"{path}?api-version={how['query']['api-version']}", how["json"]))
        return await call(method, path, **how)

    monkeypatch.setattr(context.manager, "call", seen)
    await removed(context, record)
    async for _ in put_back(context, record):
        pass
    assert len(sent) == 6
    assert [violations(*one) for one in sent] == [[]] * 6
