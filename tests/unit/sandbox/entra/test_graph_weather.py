"""How Graph behaves on bad days: stale replicas, throttling, faults, pages (entra-facts 5.2)."""

from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from tests.azure_sandbox import Azure, Client
from tests.unit.sandbox.entra.graph_set_up import BODY, NAMED, ROLE_ID, UPSERT, application, principal

from secure_export.sandbox.entra import AZNS_APP_ID
from secure_export.sandbox.entra.identities import ADMIN
from secure_export.sandbox.rest_faults import Fault, FaultKind


async def test_a_new_object_is_not_there_at_first(azure: Azure, graph: Client) -> None:
    """The first reads after a write meet a replica that has not heard of it; then all is well."""
    azure.entra.graph.lag.reads = 2
    made = (await graph.patch(NAMED, BODY, **UPSERT)).body
    first = await graph.get(f"/applications/{made['id']}")
    assert (first.status, first.code) == (404, "Request_ResourceNotFound")
    assert (await graph.get(f"/applications?$filter=appId eq '{made['appId']}'")).values == []
    assert (await graph.get(f"/applications/{made['id']}")).status == 200


async def test_a_patch_of_a_new_object_may_meet_a_stale_replica_but_an_upsert_does_not(
    azure: Azure, graph: Client
) -> None:
    """An upsert never makes a second object."""
    azure.entra.graph.lag.reads = 1
    made = (await graph.patch(NAMED, BODY, **UPSERT)).body
    uris = {"identifierUris": [f"api://{made['appId']}"]}
    assert (await graph.patch(f"/applications/{made['id']}", uris)).status == 404
    assert (await graph.patch(f"/applications/{made['id']}", uris)).status == 204
    assert (await graph.get(f"/applications/{made['id']}")).body["identifierUris"] == []
    assert (await graph.get(f"/applications/{made['id']}")).body["identifierUris"] == uris["identifierUris"]
    azure.entra.graph.lag.reads = 10
    assert (await graph.delete(f"/applications/{made['id']}")).status == 204
    assert (await graph.patch(NAMED, BODY, **UPSERT)).status == 400
    assert (await graph.get(NAMED)).status == 200


async def test_principals_and_assignments_wait_for_what_they_refer_to(azure: Azure, graph: Client) -> None:
    """Each has its own words for it."""
    azure.entra.graph.lag.reads = 1
    made = (await graph.patch(NAMED, BODY, **UPSERT)).body
    early = await graph.post("/servicePrincipals", {"appId": made["appId"]})
    assert "does not reference a valid application object" in early.message
    own = (await graph.post("/servicePrincipals", {"appId": made["appId"]})).body
    caller = await principal(graph, AZNS_APP_ID)
    body = {"principalId": caller["id"], "resourceId": own["id"], "appRoleId": ROLE_ID}
    where = f"/servicePrincipals/{own['id']}/appRoleAssignedTo"
    answers = [await graph.post(where, body) for _ in range(3)]
    assert [one.status for one in answers] == [404, 400, 201]
    assert answers[1].message == "Not a valid reference update."


async def test_lag_ends_by_the_clock_too(azure: Azure, graph: Client) -> None:
    """After a minute every replica has heard."""
    azure.entra.graph.lag.reads = 1000
    made = (await graph.patch(NAMED, BODY, **UPSERT)).body
    assert (await graph.get(f"/applications/{made['id']}")).status == 404
    azure.entra.clock.move(timedelta(seconds=61))
    assert (await graph.get(f"/applications/{made['id']}")).status == 200


async def test_too_many_requests_are_told_when_to_come_back(azure: Azure, graph: Client) -> None:
    """429 with Retry-After; after that long the request is taken."""
    azure.entra.graph.limits.requests = 3
    azure.entra.clock.freeze()
    answers = [await graph.get("/applications") for _ in range(4)]
    assert [one.status for one in answers] == [200, 200, 200, 429]
    azure.entra.clock.move(timedelta(seconds=int(answers[-1].headers["Retry-After"])))
    assert (await graph.get("/applications")).status == 200


async def test_writes_have_a_limit_of_their_own(azure: Azure, graph: Client) -> None:
    """Reads go on."""
    azure.entra.graph.limits.writes = 1
    assert (await graph.post("/applications", {"displayName": "a"})).status == 201
    assert (await graph.post("/applications", {"displayName": "b"})).status == 429
    assert (await graph.get("/applications")).status == 200


async def test_lists_come_in_pages(azure: Azure, graph: Client) -> None:
    """The link leads on until it is missing; nothing comes twice."""
    azure.entra.graph.limits.page_size = 2
    for number in range(5):
        await graph.post("/applications", {"displayName": f"app {number}"})
    names: list[str] = []
    where: str | None = "/applications?$filter=startswith(displayName,'app')&$select=displayName"
    pages = 0
    while where:
        body = (await graph.get(where)).body
        names += [one["displayName"] for one in body["value"]]
        where, pages = body.get("@odata.nextLink"), pages + 1
    assert (sorted(names), pages) == ([f"app {number}" for number in range(5)], 3)
    assert len((await graph.get("/applications?$top=1")).body["value"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        "$top=0",
        "$top=1000",
        "$filter=nonsense eq 'x'",
        "$filter=displayName ne 'x'",
        "$filter=displayName",
        "$select=nonsense",
        "$expand=owners",
        "$count=true",
        "$search=x",
    ],
)
async def test_query_options_that_are_not_imitated_are_refused(graph: Client, query: str) -> None:
    """400, as Graph does with those that it does not support."""
    assert (await graph.get(f"/applications?{query}")).status == 400


