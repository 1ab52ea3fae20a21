"""Service principals, assignments, and the tokens that follow from them (entra-facts 0.2, 1.4, 1.5 and 5)."""

import base64
import json
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from tests.azure_sandbox import ARM_SCOPE, GRAPH_SCOPE, Azure, Client
from tests.unit.sandbox.entra.graph_set_up import ROLE, ROLE_ID, UPSERT, application, assigned, principal

from secure_export.sandbox.entra import AZNS_APP_ID, AZNS_SANDBOX_SECRET
from secure_export.sandbox.entra.identities import ADMIN, BEN, ENTRA_ADMIN, NOBODY, OWNED_BY, Identity


async def _asked(azure: Azure, audience: str, **more: str) -> dict[str, Any]:
    form = {
        "grant_type": "client_credentials",
        "client_id": AZNS_APP_ID,
        "client_secret": AZNS_SANDBOX_SECRET,
        "scope": f"{audience}/.default",
        **more,
    }
    where = f"{azure.authority}/{azure.tenant}/oauth2/v2.0/token"
    async with aiohttp.ClientSession() as session, session.post(where, data=form) as answer:
        body: dict[str, Any] = await answer.json()
        return body


def _claims(body: dict[str, Any]) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body["access_token"].split(".")[1] + "=="))
    return claims


async def test_a_whole_set_up_gives_the_token_that_a_secure_webhook_sends(azure: Azure, graph: Client) -> None:
    """Version 2, the client id as audience, the role that was assigned, the caller's own principal."""
    app = await application(graph)
    _, caller = await assigned(graph, app)
    claims = _claims(await _asked(azure, f"api://{app['appId']}"))
    assert (claims["aud"], claims["ver"], claims["azp"]) == (app["appId"], "2.0", AZNS_APP_ID)
    assert (claims["roles"], claims["oid"], claims["idtyp"]) == ([ROLE["value"]], caller["id"], "app")


async def test_a_token_carries_exactly_the_roles_that_were_assigned(azure: Azure, graph: Client) -> None:
    """Another role of the same application is not in it, and the first of the list is no better than another."""
    other = {**ROLE, "id": "0d9f3b4a-2a67-5c11-9d41-6f0f6a1b2c3e", "value": "Other"}
    app = await application(graph, appRoles=[other, ROLE])
    own, caller = await assigned(graph, app)
    assert _claims(await _asked(azure, app["appId"]))["roles"] == [ROLE["value"]]
    body = {"principalId": caller["id"], "resourceId": own["id"], "appRoleId": other["id"]}
    assert (await graph.post(f"/servicePrincipals/{caller['id']}/appRoleAssignments", body)).status == 201
    assert sorted(_claims(await _asked(azure, app["appId"]))["roles"]) == [ROLE["value"], "Other"]


async def test_a_disabled_role_is_in_no_token(azure: Azure, graph: Client) -> None:
    """Though it is still assigned."""
    app = await application(graph)
    await assigned(graph, app)
    where = f"/applications/{app['id']}"
    assert (await graph.patch(where, {"appRoles": [{**ROLE, "isEnabled": False}]})).status == 204
    assert "roles" not in _claims(await _asked(azure, app["appId"]))


async def test_without_the_assignment_there_is_no_token_or_one_without_roles(azure: Azure, graph: Client) -> None:
    """It depends on whether an assignment is required."""
    app = await application(graph)
    own = await principal(graph, app["appId"], appRoleAssignmentRequired=True)
    missing = await _asked(azure, app["appId"])
    assert missing["error_codes"] == [7000229]
    await principal(graph, AZNS_APP_ID)
    assert (await _asked(azure, app["appId"]))["error_codes"] == [501051]
    assert (await graph.patch(f"/servicePrincipals/{own['id']}", {"appRoleAssignmentRequired": False})).status == 204
    assert "roles" not in _claims(await _asked(azure, app["appId"]))


async def test_a_role_that_was_taken_away_is_in_no_new_token(azure: Azure, graph: Client) -> None:
    """The assignment is deleted from the resource's side."""
    app = await application(graph)
    own, _ = await assigned(graph, app, required=False)
    (row,) = (await graph.get(f"/servicePrincipals/{own['id']}/appRoleAssignedTo")).values
    assert (row["appRoleId"], row["principalDisplayName"]) == (ROLE_ID, "AzNS AAD Webhook")
    assert (await graph.delete(f"/servicePrincipals/{own['id']}/appRoleAssignedTo/{row['id']}")).status == 204
    assert (await graph.get(f"/servicePrincipals/{own['id']}/appRoleAssignedTo")).values == []
    assert "roles" not in _claims(await _asked(azure, app["appId"]))


@pytest.mark.parametrize(("version", "audience"), [(None, "uri"), (1, "uri"), (2, "appId")])
async def test_the_token_version_is_the_resources_choice(
    azure: Azure, graph: Client, version: int | None, audience: str
) -> None:
    """None and 1 give version 1 tokens with the URI that was asked for."""
    app = await application(graph, api={"requestedAccessTokenVersion": version})
    await assigned(graph, app)
    claims = _claims(await _asked(azure, app["identifierUris"][0]))
    assert claims["ver"] == ("2.0" if version == 2 else "1.0")
    assert claims["aud"] == {"uri": app["identifierUris"][0], "appId": app["appId"]}[audience]


async def test_version_1_tokens_may_carry_the_guid(azure: Azure, graph: Client) -> None:
    """The optional claim aud with use_guid says so."""
    wanted = {"accessToken": [{"name": "aud", "additionalProperties": ["use_guid"]}]}
    app = await application(graph, api={"requestedAccessTokenVersion": 1}, optionalClaims=wanted)
    await assigned(graph, app)
    claims = _claims(await _asked(azure, app["identifierUris"][0]))
    assert (claims["ver"], claims["aud"], "idtyp" in claims) == ("1.0", app["appId"], False)


