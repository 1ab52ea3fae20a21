"""Plan, apply and take back, against the sandbox's Graph and Resource Manager over HTTP."""

import json
from pathlib import Path

from tests.azure_sandbox import GRAPH_SCOPE, Azure
from tests.unit.azure.conftest import GROUP, Opener, applied
from tests.unit.azure.world import state_of, writes

from secure_export.azure.setup.change import Action, Side
from secure_export.azure.setup.permissions import claims_of
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.walk import plan, take_back
from secure_export.sandbox.azure_monitor.estate import PRODUCTION
from secure_export.sandbox.entra.identities import AZURE_OWNER, ENTRA_ADMIN

RULE = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod/providers/microsoft.insights/metricAlerts/cpu-shop-web"
EVERY_WAY = {"link": {"rules": [RULE], "resource_groups": ["RG-Warehouse-Prod"], "subscription": True}}


async def test_a_plan_of_an_empty_tenant_creates_everything_and_changes_nothing(azure: Azure, opened: Opener) -> None:
    """A plan names each thing that is missing, and looking leaves Azure as it was."""
    before = state_of(azure)
    async with opened(**EVERY_WAY) as context:
        planned = await plan(context)
    assert [(c.kind, c.action.value) for c in planned.changes] == [
        ("app registration", "create"),
        ("identifier URI", "create"),
        ("service principal", "create"),
        ("action groups' service principal", "create"),
        ("role assignment", "create"),
        ("owner", "create"),
        ("action group", "create"),
        ("alert rule", "change"),
        ("alert rule", "change"),
        ("alert processing rule", "create"),
    ]
    assert state_of(azure) == before


async def test_the_second_plan_is_empty(opened: Opener, record: Record) -> None:
    """What was applied is as it should be: there is nothing left to do, and applying again does nothing."""
    async with opened(**EVERY_WAY) as context:
        await applied(context, record)
    async with opened(**EVERY_WAY) as context:
        planned = await plan(context)
        assert [c.address for c in planned.changes if c.action is not Action.KEEP] == []
        assert await applied(context, record) == []


async def test_what_is_taken_back_leaves_azure_as_it_was(azure: Azure, opened: Opener, record: Record) -> None:
    """Destroy takes back exactly what was made, and the record is empty after it."""
    before = state_of(azure)
    async with opened(**EVERY_WAY) as context:
        await applied(context, record)
        assert state_of(azure) != before
    async with opened(**EVERY_WAY) as context:
        async for _ in take_back(context, record):
            pass
    assert state_of(azure) == before
    assert record.tenants == ()


async def test_apply_waits_while_the_directory_does_not_agree(azure: Azure, opened: Opener, record: Record) -> None:
    """Replicas that lag behind do not fail a run."""
    azure.entra.graph.lag.reads = 2
    async with opened(**EVERY_WAY) as context:
        await applied(context, record)
        azure.entra.graph.lag.reads = 0
        assert (await plan(context)).is_empty


async def test_the_two_halves_are_done_by_two_people(
    azure: Azure, opened: Opener, record: Record, tmp_path: Path
) -> None:
    """The Entra administrator's part and the Azure owner's part make the whole together, each with what they may."""
    theirs = Record(tmp_path / "theirs.json")
    me = claims_of(await azure.token(AZURE_OWNER, GRAPH_SCOPE))["oid"]
    async with opened(who=ENTRA_ADMIN, application={"owners": [me]}) as context:
        await applied(context, record, only=frozenset({Side.ENTRA}))
        assert {made.kind for made in record.of(azure.tenant)} & {"action group"} == set()
    assert str(context.me) not in json.dumps(azure.entra.graph.tenant(azure.tenant).as_json()["applications"])
    async with opened(who=AZURE_OWNER, application={"owners": [me]}) as context:
        await applied(context, theirs, only=frozenset({Side.AZURE}))
        assert (await plan(context)).is_empty
    assert [made.kind for made in theirs.of(azure.tenant)] == ["action group"]


async def test_the_azure_owners_half_waits_for_the_other(azure: Azure, opened: Opener, record: Record) -> None:
    """Without the app registration, and without owning it, no action group is made; the plan says what is awaited."""
    async with opened(who=AZURE_OWNER, link={"subscription": True}) as context:
        changes = (await plan(context, only=frozenset({Side.AZURE}))).changes
        assert [change.action for change in changes] == [Action.BLOCKED, Action.BLOCKED]
        assert "app registration secure-export" in changes[0].reason
        assert f'owners = ["{context.me}"]' in changes[0].reason
        assert await applied(context, record, only=frozenset({Side.AZURE})) == []
    assert (writes(azure), record.tenants) == ([], ())


async def test_tokens_carry_the_role_after_applying(azure: Azure, opened: Opener, record: Record) -> None:
    """The right role is assigned, by its id: Azure Monitor's token says it."""
    async with opened() as context:
        await applied(context, record)
        webhook = azure.arm.resources[GROUP.lower()]["properties"]["webhookReceivers"][0]
        assert webhook["identifierUri"] == f"api://{context.found.client_id}"
        assert webhook["objectId"] == context.found.application_id
        assert context.found.role_id is not None
