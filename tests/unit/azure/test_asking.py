"""How Azure is asked: by the official descriptions, patiently, with permissions checked first, and nowhere else."""

from typing import Any

import pytest
from tests.azure_sandbox import ARM_SCOPE, GRAPH_SCOPE, Azure
from tests.azure_specs import needs_specs, violations
from tests.unit.azure.conftest import Opener, applied
from tests.unit.azure.test_walk import EVERY_WAY, RULE
from tests.unit.azure.world import writes

from secure_export.azure.api import AzureApi
from secure_export.azure.errors import AzureRefused, AzureUnreachable
from secure_export.azure.setup.change import Action
from secure_export.azure.setup.permissions import claims_of, missing_in_directory
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.walk import plan, steps_of, take_back
from secure_export.azure.verify.trial import send_test
from secure_export.cli.azure.setting_up import missing_permissions, missing_to_look
from secure_export.sandbox.entra.identities import (
    ADMIN,
    ANNA,
    AZURE_OWNER,
    BEN,
    NOBODY,
    OWNED_BY,
    READER,
    Identity,
    User,
)
from secure_export.sandbox.rest_faults import Fault, FaultKind

WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})
NOT_UNIQUE = "Request_MultipleObjectsWithSameKeyValue"
BAD_URI = "Failed to add identifier URI x. All newly added URIs must contain a tenant verified domain, tenant ID, …"
TAKEN = "Another object with the same value for property {} already exists."


@needs_specs
async def test_every_request_to_resource_manager_is_as_described(azure: Azure, opened: Opener, record: Record) -> None:
    """Plan, apply, verify and destroy send what Microsoft's own descriptions allow, no unknown property in it."""
    asked: list[tuple[str, str, Any]] = []
    async with opened(**EVERY_WAY) as context:
        call = context.manager.call

        async def listened(method: str, path: str, *, query: Any = None, json: Any = None, **more: Any) -> Any:
            version = f"?api-version={query['api-version']}" if query else ""
            asked.append((method, f"{path}{version}", json))
            return await call(method, path, query=query, json=json, **more)

        setattr(context.manager, "call", listened)  # noqa: B010 - a method of one object alone
        await plan(context)
        await applied(context, record)
        await send_test(context, context.wanted.groups[0], sleep=_at_once)
        async for _ in take_back(context, record):
            pass
    described = [one for one in asked if "smartdetector" not in one[1].lower() and not _is_newer(one[1])]
    assert {method for method, _, _ in described} == {"GET", "PUT", "POST", "DELETE"}
    assert [(one, wrong) for one in described if (wrong := violations(*one))] == []


def _is_newer(path: str) -> bool:
    """Reading with a newer version looks for what the described one hides."""
    return any(version in path for version in ("2024-10-01-preview", "2024-03-01-preview", "2026-", "2023-12-01"))


async def _at_once(_: float) -> None:
    return None


@pytest.mark.parametrize(
    "kind", [FaultKind.THROTTLED, FaultKind.RESET_AFTER, FaultKind.RESET_BEFORE, FaultKind.GARBAGE]
)
async def test_trouble_that_passes_is_waited_out(azure: Azure, opened: Opener, record: Record, kind: FaultKind) -> None:
    """Throttling with Retry-After, connections that break, and answers that are lost end in the same state."""
    for faults in (azure.entra.graph.faults, azure.arm.faults):
        faults.set(Fault(kind=kind, methods=WRITES, seconds=0, path="*/*"))
    async with opened(link={"rules": [RULE]}) as context:
        await applied(context, record)
        assert (await plan(context)).is_empty


@pytest.mark.parametrize("page_size", [1, 2])
async def test_lists_are_read_to_their_end(azure: Azure, opened: Opener, record: Record, page_size: int) -> None:
    """What stands on a later page is there, too."""
    azure.entra.graph.limits.page_size = page_size
    async with opened(application={"owners": [claims_of(await azure.token(READER, GRAPH_SCOPE))["oid"]]}) as context:
        await applied(context, record)
        assert (await plan(context)).is_empty


@pytest.mark.parametrize(
    "following", ["http://192.0.2.1/next", "https://graph.example.test/v1.0/x", "http://localhost:1/x"]
)
async def test_a_page_on_another_host_is_not_asked(azure: Azure, opened: Opener, following: str) -> None:
    """The token would go there, too."""
    async with opened() as context:
        with pytest.raises(AzureUnreachable, match="another host"):
            await context.graph.call("GET", following)
    assert isinstance(context.graph, AzureApi)


