"""The control API: what the real thing does not have."""

import asyncio
from datetime import timedelta

import pytest
from tests.unit.sandbox.bmc_helix.served import BASE, NOON, STAGING, path_of, served


async def test_faults_are_set_told_and_cleared() -> None:
    """With how often each was met."""
    async with served() as client:
        one = await client.control("POST", "faults", kind="timed-out", form=STAGING, times=None)
        await client.control("POST", "faults", kind="error-before", shape="object", methods=["DELETE"])
        assert (await client.try_create()).error[:2] == (500, 93)
        assert [fault["met"] for fault in await client.control("GET", "faults")] == [1, 0]
        assert await client.control("DELETE", f"faults/{one['id']}") == {"cleared": 1}
        assert await client.control("DELETE", "faults") == {"cleared": 1}
        assert await client.create()


@pytest.mark.parametrize(
    ("path", "order", "words"),
    [
        ("faults", {"kind": "boom"}, "boom"),
        ("faults", {"kind": "delay", "secconds": 3}, "secconds"),
        ("site", {"most_paralel": 3}, "most_paralel"),
        ("clock", {"advance": 3}, "advance"),
        ("reasons", {"status": "Open", "labels": []}, "Open"),
        ("restore", {"name": "monday"}, "monday"),
        ("incidents/INC000000000430/explode", {}, "explode"),
    ],
)
async def test_an_order_that_cannot_be_understood_is_an_error(path: str, order: object, words: str) -> None:
    """Never ignored."""
    async with served() as client:
        await client.create()
        seen = await client.ask("POST", f"/control/{path}", user="", json=order)
        assert (seen.status, words in seen.text) == (400, True)


async def test_the_clock_is_moved_and_stopped() -> None:
    """Tokens end by it."""
    async with served() as client:
        await client.create()
        told = await client.control("POST", "clock", advance_seconds=3600)
        assert told["now"] == (NOON + timedelta(hours=1)).isoformat()
        assert (await client.try_create()).status == 401
        told = await client.control("POST", "clock", set="2027-01-01T00:00:00", frozen=True)
        assert told == await client.control("GET", "clock")
        assert told["now"] == "2027-01-01T00:00:00+00:00"
        await client.control("POST", "clock", frozen=False)
        before = client.server.clock.now()
        await asyncio.sleep(0.001)
        assert client.server.clock.now() > before


async def test_people_act_on_incidents() -> None:
    """Each act by its name; the answer is the incident with its work info and relations."""
    async with served() as client:
        number = (await client.control("POST", "incidents", summary="By phone"))["number"]
        told = await client.control("POST", f"incidents/{number}/comment", text="Looking at it")
        assert told["work_info"][0]["Detailed Description"] == "Looking at it"
        for act, status in (
            ("assign", "Assigned"),
            ("start", "In Progress"),
            ("hold", "Pending"),
            ("resolve", "Resolved"),
            ("reopen", "In Progress"),
            ("merge", "Resolved"),
            ("close", "Closed"),
        ):
            told = await client.control("POST", f"incidents/{number}/{act}")
            assert told["values"]["Status"] == status
        other = await client.create()
        told = await client.control("POST", f"incidents/{other}/change", values={"Urgency": "4-Low"})
        assert told["values"]["Urgency"] == "4-Low"
        assert (await client.control("POST", f"incidents/{other}/cancel"))["values"]["Status"] == "Cancelled"
        assert await client.control("DELETE", f"incidents/{other}") == {"deleted": other}
        assert other not in [one["Incident Number"] for one in await client.control("GET", "incidents")]


async def test_a_refusal_of_the_server_reaches_those_at_control() -> None:
    """As the API would answer it."""
    async with served() as client:
        number = await client.create()
        await client.control("POST", f"incidents/{number}/close")
        seen = await client.ask("POST", f"/control/incidents/{number}/reopen", user="")
        assert (seen.status, "is Closed" in seen.json[0]["messageAppendedText"]) == (500, True)
        assert (await client.ask("GET", "/control/incidents/INC9", user="")).status == 404


async def test_the_site_is_told_and_changed() -> None:
    """Only what is named."""
    async with served() as client:
        told = await client.control("POST", "site", routes=[{"group": "Linux"}], most_parallel=2)
        assert (told["most_parallel"], told["token_seconds"]) == (2, 3600)
        assert (await client.read(await client.create()))["Assigned Group"] == "Linux"
        assert await client.control("GET", "site") == told


