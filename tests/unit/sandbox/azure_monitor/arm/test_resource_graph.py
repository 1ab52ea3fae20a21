"""Resource Graph over real HTTP, and its query language (entra-facts 6.6)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.azure_sandbox import Answer, Azure, Client
from tests.unit.sandbox.azure_monitor.arm.arm_requests import QUERY, SHOP

from secure_export.sandbox.azure_monitor.arm import kql
from secure_export.sandbox.azure_monitor.arm.firing import Firing
from secure_export.sandbox.azure_monitor.arm.rbac import Grant
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, SHARED
from secure_export.sandbox.entra.identities import NOBODY

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ROWS: list[dict[str, Any]] = [
    {"id": "/a/One", "n": 1, "name": "One", "p": {"at": "2026-05-04T11:30:00Z", "list": [{"x": "a"}, {"x": "b"}]}},
    {"id": "/a/two", "n": 2, "name": "two", "p": {"at": "2026-05-03T11:30:00Z", "list": []}},
    {"id": "/a/three", "n": 3, "name": "three words here", "p": {"at": None}},
]
ITSM = """resources | where type =~ 'microsoft.insights/actiongroups' | mv-expand r = properties.itsmReceivers
| where isnotnull(r) | project id, subscriptionId, location, receiver=r.name, cfg=tostring(r.ticketConfiguration)"""
LINKS = """resources | where type in~ ('microsoft.insights/metricalerts','microsoft.insights/scheduledqueryrules',
'microsoft.insights/activitylogalerts','microsoft.alertsmanagement/smartdetectoralertrules')
| extend g = case(type =~ 'microsoft.insights/metricalerts', properties.actions,
  type =~ 'microsoft.alertsmanagement/smartdetectoralertrules', properties.actionGroups.groupIds,
  isnotnull(properties.actions.actionGroups), properties.actions.actionGroups,
  properties.action.aznsAction.actionGroup)
