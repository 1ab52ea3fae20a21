"""The console in a real browser."""

import json
import re

import pytest
from playwright.sync_api import BrowserContext, expect
from tests.browser.conftest import Served, Watched
from tests.unit.console.whole import FIRED

PAGES = ("/", "/alerts", "/work-items", "/lanes", "/quarantine", "/desk/incidents", "/desk/incidents?state=", "/cmdb")
WIDTHS = (1280, 390)


@pytest.mark.parametrize("path", PAGES)
def test_each_page_opens_without_a_complaint(watched: Watched, path: str) -> None:
    """No error in the console, no request to elsewhere, and nothing to be scrolled sideways, wide or narrow."""
    for width in WIDTHS:
        watched.page.set_viewport_size({"width": width, "height": 900})
        watched.open(path)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width


def test_from_the_overview_to_an_alerts_timeline(watched: Watched) -> None:
    """From the overview to a resolved work item, on to its alert, and from the alert's timeline to the incident."""
    page = watched.page
    watched.open("/")
    page.get_by_role("link", name="All work items").click()
    page.get_by_label("State").select_option("resolved")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("state=resolved"))
    page.get_by_role("link", name=re.compile("Percentage CPU of web-01")).click()
    expect(page.get_by_role("heading", name="Configuration items")).to_be_visible()
    expect(page.get_by_role("region", name="Steps")).to_contain_text("resolve")
    page.locator("ul.alerts a").first.click()
    timeline = page.locator("ol.timeline > li")
    told = timeline.locator("h3").all_inner_texts()
    order = ["The alert fired", "The token was accepted", "Recorded as notification", "Created in the tool",
             "The work item is to be resolved", "Resolved in the tool", "Confirmed"]  # fmt: skip
    places = [next(n for n, title in enumerate(told) if title.startswith(start)) for start in order]
    assert places == sorted(places), told
    expect(timeline.filter(has_text="The token was accepted").first).to_contain_text(
        "461e8683-5575-4561-ac7f-899cc907d62a"
    )
    timeline.get_by_role("link", name=re.compile("INC")).first.click()
    expect(page).to_have_url(re.compile("/desk/incidents/INC"))
    expect(page.locator(".badges")).to_contain_text("resolved")


def test_every_alert_and_work_item_opens(watched: Watched, context: BrowserContext, served: Served) -> None:
    """Ids with slashes, colons and whatever else lead to their pages."""
    rows = context.request.get(f"{served.url}/api/v1/alerts?limit=1000").json()["items"]
    watched.open("/alerts")
    links = [link.get_attribute("href") for link in watched.page.locator("td.title a").all()]
    assert len(links) == min(50, len(rows)) > 30
    for link in [*links[::7], links[-1]]:
        watched.open(str(link))
        expect(watched.page.locator("ol.timeline > li")).not_to_have_count(0)


def test_an_incident_is_worked_on(watched: Watched) -> None:
    """A person comments, assigns, starts and resolves; each is in the timeline, and the page says that it was kept."""
    page = watched.page
    watched.open("/desk/incidents")
    page.locator("td[data-name=Number] a").first.click()
    page.get_by_label("Comment").fill("Looked at it: <b>disk</b> is full")
    page.get_by_role("button", name="Add comment").click()
    expect(page.get_by_role("status")).to_have_text("Your comment is in the timeline.")
    expect(page.locator("ol.timeline > li").first).to_contain_text("Looked at it: <b>disk</b> is full")
    page.get_by_label("Assignee").fill("Ada Lovelace")
    page.get_by_role("button", name="Assign").click()
    expect(page.locator(".badges")).to_contain_text("Ada Lovelace")
    page.get_by_role("button", name="Start work").click()
    expect(page.locator(".badges")).to_contain_text("in progress")
    page.get_by_label("How it was resolved").fill("Made room.")
    page.get_by_role("button", name="Resolve").click()
    expect(page.locator(".badges")).to_contain_text("resolved")
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator(".badges")).to_contain_text("in progress")


def test_a_parked_lane_is_retried_and_a_body_replayed(watched: Watched) -> None:
    """The overview's button retries a parked lane; a body that still is not understood stays, and the page says why."""
    page = watched.page
    watched.open("/quarantine")
    page.locator("td[data-name=Notification] a").first.click()
    expect(page.locator("pre.body")).to_have_text("<html>no alert</html>")
    with page.expect_navigation() as navigation:
        page.get_by_role("button", name="Replay").click()
    assert navigation.value is not None
    assert navigation.value.status == 409
    expect(page.locator("main")).to_contain_text("still not understood")
    assert [c for c in watched.complaints if "409" not in c] == []
    watched.complaints.clear()
    watched.open("/")
    page.get_by_role("button", name=re.compile("Retry")).click()
    expect(page.get_by_role("status")).to_contain_text("The lane is ready")


