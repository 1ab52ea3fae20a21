"""The pages: what they show, what they never let through, and what their forms do."""

import re
from html.parser import HTMLParser
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from tests.unit.console.conftest import Console
from tests.unit.console.standins import (
    ALERT_ID,
    NOW,
    RowsInMemory,
    alert_row,
    lane_row,
    quarantined_row,
    work_item_row,
)

from secure_export.console.desk_pages import MOVES
from secure_export.itsm.desk.incident import Incident, IncidentDraft, IncidentState
from secure_export.itsm.desk.people_changes import ActionRefused, SetState, acted

HOSTILE = "</pre></title>'\"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"
ALERT_PAGE = f"/alerts/{quote(ALERT_ID, safe='')}"
VOID = {"meta", "link", "input", "img", "br", "hr"}


class Page(HTMLParser):
    """Reads a page: its tags with attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == [], "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes what is open"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def every(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def addresses(console: Console) -> list[str]:
    """Every page there is something on."""
    return [
        "/", "/alerts", ALERT_PAGE, "/work-items", "/work-items/item-1", "/lanes", "/quarantine", "/quarantine/9",
        "/desk/incidents", f"/desk/incidents/{console.number}", "/cmdb", f"/cmdb/{console.ci}", "/nothing",
    ]  # fmt: skip


def hostile(row: dict[str, Any]) -> dict[str, Any]:
    """The row with every text in it replaced, but for what the program itself writes."""
    ours = {"id", "connection", "condition", "state", "received_at", "started_at", "finished_at", "fired_at",
            "created_at", "due_at", "kind", "outcome", "work_item", "status", "key", "correlation_key"}  # fmt: skip

    def bad(name: str, value: Any) -> Any:
        if isinstance(value, str):
            return value if name in ours else f"javascript:{HOSTILE}"
        if isinstance(value, dict):
            return {key: bad(key, one) for key, one in value.items()}
        if isinstance(value, list):
            return [bad(name, one) for one in value]
        return value

    return {name: bad(name, value) for name, value in row.items()}


async def test_pages_are_well_formed(console: Console) -> None:
    """Each page is one document with a language, a title, landmarks, one heading of the first rank, and labels."""
    for address in addresses(console):
        page = Page((await console.asker.get(address)).text)
        assert page.every("html")[0]["lang"] == "en", address
        assert len(page.every("h1")) == len(page.every("main")) == len(page.every("footer")) == 1, address
        labels = re.findall(r"<label>[^<]*<(input|select|textarea)", (await console.asker.get(address)).text)
        fields = [f for tag in ("input", "select", "textarea") for f in page.every(tag) if f.get("type") != "hidden"]
        assert len(labels) == len(fields), address
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), address


async def test_pages_load_nothing_from_elsewhere(console: Console) -> None:
    """Style, script and icon come from the service itself; there is no inline script, style or event handler."""
    for address in addresses(console):
        page = Page((await console.asker.get(address)).text)
        sources = [a.get("src") for a in page.every("script")] + [a.get("href") for a in page.every("link")]
        assert all(source and source.startswith("/static/") for source in sources), address
        for source in sources:
            assert (await console.asker.get(str(source))).status == 200
        assert page.every("style") == []
        assert not [
            name for _, attributes in page.tags for name in attributes if name == "style" or name.startswith("on")
        ]


TOLD = {"tool_state": "x", "assignment": "x", "resolution_in_tool": "x", "remarks": ["x"]}


async def test_what_alerts_say_is_text_and_nothing_else(console: Console) -> None:
    """Markup, script addresses and template code in any field of anything come out as the text they are."""
    clean = {address: Page((await console.asker.get(address)).text) for address in addresses(console)}
    console.records.alert_rows = [hostile(alert_row())]
    console.records.item_rows = [hostile(work_item_row(parked="x", waiting="x", hands_off="x", resolution="x", **TOLD))]
    console.records.lane_rows = [hostile(lane_row())]
    console.records.quarantine_rows = [hostile(quarantined_row())]
    shown = 0
    for address, before in clean.items():
        answer = await console.asker.get(address)
        page = Page(answer.text)
        shown += page.text.count("<script>alert(1)</script>")
        assert len(page.every("script")) == len(before.every("script")) == 1, address
        assert page.every("img") == [], address
        assert "49" not in page.text.replace(HOSTILE, "") or "49" in before.text, address
        for link in page.every("a"):
            assert re.match(r"/|\?|#content$|https?://", link.get("href") or ""), (address, link)
    assert shown > 40


async def test_what_the_tool_says_of_a_work_item_is_shown(console: Console) -> None:
    """Its own word for the state, who has it, how it was resolved there, and what it did not take."""
    told = {
        "state_in_tool": "open",
        "tool_state": "Awaiting Vendor",
        "assignment": "Ada of Linux",
        "resolution_in_tool": "Restarted by hand",
        "remarks": ["there is no category Cloud: left out"],
    }
    console.records.item_rows = [work_item_row(**told)]
    page = Page((await console.asker.get("/work-items/item-1")).text)
    for text in ("Awaiting Vendor", "Ada of Linux", "Restarted by hand", "there is no category Cloud: left out"):
        assert text in page.text


async def test_what_people_and_imports_write_is_text_too(console: Console) -> None:
    """Incidents, comments, assignments and CIs are escaped as well."""
    draft = IncidentDraft(
        connection="desk",
        key="1" * 32,
        title=HOSTILE,
        description=HOSTILE,
        impact=1,
        urgency=1,
        priority=1,
        revision=1,
        assignment_group=HOSTILE,
        fields={HOSTILE: HOSTILE},
    )
    number = (await console.desk.open_incident(draft, now=NOW)).number
    base = f"/desk/incidents/{number}"
    await console.asker.post_form(f"{base}/comment", {"text": HOSTILE})
    await console.asker.post_form(f"{base}/state", {"state": "resolved", "resolution": HOSTILE})
    for address in (base, "/desk/incidents?state="):
        path, _, query = address.partition("?")
        page = Page((await console.asker.get(path, query)).text)
        assert len(page.every("script")) == 1
        assert page.every("img") == []
        assert "<script>alert(1)</script>" in page.text


async def test_links_lead_somewhere(console: Console) -> None:
    """Every link within the console answers 200."""
    for address in addresses(console):
        for link in Page((await console.asker.get(address)).text).every("a"):
            href = link["href"] or ""
            if href.startswith("/"):
                path, _, query = href.partition("?")
                assert (await console.asker.get(path, query)).status == 200, (address, href)


async def test_an_alerts_page_tells_the_whole_way(console: Console) -> None:
    """Token, notification, kind, lane, binding, steps and ticket are on the page, with reasons and times."""
    text = Page((await console.asker.get(ALERT_PAGE)).text).text
    for words in (
        "tenant-1",
        "azns-1",
        "uti-1",
        "Recorded as notification 41",
        "metric",
        ALERT_ID,
        "Bound to web-1",
        "resource-id",
        "Its resource id is the alert's target.",
        "took 400 ms",
        "INC0000007",
        "1.4 s after it was received",
        "went into a new work item",
        "24 Nov 2026, 10:28:02 UTC",
    ):
        assert words in text, words


async def test_empty_pages_say_what_to_do(console: Console) -> None:
    """With nothing to show, a page says what that means or what to do next."""
    console.records.__dict__.update(RowsInMemory().__dict__)
    for address, words in {
        "/": "secure-export send",
        "/alerts": "Test action group",
        "/alerts?search=x": "Show all alerts",
        "/work-items": "The first alert makes one",
        "/work-items?owed=true": "Show all work items",
        "/lanes": "Nothing is owed",
        "/quarantine": "Quarantine is empty",
        "/desk/incidents?state=closed": "Show all incidents",
        "/cmdb?search=nowhere": "Show all of them",
    }.items():
        path, _, query = address.partition("?")
        assert words in Page((await console.asker.get(path, query)).text).text, address


async def test_a_search_that_stopped_early_can_go_on(console: Console) -> None:
    """An empty page with a next one offers to search on, instead of saying that there is nothing."""
    console.records.gives_up = True
    page = Page((await console.asker.get("/alerts", "search=rare")).text)
    assert "Search older ones" in page.text
    assert {"href": "?search=rare&cursor=1", "rel": "next"} in page.every("a")


async def test_paging_keeps_the_filters(console: Console) -> None:
    """Older and Newest keep what was asked for."""
    console.records.alert_rows = [alert_row(id=f"a{n}") for n in range(120)]
    links = [a["href"] for a in Page((await console.asker.get("/alerts", "condition=fired&search=a")).text).every("a")]
    assert "?condition=fired&search=a&cursor=50" in links
    links = [a["href"] for a in Page((await console.asker.get("/alerts", "condition=fired&cursor=50")).text).every("a")]
    assert {"?condition=fired", "?condition=fired&cursor=100"} <= set(links)


async def test_buttons_act_and_lead_on(console: Console) -> None:
    """A button's form acts once and sends the browser to a page that says so, so that a reload repeats nothing."""
    number = console.number
    for path, fields, location in (
        (f"/lanes/{quote(ALERT_ID, safe='')}/retry", {}, "/lanes?done=retried"),
        ("/work-items/item-1/retry", {}, "/work-items/item-1?done=retried"),
        ("/quarantine/9/replay", {}, "/quarantine?done=replayed"),
        (f"/desk/incidents/{number}/comment", {"text": "grün & gut"}, f"/desk/incidents/{number}?done=comment"),
        (f"/desk/incidents/{number}/assign", {"group": "", "assignee": "Ada"}, f"/desk/incidents/{number}?done=assign"),
        (f"/desk/incidents/{number}/rate", {"impact": "1", "urgency": "1"}, f"/desk/incidents/{number}?done=rate"),
        (
            f"/desk/incidents/{number}/state",
            {"state": "resolved", "resolution": "done"},
            f"/desk/incidents/{number}?done=state",
        ),
    ):
        answer = await console.asker.post_form(path, fields)
        assert (answer.status, answer.headers["location"]) == (303, location)
        target, _, query = location.partition("?")
        assert 'class="notice"' in (await console.asker.get(target, query)).text
    incident = (await console.desk.incident(number)).incident
    assert (incident.state, incident.assignee, incident.assignment_group, incident.priority) == (
        "resolved",
        "Ada",
        "",
        1,
    )
    assert len(console.actions.done) == 7


