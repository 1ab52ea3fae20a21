"""The page for people."""

import re

from tests.unit.sandbox.servicenow.served import INCIDENTS, served


async def test_the_page_lists_records_newest_first_with_what_matters() -> None:
    """Number, state by its label, text, CI by its name and key; of the same second the last written comes first."""
    async with served() as client:
        ci = next(client.app.instance.tables.rows("cmdb_ci_vm_instance"))
        await client.incident(correlation_id="azmon1:1")
        await client.incident(correlation_id="azmon1:2", cmdb_ci=ci["sys_id"], state="2")
        page = (await client.ask("GET", "/", user="")).text
        assert page.index("azmon1:2") < page.index("azmon1:1")
        row = next(one for one in page.split("<tr>") if "azmon1:2" in one)
        assert re.search(r"INC\d{7}", row)
        assert ("In Progress" in row, ci["name"] in row, "A test" in row) == (True, True, True)


async def test_what_others_wrote_is_shown_and_never_obeyed() -> None:
    """Markup in any field, a journal entry or a name of a page is text."""
    async with served() as client:
        evil = "<script>alert(1)</script>\"'><img src=x>"
        one = await client.incident(short_description=evil, description=evil, correlation_id=evil, work_notes=evil)
        table, sys_id = "incident", one["sys_id"]
        for path in ("/", f"/record/{table}/{sys_id}", "/record/incident/<script>", "/<script>.do"):
            seen = await client.ask("GET", path, user="")
            assert "<script>" not in seen.text
            assert "<img" not in seen.text
            assert "default-src 'none'" in seen.headers["Content-Security-Policy"]
        assert "&lt;script&gt;alert(1)" in (await client.ask("GET", "/", user="")).text


async def test_a_record_page_shows_fields_references_and_the_journal() -> None:
    """Every field that holds something, by label and name; references lead on; the journal is newest first."""
    async with served() as client:
        one = await client.incident(work_notes="First")
        await client.ask("PATCH", f"{INCIDENTS}/{one['sys_id']}", json={"work_notes": "Second\nline"})
        page = (await client.ask("GET", f"/record/incident/{one['sys_id']}", user="")).text
        assert page.index("Second\nline") < page.index("First")
        assert "Short description" in page
        assert f"/record/sys_user/{one['opened_by']['value']}" in page


async def test_links_into_the_classic_interface_lead_to_the_record() -> None:
    """nav_to.do and table.do, as links in work items and notifications have them."""
    async with served() as client:
        one = await client.incident()
        for path in (
            f"/nav_to.do?uri=incident.do%3Fsys_id%3D{one['sys_id']}",
            f"/nav_to.do?uri=%2Fincident.do%3Fsys_id%3D{one['sys_id']}",
            f"/incident.do?sys_id={one['sys_id']}",
            f"/task.do?sys_id={one['sys_id']}",
            f"/incident.do?sysparm_query=number={one['number']}",
            f"/incident_list.do?sysparm_query=number={one['number']}",
        ):
            seen = await client.ask("GET", path, user="")
            assert (seen.status, one["number"] in seen.text) == (200, True), path


async def test_links_never_lead_to_another_site() -> None:
    """What nav_to.do is given must be a page of this stand-in."""
    async with served() as client:
        for target in ("https://evil.example/x.do", "//evil.example/x.do", "javascript:alert(1)", "", "/control"):
            seen = await client.ask("GET", "/nav_to.do", user="", params={"uri": target}, allow_redirects=False)
            assert seen.status == 404, target


async def test_a_record_that_is_not_there_says_so() -> None:
    """404 with a sentence, for tables and rows alike."""
    async with served() as client:
        for path in ("/record/incident/0", "/record/nothing/0", "/incident.do?sys_id=0", "/welcome.do"):
            seen = await client.ask("GET", path, user="")
            assert (seen.status, "Not found" in seen.text) == (404, True), path