def test_times_are_the_readers_own(watched: Watched) -> None:
    """Times are shown in the reader's zone, with UTC in the title."""
    watched.open("/alerts")
    time = watched.page.locator("td[data-name=Fired] time").filter(has_text="10 Feb 2026, 07:14:22").first
    expect(time).to_have_attribute("title", "2026-02-10 06:14:22.418 UTC")


def test_without_javascript(chromium: object, context: BrowserContext, served: Served) -> None:
    """Every page works without scripts; times are in UTC then and say so."""
    browser = context.browser
    assert browser is not None
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(f"{served.url}/desk/incidents?state=")
    page.locator("td[data-name=Number] a").nth(1).click()
    page.get_by_label("Comment").fill("without scripts")
    page.get_by_role("button", name="Add comment").click()
    expect(page.locator("ol.timeline > li").first).to_contain_text("without scripts")
    expect(page.locator("time").first).to_contain_text("UTC")
    plain.close()


def test_pages_renew_themselves_but_take_nothing_away(
    watched: Watched, served: Served, context: BrowserContext
) -> None:
    """What happens appears by itself; a page on which somebody types stays until that is sent."""
    page = watched.page
    watched.page.clock.install()
    watched.open("/desk/incidents?state=")
    page.locator("td[data-name=Number] a").nth(2).click()
    page.wait_for_url("**/desk/incidents/INC*", wait_until="load")  # its timers run from then on
    number = page.url.rpartition("/")[2]
    api = f"{served.url}/api/v1/desk/incidents/{number}/comment"
    context.request.post(api, data={"text": "seen at once"})
    page.clock.run_for(6000)
    expect(page.locator("ol.timeline")).to_contain_text("seen at once")
    page.get_by_label("Comment").fill("half a sent")
    context.request.post(api, data={"text": "not seen yet"})
    page.clock.run_for(20000)
    expect(page.get_by_label("Comment")).to_have_value("half a sent")
    expect(page.locator("ol.timeline")).not_to_contain_text("not seen yet")
    page.get_by_label("Comment").fill("")
    page.locator("h1").click()
    page.clock.run_for(6000)
    expect(page.locator("ol.timeline")).to_contain_text("not seen yet")


def test_a_page_of_another_origin_cannot_act(context: BrowserContext, served: Served) -> None:
    """A form on another site that posts to the console is refused, whichever name of this machine it uses."""
    page = context.new_page()
    number = context.request.get(f"{served.url}/api/v1/desk/incidents?limit=1").json()["items"][0]["number"]
    action = f"{served.url}/desk/incidents/{number}/state"
    form = f"<form method=post action='{action}'><button name=state value=closed>x</button></form>"
    page.route("http://evil.example/", lambda route: route.fulfill(content_type="text/html", body=form))
    page.goto("http://evil.example/")
    with page.expect_navigation() as navigation:
        page.get_by_role("button").click()
    assert navigation.value is not None
    assert navigation.value.status == 403
    assert context.request.get(f"{served.url}/api/v1/desk/incidents/{number}").json()["state"] != "closed"


def test_hostile_alerts_are_shown_as_text(watched: Watched, served: Served, context: BrowserContext) -> None:
    """Markup in an alert's fields opens no dialog and makes no element: the browser shows its text."""
    body = json.loads(FIRED.read_text())
    rule = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    body["data"]["essentials"] |= {"alertRule": rule, "description": rule, "alertId": "/hostile/<b>/a?b#c'\""}
    served.run(served.whole.take(json.dumps(body).encode()))
    served.run(served.whole.deliver())
    listed = context.request.get(f"{served.url}/api/v1/alerts?limit=1").json()["items"][0]
    assert listed["rule"] == rule
    watched.open("/alerts")
    watched.page.locator("td.title a").first.click()
    expect(watched.page.locator("main")).to_contain_text(rule)
    watched.open(f"/work-items/{listed['work_item']}")
    expect(watched.page.locator("main")).to_contain_text(rule)
    assert watched.page.locator("main img, main script").count() == 0
