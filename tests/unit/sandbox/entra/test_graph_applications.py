"""Graph's applications over real HTTP: upsert, rules, owners, deletion (entra-facts section 5 and 5.2)."""

from typing import Any

import pytest
from tests.azure_sandbox import GRAPH_SCOPE, Azure, Client
from tests.unit.sandbox.entra.graph_set_up import BODY, NAMED, ROLE, ROLE_ID, UPSERT, application

from secure_export.sandbox.entra.identities import ADMIN, ANNA, AZURE_OWNER, BEN, OWNED_BY


async def test_an_upsert_by_unique_name_makes_once_and_changes_afterwards(graph: Client) -> None:
    """201 with the object, then 204 without one; without the preference 404."""
    assert (await graph.patch(NAMED, BODY)).status == 404
    made = await graph.patch(NAMED, BODY, **UPSERT)
    assert (made.status, made.body["uniqueName"], made.body["api"]["requestedAccessTokenVersion"]) == (
        201,
        "alert-bridge",
        2,
    )
    changed = await graph.patch(NAMED, {"displayName": "renamed"}, **UPSERT)
    assert (changed.status, changed.body) == (204, None)
    found = await graph.get(NAMED)
    assert (found.body["displayName"], found.body["appId"]) == ("renamed", made.body["appId"])
    assert len((await graph.get("/applications?$filter=uniqueName eq 'alert-bridge'")).values) == 1


async def test_a_unique_name_never_changes(graph: Client) -> None:
    """The alternate key is fixed when the object is made."""
    app = await application(graph)
    assert (await graph.patch(f"/applications/{app['id']}", {"uniqueName": "other"})).status == 400
    assert (await graph.patch(NAMED, {**BODY, "uniqueName": "other"}, **UPSERT)).status == 400


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "displayName"),
        ({"displayName": "x", "nonsense": 1}, "Invalid property 'nonsense'"),
        ({"displayName": "x", "appId": "y"}, "read-only"),
        ({"displayName": 3}, "displayName"),
        ({"displayName": "x", "signInAudience": "Everybody"}, "signInAudience"),
        ({"displayName": "x", "api": {"requestedAccessTokenVersion": 3}}, "requestedAccessTokenVersion"),
        ({"displayName": "x", "appRoles": [{**ROLE, "value": "two words"}]}, "appRoles"),
        ({"displayName": "x", "appRoles": [{**ROLE, "value": "v" * 121}]}, "appRoles"),
        ({"displayName": "x", "appRoles": [{**ROLE, "id": "no guid"}]}, "appRoles"),
        ({"displayName": "x", "appRoles": [{**ROLE, "allowedMemberTypes": ["Group"]}]}, "appRoles"),
        ({"displayName": "x", "appRoles": [ROLE, {**ROLE, "value": "other"}]}, "unique"),
        ({"displayName": "x", "optionalClaims": {"accessToken": [{"called": "idtyp"}]}}, "optionalClaims"),
        ({"displayName": "x", "identifierUris": ["api://x/"]}, "identifierUris"),
        ({"displayName": "x", "identifierUris": ["urn:x"]}, "identifierUris"),
    ],
)
async def test_an_application_that_makes_no_sense_is_refused(graph: Client, body: dict[str, Any], text: str) -> None:
    """400 in Graph's envelope, with a request id."""
    answer = await graph.post("/applications", body)
    assert answer.status == 400
    assert text in answer.message
    assert {"code", "message", "innerError"} == set(answer.body["error"])
    assert answer.headers["request-id"]


@pytest.mark.parametrize(
    ("version", "uri", "status"),
    [
        (None, "api://bridge", 400),
        (1, "api://bridge", 400),
        (2, "api://bridge", 201),
        (1, "api://{tenant}/bridge", 201),
        (1, "https://bridge.lindenhof-logistics.example/x", 201),
        (2, "https://elsewhere.example/x", 400),
    ],
)
async def test_identifier_uris_follow_the_tenants_policy(
    azure: Azure, graph: Client, version: int | None, uri: str, status: int
) -> None:
    """Version 1 tokens need a verified domain, the tenant's id or the application's; https always a verified domain."""
    body = {"displayName": "x", "identifierUris": [uri.format(tenant=azure.tenant)]}
    answer = await graph.post("/applications", {**body, "api": {"requestedAccessTokenVersion": version}})
    assert answer.status == status, answer.body
    if status == 400 and uri.startswith("api"):
        assert answer.message.startswith("Failed to add identifier URI api://bridge. All newly added URIs")


