"""The control API: the clock, properties, choices, access rules, users, records as anybody, copies, counters."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from tests.unit.sandbox.servicenow.served import INCIDENTS, NOON, served

from secure_export.sandbox.servicenow.demo_access import INTEGRATION_USER


async def test_the_clock_is_told_moved_and_set() -> None:
    """What the clock says is what records and the Date header say."""
    async with served() as client:
        assert (await client.control("GET", "clock"))["now"] == NOON.isoformat()
        await client.control("POST", "clock", advance_seconds=3600)
        one = await client.incident()
        assert one["sys_created_on"] == "2026-11-24 13:00:00"
        await client.control("POST", "clock", set="2027-01-01T00:00:00Z")
        seen = await client.ask("GET", INCIDENTS)
        assert parsedate_to_datetime(seen.headers["Date"]) == datetime(2027, 1, 1, tzinfo=UTC)
        assert len(seen.headers.getall("Date")) == 1
        moving = await client.control("POST", "clock", frozen=False)
        assert moving["now"] >= "2027-01-01T00:00:00"


async def test_a_property_is_set_and_listed() -> None:
    """A property is one for the instance as well as for those who read sys_properties."""
    async with served() as client:
        await client.control("POST", "properties", name="glide.ui.autoclose.time", value="3")
        assert (await client.control("GET", "properties"))["glide.ui.autoclose.time"] == "3"
        assert client.app.instance.properties.number("glide.ui.autoclose.time", 0) == 3


async def test_a_choice_is_added_taken_away_and_brought_back() -> None:
    """A value that is not in its list is blanked; one that is there again is taken."""
    async with served() as client:
        choice = {"table": "incident", "element": "contact_type", "value": "azure"}
        assert (await client.incident(contact_type="azure"))["contact_type"] == ""
        await client.control("POST", "choices", **choice, label="Azure Monitor")
        assert (await client.incident(contact_type="azure"))["contact_type"] == "azure"
        await client.control("POST", "choices", **choice, active=False)
        assert (await client.incident(contact_type="azure"))["contact_type"] == ""
        await client.control("POST", "choices", **choice)
        listed = await client.control("GET", "choices?table=incident&element=contact_type")
        assert [row["label"] for row in listed if row["value"] == "azure"] == ["Azure Monitor"]
        assert (await client.incident(contact_type="azure"))["contact_type"] == "azure"


async def test_an_access_rule_hides_a_column_until_it_is_removed() -> None:
    """The first rule of a column closes it to all whom it does not let pass."""
    async with served() as client:
        one = await client.incident(correlation_id="azmon1:1")
        rule = {"table": "incident", "access": "read", "column": "correlation_id"}
        await client.control("POST", "acls", **rule, roles=["auditor"])
        assert any(one["roles"] == ["auditor"] for one in await client.control("GET", "acls"))
        hidden = await client.ask("GET", f"{INCIDENTS}/{one['sys_id']}")
        assert "correlation_id" not in hidden.json["result"]
        await client.control("DELETE", "acls", **rule)
        shown = await client.ask("GET", f"{INCIDENTS}/{one['sys_id']}")
        assert shown.json["result"]["correlation_id"] == "azmon1:1"


async def test_a_column_is_added_widened_and_removed() -> None:
    """Administrators change tables while integrations run."""
    async with served() as client:
        column = {"name": "u_azure", "label": "Azure", "max_length": 5}
        await client.control("POST", "columns", table="incident", column=column)
        assert (await client.incident(u_azure="1234567"))["u_azure"] == "12345"
        await client.control("POST", "columns", table="incident", column={**column, "max_length": 7})
        assert (await client.incident(u_azure="1234567"))["u_azure"] == "1234567"
        await client.control("DELETE", "columns/incident/u_azure")
        assert "u_azure" not in await client.incident(u_azure="1")


async def test_a_user_is_made_changed_and_shut_out() -> None:
    """Name, password, roles and columns of sys_user; without a role nothing can be written."""
    async with served() as client:
        made = await client.control("POST", "users", user_name="jane", password="pw", roles=["itil"])
        assert made["may_sign_in"] is True
        assert (await client.ask("GET", INCIDENTS, user="jane", password="pw")).status == 200
        await client.control("POST", "users", user_name="jane", roles=[])
        refused = await client.ask("POST", INCIDENTS, user="jane", password="pw", json={"short_description": "x"})
        assert refused.status == 403
        gone = await client.control("POST", "users", user_name="jane", columns={"active": "false"})
        assert gone["may_sign_in"] is False
        assert "jane" in [one["user_name"] for one in await client.control("GET", "users")]


async def test_records_are_written_as_anybody() -> None:
    """A colleague's change bears the colleague's name, and obeys the rules of the instance."""
    async with served() as client:
        values = {"short_description": "By hand"}
        row = await client.control("POST", "records/incident", user="itil.agent", values=values)
        assert row["sys_created_by"] == "itil.agent"
        path = f"records/incident/{row['sys_id']}"
        await client.control("PATCH", path, user="itil.manager", values={"state": "2", "work_notes": "Mine"})
        now = await client.control("GET", path)
        assert (now["state"], now["incident_state"], now["sys_updated_by"]) == ("2", "2", "itil.manager")
        found = await client.control("GET", "records/incident?query=short_description=By hand")
        assert found["total"] == 1
        broken = await client.ask("PATCH", f"/control/{path}", user="", json={"values": {"state": "6"}})
        assert broken.status == 403
        assert "Data Policy Exception" in broken.json["error"]["detail"]
        await client.control("DELETE", path)
        assert (await client.ask("GET", f"/control/{path}", user="")).status == 404


async def test_a_clone_brings_the_old_copy_of_all_rows_back() -> None:
    """What was created since is gone, what was changed since is as it was; the journal too."""
    async with served() as client:
        one = await client.incident(work_notes="Before")
        await client.control("POST", "snapshot", name="monday")
        await client.ask("PATCH", f"{INCIDENTS}/{one['sys_id']}", json={"urgency": "1", "work_notes": "After"})
        two = await client.incident()
        await client.control("POST", "restore", name="monday")
        old = await client.ask("GET", f"{INCIDENTS}/{one['sys_id']}?sysparm_display_value=true")
        assert old.json["result"]["urgency"] == "3 - Low"
        assert "Before" in old.json["result"]["work_notes"]
        assert "After" not in old.json["result"]["work_notes"]
        assert (await client.ask("GET", f"{INCIDENTS}/{two['sys_id']}")).status == 404
        missing = await client.ask("POST", "/control/restore", user="", json={"name": "sunday"})
        assert (missing.status, "no copy 'sunday'" in missing.json["error"]) == (400, True)


async def test_background_jobs_run_when_told() -> None:
    """The job that closes resolved incidents closes them after its days."""
    async with served() as client:
        one = await client.incident()
        change = {"state": "6", "close_code": "Solution provided", "close_notes": "Done"}
        await client.ask("PATCH", f"{INCIDENTS}/{one['sys_id']}", json=change)
        await client.control("POST", "clock", advance_seconds=8 * 86_400)
        await client.control("POST", "jobs")
        assert client.app.instance.get("incident", one["sys_id"])["state"] == "7"


async def test_requests_are_counted_by_method_and_path_without_ids() -> None:
    """Calls per alert can be read off; control itself is not counted; reset forgets all."""
    async with served() as client:
        one = await client.incident()
        await client.ask("GET", f"{INCIDENTS}/{one['sys_id']}")
        await client.ask("GET", f"/api/now/v2/table/incident/{one['sys_id']}")
        await client.ask("GET", INCIDENTS, password="wrong")
        told = await client.control("GET", "counters")
        assert told["calls"] == {
            "POST /api/now/table/incident": 1,
            "GET /api/now/table/incident/{sys_id}": 2,
            "GET /api/now/table/incident": 1,
        }
        assert told["statuses"] == {"200": 2, "201": 1, "401": 1}
        assert [entry["user"] for entry in told["last"]] == ["", INTEGRATION_USER, INTEGRATION_USER, INTEGRATION_USER]
        await client.control("DELETE", "counters")
        assert (await client.control("GET", "counters"))["total"] == 0


async def test_a_very_long_path_is_counted_by_its_beginning() -> None:
    """The whole of it would fill every listing; how long it was is told."""
    async with served() as client:
        await client.ask("GET", f"/api/now/table/{'x' * 6_000}")
        told = await client.control("GET", "counters")
        [name], [entry] = told["calls"], told["last"]
        assert name.startswith("GET /api/now/table/xxx")
        assert name.endswith("x… (6015 characters)")
        assert f"GET {entry['path']}" == name
        assert len(name) < 250


async def test_what_came_by_override_counts_as_what_it_asked_for() -> None:
    """A POST with X-HTTP-Method-Override is a PATCH for counters and faults too."""
    async with served() as client:
        one = await client.incident()
        override = {"X-HTTP-Method-Override": "PATCH"}
        seen = await client.ask("POST", f"{INCIDENTS}/{one['sys_id']}", json={"urgency": "1"}, headers=override)
        assert (seen.status, seen.json["result"]["urgency"]) == (200, "1")
        assert client.app.counters.calls["PATCH /api/now/table/incident/{sys_id}"] == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "["}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://evil.example", "Host": "evil.example"}, 403),
    ],
)
async def test_pages_of_other_sites_cannot_use_control(headers: dict[str, str], status: int) -> None:
    """A browser on this machine that shows another site's page is turned away, by whatever name it found us."""
    async with served() as client:
        seen = await client.ask(
            "POST", "/control/properties", user="", json={"name": "a", "value": "b"}, headers=headers
        )
        assert seen.status == status