async def test_fields_are_added_demanded_limited_and_selected() -> None:
    """On the forms that are named; labels that were there keep their numbers."""
    async with served() as client:
        forms = [STAGING, "HPD:IncidentInterface", BASE]
        await client.control("POST", "fields", forms=forms, name="Azure Alert", indexed=True)
        number = await client.create(Azure__Alert="a1")
        (found,) = (await client.entries(BASE, "'Azure Alert' = \"a1\""))["entries"]
        assert found["values"]["Incident Number"] == number
        assert client.server.entries.indexed(BASE, "Azure Alert")
        await client.control("POST", "fields", forms=[STAGING], name="Azure Alert", required=True, limit=3)
        assert (await client.try_create()).error == (500, 307, "Azure Alert")
        assert (await client.try_create(Azure__Alert="abcd")).error[1] == 306
        labels = ["4-Minor/Localized", "5-None"]
        await client.control("POST", "fields", forms=[STAGING], name="Impact", labels=labels)
        schema = (await client.ask("OPTIONS", path_of(STAGING))).json["properties"]["values"]["properties"]
        assert (schema["Impact"]["enum"], schema["Impact"]["enumIds"]) == (labels, [4000, 4001])


async def test_reasons_are_told_and_changed() -> None:
    """By the label of the status."""
    async with served() as client:
        told = await client.control("POST", "reasons", status="Resolved", labels=["Customer Follow-Up Required"])
        assert told["Resolved"] == ["Customer Follow-Up Required"]
        assert "Client Hold" in told["Pending"]


async def test_accounts_people_groups_and_companies_come_in() -> None:
    """And can be used at once."""
    async with served() as client:
        await client.control("POST", "accounts", login="jane", password="x", roles=["Incident Viewer"])
        assert (await client.login("jane", "x")).status == 200
        assert "jane" in [one["login"] for one in await client.control("GET", "accounts")]
        await client.control("POST", "companies", name="Adatum")
        await client.control("POST", "groups", name="Storage", company="Adatum")
        order = {"first": "Al", "last": "Khwarizmi", "company": "Adatum", "login": "al", "groups": ["Storage"]}
        await client.control("POST", "people", **order)
        values = await client.read(
            await client.create(Company="Adatum", Assigned__Group="Storage", Assignee="Al Khwarizmi")
        )
        assert (values["Company"], values["Assignee Login ID"]) == ("Adatum", "al")


async def test_cis_come_in_and_go_out_of_use() -> None:
    """By name and attributes, and by their identity."""
    async with served() as client:
        ci = await client.control("POST", "cis", name="vm1", attributes={"HostName": "vm1.example"})
        assert ci["HostName"] == "vm1.example"
        await client.control("DELETE", f"cis/{ci['ReconciliationIdentity']}")
        (one,) = [one for one in await client.control("GET", "cis") if one["Name"] == "vm1"]
        assert one["MarkAsDeleted"] == "Yes"


async def test_a_copy_is_made_and_put_back() -> None:
    """What came later is gone; its number is given again."""
    async with served() as client:
        number = await client.create()
        assert await client.control("POST", "copy", name="monday") == {"copies": ["monday"]}
        await client.change(number, {"Urgency": "4-Low"})
        lost = await client.create(mc_ueid="later")
        await client.control("POST", "restore", name="monday")
        assert (await client.read(number))["Urgency"] == "2-High"
        assert (await client.entries(BASE, "'mc_ueid' = \"later\""))["entries"] == []
        assert await client.create() == lost


async def test_limits_counters_tokens_and_jobs_are_told_and_changed() -> None:
    """Each by its door."""
    async with served() as client:
        await client.create()
        told = await client.control("POST", "limits", threads=2, service_seconds=0.01)
        assert (told["threads"], told["service_seconds"], told["queue"]) == (2, 0.01, 1000)
        counters = await client.control("GET", "counters?limit=1")
        assert (counters["total"], len(counters["last"])) == (2, 1)
        assert (await client.control("DELETE", "counters"))["total"] == 0
        await client.login("azure.integration", "wrong")
        tokens = await client.control("GET", "tokens")
        assert (tokens["given"], len(tokens["sessions"])) == (1, 1)
        assert "azure.integration" in tokens["refusals"][0]
        assert await client.control("POST", "tokens/revoke") == {"revoked": 1}
        assert await client.control("POST", "jobs") == {"changed": 0}


async def test_control_is_for_this_machine_and_no_page_of_another_site() -> None:
    """By whatever name it is called."""
    async with served() as client:
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            assert (await client.ask("GET", "/control", user="", headers=headers)).status == 403
        told = await client.control("GET", "")
        assert "SANDBOX" in told["notice"]
        assert "POST /control/faults" in told["doors"]
