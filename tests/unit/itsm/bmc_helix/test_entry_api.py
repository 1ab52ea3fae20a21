"""What is asked of the entry API, and what is no answer to it."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.itsm.scripted import AlwaysIn, Clock, Script, answer

from secure_export.itsm.answer import Answer
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi, Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Ok
from secure_export.itsm.bmc_helix.forms import CREATE, INCIDENT, FormShape
from secure_export.itsm.verdict import Later

QUERY = Query("'Status' = \"New\"", ("Incident Number", "Status"))


def entries(*rows: Mapping[str, Any], **more: Any) -> Answer:
    return answer(200, {"entries": [{"values": row} for row in rows], **more})


async def test_what_a_query_sends() -> None:
    """Qualification, fields in values(…), limit, offset and sorting."""
    script = Script(lambda _: entries({"Status": "New"}))
    api = EntryApi(script, AlwaysIn(), clock=Clock())
    found = await api.entries(INCIDENT, Query("'A' = \"b\"", ("A", "B C"), limit=7, offset=3, sort="A.asc"))
    assert isinstance(found, Ok)
    (request,) = script.requests
    assert request.path == "/api/arsys/v1/entry/HPD:IncidentInterface"
    assert dict(request.query) == {
        "q": "'A' = \"b\"",
        "fields": "values(A,B C)",
        "limit": "7",
        "offset": "3",
        "sort": "A.asc",
    }
    assert request.headers["Authorization"] == "Bearer t"


async def test_what_writes_send() -> None:
    """Values under ``values``; the id with its bar as it is, because addresses are encoded elsewhere."""
    script = Script(lambda _: answer(204))
    api = EntryApi(script, AlwaysIn(), clock=Clock())
    await api.change(INCIDENT, "INC1|INC1", {"Status": "Resolved"})
    await api.create(CREATE, {"Description": "x"}, ("Incident Number",))
    put, post = script.requests
    assert (put.method, put.path) == ("PUT", "/api/arsys/v1/entry/HPD:IncidentInterface/INC1|INC1")
    assert put.json == {"values": {"Status": "Resolved"}}
    assert dict(post.query) == {"fields": "values(Incident Number)"}


@pytest.mark.parametrize(
    ("told", "more"),
    [
        (entries({}, {}), True),
        (entries({}), False),
        (entries({}, _links={"next": [{"href": "x"}]}), True),
        (entries(), False),
    ],
)
async def test_whether_there_are_more(told: Answer, *, more: bool) -> None:
    """A full page, or a link to the next, may hide records."""
    api = EntryApi(Script(lambda _: told), AlwaysIn(), clock=Clock())
    found = await api.entries(INCIDENT, Query("'A' = \"b\"", ("A",), limit=2))
    assert isinstance(found, Ok)
    assert isinstance(found.body, Page)
    assert found.body.more is more


@pytest.mark.parametrize("body", [{}, {"entries": 3}, {"entries": [3]}, {"entries": [{}]}, [], {"values": {}}])
async def test_what_is_no_list_of_records(body: Any) -> None:
    """It is not taken for an empty one."""
    api = EntryApi(Script(lambda _: answer(200, body)), AlwaysIn(), clock=Clock())
    assert isinstance(await api.entries(INCIDENT, QUERY), Later)


async def test_a_shape_that_nobody_can_read_is_empty() -> None:
    """Older servers answer OPTIONS in their own way."""
    api = EntryApi(Script(lambda _: answer(200, {"odd": 1})), AlwaysIn(), clock=Clock())
    assert await api.shape(CREATE) == Ok(FormShape())
