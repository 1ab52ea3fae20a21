"""Attachments: list, meta, bytes, both ways of adding, and who may (servicenow-facts 7.4)."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sandbox.servicenow.apis import HOST, Answer, Apis
from tests.unit.sandbox.servicenow.instances import incident

from secure_export.sandbox.servicenow import attachment_api
from secure_export.sandbox.servicenow.forms import read_form

PATH = "/api/now/attachment"
BYTES = b"\x00\x01 one\nline\xff"
VIRUS = b"x EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE x"


async def attach(apis: Apis, record: str, content: bytes = BYTES, path: str = PATH, **more: str) -> Answer:
    query = {"table_name": "incident", "table_sys_id": record, "file_name": "one.bin", **more}
    return await apis.post(f"{path}/file", content, headers={"content-type": "text/x-odd"}, **query)


async def test_what_is_attached_comes_back_as_it_was() -> None:
    """Meta data, bytes, type, and a Location that leads to them."""
    apis = Apis(attachment_api)
    record = incident(apis.instance)["sys_id"]
    answer = await attach(apis, record)
    meta = answer.result
    assert answer.status == 201
    assert answer.headers["location"] == f"{HOST}{PATH}/{meta['sys_id']}/file"
    assert (meta["file_name"], meta["content_type"], meta["size_bytes"]) == ("one.bin", "text/x-odd", str(len(BYTES)))
    assert meta["hash"] == hashlib.sha256(BYTES).hexdigest()
    assert meta["table_sys_id"] == record
    assert (await apis.get(f"{PATH}/{meta['sys_id']}")).result == meta
    file = await apis.get(f"{PATH}/{meta['sys_id']}/file")
    assert file.reply.body == BYTES
    assert file.headers["content-type"] == "text/x-odd"
    assert json.loads(file.headers["x-attachment-metadata"])["sys_id"] == meta["sys_id"]


async def test_the_location_keeps_the_version_of_the_path() -> None:
    """A client that asks v1 is led to v1."""
    apis = Apis(attachment_api)
    answer = await attach(apis, incident(apis.instance)["sys_id"], path="/api/now/v1/attachment")
    assert answer.headers["location"].startswith(f"{HOST}/api/now/v1/attachment/")


async def test_a_form_with_a_file_is_taken() -> None:
    """RFC 7578, as curl -F sends it."""
    apis = Apis(attachment_api)
    record = incident(apis.instance)["sys_id"]
    body = form({"table_name": "incident", "table_sys_id": record}, BYTES)
    answer = await apis.post(f"{PATH}/upload", body, headers={"content-type": "multipart/form-data; boundary=XyZ"})
    assert (answer.status, answer.result["file_name"], answer.result["content_type"]) == (201, "a b.bin", "image/png")
    assert (await apis.get(f"{PATH}/{answer.result['sys_id']}/file")).reply.body == BYTES


async def test_attachments_are_listed_by_pairs() -> None:
    """Clients that delete what they list by ``table_sys_id=<id>`` must not be given everybody's."""
    apis = Apis(attachment_api)
    mine, other = (incident(apis.instance)["sys_id"] for _ in range(2))
    await attach(apis, mine, file_name="mine.txt")
    await attach(apis, other, file_name="other.txt")
    listed = await apis.get(PATH, table_name="incident", table_sys_id=mine)
    assert [one["file_name"] for one in listed.result] == ["mine.txt"]
    assert (await apis.get(PATH, table_sys_id=mine, sysparm_query="file_name=other.txt")).result == []


def form(fields: dict[str, str], content: bytes) -> bytes:
    parts = [f'--XyZ\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}' for name, text in fields.items()]
    head = '--XyZ\r\nContent-Disposition: form-data; name="uploadFile"; filename="a b.bin"\r\nContent-Type: image/png'
    return "\r\n".join([*parts, head, "", ""]).encode() + content + b"\r\n--XyZ--\r\n"


async def test_attachments_are_listed_by_query() -> None:
    """With the total; rows of records that the user may not see are left out after the count."""
    apis = Apis(attachment_api)
    record = incident(apis.instance)["sys_id"]
    for name in ("one.txt", "two.txt"):
        await attach(apis, record, file_name=name)
    listed = await apis.get(PATH, sysparm_query=f"table_sys_id={record}^file_name=two.txt")
    assert [one["file_name"] for one in listed.result] == ["two.txt"]
    assert listed.headers["x-total-count"] == "1"
    assert len((await apis.get(PATH, sysparm_limit="1", sysparm_offset="1")).result) == 1
    hidden = await apis.get(PATH, user="event.integration")
    assert (hidden.result, hidden.headers["x-total-count"]) == ([], "2")
    assert (await apis.get(PATH, sysparm_offset="-1")).status == 400


