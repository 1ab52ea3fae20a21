"""The Table API (servicenow-facts section 3)."""

import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.sandbox.servicenow.instances import HOST, RESOLUTION, Client, agent, incident, new_instance

from secure_export.sandbox.servicenow.acl import Access, AccessRule
from secure_export.sandbox.servicenow.instance import Instance

JSON = "application/json;charset=UTF-8"


@pytest.fixture
def snow() -> Instance:
    """Give an instance at noon."""
    return new_instance()


@pytest.fixture
def client(snow: Instance) -> Client:
    """Give the integration user's client."""
    return Client(snow, agent(snow))


@pytest.fixture(scope="module")
def shared() -> Client:
    """Give a client of an instance that many cases write into, each minding its own records."""
    instance = new_instance()
    return Client(instance, agent(instance))


@pytest.mark.parametrize(("version", "status"), [("", 200), ("v2/", 200), ("v1/", 404)])
async def test_only_the_first_version_calls_an_empty_list_not_found(shared: Client, version: str, status: int) -> None:
    """The others answer with an empty list."""
    answer = await shared.get(f"/api/now/{version}table/incident", sysparm_query="number=nothing")
    assert answer.status == status
    if status == 200:
        assert answer.json == {"result": []}
    else:
        assert answer.json == {
            "error": {
                "message": "No Record found",
                "detail": "Record doesn't exist or ACL restricts the record retrieval",
            },
            "status": "failure",
        }


async def test_a_new_record_is_answered_whole_with_its_place(client: Client) -> None:
    """201, the Location, and the whole record in texts."""
    answer = await client.post("incident", {"short_description": "Test", "impact": 1})
    row = answer.result
    assert (answer.status, answer.headers["content-type"]) == (201, JSON)
    assert answer.headers["location"] == f"{HOST}/api/now/table/incident/{row['sys_id']}"
    assert (row["number"], row["impact"], row["active"], row["caller_id"]) == ("INC0010001", "1", "true", "")
    assert row["opened_by"]["link"].startswith(f"{HOST}/api/now/table/sys_user/")
    read = await client.get(f"incident/{row['sys_id']}")
    assert (read.status, read.result) == (200, row)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_both_ways_to_change_do_the_same(snow: Instance, client: Client, method: str) -> None:
    """PUT leaves alone what it does not name, as PATCH does."""
    row = incident(snow, description="kept")
    answer = await client.ask(method, f"incident/{row['sys_id']}", body={"short_description": "New"})
    assert answer.status == 200
    assert (answer.result["short_description"], answer.result["description"]) == ("New", "kept")


async def test_a_deleted_record_is_answered_with_nothing(snow: Instance) -> None:
    """204 without a body; afterwards it is not found."""
    admin, row = Client(snow, snow.user("admin")), incident(snow)
    answer = await admin.ask("DELETE", f"incident/{row['sys_id']}")
    assert (answer.status, answer.body) == (204, b"")
    for method in ("GET", "PATCH", "DELETE"):
        body: Any = {} if method == "PATCH" else None
        assert (await admin.ask(method, f"incident/{row['sys_id']}", body=body)).status == 404


@pytest.mark.parametrize("path", ["incident", "incident/{sys_id}"])
async def test_head_has_the_headers_alone(snow: Instance, client: Client, path: str) -> None:
    """Of a list with the count."""
    row = incident(snow)
    answer = await client.ask("HEAD", path.format(sys_id=row["sys_id"]))
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers.get("x-total-count") == ("1" if path == "incident" else None)


@pytest.mark.parametrize(("override", "status"), [("PATCH", 200), ("put", 200), ("GET", 200), ("DELETE", 204)])
async def test_a_post_can_stand_for_another_method(snow: Instance, override: str, status: int) -> None:
    """For clients behind proxies that know GET and POST only."""
    admin, row = Client(snow, snow.user("admin")), incident(snow)
    headers = {"x-http-method-override": override}
    answer = await admin.post(f"incident/{row['sys_id']}", {"description": "x"}, headers)
    assert answer.status == status


async def test_a_body_can_be_declined(snow: Instance, client: Client) -> None:
    """With X-no-response-body a write answers by its status and headers."""
    headers = {"x-no-response-body": "true"}
    answer = await client.post("incident", {"short_description": "x"}, headers)
    assert (answer.status, answer.body) == (201, b"")
    sys_id = answer.headers["location"].rpartition("/")[2]
    answer = await client.patch(f"incident/{sys_id}", {"state": "2"}, headers)
    assert (answer.status, answer.body, snow.get("incident", sys_id)["state"]) == (200, b"", "2")


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "incident"), ("PATCH", "incident"), ("POST", "incident/0"), ("OPTIONS", "incident")]
)
async def test_a_method_that_makes_no_sense_is_refused(shared: Client, method: str, path: str) -> None:
    """405 in the envelope."""
    answer = await shared.ask(method, path, body={} if method in {"PATCH", "POST"} else None)
    assert (answer.status, answer.json["status"]) == (405, "failure")