| mv-expand g
| extend ag = tolower(iif(isnotempty(tostring(g.actionGroupId)), tostring(g.actionGroupId), tostring(g)))
| project id, name, type, enabled = tostring(properties.enabled), ag"""


def _ran(query: str) -> list[dict[str, Any]]:
    table: Iterable[dict[str, Any]] = ROWS
    return kql.run(f"t {query}", {"t": lambda: table}, NOW)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("n == 1", [1]),
        ("n != 1", [2, 3]),
        ("name == 'one'", []),
        ("name =~ 'ONE'", [1]),
        ("name !~ 'one'", [2, 3]),
        ('name in ("One", "two")', [1, 2]),
        ("name in~ ('one')", [1]),
        ("name !in~ ('one')", [2, 3]),
        ("name has 'words'", [3]),
        ("name has 'word'", []),
        ("name contains 'WORD'", [3]),
        ("name startswith 't' and n < 3", [2]),
        ("name endswith 'e' or n >= 3", [1, 3]),
        ("not(n == 1) and (n == 2 or n == 3)", [2, 3]),
        ("todatetime(p.at) > ago(1h)", [1]),
        ("p.at >= datetime(2026-05-04T11:00:00Z)", [1]),
        ("p.at < now() - 12h", [2]),
        ("isnotnull(p.at)", [1, 2]),
        ("isempty(p.at) // the last", [3]),
        ("p.list[0].x == 'a'", [1]),
        ("p['at'] == '2026-05-04T11:30:00Z'", [1]),
        ("array_length(p.list) == 0", [2]),
        ("n > 1 and n <= 2", [2]),
        ("-1 < n - 2", [2, 3]),
        ("strcat(name, '!') == 'two!'", [2]),
        (r"name != 'it\'s'", [1, 2, 3]),
        ("p.at > 5", []),
        ("n between (2 .. 3)", [2, 3]),
        ("n !between (2 .. 3)", [1]),
        ("todatetime(p.at) between (ago(1h) .. now())", [1]),
        ("p.at between (datetime(2026-05-03 11:00) .. datetime(2026-05-04))", [2]),
    ],
)
def test_rows_are_found(where: str, found: list[int]) -> None:
    """Each test as in the language: the tilde leaves the case aside, has looks for whole words."""
    assert [row["n"] for row in _ran(f"| where {where}")] == found


@pytest.mark.parametrize(
    ("steps", "rows"),
    [
        ("| project n | order by n desc | take 2", [{"n": 3}, {"n": 2}]),
        ("| sort by name asc | limit 1 | project name", [{"name": "One"}]),
        ("| top 1 by n | project-away id, p, name", [{"n": 3}]),
        ("| count", [{"Count": 3}]),
        ("| where n == 1 | project p.at", [{"p_at": "2026-05-04T11:30:00Z"}]),
        ("| mv-expand x = p.list | where isnotnull(x) | project n, y = x.x", [{"n": 1, "y": "a"}, {"n": 1, "y": "b"}]),
        ("| extend big = iff(n > 1, 'yes', 'no') | distinct big", [{"big": "no"}, {"big": "yes"}]),
        ("| summarize count() by odd = n == 2", [{"odd": False, "count_": 2}, {"odd": True, "count_": 1}]),
        ("| summarize all = count()", [{"all": 3}]),
    ],
)
def test_rows_are_shaped(steps: str, rows: list[dict[str, Any]]) -> None:
    """One step after the other."""
    assert _ran(steps) == rows


@pytest.mark.parametrize(
    "query",
    [
        "| join kind=inner (t) on n",
        "| where",
        "| where n ==",
        "| where nonsense(n)",
        "| where n == 1 n == 2",
        "| take many",
        "| order n",
        "| summarize max(n)",
        "| where n == 'unclosed",
        "| where n in 1",
        "| project n,",
        "where n == 1",
        "| where n == datetime(yesterday)",
        "| render piechart",
        "| where p.",
    ],
)
def test_what_is_not_imitated_is_refused(query: str) -> None:
    """Never answered as if it had been understood."""
    with pytest.raises(kql.QueryError):
        _ran(query)


async def _asked(arm: Client, query: str, **more: Any) -> Answer:
    return await arm.post(QUERY, {"query": query, **more})


async def test_the_inventory_queries_find_itsm_receivers_and_links(arm: Client) -> None:
    """Those that the facts give, as they stand."""
    receivers = (await _asked(arm, ITSM)).body["data"]
    assert {one["receiver"] for one in receivers} == {"snow-incident", "snow-event", "snow-shop"}
    links = (await _asked(arm, LINKS)).body["data"]
    used = {one["name"] for one in links if one["ag"].endswith("ag-itsmc")}
    assert used == {"agents-silent", "service-health"}


async def test_alerts_are_found_with_their_essentials(azure: Azure, arm: Client) -> None:
    """After a while: the index is behind by as much as is set."""
    Firing(azure.arm, azure.station).fire("cpu-shop-web")
    await azure.station.settled()
    query = """alertsmanagementresources | where type =~ 'microsoft.alertsmanagement/alerts'
    | where todatetime(properties.essentials.startDateTime) >= ago(1d)
    | project id, state = tostring(properties.essentials.alertState), properties.essentials.severity"""
    (row,) = (await _asked(arm, query)).body["data"]
    assert (row["state"], row["properties_essentials_severity"]) == ("New", "Sev2")
    azure.arm.behaviour.graph_lag_seconds = 60
    assert (await _asked(arm, query)).body["data"] == []
    azure.arm.clock.move(timedelta(seconds=61))
    assert len((await _asked(arm, query)).body["data"]) == 1


async def test_pages_go_on_by_a_token(arm: Client) -> None:
    """As long as the rows have their id; without it the rest is cut off."""
    first = (await _asked(arm, "resources | project id", options={"$top": 20})).body
    assert (first["count"], first["resultTruncated"]) == (20, "false")
    rest = (await _asked(arm, "resources | project id", options={"$top": 20, "$skipToken": first["$skipToken"]})).body
    assert not {row["id"] for row in first["data"]} & {row["id"] for row in rest["data"]}
    cut = (await _asked(arm, "resources | project name", options={"$top": 20})).body
    assert (cut["resultTruncated"], "$skipToken" in cut) == ("true", False)
    table = (await _asked(arm, "resources | project name | take 1", options={"resultFormat": "table"})).body["data"]
    assert ([one["name"] for one in table["columns"]], len(table["rows"])) == (["name"], 1)


@pytest.mark.parametrize(
    "body",
    [
        {"query": ""},
        {"query": "nonsense"},
        {"query": "resources | join x"},
        {"query": "resources | where tolower() == 1"},
        {"query": "resources", "options": {"$top": 1001}},
        {"query": "resources", "options": {"$skipToken": "?"}},
        {"query": "resources", "options": {"top": 1}},
        {"query": "resources", "options": {"resultFormat": "xml"}},
        {"query": "resources", "subscription": [PRODUCTION]},
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(arm: Client, body: dict[str, Any]) -> None:
    """400 BadRequest with the reason among the details."""
    refused = await arm.post(QUERY, body)
    assert (refused.status, refused.code) == (400, "BadRequest")
    assert refused.body["error"]["details"][0]["code"] == "InvalidQuery"


async def test_a_caller_sees_what_it_may_read(azure: Azure, arm: Client) -> None:
    """One resource group of one subscription; with no role at all 403."""
    query = "resources | where type =~ 'microsoft.compute/virtualmachines' | project id"
    both = (await _asked(arm, query)).body["count"]
    assert (await _asked(arm, query, subscriptions=[SHARED])).body["count"] < both
    async with azure.client(NOBODY) as client:
        assert (await _asked(client, query)).status == 403
        azure.arm.access.grants.append(Grant(NOBODY.client_id, "Reader", SHOP))
        seen = (await _asked(client, query)).body["data"]
    assert len(seen) == 3
    assert all(row["id"].startswith(SHOP) for row in seen)


async def test_the_quota_is_told_and_kept(azure: Azure, arm: Client) -> None:
    """Fifteen queries in five seconds; 429 says when to come back."""
    azure.arm.clock.freeze()
    azure.arm.behaviour.queries = 2
    first = await _asked(arm, "resources | count")
    assert first.headers["x-ms-user-quota-remaining"] == "1"
    await _asked(arm, "resources | count")
    refused = await _asked(arm, "resources | count")
    assert (refused.status, refused.code) == (429, "RateLimiting")
    assert refused.headers["x-ms-user-quota-resets-after"] == "00:00:05"
    azure.arm.clock.move(timedelta(seconds=5))
    assert (await _asked(arm, "resourcecontainers | where type has 'subscriptions' | count")).status == 200
