"""The JSON API: lists, filters, one thing, and acting."""

from urllib.parse import quote

import pytest
from tests.unit.console.conftest import Console
from tests.unit.console.standins import ALERT_ID, alert_row, work_item_row

from secure_export.console.headers import SECURITY_HEADERS
from secure_export.errors import StoreUnavailable

LISTS = ("/alerts", "/work-items", "/lanes", "/quarantine", "/cis", "/desk/incidents")


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_has_items_and_a_cursor(console: Console, path: str) -> None:
    """Every list is an object with ``items`` and ``next_cursor``, which is null on the last page."""
    answer = (await console.asker.get(f"/api/v1{path}")).json()
    assert set(answer) == {"items", "next_cursor"}
    assert answer["items"]
    assert answer["next_cursor"] is None


async def test_cursors_lead_through_a_list(console: Console) -> None:
    """Following ``next_cursor`` gives each item once."""
    console.records.alert_rows = [alert_row(id=f"alert-{number}") for number in range(7)]
    seen, cursor = [], ""
    while True:
        page = (await console.asker.get("/api/v1/alerts", f"limit=3&cursor={cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"alert-{number}" for number in range(7)]


BAD = {
    "limit=0": "give a number from 1 to 1000",
    "limit=1001": "give a number from 1 to 1000",
    "limit=-1": "give a number from 1 to 1000",
    "limit=ten": "give a number from 1 to 1000",
    "limit=%D9%A3": "give a number from 1 to 1000",
    "limit=5&limit=6": "limit is given twice",
    "condition=burning": "use fired or resolved",
    "colour=red": "There is no parameter 'colour' here",
    "cursor=not-one": "invalid literal",
    f"search={'x' * 3000}": "search is longer than 2048",
}


@pytest.mark.parametrize(("query", "sentence"), BAD.items(), ids=[key[:20] for key in BAD])
async def test_bad_parameters_are_explained(console: Console, query: str, sentence: str) -> None:
    """A parameter that cannot be used is 400 with a sentence, so that a misspelt filter is no empty list."""
    answer = await console.asker.get("/api/v1/alerts", query)
    assert answer.status == 400
    assert sentence in answer.json()["error"]


async def test_filters_reach_the_store(console: Console) -> None:
    """Filters are named like the fields; what forms leave empty counts as absent."""
    console.records.item_rows = [
        work_item_row(id="a"),
        work_item_row(id="b", owed=True),
        work_item_row(id="c", state="resolved"),
    ]
    for query, ids in {
        "owed=true": ["b"],
        "owed=false&state=resolved": ["c"],
        "state=open&owed=": ["a", "b"],
        "connection=other": [],
    }.items():
        answer = await console.asker.get("/api/v1/work-items", query)
        assert [item["id"] for item in answer.json()["items"]] == ids, query


async def test_incident_states(console: Console) -> None:
    """``open`` stands for new, in progress and on hold; each state can be asked for by itself."""
    for query, count in {
        "state=open": 1,
        "state=new": 1,
        "state=closed": 0,
        f"ci={console.ci}": 1,
        "search=cpu": 1,
    }.items():
        answer = await console.asker.get("/api/v1/desk/incidents", query)
        assert len(answer.json()["items"]) == count, query


@pytest.mark.parametrize("path", [ALERT_ID, quote(ALERT_ID, safe=""), ALERT_ID.removeprefix("/")])
async def test_an_alert_is_found_however_its_slashes_are_written(console: Console, path: str) -> None:
    """An alertId holds slashes; they may come encoded or not, and a client may have folded two into one."""
    answer = await console.asker.get(f"/api/v1/alerts/{path}")
    assert answer.status == 200
    assert answer.json()["id"] == ALERT_ID


MISSING = ("/alerts/x/y", "/alerts/", "/work-items/none", "/quarantine/77", "/quarantine/x", f"/quarantine/{10**30}",
           "/cis/none", "/desk/incidents/INC9", "/nothing")  # fmt: skip


@pytest.mark.parametrize("path", MISSING)
async def test_what_is_not_there_is_404_with_a_sentence(console: Console, path: str) -> None:
    """404 says what is missing, as JSON."""
    answer = await console.asker.get(f"/api/v1{path}")
    assert answer.status == 404
    assert answer.json()["error"].endswith(".")


async def test_head_and_other_methods(console: Console) -> None:
    """HEAD works like GET; a method that an address does not take is 405 with Allow."""
    assert (await console.asker.ask("HEAD", "/api/v1/alerts")).status == 200
    answer = await console.asker.ask("DELETE", "/api/v1/alerts")
    assert (answer.status, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})
    assert "takes" in answer.json()["error"]


async def test_retry(console: Console) -> None:
    """A retry says how many lanes were made ready; a key that waits nowhere is 404."""
    assert (await console.asker.ask("POST", f"/api/v1/lanes/{quote(ALERT_ID, safe='')}/retry")).json() == {"retried": 1}
    assert (await console.asker.ask("POST", "/api/v1/lanes/none/retry")).status == 404
    assert console.actions.done == [("local", "retry", ALERT_ID)]


async def test_replay(console: Console) -> None:
    """A replay sends a notification on its way; one that still is not understood is 409 and says why."""
    assert (await console.asker.ask("POST", "/api/v1/quarantine/9/replay")).json() == {
        "notification": "9",
        "status": "accepted",
    }
    answer = await console.asker.ask("POST", "/api/v1/quarantine/10/replay")
    assert (answer.status, answer.json()) == (409, {"error": "It is still not understood: the body is no JSON."})
    assert (await console.asker.ask("POST", "/api/v1/quarantine/11/replay")).status == 404


async def test_an_incident_through_its_life(console: Console) -> None:
    """Comment, assign, rate, start, resolve, reopen and close give the incident as it then is, and are audited."""
    base = f"/api/v1/desk/incidents/{console.number}"
    incident = (await console.asker.post_json(f"{base}/comment", {"text": "looked at it"})).json()
    assert incident["timeline"][-1] | {"at": ""} == {
        "at": "", "by": "local", "kind": "comment", "text": "looked at it", "changes": [],
    }  # fmt: skip
    incident = (await console.asker.post_json(f"{base}/assign", {"assignee": "Ada"})).json()
    assert (incident["assignee"], incident["assignment_group"]) == ("Ada", "platform")
    assert (await console.asker.post_json(f"{base}/rate", {"impact": 1})).json()["priority"] == 1
    for state, resolution in (
        ("in-progress", ""),
        ("resolved", "disk emptied"),
        ("in-progress", ""),
        ("closed", "gone"),
    ):
        incident = (await console.asker.post_json(f"{base}/state", {"state": state, "resolution": resolution})).json()
        assert (incident["state"], incident["resolution"]) == (state, resolution)
    assert incident["timeline"][-1]["changes"] == [{"field": "state", "old": "in-progress", "new": "closed"}]
    assert [action for _, action, _ in console.actions.done] == [
        "desk.comment", "desk.assign", "desk.rate", *["desk.state"] * 4,
    ]  # fmt: skip


REFUSED = {
    "a comment without words": ("comment", {"text": "  "}, 400),
    "a comment without text": ("comment", {}, 400),
    "an unknown member": ("comment", {"text": "x", "by": "boss"}, 400),
    "a state that is none": ("state", {"state": "burning"}, 400),
    "a state it cannot go to": ("state", {"state": "new"}, 409),
    "an impact that is none": ("rate", {"impact": 9}, 400),
    "no object": ("assign", [], 400),
}


@pytest.mark.parametrize(("what", "content", "status"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_cannot_be_done_to_an_incident(console: Console, what: str, content: object, status: int) -> None:
    """What cannot be read is 400, what cannot be done is 409, each with a sentence; the incident stays as it was."""
    base = f"/api/v1/desk/incidents/{console.number}"
    await console.asker.post_json(f"{base}/state", {"state": "in-progress"})
    before = (await console.asker.get(base)).json()
    answer = await console.asker.post_json(f"{base}/{what}", content)
    assert answer.status == status
    assert answer.json()["error"]
    assert (await console.asker.get(base)).json() == before


async def test_bodies_are_bounded(console: Console) -> None:
    """A body above 64 KiB is 413 and not read to its end; JSON that is none is 400."""
    path = f"/api/v1/desk/incidents/{console.number}/comment"
    assert (await console.asker.ask("POST", path, body=b"x" * 70_000)).status == 413
    assert (await console.asker.ask("POST", path, body=b"{")).status == 400
    assert (await console.asker.ask("POST", path, body=b'{"text": "\xff"}')).status == 400


async def test_nothing_is_done_to_an_incident_that_is_not_there(console: Console) -> None:
    """A number that nobody has is 404, and the audit log has no line of it."""
    answer = await console.asker.post_json("/api/v1/desk/incidents/INC0000099/comment", {"text": "x"})
    assert answer.status == 404
    assert console.actions.done == []


async def test_a_store_that_cannot_is_503(console: Console) -> None:
    """While the store is away the answer is 503 with Retry-After, and says nothing of its inside."""
    console.records.broken = StoreUnavailable("disk /dev/secret is full")
    answer = await console.asker.get("/api/v1/alerts")
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert "secret" not in answer.text


async def test_what_nobody_foresaw_is_500_without_details(console: Console) -> None:
    """A fault of ours is told as such; its details are in the log."""
    console.records.broken = RuntimeError("inner-workings")
    answer = await console.asker.get("/api/v1/alerts")
    assert answer.status == 500
    assert "inner-workings" not in answer.text


@pytest.mark.parametrize("path", ["/", "/api/v1/alerts", "/api/v1/nothing", "/nothing", "/static/console.css"])
async def test_every_answer_carries_the_security_headers(console: Console, path: str) -> None:
    """Pages, API, static files and errors alike; nothing but static files may be kept by anybody."""
    answer = await console.asker.get(path)
    assert answer.headers | SECURITY_HEADERS == answer.headers
    if "static" not in path and answer.status == 200:
        assert answer.headers["cache-control"] == "no-store"
