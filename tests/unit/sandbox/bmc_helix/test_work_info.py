"""Work info, attachments and associations (bmc-facts section 10, line 11)."""

import json
from typing import Any

import aiohttp
import pytest
from tests.unit.sandbox.bmc_helix.served import (
    INTERFACE,
    STAGING,
    WORK_LOG,
    Client,
    Seen,
    path_of,
    served,
)

from secure_export.sandbox.bmc_helix import looking

NOTE = {
    "z1D Action": "MODIFY",
    "z1D_WorklogDetails": "Summary",
    "z1D_Details": "The whole note",
    "z1D_Activity_Type": "Working Log",
    "z1D_View_Access": "Public",
    "z1D_Secure_Log": "Yes",
}


async def write(client: Client, number: str, **more: Any) -> Seen:
    values = {"Incident Number": number, "Work Log Type": "General Information", "Description": "Short", **more}
    return await client.ask("POST", f"{path_of(WORK_LOG)}?fields=values(Work%20Log%20ID)", json={"values": values})


async def test_work_info_is_written_by_its_own_form() -> None:
    """And read by the incident's number."""
    async with served() as client:
        number = await client.create()
        seen = await write(client, number, **{"Detailed Description": "Long\ntext", "View Access": "Internal"})
        assert (seen.status, seen.json["values"]) == (201, {"Work Log ID": "WLG000002437503"})
        (entry,) = (await client.entries(WORK_LOG, f"'Incident Number'=\"{number}\""))["entries"]
        values = entry["values"]
        assert (values["Description"], values["Detailed Description"]) == ("Short", "Long\ntext")
        assert (values["Work Log Type"], values["View Access"]) == ("General Information", "Internal")
        assert values["Work Log Submitter"] == "azure.integration"


async def test_work_info_is_written_in_the_same_change_as_the_incident() -> None:
    """By display-only fields, which nothing keeps."""
    async with served() as client:
        number = await client.create()
        assert (await client.change(number, {**NOTE, "Urgency": "4-Low"})).status == 204
        (entry,) = looking.work_info(client.server, number)
        assert (entry["Description"], entry["Detailed Description"]) == ("Summary", "The whole note")
        assert (entry["Work Log Type"], entry["View Access"]) == ("Working Log", "Public")
        assert entry["Secure Work Log"] == "Yes"
        values = await client.read(number)
        assert (values["Urgency"], values["z1D_Details"], values["z1D Action"]) == ("4-Low", None, None)


async def test_without_the_action_modify_no_work_info_is_written() -> None:
    """The change itself is."""
    async with served() as client:
        number = await client.create()
        values = {name: value for name, value in NOTE.items() if name != "z1D Action"}
        assert (await client.change(number, {**values, "Urgency": "4-Low"})).status == 204
        assert looking.work_info(client.server, number) == []
        assert (await client.read(number))["Urgency"] == "4-Low"


async def test_a_create_can_bring_its_first_work_info() -> None:
    """By the same fields."""
    async with served() as client:
        number = await client.create(z1D_Details="First", z1D_WorklogDetails="S")
        (entry,) = looking.work_info(client.server, number)
        assert (entry["Detailed Description"], entry["Work Log Type"]) == ("First", "General Information")


async def test_the_summary_of_work_info_has_a_limit() -> None:
    """By both ways; nothing is changed when it is too long."""
    async with served() as client:
        number = await client.create()
        assert (await write(client, number, Description="x" * 101)).error == (500, 306, "Description : 100")
        seen = await client.change(number, {**NOTE, "z1D_WorklogDetails": "x" * 101, "Urgency": "4-Low"})
        assert seen.error == (500, 306, "z1D_WorklogDetails : 100")
        assert (await client.read(number))["Urgency"] == "2-High"


async def test_work_info_of_an_incident_that_there_is_not_is_refused() -> None:
    """By workflow; and it must name one, and its type."""
    async with served() as client:
        seen = await write(client, "INC000000009999")
        assert (seen.status, "does not exist" in seen.json[0]["messageAppendedText"]) == (500, True)
        number = await client.create()
        assert (await write(client, number, **{"Work Log Type": None})).error == (500, 307, "Work Log Type")


async def test_locked_work_info_stays_as_it_is() -> None:
    """What is not locked can be changed."""
    async with served() as client:
        number = await client.create()
        for locked, status in (("Yes", 500), ("No", 204)):
            seen = await write(client, number, **{"Secure Work Log": locked})
            path = f"{path_of(WORK_LOG)}/{seen.json['values']['Work Log ID']}"
            assert (await client.ask("PUT", path, json={"values": {"Description": "Other"}})).status == status


