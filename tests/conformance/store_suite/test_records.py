"""What every store shows."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.conformance.store_suite.samples import (
    NOW,
    alert,
    at,
    claim_one,
    entry,
    folded,
    item,
    lacking,
    open_in_tool,
    resolved,
    unreadable,
)

from secure_export.console.contract import Page
from secure_export.delivery.contract import AlertRecord, Change, Release, StepResult
from secure_export.errors import NotFound
from secure_export.store.open import Store
from secure_export.store.postgresql import alert_lists as postgresql_alert_lists
from secure_export.store.sqlite import alert_lists as sqlite_alert_lists
from secure_export.workitems.outcome import TryLater
from secure_export.workitems.work_item import Binding, StepKind, WorkItem

FACTS = {
    "id": "/Alerts/A",
    "title": "CPU above 85 %",
    "kind": "metric",
    "monitoring_service": "Platform",
    "rule": "cpu_high",
    "severity": "Sev2",
    "targets": ["/subscriptions/s/vm1"],
    "fired_at": "2026-03-02T09:00:00Z",
    "resolved_at": None,
    "is_test": False,
    "is_legacy_schema": True,
    "investigation_link": None,
    "warnings": ["the common schema is off"],
}


def facts(**changes: object) -> bytes:
    return json.dumps(FACTS | changes).encode()


async def keep(store: Store, one: WorkItem, *alerts: AlertRecord, release: Release | None = None) -> int:
    """Keep a work item with its alerts; the notification that came for it."""
    alert_id = alerts[0].state.alert_id if alerts else None
    receipt = await store.journal.append(entry(one.correlation_key, connection=one.connection, alert_id=alert_id))
    lane = await claim_one(store.lanes, connection=one.connection)
    release = replace(release or Release(), seen=receipt.notification)
    await store.lanes.save(lane, folded(lane, item=one, alerts=alerts, release=release), now=NOW)
    return receipt.notification


def column(page: Page, name: str) -> list[Any]:
    return [row[name] for row in page.rows]


async def test_an_alert_in_the_words_of_the_contract(store: Store) -> None:
    """An alert says what Azure said, what became of it, and why."""
    one = replace(open_in_tool(item()))
    content = replace(one.desired.content, bindings=(Binding("ci1", "vm1", "resource-id", "it has this id"),))
    one = replace(one, desired=replace(one.desired, content=content))
    number = await keep(store, one, alert("/Alerts/A", work_item=one.id, facts=facts()))
    shown = await store.records.alert("/Alerts/A")
    assert (
        shown
        | {
            "id": "/Alerts/A",
            "connection": "desk",
            "condition": "fired",
            "monitoring_service": "Platform",
            "rule": "cpu_high",
            "severity": "Sev2",
            "targets": ["/subscriptions/s/vm1"],
            "configuration_items": [
                {"id": "ci1", "name": "vm1", "resource_id": None, "rule": "resource-id", "reason": "it has this id"}
            ],
            "fired_at": "2026-03-02T09:00:00Z",
            "resolved_at": None,
            "is_test": False,
            "is_legacy_schema": True,
            "work_item": one.id,
            "reasons": ["it fired"],
            "title": "CPU above 85 %",
        }
        == shown
    )
    assert shown["notifications"] == [
        {
            "id": str(number),
            "received_at": "2026-03-02T09:19:05.117123Z",
            "caller": {"tenant": "t", "application": "a", "version": "2.0", "token_id": "u"},
            "status": "accepted",
        }
    ]


async def test_what_is_told_later_is_merged_over_what_was_told(store: Store) -> None:
    """A resolved body that says less takes nothing away; without facts everything stays."""
    one = item()
    await keep(store, one, alert("a", facts=facts(id="a")))
    await keep(
        store, one, alert("a", ended_at=at(60), facts=facts(id="a", title="", resolved_at="2026-03-02T10:00:00Z"))
    )
    await keep(store, one, alert("a", ended_at=at(60), seen_at=None))
    shown = await store.records.alert("a")
    assert (shown["title"], shown["condition"], shown["resolved_at"]) == (
        "CPU above 85 %",
        "resolved",
        "2026-03-02T10:00:00Z",
    )
    assert len(shown["notifications"]) == 3


async def test_an_alert_without_a_work_item_shows_what_it_named(store: Store) -> None:
    """Nothing was looked up for it, and it says so; its times are those that folding knows."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    record = alert("a", ended_at=at(1), fired_at=None, facts=facts(id="a", fired_at=None))
    await store.lanes.save(lane, folded(lane, alerts=[record]), now=NOW)
    shown = await store.records.alert("a")
    assert [(c["id"], c["name"]) for c in shown["configuration_items"]] == [(None, "/subscriptions/s/vm1")]
    assert (shown["work_item"], shown["fired_at"], shown["resolved_at"]) == (None, None, "2026-03-02T09:19:06.117123Z")