async def test_the_policy_may_be_off(azure: Azure, graph: Client) -> None:
    """Tenants that opted out take any."""
    azure.entra.graph.tenant(azure.tenant).uri_policy = False
    assert (await graph.post("/applications", {"displayName": "x", "identifierUris": ["api://bridge"]})).status == 201


async def test_an_identifier_uri_belongs_to_one_application_even_a_deleted_one(graph: Client) -> None:
    """The other holder is found by filter, or among the deleted; once it is purged the URI is free."""
    app = await application(graph)
    uri = app["identifierUris"][0]
    other = {"displayName": "y", "api": {"requestedAccessTokenVersion": 2}, "identifierUris": [uri]}
    taken = await graph.post("/applications", other)
    assert (taken.status, taken.code) == (400, "Request_MultipleObjectsWithSameKeyValue")
    holders = await graph.get(f"/applications?$filter=identifierUris/any(x:x eq '{uri}')&$select=id")
    assert holders.values == [{"id": app["id"]}]
    assert (await graph.delete(f"/applications/{app['id']}")).status == 204
    assert (await graph.post("/applications", other)).status == 400
    deleted = (await graph.get("/directory/deletedItems/microsoft.graph.application")).values
    assert [one["id"] for one in deleted] == [app["id"]]
    assert (await graph.delete(f"/directory/deletedItems/{app['id']}")).status == 204
    assert (await graph.post("/applications", other)).status == 201


async def test_a_role_is_disabled_before_it_is_deleted(graph: Client) -> None:
    """A patch replaces the whole list; leaving an enabled role out is refused, as is another value for it."""
    app = await application(graph)
    where = f"/applications/{app['id']}"
    gone = await graph.patch(where, {"appRoles": []})
    assert (gone.status, gone.message) == (
        400,
        "Permission (scope or role) cannot be deleted or updated unless disabled first.",
    )
    assert (await graph.patch(where, {"appRoles": [{**ROLE, "value": "Other"}]})).status == 400
    second = {**ROLE, "id": "0d9f3b4a-2a67-5c11-9d41-6f0f6a1b2c3e", "value": "Second"}
    assert (await graph.patch(where, {"appRoles": [second, ROLE]})).status == 204
    assert (await graph.patch(where, {"appRoles": [second, {**ROLE, "isEnabled": False}]})).status == 204
    assert (await graph.patch(where, {"appRoles": [second]})).status == 204
    assert [one["value"] for one in (await graph.get(where)).body["appRoles"]] == ["Second"]


async def test_owners_are_users_and_service_principals(azure: Azure, graph: Client) -> None:
    """An application that was made with permission for all has no owner; an application object can own nothing."""
    app = await application(graph)
    where = f"/applications/{app['id']}/owners"
    assert (await graph.get(where)).values == []
    caller = (await graph.get(f"/servicePrincipals(appId='{ADMIN.client_id}')?$select=id")).body["id"]
    reference = {"@odata.id": f"{azure.graph_url}/v1.0/directoryObjects/{caller}"}
    assert (await graph.post(f"{where}/$ref", reference)).status == 204
    assert (await graph.post(f"{where}/$ref", reference)).message.startswith("One or more added object references")
    assert [one["id"] for one in (await graph.get(f"{where}?$select=id")).values] == [caller]
    wrong = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{app['id']}"}
    assert (await graph.post(f"{where}/$ref", wrong)).status == 400
    nobody = {"@odata.id": "https://graph.microsoft.com/v1.0/directoryObjects/0d9f3b4a-2a67-4c11-9d41-6f0f6a1b2c3d"}
    assert (await graph.post(f"{where}/$ref", nobody)).status == 404
    assert (await graph.delete(f"{where}/{caller}/$ref")).status == 204
    assert (await graph.delete(f"{where}/{caller}/$ref")).status == 404