@pytest.mark.parametrize(
    ("status", "code", "message", "path", "mend"),
    [
        (400, "Request_BadRequest", BAD_URI, "*/applications/*", "leave azure.application.identifier_uri"),
        (400, NOT_UNIQUE, TAKEN.format("identifierUris"), "*/applications/*", "choose another azure.application.ident"),
        (400, NOT_UNIQUE, TAKEN.format("uniqueName"), "*/applications(*", "delete it for good"),
        (403, "Authorization_RequestDenied", "Insufficient privileges", "*/servicePrincipals", "Insufficient"),
        (400, "AadWebhookResourceNotOwnedByCaller", "", "*/actionGroups/*", "must be an owner of the app registration"),
        (400, "AadWebhookApplicationUriNotFound", "", "*/actionGroups/*", "no such identifier URI"),
        (409, "MissingSubscriptionRegistration", "not registered", "*/actionGroups/*", "az provider register"),
    ],
)  # fmt: skip
async def test_a_refusal_names_cause_and_mend(  # noqa: PLR0917 - a table's columns
    azure: Azure, opened: Opener, record: Record, status: int, code: str, message: str, path: str, mend: str
) -> None:
    """Azure's bare codes are put into words, with what to do."""
    faults = azure.arm.faults if "actionGroups" in path else azure.entra.graph.faults
    faults.set(Fault(kind=FaultKind.ERROR_BEFORE, methods=frozenset({"PUT", "PATCH", "POST"}), path=path, status=status,
                     code=code, message=message, times=None))  # fmt: skip
    async with opened() as context:
        context.patience_seconds = 0.05
        with pytest.raises(AzureRefused, match=mend) as raised:
            await applied(context, record)
    assert (raised.value.code, raised.value.status) == (code, status)


async def test_what_the_directory_has_already_is_no_error(azure: Azure, opened: Opener, record: Record) -> None:
    """A role that was assigned a moment ago, unseen by a stale reader, counts as done."""
    azure.entra.graph.faults.set(Fault(kind=FaultKind.ERROR_AFTER, methods=frozenset({"POST"}), status=400,
                                       path="*/appRoleAssignedTo",
                                       message="Permission being assigned already exists on the object."))  # fmt: skip
    async with opened() as context:
        await applied(context, record)
        assert (await plan(context)).is_empty


@pytest.mark.parametrize(
    ("who", "looks", "lacks"),
    [
        (ADMIN, [], []),
        (AZURE_OWNER, [], ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All",
                           "AppRoleAssignment.ReadWrite.All"]),
        (OWNED_BY, [], ["Application.Read.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"]),
        (READER, ["Application.Read.All"], None),
        (NOBODY, ["Application.Read.All", "Microsoft.Insights/actionGroups/read"], None),
    ],
)  # fmt: skip
async def test_permissions_are_told_before_anything_is_tried(
    azure: Azure, opened: Opener, who: Identity, looks: list[str], lacks: list[str] | None
) -> None:
    """Everybody hears which permissions they lack and why, and nothing was written to find out."""
    async with opened(who=who, **EVERY_WAY) as context:
        missing = await missing_to_look(context, None)
        assert [one.permission.any_of[0] for one in missing] == looks
        if lacks is not None:
            names = [one.permission.any_of[0] for one in await missing_permissions(context, await steps_of(context))]
            assert list(dict.fromkeys(names)) == lacks
        assert all(one.permission.why.startswith("to ") for one in missing)
    assert writes(azure) == []


async def test_rules_elsewhere_ask_for_permissions_there_by_their_kind(azure: Azure, opened: Opener) -> None:
    """A rule is written where it lies, with the action of its own kind."""
    rules = [RULE, RULE.replace("rg-shop-prod", "RG-Warehouse-Prod").replace("metricAlerts", "activityLogAlerts")]
    async with opened(who=READER, link={"rules": rules}) as context:
        missing = await missing_permissions(context, [s for s in await steps_of(context) if s.kind == "alert rule"])
    assert [(one.permission.any_of[0], one.scope.rpartition("/")[2]) for one in missing] == [
        ("Microsoft.Insights/metricAlerts/write", "rg-shop-prod"),
        ("Microsoft.Insights/activityLogAlerts/write", "RG-Warehouse-Prod"),
    ]


@pytest.mark.parametrize(
    ("claims", "lacks"),
    [
        ({"scp": "Application.ReadWrite.All", "wids": ["b79fbf4d-3ef9-4689-8143-76b194e85509"]}, 2),
        ({"scp": "User.Read", "wids": ["9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"]}, 0),
        ({"scp": "User.Read"}, 0),
        ({"roles": ["Application.ReadWrite.All"]}, 1),
        ({}, 6),
    ],
)
def test_what_a_token_tells_of_permissions(claims: dict[str, Any], lacks: int) -> None:
    """A person may what their directory roles allow; a plain member may not assign roles, an app only what it holds."""
    from secure_export.azure.setup import permissions as known  # noqa: PLC0415 - all of its names

    needed = [known.READ_APPLICATION, known.READ_DIRECTORY, known.WRITE_APPLICATION, known.ADD_CALLER,
              known.ADD_OWNER, known.ASSIGN_ROLE]  # fmt: skip
    assert len(missing_in_directory(claims, needed)) == lacks


async def test_a_resource_group_that_is_not_there_is_said(opened: Opener) -> None:
    """Azure makes no resource group by itself; the plan says so instead of failing half-way."""
    async with opened(resource_group="rg-nowhere") as context:
        change = (await plan(context)).changes[-1]
    assert change.action is Action.BLOCKED
    assert "rg-nowhere" in change.reason


@pytest.mark.parametrize("who", [ANNA, BEN])
async def test_people_can_read_the_directory(azure: Azure, who: User) -> None:
    """A member of the tenant may look at registrations, so a person is never told to ask for that."""
    from secure_export.azure.setup.permissions import READ_APPLICATION  # noqa: PLC0415 - only here

    assert missing_in_directory(claims_of(await azure.token(who, GRAPH_SCOPE)), [READ_APPLICATION]) == ()
    assert claims_of(await azure.token(who, ARM_SCOPE))["oid"]