async def test_tests_share_azures_id_and_the_newest_is_given(store: Store) -> None:
    """Each test has an id of its own for us and the canned one for Azure; both find it."""
    for n in (1, 2):
        lane = f"test:{n}"
        await store.journal.append(entry(lane, alert_id="canned"))
        claimed = await claim_one(store.lanes)
        record = alert(f"canned~{lane}", facts=facts(id="canned", title=f"test {n}"))
        await store.lanes.save(claimed, folded(claimed, alerts=[record]), now=NOW)
    assert (await store.records.alert("canned"))["title"] == "test 2"
    first = await store.records.alert("canned~test:1")
    assert (first["title"], first["id"], len(first["notifications"])) == ("test 1", "canned", 1)


async def test_an_alert_of_two_connections(store: Store) -> None:
    """The newest is given unless a connection is named."""
    for name in ("desk", "prod"):
        await keep(store, item(connection=name), alert("a"))
    assert (await store.records.alert("a"))["connection"] == "prod"
    assert (await store.records.alert("a", connection="desk"))["connection"] == "desk"
    with pytest.raises(NotFound):
        await store.records.alert("a", connection="test")


async def test_notifications_go_to_the_alert_they_spoke_of(store: Store) -> None:
    """In a lane of several alerts each shows its own notifications."""
    for alert_id in ("a", "b", "a"):
        await store.journal.append(entry("rule:r", alert_id=alert_id))
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane, alerts=[alert("a"), alert("b"), alert("c")]), now=NOW)
    counted = {one: len((await store.records.alert(one))["notifications"]) for one in "abc"}
    assert counted == {"a": 2, "b": 1, "c": 0}


async def test_alerts_are_listed_newest_first_and_filtered(store: Store) -> None:
    """Connection, condition and work item narrow the list down."""
    one = item("alert:1")
    await keep(store, one, alert("1", work_item=one.id))
    await keep(store, item("alert:2"), alert("2", ended_at=NOW))
    await keep(store, item("alert:3", connection="prod"), alert("3"))
    records = store.records
    assert column(await records.alerts(), "id") == ["3", "2", "1"]
    assert column(await records.alerts(connection="desk"), "id") == ["2", "1"]
    assert column(await records.alerts(condition="fired"), "id") == ["3", "1"]
    assert column(await records.alerts(condition="resolved"), "id") == ["2"]
    assert column(await records.alerts(work_item=one.id), "id") == ["1"]
    assert column(await records.alerts(connection="nobody"), "id") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [("CPU ABOVE", True), ("vm1", True), ("cpu_high", True), ("Alerts/A", True), ("%", True), ("cpu%high", False),
     ("cpuXhigh", False), ("severity", False), ("\\", False)],
)  # fmt: skip
async def test_alerts_are_searched_by_what_people_know_of_them(store: Store, text: str, *, found: bool) -> None:
    """Id, rule, title and targets are searched, without regard to case, and wild cards are ordinary characters."""
    await keep(store, item(), alert("/Alerts/A", facts=facts()))
    await keep(store, item("alert:b"), alert("b", facts=facts(id="b", title="x", rule="y", targets=["z"])))
    assert column(await store.records.alerts(search=text), "id") == (["/Alerts/A"] if found else [])