@pytest.mark.parametrize(
    ("accept", "status", "kind"),
    [("", 200, "json"), ("*/*", 200, "json"), ("application/json", 200, "json"), ("application/xml", 200, "xml"),
     ("text/xml;q=0.9, */*", 200, "xml"), ("text/html", 406, "json"), ("text/html, application/*;q=0.1", 200, "json")],
)  # fmt: skip
async def test_answers_come_in_json_or_xml(shared: Client, accept: str, status: int, kind: str) -> None:
    """As the caller accepts; nothing else is offered."""
    answer = await shared.get("incident", {"accept": accept})
    assert (answer.status, answer.headers["content-type"]) == (status, f"application/{kind};charset=UTF-8")


async def test_an_answer_in_xml_says_the_same(snow: Instance, client: Client) -> None:
    """With references as elements in elements, and errors too."""
    row = incident(snow, short_description="<a> & b")
    xml = {"accept": "application/xml"}
    answer = await client.get("incident", xml, sysparm_fields="number,short_description,opened_by,caller_id")
    found = ET.fromstring(answer.body.decode())  # noqa: S314 - our own answer
    assert found.findtext("result/number") == row["number"]
    assert found.findtext("result/short_description") == "<a> & b"
    assert found.findtext("result/opened_by/value") == agent(snow).sys_id
    assert found.findtext("result/caller_id") == ""
    error = ET.fromstring((await client.get("nothing", xml)).body.decode())  # noqa: S314 - our own answer
    assert error.findtext("error/message") == "Invalid table nothing"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b'{"short_description": "x"}', 201),
        ("application/json; charset=utf-8", b'{"short_description": "x"}', 201),
        ("", b"{}", 400),
        ("text/plain", b"{}", 415),
        ("application/xml", b"<request/>", 415),
        ("application/json", b"{", 400),
        ("application/json", b"5", 400),
        ("application/json", b"\xff", 400),
        ("application/json", b"", 201),
        ("application/json", b"[]", 201),
    ],
)
async def test_a_body_is_json_and_says_so(shared: Client, kind: str, body: bytes, status: int) -> None:
    """Missing and unsupported content types and broken bodies are refused in the envelope."""
    answer = await shared.post("incident", body, {"content-type": kind})
    assert answer.status == status
    if status != 201:
        assert answer.json["status"] == "failure"
        assert set(answer.json["error"]) == {"message", "detail"}


async def test_of_a_list_only_the_first_record_is_written(snow: Instance, client: Client) -> None:
    """The others are lost without a word."""
    answer = await client.post("incident", [{"short_description": "a"}, {"short_description": "b"}])
    assert (answer.result["short_description"], snow.tables.count("incident")) == ("a", 1)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, "1234"),
        ({"sysparm_limit": "2"}, "12"),
        ({"sysparm_limit": "2", "sysparm_offset": "1"}, "23"),
        ({"sysparm_limit": "", "sysparm_offset": "", "sysparm_fields": "", "sysparm_view": ""}, "1234"),
        ({"sysparm_limit": "0"}, ""),
        ({"sysparm_query": "numberENDSWITH3"}, "3"),
        ({"number": "INC0010002"}, "2"),
        ({"number": "INC0010002", "active": "true"}, "2"),
        ({"state": "In Progress"}, "4"),
        ({"caller_id": "Carla Reuter"}, "3"),
        ({"correlation_id": ""}, "1234"),
        ({"nonsense": "x"}, "1234"),
        ({"sysparm_nonsense": "x", "x-sn-apikey": "key"}, "1234"),
        ({"sysparm_query": "active=true^ORDERBYDESCnumber", "sysparm_limit": "1"}, "4"),
    ],
)
async def test_parameters_choose_rows(snow: Instance, client: Client, query: dict[str, str], numbers: str) -> None:
    """Empty ones count as not given, unknown ones are ignored, and pairs take what people see."""
    for values in ({}, {}, {"caller_id": "caller.one"}, {"state": "2"}):
        incident(snow, **values)
    rows = (await client.get("incident", **query)).result
    assert "".join(row["number"][-1] for row in rows) == numbers


