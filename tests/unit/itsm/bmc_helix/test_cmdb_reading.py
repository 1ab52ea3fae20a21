"""Reading the CMDB over each of BMC's interfaces."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.itsm.bmc_helix.ar_answers import ar_error
from tests.unit.itsm.scripted import AlwaysIn, Clock, Request, Script, answer

from secure_export.itsm.answer import Answer
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi
from secure_export.itsm.bmc_helix.cmdb.ci_rows import ci_of, first_of_each, out_of_use, reference_of, rows_of
from secure_export.itsm.bmc_helix.cmdb.classes import CmdbClass
from secure_export.itsm.bmc_helix.cmdb.reading import CmdbReading
from secure_export.itsm.bmc_helix.cmdb.settings import CmdbSettings
from secure_export.itsm.cmdb_reading import CmdbUnavailable, NotReadable

COMPUTERS = CmdbClass("BMC_ComputerSystem")
ASKED = "'Name' = \"web01\""
NEEDED = ("Name", "ClassId", "ReconciliationIdentity")
ATTRIBUTES = {"Name": "web01", "ClassId": "BMC_COMPUTERSYSTEM", "ReconciliationIdentity": "OI-1", "Priority": 3}
INSTANCES = {
    "instances": [
        {
            "instance_id": "OI-BE3E",
            "class_name_key": {"name": "BMC_ComputerSystem", "namespace": "BMC.CORE"},
            "dataset_id": "BMC.ASSET",
            "attributes": {**ATTRIBUTES, "MarkAsDeleted": None},
            "_links": {},
        }
    ]
}
ENTRIES = {"entries": [{"values": ATTRIBUTES, "_links": {}}]}
ROW = {"Name": "web01", "ClassId": "BMC_COMPUTERSYSTEM", "ReconciliationIdentity": "OI-1", "Priority": "3"}


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def reading(
    reply: Callable[[Request], Answer], *, seconds: Callable[[], float] = lambda: 0.0, **own: Any
) -> tuple[CmdbReading, Script]:
    script = Script(reply)
    api = EntryApi(script, AlwaysIn(), clock=Clock())
    return CmdbReading(api, CmdbSettings.model_validate(own), monotonic=seconds), script


@pytest.mark.parametrize(
    ("api", "path", "query", "body"),
    [
        (
            "instances",
            "/api/cmdb/v1.0/instances/BMC.ASSET/BMC.CORE/BMC_ComputerSystem",
            {"qualification": ASKED, "attributes": ",".join(NEEDED), "limit": "5", "offset": "0"},
            INSTANCES,
        ),
        (
            "instance",
            "/api/cmdb/v1/instance/BMC.ASSET/BMC.CORE/BMC_ComputerSystem",
            {"q": ASKED, "fields": ",".join(NEEDED), "limit": "5", "offset": "0"},
            INSTANCES,
        ),
        (
            "form",
            "/api/arsys/v1/entry/BMC.CORE:BMC_ComputerSystem",
            {
                "q": f"('DatasetId' = \"BMC.ASSET\") AND ({ASKED})",
                "fields": f"values({','.join(NEEDED)})",
                "limit": "5",
            },
            ENTRIES,
        ),
    ],
)
async def test_each_interface_is_asked_in_its_own_words(
    api: str, path: str, query: dict[str, str], body: dict[str, Any]
) -> None:
    """The same question, the same answer, by the setting ``api``."""
    found, script = reading(lambda _: answer(200, body), api=api)
    assert await found.rows(COMPUTERS, ASKED, NEEDED, (), 5) == (ROW,)
    (request,) = script.requests
    assert (request.method, request.path, request.query) == ("GET", path, query)


async def test_attributes_that_a_class_lacks_are_asked_for_once() -> None:
    """What is only useful must not keep a class from being read."""

    def reply(request: Request) -> Answer:
        if "Company" in request.query["attributes"]:
            return answer(400, ar_error(1588, "no such attribute", "Company"))
        return answer(200, INSTANCES)

    found, script = reading(reply)
    assert await found.rows(COMPUTERS, ASKED, NEEDED, ("Company",), 5) == (ROW,)
    assert await found.rows(COMPUTERS, ASKED, NEEDED, ("Company",), 5) == (ROW,)
    assert len(script.requests) == 3
    assert found.plain == {COMPUTERS}


@pytest.mark.parametrize(
    ("told", "lacking_rights", "words"),
    [
        (answer(403, ar_error(353, "You have no access to form")), True, "CMDB Data View All"),
        (answer(403, ar_error(333, "no read access to field")), True, "CMDB Data View All"),
        (answer(403, {"message": "Access forbidden", "code": 403}), True, "403"),
        (answer(404, ar_error(303, "Form does not exist")), False, "cannot be asked"),
        (answer(404, ar_error(302, "no such class")), False, "no class BMC.CORE:BMC_ComputerSystem"),
        (answer(400, ar_error(120_054, "The specified attribute does not exist")), False, "cannot be asked"),
    ],
)
async def test_what_will_not_be_readable_is_told_apart(told: Answer, words: str, *, lacking_rights: bool) -> None:
    """Missing rights are somebody's task; a class that another version has is nobody's."""
    found, _ = reading(lambda _: told)
    with pytest.raises(NotReadable, match=words) as failed:
        await found.rows(COMPUTERS, ASKED, NEEDED, (), 5)
    assert failed.value.lacking_rights is lacking_rights


@pytest.mark.parametrize(
    "told",
    [
        answer(503, "down"),
        answer(200, "<html>Mid Tier</html>", content_type="text/html"),
        answer(200, {"values": {}}),
        answer(500, ar_error(93, "Timeout")),
        answer(500, ar_error(9093, "another machine")),
    ],
)
async def test_trouble_that_passes_is_no_answer(told: Answer) -> None:
    """It is asked again later, and no CI is called absent meanwhile."""
    found, _ = reading(lambda _: told)
    with pytest.raises(CmdbUnavailable):
        await found.rows(COMPUTERS, ASKED, NEEDED, (), 5)


@pytest.mark.parametrize("server_answers", [True, False])
async def test_patience_with_one_class_ends_when_the_server_answers_otherwise(*, server_answers: bool) -> None:
    """A CMDB API that is not installed must not hold incidents back for ever; an outage of all must."""

    def reply(request: Request) -> Answer:
        if "/cmdb/" in request.path or not server_answers:
            return answer(503, "down")
        return answer(200, {"entries": [], "_links": {}})

    seconds = Seconds()
    found, _ = reading(reply, seconds=seconds)
    for now in (0.0, 299.0):
        seconds.now = now
        with pytest.raises(CmdbUnavailable):
            await found.rows(COMPUTERS, ASKED, NEEDED, (), 5)
    seconds.now = 301.0
    with pytest.raises(NotReadable if server_answers else CmdbUnavailable):
        await found.rows(COMPUTERS, ASKED, NEEDED, (), 5)


@pytest.mark.parametrize("body", [None, [], "x", {"instances": 3}, {"other": []}])
def test_what_is_no_list_of_instances_is_none(body: Any) -> None:
    """Nothing is read out of it."""
    assert rows_of(body) is None


def test_odd_instances_do_no_harm() -> None:
    """Numbers become texts, nulls are left out, and what is no object is no CI."""
    body = {"instances": [{"attributes": {"Name": "a", "N": 1.5, "B": True, "Z": None, "L": []}}, 7, {"attributes": 3}]}
    assert rows_of(body) == ({"Name": "a", "N": "1.5", "B": "1"}, {})
    assert reference_of({}, "BMC_ComputerSystem") is None
    assert out_of_use({"MarkAsDeleted": "true"}) == "deleted"


@pytest.mark.parametrize(
    ("class_id", "asked", "expected", "form"),
    [
        ("BMC_COMPUTERSYSTEM", "BMC_BaseElement", "BMC_ComputerSystem", "AST:ComputerSystem"),
        ("BMC_CLOUDINSTANCE", "BMC_BaseElement", "BMC_CloudInstance", "AST:CloudInstance"),
        ("BMC_DATABASE", "BMC_BaseElement", "BMC_DataBase", "AST:DataBase"),
        ("X_APPLIANCE", "X_Appliance", "X_Appliance", "AST:Own"),
        ("X_APPLIANCE", "BMC_BaseElement", "X_APPLIANCE", "AST:Own"),
        ("", "BMC_ComputerSystem", "BMC_ComputerSystem", "AST:ComputerSystem"),
    ],
)
def test_a_class_is_written_as_its_form_is(class_id: str, asked: str, expected: str, form: str) -> None:
    """``ClassId`` is in capitals, and the asset form is not."""
    row = {"Name": "x", "ClassId": class_id, "ReconciliationIdentity": "OI-1"}
    known_by = reference_of(row, asked)
    assert known_by is not None
    assert known_by.class_name == expected
    assert known_by.asset_form({"X_APPLIANCE": "AST:Own"}) == form
    assert ci_of(row, known_by).attributes["class_id"] == known_by.class_id


def test_rows_that_came_twice_count_once() -> None:
    """By identity; those without one are kept, because nothing tells them apart."""
    row, none = {"ReconciliationIdentity": "OI-1"}, {"ReconciliationIdentity": "0"}
    assert first_of_each([row, none, row, none]) == [row, none, none]