async def test_counting_needs_the_header(graph: Client) -> None:
    """ConsistencyLevel: eventual."""
    await application(graph)
    counted = await graph.get("/applications?$count=true", ConsistencyLevel="eventual")
    assert counted.body["@odata.count"] == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("displayName eq 'it''s'", 1),
        ("displayName eq 'it''s' and signInAudience eq 'AzureADMyOrg'", 1),
        ("displayName eq 'x' or tags/any(t:t eq 'one')", 1),
        ("displayName in ('x', 'y')", 0),
        ("uniqueName eq null", 1),
    ],
)
async def test_filters_find(graph: Client, query: str, found: int) -> None:
    """Quotes are doubled, clauses are joined."""
    await graph.post("/applications", {"displayName": "it's", "tags": ["one"]})
    assert len((await graph.get(f"/applications?$filter={query}")).values) == found


async def test_faults_hit_those_they_are_for(azure: Azure, graph: Client) -> None:
    """Before: nothing is done; after: it is, though the client hears of an error; or of nothing at all."""
    faults = azure.entra.graph.faults
    faults.set(Fault(FaultKind.ERROR_BEFORE, methods=frozenset({"POST"}), status=409, message="Concurrent write."))
    before = await graph.post("/applications", {"displayName": "a"})
    assert (before.status, before.message) == (409, "Concurrent write.")
    faults.set(Fault(FaultKind.ERROR_AFTER, body='"b"', status=504))
    assert (await graph.post("/applications", {"displayName": "b"})).status == 504
    faults.set(Fault(FaultKind.RESET_AFTER, path="/v1.0/applications"))
    with pytest.raises(aiohttp.ClientError):
        await graph.post("/applications", {"displayName": "c"})
    faults.set(Fault(FaultKind.THROTTLED, user=ADMIN.client_id, seconds=7))
    assert (await graph.get("/applications")).headers["Retry-After"] == "7"
    names = [one["displayName"] for one in (await graph.get("/applications")).values]
    assert names == ["b", "c"]
    assert azure.entra.graph.counters.last(1)[0].status == 200


async def test_each_tenant_has_a_directory_of_its_own(azure: Azure, graph: Client) -> None:
    """The same identities sign in everywhere, and see that tenant only."""
    await application(graph)
    other = "0d9f3b4a-2a67-4c11-9d41-6f0f6a1b2c3d"
    async with azure.client(ADMIN, "https://graph.microsoft.com/.default", other) as elsewhere:
        assert (await elsewhere.get("/applications")).values == []
        assert (await elsewhere.get("/organization?$select=id")).values == [{"id": other}]


async def test_unknown_paths_methods_and_bodies_are_told_apart(graph: Client) -> None:
    """400 for a segment that is not there, 405 for a method, 400 for what is no JSON."""
    assert (await graph.get("/groups")).status == 400
    assert (await graph.put("/applications", {})).status == 405
    assert (await graph.post("/applications", ["no object"])).status == 400
    assert (await graph.get("/applications(displayName='x')")).status == 400


async def _control(azure: Azure, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    where = f"{azure.authority}/control/{path}"
    async with aiohttp.ClientSession() as session, session.request(method, where, json=body) as answer:
        assert answer.status == status
        return await answer.json()


async def test_the_control_doors_set_what_tests_need(azure: Azure, graph: Client) -> None:
    """Lag, limits, clock, faults, identities, users, tenants; a misspelt order is refused."""
    app = await application(graph)
    assert (await _control(azure, "POST", "graph/lag", {"reads": 3, "share": 0.5}))["reads"] == 3
    await _control(azure, "POST", "graph/lag", {})
    assert (await _control(azure, "POST", "graph/limits", {"page_size": 7}))["page_size"] == 7
    await _control(azure, "POST", "graph/lag", {"read": 3}, 400)
    fault = await _control(azure, "POST", "graph/faults", {"kind": "throttled", "times": None})
    assert (await graph.get("/applications")).status == 429
    assert (await _control(azure, "GET", "graph/faults"))[0]["met"] == 1
    assert (await _control(azure, "DELETE", f"graph/faults/{fault['id']}"))["cleared"] == 1
    held = await _control(azure, "GET", f"graph/tenants/{azure.tenant}")
    assert [one["id"] for one in held["applications"]] == [app["id"]]
    assert (await _control(azure, "POST", "clock", {"advance_seconds": 60}))["ahead_seconds"] == 60
    new = {"name": "new", "client_id": "ad000000-0000-4000-8000-000000000043", "client_secret": "s"}
    await _control(azure, "POST", "graph/identities", {**new, "permissions": ["Nonsense"]}, 400)
    await _control(azure, "POST", "graph/identities", new)
    await _control(
        azure, "POST", "graph/users", {"id": "ad000000-0000-4000-8000-000000000143", "name": "N", "upn": "n@x"}
    )
    domains = {"verified_domains": ["x.example"], "uri_policy": False}
    assert (await _control(azure, "POST", f"graph/tenants/{azure.tenant}", domains)) == domains
    assert new["client_id"] in [one["client_id"] for one in (await _control(azure, "GET", "graph"))["identities"]]
    assert (await _control(azure, "DELETE", f"graph/tenants/{azure.tenant}"))["applications"] == []
    assert (await _control(azure, "GET", "graph/counters"))["total"] > 0
    assert (await _control(azure, "DELETE", "graph/counters"))["total"] == 0