async def test_a_form_that_cannot_be_used(console: Console) -> None:
    """A form with nonsense is a page with a sentence, and nothing was changed."""
    base = f"/desk/incidents/{console.number}"
    for path, fields, status in (
        (f"{base}/state", {"state": "burning"}, 400),
        (f"{base}/comment", {"text": " "}, 400),
        (f"{base}/rate", {"impact": "7"}, 400),
        ("/quarantine/10/replay", {}, 409),
        ("/lanes/none/retry", {}, 404),
    ):
        answer = await console.asker.post_form(path, fields)
        assert answer.status == status, path
        assert answer.headers["content-type"].startswith("text/html")
        assert Page(answer.text).every("h1")
    assert console.actions.done == []


async def test_a_notice_is_never_what_the_address_says(console: Console) -> None:
    """Only our own sentences are shown as notices."""
    assert "bad words" not in (await console.asker.get("/lanes", "done=bad words")).text


async def test_viewers_see_no_buttons(console: Console) -> None:
    """Whoever may only look is shown nothing to press."""
    for address in addresses(console)[:-1]:
        answer = await console.asker.get(address, authorization="Bearer SecureExport.Viewer")
        assert answer.status == 200
        assert not [form for form in Page(answer.text).every("form") if form.get("method") == "post"], address
        assert "You may look, not act" in answer.text


@pytest.mark.parametrize(("before", "after"), list(product(IncidentState, IncidentState)))
def test_offered_moves_are_those_the_desk_allows(before: IncidentState, after: IncidentState) -> None:
    """A button stands on an incident's page if, and only if, the desk would do what it says."""
    incident = Incident(
        number="INC1",
        connection="desk",
        key="k",
        title="",
        description="",
        state=before,
        impact=1,
        urgency=1,
        priority=1,
        assignment_group="",
        assignee="",
        fields={},
        resolution_code="",
        resolution="",
        opened_at=NOW,
        updated_at=NOW,
        resolved_at=None,
        closed_at=None,
        revision=1,
    )
    try:
        allowed = bool(acted(incident, SetState(after), by="ada", now=NOW).events)
    except ActionRefused:
        allowed = False
    assert allowed is (after in [state for state, _ in MOVES[before]])
