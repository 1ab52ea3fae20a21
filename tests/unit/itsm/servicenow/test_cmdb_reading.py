"""What the answers of ServiceNow's APIs mean for reading the CMDB."""

from typing import Any

import pytest
from tests.unit.itsm.scripted import NOW, Request, Script, answer

from secure_export.itsm.answer import Answer
from secure_export.itsm.cmdb_reading import CmdbUnavailable, NotReadable
from secure_export.itsm.servicenow.api.table_api import TableApi
from secure_export.itsm.servicenow.cmdb.reading import CmdbReading
from secure_export.itsm.servicenow.cmdb.tables import Found
from secure_export.itsm.servicenow.sign_in.ways import ByCertificate


def error(status: int, message: str, detail: str | None = None) -> Answer:
    return answer(status, {"error": {"message": message, "detail": detail}, "status": "failure"})


def reading(*answers: Answer) -> tuple[CmdbReading, Script]:
    left = list(answers)
    script = Script(lambda _: left.pop(0))
    return CmdbReading(TableApi(script, ByCertificate(), clock=lambda: NOW)), script


async def test_rows_come_with_both_forms_of_each_field_and_their_number() -> None:
    """Values decide and display values are shown; the count tells how many are hidden."""
    row = {"sys_id": {"value": "a", "display_value": "a"}}
    cmdb, script = reading(answer(200, {"result": [row]}, x_total_count="3"))
    found = await cmdb.rows("cmdb_ci", "name=web", ("sys_id", "name"), 5)
    assert found == Found((row,), 3)
    assert found.hidden == 2
    (request,) = script.requests
    assert request.path == "/api/now/table/cmdb_ci"
    assert request.query["sysparm_query"] == "name=web"
    assert request.query["sysparm_display_value"] == "all"
    assert request.query["sysparm_limit"] == "5"
    assert "sysparm_query_category" not in request.query


@pytest.mark.parametrize(
    ("refusal", "lacking_rights"),
    [
        (error(400, "Invalid table cmdb_ci_x"), False),
        (error(403, "Insufficient rights to query records"), True),
        (error(403, "User Not Authorized", "Access to unscoped api is not allowed"), True),
        (error(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval"), True),
    ],
)
async def test_a_refusal_is_final_for_now(refusal: Answer, *, lacking_rights: bool) -> None:
    """A table that is not there needs nobody's help; one that may not be read needs a role."""
    cmdb, _ = reading(refusal, refusal)
    with pytest.raises(NotReadable) as caught:
        await cmdb.rows("cmdb_ci_x", "name=web", ("sys_id",), 5)
    assert caught.value.lacking_rights is lacking_rights
    assert ("cmdb_read" in str(caught.value)) is lacking_rights
    with pytest.raises(NotReadable):
        await cmdb.columns("cmdb_ci_x")


@pytest.mark.parametrize(
    "trouble",
    [
        answer(503, "<html>maintenance</html>"),
        answer(200, "<html>Hibernating Instance</html>"),
        answer(202, {"result": []}),
        answer(200, {"result": [], "error": {"message": "Transaction cancelled: maximum execution time exceeded"}}),
        answer(200, {"result": {"not": "a list"}}),
        error(429, "Rate limit exceeded"),
        error(401, "User Not Authenticated"),
    ],
)
async def test_trouble_that_passes_is_no_answer(trouble: Answer) -> None:
    """Nothing is concluded from what says nothing: it is asked again later."""
    cmdb, _ = reading(trouble, trouble)
    with pytest.raises(CmdbUnavailable, match="cmdb_ci"):
        await cmdb.rows("cmdb_ci", "name=web", ("sys_id",), 5)


@pytest.mark.parametrize(
    ("result", "columns"),
    [
        ({"attributes": [{"element": "object_id"}, {"element": "name"}, {"label": "x"}, 7]}, {"object_id", "name"}),
        ({"attributes": []}, None),
        ({"attributes": "none"}, None),
        ([], None),
    ],
)
async def test_the_meta_api_tells_columns(result: Any, columns: set[str] | None) -> None:
    """A class without columns, or an answer in another form, proves nothing."""
    cmdb, script = reading(answer(200, {"result": result}))
    if columns is None:
        with pytest.raises(NotReadable):
            await cmdb.columns("cmdb_ci_vm_instance")
    else:
        assert await cmdb.columns("cmdb_ci_vm_instance") == columns
    assert script.requests[0].path == "/api/now/cmdb/meta/cmdb_ci_vm_instance"


async def test_a_table_that_fails_for_ever_holds_nothing_up() -> None:
    """A query that runs into the time limit each time is given up after minutes; a whole outage is waited for."""
    down = {"everything": True}
    now = 0.0

    def instance(request: Request) -> Answer:
        if "sys_user" in request.path and not down["everything"]:
            return answer(200, {"result": []}, x_total_count="0")
        return answer(200, {"result": [], "error": {"message": "Transaction cancelled"}, "status": "failure"})

    api = TableApi(Script(instance), ByCertificate(), clock=lambda: NOW)
    cmdb = CmdbReading(api, monotonic=lambda: now)
    for seconds in (0.0, 299.0, 301.0, 5000.0):
        now = seconds
        with pytest.raises(CmdbUnavailable):
            await cmdb.rows("cmdb_ci_vm_instance", "object_id=x", ("sys_id",), 5)
    down["everything"] = False
    with pytest.raises(NotReadable, match="index"):
        await cmdb.rows("cmdb_ci_vm_instance", "object_id=x", ("sys_id",), 5)
    with pytest.raises(CmdbUnavailable):
        await cmdb.rows("cmdb_ci_server", "object_id=x", ("sys_id",), 5)
