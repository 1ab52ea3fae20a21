"""Alerts Management over real HTTP: what fired, also what no webhook took (entra-facts 6.4, azure-facts section 5)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.azure_sandbox import Azure, Client
from tests.unit.sandbox.azure_monitor.arm.arm_requests import (
    ALERTS,
    GROUP,
    GROUPS,
    RULES,
    SHOP,
    group,
    processing_rule,
    webhook,
)
from tests.unit.sandbox.azure_monitor.conftest import Receiver

from secure_export.sandbox.azure_monitor import one_round, play
from secure_export.sandbox.azure_monitor.arm.firing import Firing
from secure_export.sandbox.azure_monitor.estate import SHARED
from secure_export.sandbox.azure_monitor.scenario import MAIN_GROUP, OLD_SCHEMA_GROUP, SECOND_GROUP
from secure_export.sandbox.entra.identities import ANNA, READER

VERSION = "api-version=2019-03-01"
LIST = f"{ALERTS}?{VERSION}"


async def _fired(azure: Azure, rule: str = "cpu-shop-web", **more: Any) -> str:
    """Fire an alert; gives its GUID."""
    alert = Firing(azure.arm, azure.station).fire(rule, **more)
    await azure.station.settled()
    return (alert.story.fired.alert_id or "").rpartition("/")[2]


async def _history(arm: Client, guid: str, version: str = VERSION) -> list[dict[str, Any]]:
    found = (await arm.get(f"{ALERTS}/{guid}/history?{version}")).body["properties"]["modifications"]
    return list(found)


async def test_an_alert_is_listed_though_nobody_took_it(azure: Azure, arm: Client) -> None:
    """By names that are not the webhook's, and by an id below the affected resource."""
    guid = await _fired(azure)
    (row,) = (await arm.get(LIST)).values
    essentials = row["properties"]["essentials"]
    machine = f"{SHOP}/providers/Microsoft.Compute/virtualMachines/vm-shop-web-01".lower()
    assert row["id"].lower().startswith(f"{machine}/providers/")
    assert essentials["targetResource"] == machine
    assert row["id"].endswith(f"/providers/Microsoft.AlertsManagement/alerts/{guid}")
    assert (essentials["alertState"], essentials["monitorCondition"]) == ("New", "Fired")
    assert (essentials["monitorService"], essentials["severity"]) == ("Platform", "Sev2")
    assert essentials["alertRule"] == f"{SHOP}/providers/Microsoft.Insights/metricAlerts/cpu-shop-web"
    assert "context" not in row["properties"]
    whole = (await arm.get(f"{ALERTS}/{guid}?{VERSION}")).body
    assert whole["properties"]["context"]["conditionType"] == "SingleResourceMultipleMetricCriteria"


async def test_a_resolved_alert_keeps_its_id_and_its_state(azure: Azure, arm: Client) -> None:
    """The condition changes, what people made of it does not."""
    guid = await _fired(azure)
    azure.station.resolve(1)
    await azure.station.settled()
    essentials = (await arm.get(f"{ALERTS}/{guid}?{VERSION}")).body["properties"]["essentials"]
    assert (essentials["monitorCondition"], essentials["alertState"]) == ("Resolved", "New")
    assert essentials["monitorConditionResolvedDateTime"] >= essentials["startDateTime"]
    events = [one["modificationEvent"] for one in await _history(arm, guid)]
    assert events == ["MonitorConditionChange", "AlertCreated"]


