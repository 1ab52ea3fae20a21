"""What each status demands, reopening, and the statuses of refusals (bmc-facts section 10, line 9)."""

from datetime import timedelta

import pytest
from tests.unit.sandbox.bmc_helix.served import (
    BASE,
    ENDED,
    INTERFACE,
    STAGING,
    WORK_LOG,
    Client,
    new_server,
    path_of,
    served,
)

from secure_export.sandbox.bmc_helix import looking
from secure_export.sandbox.bmc_helix.errors import ArError
from secure_export.sandbox.bmc_helix.people import Account

PENDING = {"Status": "Pending", "Status_Reason": "Monitoring Incident"}
MINE = {"Assigned Group": "Linux", "Assignee Login ID": "ada.lovelace"}


async def said(client: Client, number: str, **values: str) -> str:
    """Change an incident that refuses it; what it says."""
    seen = await client.change(number, {name.replace("__", " "): value for name, value in values.items()})
    assert seen.status == 500
    (message,) = seen.json
    assert (message["messageType"], message["messageText"]) == ("ERROR", "")
    return str(message["messageAppendedText"])


async def test_to_go_past_assigned_it_needs_an_assignee() -> None:
    """500 with an array; the sentence is in the appended text."""
    async with served() as client:
        number = await client.create()
        text = "The Assignee must be set to move past Assigned."
        assert await said(client, number, Status="In Progress") == text
        ended = {"Status": "Resolved", "Status_Reason": "No Further Action Required", "Resolution": "x"}
        assert await said(client, number, **ended) == text
        client.server.site.assignee_required = False
        assert (await client.change(number, ended)).status == 204


async def test_assigned_needs_a_group() -> None:
    """Without one nobody has it."""
    async with served(new_server(routes=[])) as client:
        number = await client.create()
        assert "Assigned Group must be set" in await said(client, number, Status="Assigned")


async def test_resolved_needs_a_resolution_and_a_reason() -> None:
    """Both in the same change."""
    async with served() as client:
        number = await client.create()
        for missing, words in (("Resolution", "Resolution field must be filled in"), ("Status_Reason", "required")):
            values = {name.replace(" ", "__"): value for name, value in ENDED.items() if name != missing}
            assert words in await said(client, number, **values)
        assert (await client.change(number, ENDED)).status == 204
        values = await client.read(number)
        assert (values["Status"], values["Status_Reason"]) == ("Resolved", "Automated Resolution Reported")
        assert values["Last Resolved Date"] == "2026-11-24T12:00:00.000+0000"


async def test_pending_needs_a_reason() -> None:
    """Of its own list."""
    async with served() as client:
        number = await client.create()
        assert "Status Reason is required" in await said(client, number, Status="Pending", Assignee="Ada Lovelace")
        assert (await client.change(number, {**PENDING, **MINE})).status == 204


@pytest.mark.parametrize(
    ("status", "reason"),
    [("Resolved", "Client Hold"), ("Pending", "No Further Action Required"), ("In Progress", "Client Hold")],
)
async def test_a_reason_of_another_status_is_refused(status: str, reason: str) -> None:
    """With the number of wrong pairs."""
    async with served() as client:
        number = await client.create()
        seen = await client.change(number, {**MINE, "Status": status, "Status_Reason": reason, "Resolution": "x"})
        assert seen.error[:2] == (500, 51_310)


async def test_a_reason_that_the_site_took_away_is_refused() -> None:
    """And another that it made goes."""
    async with served() as client:
        number = await client.create()
        client.server.reasons[4] = {"Customer Follow-Up Required"}
        assert (await client.change(number, ENDED)).error[:2] == (500, 51_310)
        other = {**ENDED, "Status_Reason": "Customer Follow-Up Required"}
        assert (await client.change(number, other)).status == 204


async def test_what_was_resolved_can_be_reopened() -> None:
    """The reason goes, the reopening is counted, the resolution stays."""
    async with served() as client:
        number = await client.create()
        await client.change(number, ENDED)
        assert (await client.change(number, {"Status": "In Progress"})).status == 204
        values = await client.read(number)
        assert (values["Status"], values["Status_Reason"], values["Re-Opened Counter"]) == ("In Progress", None, 1)
        assert values["Resolution"] == "It is fine again"
        assert values["Reopened Date"] is not None


@pytest.mark.parametrize("final", ["Closed", "Cancelled"])
async def test_what_is_closed_or_cancelled_stays_so(final: str) -> None:
    """No status, and no other field either; work info still goes in by its own form."""
    async with served() as client:
        number = await client.create()
        await client.change(number, ENDED)
        assert (await client.change(number, {"Status": final})).status == 204
        for values in ({"Status": "In Progress"}, {"Description": "Other"}, {"Urgency": "4-Low"}):
            seen = await client.change(number, values)
            assert (seen.status, f"is {final}" in seen.json[0]["messageAppendedText"]) == (500, True)
        client.person.comment(number, "still")


async def test_nothing_goes_back_to_new() -> None:
    """It was seen already."""
    async with served() as client:
        number = await client.create()
        assert "back to New" in await said(client, number, Status="New")


async def test_what_was_resolved_long_ago_closes_itself() -> None:
    """After the site's days, when the escalation runs."""
    async with served() as client:
        number = await client.create()
        await client.change(number, ENDED)
        client.server.clock.move(timedelta(days=14))
        assert client.server.run_jobs() == 0
        client.server.clock.move(timedelta(days=1))
        assert client.server.run_jobs() == 1
        assert (looking.incident(client.server, number) or {})["Status"] == "Closed"
        client.server.site.auto_close_days = 0
        assert client.server.run_jobs() == 0