async def test_an_application_without_a_principal_is_no_resource(azure: Azure, graph: Client) -> None:
    """The tenant does not know it until its service principal is there."""
    app = await application(graph)
    await principal(graph, AZNS_APP_ID)
    assert (await _asked(azure, app["appId"]))["error_codes"] == [500011]


async def test_graphs_tokens_carry_the_permissions_that_were_granted(azure: Azure) -> None:
    """Version 1 tokens with the audience as asked for; a person's have scopes and no roles."""
    claims = _claims({"access_token": await azure.token(ADMIN, GRAPH_SCOPE)})
    assert claims["aud"] == "https://graph.microsoft.com"
    assert set(ADMIN.permissions) == set(claims["roles"])
    assert "roles" not in _claims({"access_token": await azure.token(NOBODY, GRAPH_SCOPE)})
    person = _claims({"access_token": await azure.token(BEN, ARM_SCOPE)})
    assert (person["scp"], person["oid"], "roles" in person) == ("user_impersonation", BEN.id, False)


async def test_a_person_with_a_wrong_password_gets_nothing(azure: Azure) -> None:
    """Nor a token for an application that nobody consented to."""
    form = {"grant_type": "password", "username": BEN.upn, "password": "wrong"}
    assert (await _asked(azure, "https://graph.microsoft.com", **form))["error_codes"] == [50126]
    form["password"] = "sandbox-password"
    assert (await _asked(azure, "api://anything", **form))["error_codes"] == [65001]


async def test_graph_takes_no_token_that_is_for_arm_or_has_ended(azure: Azure) -> None:
    """Nor one that others signed; 401 in each case."""
    async with azure.client(ADMIN, ARM_SCOPE) as arm:
        assert (await arm.get(f"{azure.graph_url}/v1.0/applications")).status == 401
    async with azure.client(ADMIN, GRAPH_SCOPE) as graph:
        assert (await graph.get("/applications")).status == 200
        azure.entra.clock.move(timedelta(hours=2))
        refused = await graph.get("/applications")
        assert (refused.status, refused.code) == (401, "InvalidAuthenticationToken")
    async with aiohttp.ClientSession() as session, session.get(f"{azure.graph_url}/v1.0/applications") as answer:
        assert answer.status == 401


async def test_the_action_groups_principal_needs_permission_for_all(azure: Azure) -> None:
    """With OwnedBy it is refused with the misleading sentence; no properties may be set on it."""
    async with azure.client(OWNED_BY, GRAPH_SCOPE) as mine:
        refused = await mine.post("/servicePrincipals", {"appId": AZNS_APP_ID})
        assert refused.status == 403
        assert "must in the local tenant" in refused.message
    async with azure.client(ENTRA_ADMIN, GRAPH_SCOPE) as graph:
        where = f"/servicePrincipals(appId='{AZNS_APP_ID}')"
        assert (await graph.patch(where, {"tags": ["mine"]}, **UPSERT)).status == 403
        assert (await graph.get(where)).status == 404
        assert (await graph.post("/servicePrincipals", {"appId": AZNS_APP_ID})).status == 201
        assert (await graph.post("/servicePrincipals", {"appId": AZNS_APP_ID})).status == 409
        assert (await graph.patch(where, {}, **UPSERT)).status == 204
        unknown = await graph.post("/servicePrincipals", {"appId": "0d9f3b4a-2a67-4c11-9d41-6f0f6a1b2c3d"})
        assert "does not reference a valid application object" in unknown.message


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        (("AppRoleAssignment.ReadWrite.All", "Application.Read.All"), 201),
        (("AppRoleAssignment.ReadWrite.All",), 403),
        (("Application.ReadWrite.All",), 403),
    ],
)
async def test_assigning_takes_two_permissions(
    azure: Azure, graph: Client, permissions: tuple[str, ...], status: int
) -> None:
    """One alone gives 403."""
    app = await application(graph)
    own, caller = await principal(graph, app["appId"]), await principal(graph, AZNS_APP_ID)
    who = Identity("assigner", "ad000000-0000-4000-8000-000000000042", "secret", permissions)
    azure.entra.graph.add_identity(who)
    body = {"principalId": caller["id"], "resourceId": own["id"], "appRoleId": ROLE_ID}
    async with azure.client(who, GRAPH_SCOPE) as assigner:
        made = await assigner.post(f"/servicePrincipals/{own['id']}/appRoleAssignedTo", body)
    assert made.status == status, made.body


async def test_an_assignment_is_made_once_and_with_the_right_ids(graph: Client) -> None:
    """Twice, swapped, or for a role that there is not: 400, each with its own words."""
    app = await application(graph)
    own, caller = await assigned(graph, app)
    where = f"/servicePrincipals/{own['id']}/appRoleAssignedTo"
    body = {"principalId": caller["id"], "resourceId": own["id"], "appRoleId": ROLE_ID}
    assert (await graph.post(where, body)).message == "Permission being assigned already exists on the object."
    swapped = {**body, "principalId": own["id"], "resourceId": caller["id"]}
    assert (await graph.post(where, swapped)).message == "Not a valid reference update."
    elsewhere = f"/servicePrincipals/{caller['id']}/appRoleAssignedTo"
    assert (await graph.post(elsewhere, body)).message == "Not a valid reference update."
    unknown = {**body, "appRoleId": "0d9f3b4a-2a67-4c11-9d41-6f0f6a1b2c3d"}
    assert (await graph.post(where, unknown)).message == "Not a valid reference update."
    assert (await graph.post(where, {"principalId": caller["id"]})).status == 400