async def test_owners_may_be_bound_at_creation(graph: Client) -> None:
    """Up to twenty, by reference."""
    bound = {"owners@odata.bind": [f"https://graph.microsoft.com/v1.0/directoryObjects/{ANNA.id}"]}
    made = await graph.post("/applications", {**BODY, **bound})
    owners = await graph.get(f"/applications/{made.body['id']}/owners")
    assert [one["userPrincipalName"] for one in owners.values] == [ANNA.upn]
    many = {"owners@odata.bind": [f"https://graph.microsoft.com/v1.0/users/{ANNA.id}"] * 21}
    assert (await graph.post("/applications", {**BODY, **many})).status == 400


async def test_with_owned_by_a_caller_changes_its_own_applications_only(azure: Azure, graph: Client) -> None:
    """It owns what it makes, but cannot share it, nor touch what others made."""
    others = await application(graph)
    async with azure.client(OWNED_BY, GRAPH_SCOPE) as mine:
        made = await mine.post("/applications", {**BODY, "displayName": "mine"})
        assert made.status == 201
        where = f"/applications/{made.body['id']}"
        assert len((await mine.get(f"{where}/owners")).values) == 1
        assert (await mine.patch(where, {"displayName": "still mine"})).status == 204
        refused = await mine.patch(f"/applications/{others['id']}", {"displayName": "mine too"})
        assert (refused.status, refused.code) == (403, "Authorization_RequestDenied")
        reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{ANNA.id}"}
        assert (await mine.post(f"{where}/owners/$ref", reference)).status == 403
        assert (await mine.delete(where)).status == 204


async def test_a_reader_changes_nothing(azure: Azure, graph: Client) -> None:
    """Application.Read.All reads."""
    app = await application(graph)
    async with azure.client(AZURE_OWNER, GRAPH_SCOPE) as reader:
        assert (await reader.get(f"/applications/{app['id']}")).status == 200
        assert (await reader.post("/applications", BODY)).status == 403
        assert (await reader.delete(f"/applications/{app['id']}")).status == 403


async def test_a_person_may_do_what_their_directory_role_allows(azure: Azure, graph: Client) -> None:
    """An Application Administrator changes everything; anybody else what they made."""
    app = await application(graph)
    async with azure.client(ANNA, GRAPH_SCOPE) as anna:
        assert (await anna.get("/me?$select=id")).body["id"] == ANNA.id
        assert (await anna.patch(f"/applications/{app['id']}", {"notes": "seen"})).status == 204
    async with azure.client(BEN, GRAPH_SCOPE) as ben:
        assert (await ben.patch(f"/applications/{app['id']}", {"notes": "me"})).status == 403
        assert (await ben.post("/applications", {"displayName": "bens"})).status == 201
    assert (await graph.get("/me")).status == 400


async def test_a_deleted_application_comes_back_with_its_principal(graph: Client) -> None:
    """For thirty days; its unique name stays taken as long."""
    app = await application(graph)
    made = await graph.post("/servicePrincipals", {"appId": app["appId"]})
    assert (await graph.delete(f"/applications/{app['id']}")).status == 204
    assert (await graph.get(f"/applications/{app['id']}")).status == 404
    assert (await graph.get(f"/servicePrincipals/{made.body['id']}")).status == 404
    assert (await graph.patch(NAMED, BODY, **UPSERT)).status == 400
    assert (await graph.get(f"/directory/deletedItems/{app['id']}")).body["appId"] == app["appId"]
    assert (await graph.post(f"/directory/deletedItems/{app['id']}/restore")).status == 200
    assert (await graph.get(NAMED)).body["id"] == app["id"]
    assert (await graph.get(f"/servicePrincipals/{made.body['id']}")).status == 200
    assert (await graph.get("/directory/deletedItems/microsoft.graph.application")).values == []


async def test_what_is_left_out_of_a_patch_stays(graph: Client) -> None:
    """Objects within are merged, lists are replaced."""
    app = await application(graph)
    where = f"/applications/{app['id']}"
    await graph.patch(where, {"api": {"acceptMappedClaims": True}, "tags": ["one"]})
    found = (await graph.get(where)).body
    assert (found["api"]["requestedAccessTokenVersion"], found["api"]["acceptMappedClaims"]) == (2, True)
    assert (found["appRoles"][0]["id"], found["tags"]) == (ROLE_ID, ["one"])