async def test_a_search_goes_on_page_by_page_to_the_oldest(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of a search looks through so many alerts at most and may be empty; in the end each is found once."""
    for module in (sqlite_alert_lists, postgresql_alert_lists):
        monkeypatch.setattr(module, "_SEARCHED_AT_ONCE", 2)
    for name in "abcdefgh":
        await keep(
            store, item(f"alert:{name}"), alert(name, facts=facts(id=name, title="sought" if name in "ach" else "x"))
        )
    found, pages, cursor = list[str](), 0, None
    while pages == 0 or cursor is not None:
        page = await store.records.alerts(search="sought", cursor=cursor)
        found += column(page, "id")
        pages, cursor = pages + 1, page.next_cursor
    assert found == ["h", "c", "a"]
    assert pages >= 3


async def test_a_work_item_in_the_words_of_the_contract(store: Store) -> None:
    """A work item says what it is, where it is, and what it is about."""
    one = open_in_tool(lacking(item(waiting="the tool is down"), "vm1"))
    await keep(store, one, alert("/Alerts/A", work_item=one.id, facts=facts()))
    (listed,) = (await store.records.work_items()).rows
    assert (
        listed
        | {
            "id": one.id,
            "connection": "desk",
            "correlation_key": "alert:a",
            "state": "open",
            "owed": False,
            "number": "INC1",
            "url": "https://desk/INC1",
            "configuration_items": [
                {
                    "id": None,
                    "name": "vm1",
                    "resource_id": None,
                    "rule": "not-in-cmdb",
                    "reason": "vm1 is not in the CMDB",
                }
            ],
            "alerts": ["/Alerts/A"],
            "severity": "Sev2",
            "created_at": "2026-03-02T09:19:05.117123Z",
            "resolved_at": None,
            "title": "CPU is high",
            "priority": 3,
            "waiting": "the tool is down",
            "parked": None,
        }
        == listed
    )
    detail = await store.records.work_item(one.id)
    assert listed.items() <= detail.items()
    assert detail["content"]["description"] == "It is"
    assert detail["steps"] == []


async def test_a_work_item_is_given_by_its_number(store: Store) -> None:
    """People read the number in the tool; its case does not matter, and the newest of several is the one they mean."""
    before = resolved(item("alert:before"))
    after = open_in_tool(item("alert:after"), "INC1")
    other = open_in_tool(item("alert:other", connection="prod"), "INC0010001")
    for one in (before, after, other, item("alert:unknown")):
        await keep(store, one)
    for asked, found in (("INC1", after), ("inc1", after), ("INC0010001", other), (before.id, before)):
        given = await store.records.work_item(asked)
        assert (given["id"], given["connection"]) == (found.id, found.connection)
    for asked in ("INC", "INC10", "%", "", "x" * 500, "INC1\0"):
        with pytest.raises(NotFound, match="there is no work item"):
            await store.records.work_item(asked)


async def test_a_number_follows_the_tool(store: Store) -> None:
    """A record of its own has another number: the former one finds nothing any more."""
    one = item()
    await keep(store, open_in_tool(one, "INC1"))
    await keep(store, open_in_tool(one, "INC2"))
    assert (await store.records.work_item("INC2"))["id"] == one.id
    with pytest.raises(NotFound):
        await store.records.work_item("INC1")


async def test_a_number_of_several_connections_is_told(store: Store) -> None:
    """Two tools count alike: nobody is shown the wrong one, and the text names the newest of each, newest first."""
    old, desk, prod = (
        open_in_tool(item(f"alert:{name}", connection=name.rpartition("-")[2]), "INC7")
        for name in ("old-desk", "new-desk", "its-prod")
    )
    for one in (old, desk, prod):
        await keep(store, one)
    with pytest.raises(NotFound, match="INC7 is a number in several connections") as told:
        await store.records.work_item("INC7")
    assert f"{prod.id} of prod, {desk.id} of desk" in str(told.value)
    assert old.id not in str(told.value)


async def test_work_items_are_filtered(store: Store) -> None:
    """Connection, state, owed and unbound narrow the list down, each by itself and together."""
    await keep(store, item("alert:owed"))
    await keep(store, open_in_tool(lacking(item("alert:unbound"), "vm1")))
    await keep(store, resolved(item("alert:over")))
    await keep(store, item("alert:other", connection="prod"))
    for filters, expected in (
        ({}, ["other", "over", "unbound", "owed"]),
        ({"connection": "prod"}, ["other"]),
        ({"state": "open"}, ["other", "unbound", "owed"]),
        ({"state": "resolved"}, ["over"]),
        ({"owed": True}, ["other", "owed"]),
        ({"owed": False}, ["over", "unbound"]),
        ({"unbound": True}, ["unbound"]),
        ({"unbound": False, "state": "open", "connection": "desk"}, ["owed"]),
    ):
        page = await store.records.work_items(**filters)
        assert column(page, "correlation_key") == [f"alert:{name}" for name in expected], filters


async def test_lanes_say_what_they_wait_for(store: Store) -> None:
    """A lane shows its key, state, reason, when it is due, how much is pending, and its work item with its title."""
    one = item("alert:parked")
    await keep(store, one, release=Release(parked="refused: no such group"))
    await store.journal.append(entry("alert:ready"))
    ready, parked = (await store.records.lanes()).rows
    assert parked == {
        "key": "alert:parked",
        "connection": "desk",
        "state": "parked",
        "reason": "refused: no such group",
        "due_at": None,
        "pending": 0,
        "work_item": one.id,
        "title": "CPU is high",
    }
    assert (ready["key"], ready["state"], ready["pending"], ready["work_item"]) == ("alert:ready", "ready", 1, None)
    assert ready["title"] is None
    assert ready["due_at"] == "2026-03-02T09:19:05.117123Z"
    assert column(await store.records.lanes(state="ready"), "key") == ["alert:ready"]
    assert column(await store.records.lanes(connection="prod"), "key") == []


async def test_quarantine_is_listed_newest_first(store: Store) -> None:
    """Each quarantined notification shows where it came from and why it is there."""
    first = await store.journal.append(unreadable("no JSON", body=b"\xff{"))
    second = await store.journal.append(unreadable("no schema", connection="prod"))
    page = await store.records.quarantine()
    assert page.rows[0] == {
        "id": str(second.notification),
        "connection": "prod",
        "received_at": "2026-03-02T09:19:05.117123Z",
        "reason": "no schema",
    }
    assert column(await store.records.quarantine(connection="desk"), "id") == [str(first.notification)]
    assert (await store.records.quarantined(first.notification))["body"] == "\ufffd{"


async def test_the_title_of_a_lane_is_that_of_its_latest_work_item(store: Store) -> None:
    """Of several generations the one that is worked on is told."""
    await keep(store, resolved(item()))
    later = item(generation=2)
    content = replace(later.desired.content, title="The disk is full")
    later = replace(later, desired=replace(later.desired, content=content))
    await keep(store, later, release=Release(parked="refused"))
    [row] = (await store.records.lanes(state="parked")).rows
    assert (row["work_item"], row["title"]) == (later.id, "The disk is full")


async def test_a_quarantined_body_is_given_as_it_came(store: Store) -> None:
    """A body need not be text, and one that is long is kept packed: every byte of it comes back."""
    for body in (b"\xff\xfe{\x00", b"\xe9" * 5000):
        number = (await store.journal.append(unreadable(body=body))).notification
        assert await store.records.quarantined_body(number) == body
    understood = (await store.journal.append(entry())).notification
    for wrong in (understood, understood + 1):
        with pytest.raises(NotFound):
            await store.records.quarantined_body(wrong)


async def test_of_very_many_steps_the_last_are_told(store: Store) -> None:
    """A tool that was down for weeks does not make a page that cannot be shown."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    one = item()
    await store.lanes.save(lane, Change(item=one, begin=StepKind.CREATE), now=NOW)
    for n in range(1100):
        finish = StepResult(TryLater(f"busy {n}"), NOW)
        await store.lanes.save(lane, Change(finish=finish, begin=StepKind.CREATE), now=NOW)
    steps = (await store.records.work_item(one.id))["steps"]
    assert len(steps) <= 1000
    assert [step["reason"] for step in steps[-3:]] == ["busy 1098", "busy 1099", None]


async def test_counts(store: Store) -> None:
    """What operators watch is counted, and how long the longest due lane has been due."""
    assert set((await store.records.counts()).values()) == {0}
    await keep(store, item("alert:p"), release=Release(parked="refused"))
    await keep(store, item("alert:w"), release=Release(wake_at=at(60), waiting="later"))
    await store.journal.append(entry("alert:r", received_at=at(-90)))
    await store.journal.append(unreadable())
    assert await store.records.counts() == {
        "ready": 1,
        "claimed": 0,
        "waiting": 1,
        "parked": 1,
        "oldest_due_seconds": 90,
        "quarantine": 1,
    }


LISTS = ("alerts", "work_items", "lanes", "quarantine")


async def _fill(store: Store, count: int) -> None:
    for n in range(count):
        await keep(store, item(f"alert:{n}"), alert(str(n)), release=Release(parked="refused"))
        await store.journal.append(unreadable())


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_give_every_row_once_while_rows_are_added(store: Store, name: str, limit: int) -> None:
    """Following the cursor gives all rows that were there at first, each once, newest first."""
    await _fill(store, 5)
    whole = (await getattr(store.records, name)(limit=1000)).rows
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await getattr(store.records, name)(limit=limit, cursor=cursor)
        rows += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break
        await keep(store, item(f"alert:late{len(rows)}"), alert(f"late{len(rows)}"), release=Release(parked="refused"))
        await store.journal.append(unreadable())
    assert rows == whole


@pytest.mark.parametrize("name", LISTS)
async def test_a_cursor_that_was_not_handed_out_is_refused(store: Store, name: str) -> None:
    """A mangled cursor is an error and not an empty list."""
    for cursor in ("x", "!!!!", "é", "/w"):
        with pytest.raises(ValueError, match="cursor"):
            await getattr(store.records, name)(cursor=cursor)


async def test_a_misspelt_filter_is_refused(store: Store) -> None:
    """A state or condition that does not exist is an error and not an empty list."""
    for listing in (
        store.records.lanes(state="prked"),
        store.records.work_items(state="closed"),
        store.records.alerts(condition="on"),
    ):
        with pytest.raises(ValueError, match="is not known"):
            await listing


@pytest.mark.parametrize("limit", [0, -1])
async def test_a_page_holds_at_least_a_row(store: Store, limit: int) -> None:
    """A senseless limit gives the smallest page."""
    await _fill(store, 2)
    page = await store.records.work_items(limit=limit)
    assert len(page.rows) == 1
    assert page.next_cursor is not None


async def test_what_does_not_exist_is_not_found(store: Store) -> None:
    """Each single thing that is not there says so."""
    for one in (store.records.alert("x"), store.records.work_item("x"), store.records.quarantined(1)):
        with pytest.raises(NotFound):
            await one