async def test_states_are_changed_by_people_and_programs(azure: Azure, arm: Client, receiver: Receiver) -> None:
    """200 with the alert; who and why stand in the history; no webhook hears of it."""
    await arm.put(GROUP, group(webhook(receiver.url)))
    await arm.put(f"{RULES}/apr?api-version=2021-08-08", processing_rule(f"{GROUPS}/ag-itsm"))
    guid = await _fired(azure)
    where = f"{ALERTS}/{guid}/changestate?{VERSION}"
    changed = await arm.post(f"{where}&newState=Acknowledged", {"comments": "seen"})
    assert changed.body["properties"]["essentials"]["alertState"] == "Acknowledged"
    async with azure.client(ANNA) as anna:
        assert (await anna.post(f"{where}&newState=Closed")).status == 200
    assert (await arm.post(f"{where}&newState=Closed", {"comments": "again"})).status == 200
    history = await _history(arm, guid)
    assert [(one["oldValue"], one["newValue"], one["comments"]) for one in history[:2]] == [
        ("Acknowledged", "Closed", ""),
        ("New", "Acknowledged", "seen"),
    ]
    assert history[0]["modifiedBy"] == ANNA.upn
    preview = [one["modificationEvent"] for one in await _history(arm, guid, "api-version=2025-05-25-preview")]
    assert preview == ["StateChange", "StateChange", "ActionsTriggered", "AlertCreated"]
    assert len(receiver.bodies) == 1


async def test_a_change_of_state_is_checked(azure: Azure, arm: Client) -> None:
    """Unknown states 400, unknown alerts 404, readers 403, broken bodies 400."""
    guid = await _fired(azure)
    where = f"{ALERTS}/{guid}/changestate?{VERSION}"
    assert (await arm.post(f"{where}&newState=Done")).status == 400
    assert (await arm.post(where)).status == 400
    assert (await arm.post(where.replace(guid, "0" * 8) + "&newState=Closed")).code == "AlertNotFound"
    async with azure.client(READER) as reader:
        assert (await reader.get(f"{ALERTS}/{guid}?{VERSION}")).status == 200
        assert (await reader.post(f"{where}&newState=Closed")).status == 403


async def test_an_alert_is_gone_after_thirty_days(azure: Azure, arm: Client) -> None:
    """404, however it is asked for."""
    guid = await _fired(azure)
    azure.arm.clock.move(timedelta(days=29, hours=23))
    assert (await arm.get(f"{ALERTS}/{guid}?{VERSION}")).status == 200
    azure.arm.clock.move(timedelta(hours=2))
    assert (await arm.get(f"{ALERTS}/{guid}?{VERSION}")).status == 404
    assert (await arm.post(f"{ALERTS}/{guid}/changestate?{VERSION}&newState=Closed")).status == 404
    assert (await arm.get(f"{LIST}&timeRange=30d")).values == []


async def test_lists_come_in_pages_newest_first(azure: Azure, arm: Client) -> None:
    """25 on a page unless the client says; the link leads on."""
    guids = []
    for _ in range(5):
        guids.append(await _fired(azure))
        azure.arm.clock.move(timedelta(seconds=1))
    first = (await arm.get(f"{LIST}&pageCount=2")).body
    second = (await arm.get(first["nextLink"])).body
    third = (await arm.get(second["nextLink"])).body
    found = [row["id"].rpartition("/")[2] for page in (first, second, third) for row in page["value"]]
    assert found == guids[::-1]
    assert "nextLink" not in third
    oldest = (await arm.get(f"{LIST}&sortBy=startDateTime&sortOrder=asc&pageCount=1")).values
    assert oldest[0]["id"].endswith(guids[0])


