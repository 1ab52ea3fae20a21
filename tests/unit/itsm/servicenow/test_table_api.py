"""What is asked of the Table API, and what is no answer to it."""

from typing import Any

import pytest
from tests.unit.itsm.scripted import AlwaysIn, Clock, Script
from tests.unit.itsm.servicenow.fake_instance import good

from secure_export.itsm.servicenow.api.table_api import Query, TableApi
from secure_export.itsm.servicenow.api.verdict import Ok
from secure_export.itsm.verdict import Later, Unclear


def api(script: Script) -> TableApi:
    return TableApi(script, AlwaysIn(), clock=Clock())


async def test_a_query_says_exactly_what_it_wants() -> None:
    """Fields, limit, offset and form are named; links between pages and references are not asked for."""
    script = Script(lambda _: good(200, []))
    query = Query("correlation_id=azmon1:x", ("sys_id", "state"), limit=7, offset=14, display=True)
    assert isinstance(await api(script).rows("incident", query), Ok)
    (request,) = script.requests
    assert (request.method, request.path, request.json) == ("GET", "/api/now/table/incident", None)
    assert request.query == {
        "sysparm_query": "correlation_id=azmon1:x",
        "sysparm_fields": "sys_id,state",
        "sysparm_limit": "7",
        "sysparm_offset": "14",
        "sysparm_display_value": "all",
        "sysparm_exclude_reference_link": "true",
        "sysparm_suppress_pagination_header": "true",
    }
    assert request.headers == {"Authorization": "Bearer t"}


@pytest.mark.parametrize("result", [{"sys_id": "1"}, "text", [1], ["x"], [[]]])
async def test_a_query_that_brings_no_list_of_records_brings_nothing(result: Any) -> None:
    """What is no list of records is not taken for one, nor for an empty one."""
    told = await api(Script(lambda _: good(200, result))).rows("incident", Query("a=b", ("sys_id",)))
    assert isinstance(told, Later)


async def test_a_write_that_brings_no_record_is_unclear() -> None:
    """A change whose answer is no record may have been made."""
    there = api(Script(lambda _: good(201, [])))
    assert isinstance(await there.insert("incident", {"a": "b"}, ("sys_id",)), Unclear)
    assert isinstance(await there.patch("incident", "1", {"a": "b"}, ("sys_id",)), Unclear)
    assert isinstance(await there.row("incident", "1", ("sys_id",)), Later)