async def test_control_says_what_it_is_and_what_it_can() -> None:
    """The first page of control names every door, and that nothing is real."""
    async with served() as client:
        told = await client.control("GET", "")
        assert "SANDBOX" in told["notice"]
        assert {"POST /control/faults", "POST /control/clock"} <= set(told["doors"])
        assert told["url"] == client.url


@pytest.mark.parametrize(
    ("method", "path", "order"),
    [
        ("POST", "clock", {"advance": 5}),
        ("POST", "faults", {"kind": "sorcery"}),
        ("POST", "certificates", {"certificate": "no", "user": INTEGRATION_USER}),
        ("POST", "records/incident", {"user": "nobody", "values": {}}),
        ("GET", "counters?limit=many", None),
        ("GET", "records/incident?limit=-1", None),
        ("POST", "limits", {"rates": [{"per_hours": 1}]}),
    ],
)
async def test_what_control_does_not_understand_is_an_error_that_says_so(
    method: str, path: str, order: dict[str, Any] | None
) -> None:
    """400 with a sentence, and nothing changed."""
    async with served() as client:
        seen = await client.ask(method, "/control/" + path, user="", json=order)
        assert seen.status == 400
        assert len(seen.json["error"]) > 8


async def test_an_unknown_path_is_told_in_the_envelope() -> None:
    """A path that no API has, and one that is far too long for a web server."""
    async with served() as client:
        seen = await client.ask("GET", "/api/now/nothing/there")
        assert (seen.status, seen.json["error"]["message"]) == (400, "Requested URI does not represent any resource")
        assert (await client.ask("DELETE", "/api/now/tinyurl")).status == 405
        long = await client.ask("GET", "/api/now/table/" + "x" * 23_000)
        assert (long.status, long.json) == (400, None)
        wanted = "?sysparm_suppress_pagination_header=true&sysparm_query=numberIN" + ",".join(["INC0000001"] * 2_000)
        fine = await client.ask("GET", INCIDENTS + wanted)
        assert len(fine.json["result"]) == 1


async def test_a_short_name_stands_for_a_long_query() -> None:
    """What tinyurl gave is as good as the query it stands for, for limits and offsets beside it too."""
    async with served() as client:
        await client.incident(correlation_id="azmon1:1")
        url = "incident_list.do?sysparm_query=correlation_id=azmon1:1"
        short = (await client.ask("POST", "/api/now/tinyurl", json={"url": url})).json["result"]
        tiny = short.partition("?")[2]
        seen = await client.ask("GET", f"{INCIDENTS}?{tiny}&sysparm_limit=5")
        assert [row["correlation_id"] for row in seen.json["result"]] == ["azmon1:1"]