async def test_lists_are_filtered(azure: Azure, arm: Client) -> None:
    """By essentials, by scope and by time."""
    await _fired(azure)
    await _fired(azure, "errors-checkout")
    await _fired(azure, "service-health", kind="service-health-incident")

    async def count(query: str, scope: str = ALERTS) -> int:
        return len((await arm.get(f"{scope}?{VERSION}{query}")).values)

    assert await count("&monitorService=Platform") == 1
    assert await count("&severity=Sev2&monitorCondition=Fired&alertState=New&monitorService=Platform") == 1
    assert await count("&monitorCondition=Resolved") == 0
    assert await count("&targetResourceGroup=rg-shop-prod&monitorService=Platform") == 1
    assert await count(f"&alertRule={SHOP}/providers/Microsoft.Insights/metricAlerts/cpu-shop-web") == 1
    machine = f"{SHOP}/providers/Microsoft.Compute/virtualMachines/vm-shop-web-01"
    assert await count("", f"{machine}/providers/Microsoft.AlertsManagement/alerts") == 1
    shared = f"/subscriptions/{SHARED}/providers/Microsoft.AlertsManagement/alerts"
    assert await count("") + await count("", shared) == 3
    azure.arm.clock.move(timedelta(hours=2))
    assert await count("&timeRange=1h") == 0
    assert await count("&timeRange=1d&monitorService=Platform") == 1
    now = azure.arm.clock.now()
    inside = f"{(now - timedelta(hours=3)):%Y-%m-%dT%H:%M:%SZ}/{now:%Y-%m-%dT%H:%M:%SZ}"
    assert await count(f"&customTimeRange={inside}&monitorService=Platform") == 1


@pytest.mark.parametrize(
    "query",
    [
        "timeRange=2d",
        "timeRange=1d&customTimeRange=2026-01-01T00:00:00Z/2026-01-02T00:00:00Z",
        "customTimeRange=2020-01-01T00:00:00Z/2030-01-02T00:00:00Z",
        "customTimeRange=yesterday",
        "pageCount=0",
        "pageCount=251",
        "pageCount=26&includeContext=true",
        "severity=Sev9",
        "alertState=Open",
        "sortBy=mood",
        "sortOrder=up",
        "mood=good",
        "ctoken=nonsense",
    ],
)
async def test_a_list_that_makes_no_sense_is_refused(arm: Client, query: str) -> None:
    """400 in the front door's envelope."""
    refused = await arm.get(f"{LIST}&{query}")
    assert (refused.status, set(refused.body)) == (400, {"error"})


async def test_members_can_be_chosen_and_alerts_counted(azure: Azure, arm: Client) -> None:
    """select, and alertsSummary by one or two essentials."""
    await _fired(azure)
    (row,) = (await arm.get(f"{LIST}&select=severity,alertState")).values
    assert row["properties"]["essentials"] == {"severity": "Sev2", "alertState": "New"}
    where = f"{ALERTS.removesuffix('alerts')}alertsSummary?{VERSION}"
    counted = (await arm.get(f"{where}&groupby=severity")).body["properties"]
    assert (counted["total"], counted["values"]) == (1, [{"name": "Sev2", "count": 1}])
    assert (await arm.get(f"{where}&groupby=mood")).status == 400


async def test_each_kind_of_call_has_its_limit(azure: Azure, arm: Client) -> None:
    """Lists a hundred a minute, other calls a thousand; 429 says when to come back."""
    guid = await _fired(azure)
    azure.arm.clock.freeze()
    azure.arm.behaviour.alert_lists = 2
    answers = [await arm.get(LIST) for _ in range(3)]
    assert [one.status for one in answers] == [200, 200, 429]
    assert (await arm.get(f"{ALERTS}/{guid}?{VERSION}")).status == 200
    assert int(answers[2].headers["Retry-After"]) <= 60
    azure.arm.clock.move(timedelta(seconds=60))
    assert (await arm.get(LIST)).status == 200


async def test_a_suppressed_alert_is_known_all_the_same(azure: Azure, arm: Client) -> None:
    """Its history says that a processing rule took the action groups away."""
    guid = await _fired(azure, "cpu-wms-app", resource="vm-wms-app-01")
    quiet = processing_rule(actions=[{"actionType": "RemoveAllActionGroups"}])
    await arm.put(f"{RULES}/quiet?api-version=2021-08-08", quiet)
    silenced = await _fired(azure, "cpu-shop-web")
    for one, suppressed in ((guid, False), (silenced, True)):
        found = (await arm.get(f"{ALERTS}/{one}?{VERSION}")).body["properties"]["essentials"]
        assert found["actionStatus"]["isSuppressed"] is suppressed
    events = await _history(arm, silenced, "api-version=2025-05-25-preview")
    assert [one["modificationEvent"] for one in events] == ["ActionsSuppressed", "AlertCreated"]