@pytest.mark.parametrize("parameter", ["sysparm_limit", "sysparm_offset"])
@pytest.mark.parametrize("value", ["-1", "many", "٣"])
async def test_a_limit_or_offset_that_is_no_count_is_refused(shared: Client, parameter: str, value: str) -> None:
    """Negative ones too."""
    assert (await shared.get("incident", **{parameter: value})).status == 400


@pytest.mark.parametrize("value", ["true", "True", "TRUE"])
@pytest.mark.parametrize("off", ["false", "False", "", None])
async def test_switches_are_read_whatever_their_case(
    snow: Instance, client: Client, value: str, off: str | None
) -> None:
    """False with a capital letter, as pysnow sends it, is no yes."""
    incident(snow)
    names = ("sysparm_no_count", "sysparm_suppress_pagination_header", "sysparm_exclude_reference_link")
    on = await client.get("incident", **dict.fromkeys(names, value))
    assert {"x-total-count", "link"}.isdisjoint(on.headers)
    assert on.result[0]["opened_by"] == agent(snow).sys_id
    answer = await client.get("incident", **({} if off is None else dict.fromkeys(names, off)))
    assert {"x-total-count", "link"} <= answer.headers.keys()
    assert set(answer.result[0]["opened_by"]) == {"link", "value"}


async def test_the_count_comes_before_the_access_rules(snow: Instance, client: Client) -> None:
    """More were counted than are shown: rows are hidden, which is not the same as none."""
    incident(snow, description="secret")
    incident(snow)
    snow.acl.remove("incident", Access.READ)
    snow.acl.add(AccessRule("incident", Access.READ, condition="descriptionISEMPTY"))
    answer = await client.get("incident", sysparm_limit="1")
    assert (answer.result, answer.headers["x-total-count"]) == ([], "2")


def _links(header: str) -> dict[str, int]:
    found = {}
    for part in header.split(","):
        address, _, name = part.partition(";rel=")
        query = dict(parse_qsl(urlsplit(address.strip("<>")).query))
        found[name.strip('"')] = int(query["sysparm_offset"])
        assert address.startswith(f"<{HOST}/api/now/table/incident?")
        assert (query["sysparm_limit"], query["sysparm_query"]) == ("2", "active=true^ORDERBYnumber")
    return found


@pytest.mark.parametrize(
    ("offset", "links"),
    [
        ("0", {"first": 0, "next": 2, "last": 4}),
        ("2", {"first": 0, "prev": 0, "next": 4, "last": 4}),
        ("4", {"first": 0, "prev": 2, "last": 4}),
    ],
)
async def test_a_list_tells_the_addresses_of_its_pages(
    snow: Instance, client: Client, offset: str, links: dict[str, int]
) -> None:
    """First, previous, next and last, with the same query."""
    for _ in range(5):
        incident(snow)
    answer = await client.get(
        "incident", sysparm_limit="2", sysparm_offset=offset, sysparm_query="active=true^ORDERBYnumber"
    )
    assert _links(answer.headers["link"]) == links


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ({}, {"state": "1", "number": "INC0010001"}),
        ({"sysparm_display_value": "true"}, {"state": "New", "number": "INC0010001"}),
        ({"sysparm_display_value": "True"}, {"state": "New", "number": "INC0010001"}),
        (
            {"sysparm_display_value": "all"},
            {
                "state": {"display_value": "New", "value": "1"},
                "number": {"display_value": "INC0010001", "value": "INC0010001"},
            },
        ),
    ],
)
async def test_fields_are_shown_in_the_order_asked_for(
    snow: Instance, client: Client, parameters: dict[str, str], shown: dict[str, Any]
) -> None:
    """In the display mode asked for; unknown ones are left out. On reading and on writing alike."""
    row = incident(snow)
    parameters = {**parameters, "sysparm_fields": "state, number,nonsense,"}
    read = [await client.get("incident", **parameters), await client.get(f"incident/{row['sys_id']}", **parameters)]
    written = await client.patch(f"incident/{row['sys_id']}", {"description": "x"}, **parameters)
    assert [read[0].result[0], read[1].result, written.result] == [shown] * 3
    assert list(written.result) == ["state", "number"]


async def test_fields_over_references_are_called_as_asked(snow: Instance, client: Client) -> None:
    """The key of the answer is the dotted name."""
    incident(snow, caller_id="caller.one")
    fields = "caller_id.user_name,caller_id.department.name,caller_id.manager.name"
    assert (await client.get("incident", sysparm_fields=fields)).result == [
        {"caller_id.user_name": "caller.one", "caller_id.department.name": "IT", "caller_id.manager.name": ""}
    ]