async def test_only_what_is_sent_changes_and_null_empties() -> None:
    """A partial set, whatever the documentation of PUT says."""
    async with served() as client:
        number = await client.create(Detailed_Decription="Long", Categorization__Tier__1="Failure")
        await client.change(number, {"Categorization Tier 1": None})
        values = await client.read(number)
        assert (values["Detailed Decription"], values["Categorization Tier 1"]) == ("Long", None)


async def test_a_refused_change_changes_nothing() -> None:
    """All of it happens, or none."""
    async with served() as client:
        number = await client.create()
        before = await client.read(number)
        client.server.clock.move(timedelta(minutes=1))
        note = {"z1D Action": "MODIFY", "z1D_Details": "x"}
        assert (await client.change(number, {**note, "Urgency": "4-Low", "Status": "In Progress"})).status == 500
        assert await client.read(number) == before
        assert (await client.entries(WORK_LOG))["entries"] == []


async def test_an_assignee_must_be_a_support_person_of_the_group() -> None:
    """By login or by full name; both must mean the same person."""
    async with served() as client:
        number = await client.create(Assigned__Group="Linux")
        assert "not a member" in await said(client, number, Assignee="Grace Hopper")
        assert "no support person" in await said(client, number, Assignee="Jane Customer")
        assert "no support person" in await said(client, number, Assignee="Ada Lovelace", Assignee__Login__ID="grace")
        assert (await client.change(number, {"Assignee": "Ada Lovelace"})).status == 204
        assert (await client.read(number))["Assignee Login ID"] == "ada.lovelace"


async def test_another_group_loses_an_assignee_who_is_no_member() -> None:
    """And the transfer is counted."""
    async with served() as client:
        number = await client.create(Assigned__Group="Linux")
        await client.change(number, {"Assignee": "Ada Lovelace"})
        await client.change(number, {"Assigned Group": "Windows"})
        assert (await client.read(number))["Assignee"] == "Ada Lovelace"
        await client.change(number, {"Assigned Group": "Network"})
        values = await client.read(number)
        assert (values["Assignee"], values["Total Transfers"], values["Assigned Group"]) == (None, 2, "Network")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", f"{path_of(INTERFACE)}/INC000000000527", "DELETE, GET, PUT"),
        ("POST", f"{path_of(WORK_LOG)}/INC000000000430", "DELETE, GET, PUT"),
        ("PUT", path_of(INTERFACE), "GET, OPTIONS, POST"),
        ("GET", "/api/arsys/v1/mergeEntry/HPD:WorkLog", "POST"),
    ],
)
async def test_a_method_that_there_is_not_is_405(method: str, path: str, allowed: str) -> None:
    """There is no PATCH, and nobody posts to an entry; the page is the web server's."""
    async with served() as client:
        await client.create()
        seen = await client.ask(method, path, json={"values": {}})
        assert (seen.status, seen.headers["Allow"]) == (405, allowed)
        assert seen.headers["Content-Type"].startswith("text/html")


async def test_a_user_without_the_roles_gets_403() -> None:
    """353 for a form they may not read, 330 for one they may not write."""
    async with served() as client:
        client.server.accounts.set(Account("viewer", roles=frozenset({"Incident Viewer"})))
        assert (await client.ask("GET", path_of("CTM:People"), user="viewer")).error == (403, 353, "CTM:People")
        assert (await client.ask("GET", path_of(BASE), user="viewer")).status == 200
        seen = await client.ask("POST", path_of(STAGING), user="viewer", json={"values": {}})
        assert seen.error == (403, 330, STAGING)


async def test_records_of_companies_that_a_user_does_not_see_are_not_there() -> None:
    """Searches leave them out, reading one is 404, and so are changes and work info."""
    async with served() as client:
        number = await client.create()
        client.person.comment(number, "x")
        path = await client.path(number)
        client.server.accounts.set(Account("azure.integration", companies=frozenset({"Fabrikam"})))
        assert (await client.entries(BASE))["entries"] == (await client.entries(WORK_LOG))["entries"] == []
        assert (await client.ask("GET", path)).json[0]["messageNumber"] == 302
        assert (await client.ask("PUT", path, json={"values": {"Urgency": "4-Low"}})).status == 404


async def test_people_do_at_the_desk_what_people_do() -> None:
    """Every act of a person ends in the state that it is named for."""
    async with served() as client:
        person = client.person
        number = person.open("By phone")
        person.start(number)
        person.hold(number)
        assert (await client.read(number))["Status"] == "Pending"
        person.resolve(number, "By hand")
        person.reopen(number)
        assert (await client.read(number))["Status"] == "In Progress"
        other = person.merge(number)
        values = await client.read(number)
        assert (values["Status"], values["Status_Reason"]) == ("Resolved", "Resolved by Original Incident")
        assert (await client.read(other))["Description"] == "The same, told by phone"
        person.close(number)
        with pytest.raises(ArError, match="Closed"):
            person.reopen(number)
        person.delete(number)
        assert (await client.entries(BASE, f"'Incident Number' = \"{number}\""))["entries"] == []
        person.cancel(other)
        assert (await client.read(other))["Status"] == "Cancelled"