async def test_a_whole_round_of_the_demo_is_recorded(azure: Azure, arm: Client, receiver: Receiver) -> None:
    """Every alert with a usual id is there, with the condition it ended in; tests and budgets are not."""
    for name in (MAIN_GROUP, SECOND_GROUP, OLD_SCHEMA_GROUP):
        path = GROUP.replace("ag-itsm", name)
        assert (await arm.put(path, group(webhook(receiver.url), groupShortName="itsm"))).status == 201
    scenario = one_round(azure.station.estate, datetime.now(UTC) - timedelta(hours=1), seed=3)
    async for _ in play(azure.station.monitor, scenario):
        pass
    rows = {row.guid: row for row in azure.arm.ledger.all()}
    for one in scenario.expectations:
        for alert_id in one.alert_ids:
            known = rows.pop(alert_id.rpartition("/")[2].lower(), None)
            assert (known is None) == (one.is_test or "budget" in one.kind or "/alerts/" not in alert_id), one
            if known is not None and one.is_resolved and "health" not in one.kind:
                assert known.condition == "Resolved", one
    assert len(receiver.bodies) == scenario.totals.calls


async def test_an_outage_leaves_the_alerts_with_azure(azure: Azure, arm: Client, receiver: Receiver) -> None:
    """What could not be delivered is not sent later; Alerts Management has all of it, fired and resolved."""
    await arm.put(GROUP, group(webhook(receiver.url)))
    await arm.put(f"{RULES}/apr?api-version=2021-08-08", processing_rule(f"{GROUPS}/ag-itsm"))
    receiver.statuses = [503] * 6
    missed = [await _fired(azure)]
    assert len(receiver.bodies) == 6
    azure.station.monitor.bans.ban(receiver.url)
    missed.append(await _fired(azure, "errors-checkout"))
    azure.station.resolve(2)
    await azure.station.settled()
    azure.station.monitor.bans.lift(receiver.url)
    await _fired(azure, "dtu-orders")
    assert len(receiver.bodies) == 7
    rows = {row["id"].rpartition("/")[2]: row["properties"]["essentials"] for row in (await arm.get(LIST)).values}
    found = [rows.get(guid, {}).get("monitorCondition") for guid in missed]
    elsewhere = [one.condition for one in azure.arm.ledger.all() if one.guid == missed[1]]
    assert (found[0], elsewhere) == ("Fired", ["Resolved"])


async def test_orders_over_the_control_doors_fire_resolve_and_settle(azure: Azure, arm: Client) -> None:
    """So do changes of state by a person in the portal."""
    control = f"{azure.monitor_url}/control/arm"
    fired = (await arm.post(f"{control}/fire", {"rule": "cpu-shop-web"})).body
    assert (await arm.post(f"{control}/settled")).status == 200
    assert (await arm.post(f"{control}/resolve", {"number": fired["number"]})).body["is_over"] in {True, False}
    await arm.post(f"{control}/settled")
    guid = fired["alert_id"].rpartition("/")[2]
    changed = await arm.post(f"{control}/alerts/state", {"alert": guid, "state": "Acknowledged", "comments": "mine"})
    essentials = changed.body["essentials"]
    assert (essentials["alertState"], essentials["monitorCondition"]) == ("Acknowledged", "Resolved")
    assert (await arm.post(f"{control}/alerts/state", {"alert": "none", "state": "Closed"})).status == 400
    assert [one["guid"] for one in (await arm.get(f"{control}/alerts")).body] == [guid]
    assert (await arm.delete(f"{control}/alerts")).body == {"alerts": 0}