async def test_input_can_be_what_people_see(shared: Client) -> None:
    """When the caller says so: labels and moments in their own zone."""
    body = {"state": "In Progress", "due_date": "2026-05-05 03:00:00"}
    answer = await shared.post("incident", body, sysparm_input_display_value="true")
    assert (answer.result["state"], answer.result["due_date"]) == ("2", "2026-05-05 10:00:00")
    answer = await shared.post("incident", body, sysparm_input_display_value="False")
    assert (answer.result["state"], answer.result["due_date"]) == ("1", "2026-05-05 03:00:00")


async def test_a_query_on_a_write_is_ignored(snow: Instance, client: Client) -> None:
    """Some clients, such as pysnow, send it with every request."""
    query = {"sysparm_query": "number=nothing", "nonsense": "x"}
    row = (await client.post("incident", {"short_description": "x"}, **query)).result
    assert (await client.patch(f"incident/{row['sys_id']}", {"state": "2"}, **query)).result["state"] == "2"
    assert (await client.get(f"incident/{row['sys_id']}", **query)).status == 200


async def test_refusals_come_in_the_envelope(snow: Instance, client: Client) -> None:
    """With the status of who refused: no table, an access rule, a data policy."""
    row = incident(snow)
    for answer, status, message in (
        (await client.get("sys_user_list"), 400, "Invalid table sys_user_list"),
        (await client.get("sys_properties"), 403, "Insufficient rights to query records"),
        (await client.patch(f"incident/{row['sys_id']}", {"state": "6"}), 403, "Operation Failed"),
        (await client.patch(f"incident/{row['sys_id']}", {**RESOLUTION, "state": "7"}), 403, "Operation Failed"),
    ):
        assert (answer.status, answer.json["error"]["message"]) == (status, message)
        assert (set(answer.json), answer.json["status"]) == ({"error", "status"}, "failure")


async def test_who_may_create_but_not_read_gets_an_empty_record(snow: Instance, client: Client) -> None:
    """It was written all the same."""
    snow.acl.remove("incident", Access.READ)
    snow.acl.add(AccessRule("incident", Access.READ, frozenset({"nobody"})))
    answer = await client.post("incident", {"short_description": "x"})
    assert (answer.status, answer.result, snow.tables.count("incident")) == (201, {}, 1)


async def test_links_can_begin_with_the_configured_host(snow: Instance, client: Client) -> None:
    """By default with the host that was asked; a property forces the configured one."""
    snow.properties.set("glide.rest.replace_request_host_with_property", "true")
    answer = await client.post("incident", {})
    assert answer.headers["location"].startswith("https://configured.example/api/now/table/incident/")
    assert answer.result["opened_by"]["link"].startswith("https://configured.example/")


async def test_a_query_of_23_kilobytes_is_answered(snow: Instance, client: Client) -> None:
    """The vendor's suite sends one: 2,300 unknown terms, and one that counts."""
    row = incident(snow)
    query = "AAAA=BBBB^" * 2300 + f"sys_id={row['sys_id']}"
    assert len((await client.get("incident", sysparm_query=query)).result) == 1


async def test_journal_entries_can_be_read_as_rows(snow: Instance, client: Client) -> None:
    """By whoever may read incidents; the record itself shows nothing."""
    row = (await client.post("incident", {"work_notes": "Seen"})).result
    assert row["work_notes"] == ""
    query = f"name=incident^element_id={row['sys_id']}^element=work_notes"
    rows = (await client.get("sys_journal_field", sysparm_query=query)).result
    assert [entry["value"] for entry in rows] == ["Seen"]


_TEXTS = st.text(st.characters(codec="utf-8"), max_size=10)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
_JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), _NUMBERS, _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(_TEXTS, inner, max_size=2)),
    max_leaves=4,
)
_NAMES = st.sampled_from(
    ["short_description", "state", "caller_id", "watch_list", "due_date", "active", "work_notes", "impact", "sys_id",
     "sys_class_name", "close_code", "number", "nonsense"]
)  # fmt: skip


@given(body=st.dictionaries(_NAMES, _JSON_VALUES, max_size=4))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_no_value_breaks_a_write(body: dict[str, Any]) -> None:
    """Whatever JSON holds, the record is written with texts, or refused in the envelope."""
    answer = await Client(_WRITTEN, agent(_WRITTEN)).post("incident", body)
    assert answer.status in {201, 403}
    if answer.status == 201:
        assert all(isinstance(value, str | dict) for value in answer.result.values())


_WRITTEN = new_instance()