async def test_who_may_not_see_or_change_the_record_may_not_its_attachments() -> None:
    """404 for what is hidden, 403 for what may be read only."""
    apis = Apis(attachment_api)
    record = incident(apis.instance)["sys_id"]
    sys_id = (await attach(apis, record)).result["sys_id"]
    path = f"{PATH}/{sys_id}"
    assert [(await apis.ask(one, path, user="event.integration")).status for one in ("GET", "DELETE")] == [404, 404]
    reader = apis.instance.first("sys_user", "user_name=event.integration")
    role = apis.instance.first("sys_user_role", "name=sn_incident_read")
    assert reader is not None
    assert role is not None
    apis.instance.insert("sys_user_has_role", {"user": reader["sys_id"], "role": role["sys_id"]})
    assert (await apis.get(path, user="event.integration")).status == 200
    assert (await apis.ask("DELETE", path, user="event.integration")).status == 403
    assert (await apis.ask("PATCH", path, {"file_name": "x"}, user="event.integration")).status == 403


async def test_an_attachment_can_be_renamed_and_deleted() -> None:
    """After which it is gone, bytes and all."""
    apis = Apis(attachment_api)
    sys_id = (await attach(apis, incident(apis.instance)["sys_id"])).result["sys_id"]
    renamed = await apis.ask("PATCH", f"{PATH}/{sys_id}", {"file_name": "new.bin"})
    assert renamed.result["file_name"] == "new.bin"
    assert (await apis.ask("PATCH", f"{PATH}/{sys_id}", {})).status == 400
    deleted = await apis.ask("DELETE", f"{PATH}/{sys_id}")
    assert (deleted.status, deleted.reply.body) == (204, b"")
    assert (await apis.get(f"{PATH}/{sys_id}/file")).status == 404
    assert apis.instance.tables.count("sys_attachment_doc") == 0


async def test_attachments_go_with_their_record() -> None:
    """A deleted incident leaves none behind."""
    apis = Apis(attachment_api)
    record = incident(apis.instance)["sys_id"]
    await attach(apis, record)
    apis.instance.delete("incident", record)
    assert apis.instance.tables.count("sys_attachment") == apis.instance.tables.count("sys_attachment_doc") == 0


async def test_a_virus_is_stopped() -> None:
    """As a scan does it: 403 by a business rule; the switch turns it off."""
    apis = Apis(attachment_api)
    record = incident(apis.instance)["sys_id"]
    refused = await attach(apis, record, VIRUS)
    assert refused.status == 403
    assert "was aborted by Business Rule" in refused.refusal
    assert apis.instance.tables.count("sys_attachment") == 0
    apis.instance.properties.set("sandbox.attachment.virus_scan", "false")
    assert (await attach(apis, record, VIRUS)).status == 201


async def test_a_business_rule_of_people_stops_attachments() -> None:
    """A row of sys_script that aborts what it matches."""
    apis = Apis(attachment_api)
    rule = {
        "name": "No executables",
        "collection": "sys_attachment",
        "active": "true",
        "when": "before",
        "action_insert": "true",
        "abort_action": "true",
        "filter_condition": "file_nameENDSWITH.exe",
    }
    apis.instance.insert("sys_script", rule)
    record = incident(apis.instance)["sys_id"]
    assert "No executables" in (await attach(apis, record, file_name="run.exe")).refusal
    assert (await attach(apis, record, file_name="run.txt")).status == 201


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"table_sys_id": ""}, 400),
        ({"file_name": ""}, 400),
        ({"table_sys_id": "none"}, 404),
        ({"table_name": "no"}, 400),
    ],
)
async def test_what_belongs_to_no_record_is_refused(more: dict[str, str], status: int) -> None:
    """Nothing is attached to nothing."""
    apis = Apis(attachment_api)
    assert (await attach(apis, incident(apis.instance)["sys_id"], BYTES, PATH, **more)).status == status


async def test_a_form_without_a_file_and_one_too_large_are_refused() -> None:
    """The property com.glide.attachment.max_size is in MB."""
    apis = Apis(attachment_api)
    assert (await apis.post(f"{PATH}/upload", b"{}")).status == 400
    apis.instance.properties.set("com.glide.attachment.max_size", "0")
    assert (await attach(apis, incident(apis.instance)["sys_id"])).status == 413


@settings(max_examples=100)
@given(content=st.binary(max_size=200))
def test_a_form_carries_any_bytes(content: bytes) -> None:
    """Bytes that look like ends of lines too."""
    parts = read_form("multipart/form-data; boundary=XyZ", form({"table_name": "incident"}, content))
    assert [part.content for part in parts] == [b"incident", content]
    assert (parts[1].name, parts[1].file_name) == ("uploadFile", "a b.bin")


@settings(max_examples=100)
@given(content_type=st.text(max_size=40), body=st.binary(max_size=200))
def test_what_is_no_form_has_no_parts_or_some_but_never_fails(content_type: str, body: bytes) -> None:
    """Whatever is sent."""
    assert isinstance(read_form(content_type, body), list)