async def test_attachments_come_as_parts_of_their_own() -> None:
    """One part ``entry``, one for each file; the values name the file, and it can be read back."""
    async with served() as client:
        number = await client.create()
        values = {"Incident Number": number, "Work Log Type": "General Information", "z2AF Work Log01": "a.bin"}
        content = bytes(range(256)) + b"\r\n--x\r\n"
        seen = await client.ask("POST", path_of(WORK_LOG), data=form(values, {"z2AF Work Log01": ("a.bin", content)}))
        assert seen.status == 201
        entry = seen.headers["Location"].removeprefix(client.url)
        values = (await client.ask("GET", entry)).json["values"]
        assert (values["z2AF Work Log01"], values["Number of Attachments"]) == ("a.bin", 1)
        token = await client.token()
        url = f"{client.url}{entry}/attach/z2AF%20Work%20Log01"
        async with client.session.get(url, headers={"Authorization": f"AR-JWT {token}"}) as answer:
            assert await answer.read() == content
        assert (await client.ask("GET", f"{entry}/attach/z2AF%20Work%20Log02")).status == 404


async def test_an_attachment_of_an_incident_becomes_work_info() -> None:
    """With the note that came with it."""
    async with served() as client:
        number = await client.create()
        values = {**NOTE, "z2AF_Act_Attachment_1": "a.txt"}
        data = form(values, {"z2AF_Act_Attachment_1": ("a.txt", b"hello")})
        assert (await client.ask("PUT", await client.path(number), data=data)).status == 204
        (entry,) = looking.work_info(client.server, number)
        assert (entry["z2AF Work Log01"], entry["Number of Attachments"]) == ("a.txt", 1)


@pytest.mark.parametrize("name", ["b.txt", None])
async def test_values_must_name_the_file(name: str | None) -> None:
    """Otherwise it belongs nowhere."""
    async with served() as client:
        number = await client.create()
        values = {"Incident Number": number, "Work Log Type": "General Information", "z2AF Work Log01": name}
        data = form(values, {"z2AF Work Log01": ("a.txt", b"hello")})
        assert (await client.ask("POST", path_of(WORK_LOG), data=data)).status == 400


async def test_without_a_part_entry_it_is_no_entry() -> None:
    """400."""
    async with served() as client:
        data = aiohttp.FormData({"other": "{}"})
        data.add_field("attach-x", b"x", filename="x")
        assert (await client.ask("POST", path_of(WORK_LOG), data=data)).status == 400


async def test_an_incident_links_to_its_work_info() -> None:
    """One link for each, if ``assoc()`` asks for them; and the association lists the entries."""
    async with served() as client:
        number = await client.create()
        ids = [(await write(client, number)).json["values"]["Work Log ID"] for _ in range(2)]
        path = await client.path(number)
        asked = "values(Status),assoc(HPD:INC:Worklog)"
        seen = await client.ask("GET", f"{path}?fields={asked}")
        links = seen.json["_links"]["assoc-HPD:INC:Worklog"]
        assert [one["href"].rpartition("/")[2] for one in links] == ids
        assert (await client.ask("GET", links[0]["href"].removeprefix(client.url))).status == 200
        found = await client.entries(INTERFACE, fields=asked)
        assert found["entries"][0]["_links"]["assoc-HPD:INC:Worklog"] == links
        listed = await client.ask("GET", f"{path}/assoc/HPD:INC:Worklog")
        assert [one["values"]["Work Log ID"] for one in listed.json["entries"]] == ids


async def test_a_merge_creates_or_changes_as_the_options_say() -> None:
    """By the entry id in the values, or by a qualification."""
    async with served() as client:
        number = await client.create()
        entry_id = (await write(client, number)).json["values"]["Work Log ID"]
        path = "/api/arsys/v1/mergeEntry/HPD:WorkLog"
        values = {"Incident Number": number, "Work Log Type": "Working Log"}
        refused = await client.ask("POST", path, json={"values": {**values, "Work Log ID": entry_id}})
        assert refused.error == (500, 382, entry_id)
        by = {"qualification": f"'Incident Number' = \"{number}\"", "mergeOptions": {"mergeType": "DUP_MERGE"}}
        assert (await client.ask("POST", path, json={"values": values, **by})).status == 204
        (entry,) = looking.work_info(client.server, number)
        assert (entry["Work Log Type"], entry["Description"]) == ("Working Log", "Short")
        options = {"mergeOptions": {"mergeType": "DUP_NEW_ID"}}
        again = {"values": {**values, "Work Log ID": entry_id}, **options}
        assert (await client.ask("POST", path, json=again)).status == 201
        assert len(looking.work_info(client.server, number)) == 2
        assert (await client.ask("POST", f"/api/arsys/v1/mergeEntry/{STAGING}", json={"values": {}})).status == 500


def form(values: dict[str, Any], files: dict[str, tuple[str, bytes]]) -> aiohttp.FormData:
    data = aiohttp.FormData()
    data.add_field("entry", json.dumps({"values": values}), content_type="application/json")
    for name, (filename, content) in files.items():
        data.add_field(f"attach-{name}", content, filename=filename, content_type="application/octet-stream")
    return data
