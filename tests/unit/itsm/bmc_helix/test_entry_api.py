"""The one place that calls: what is sent, signing in again, and not knocking in vain."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.itsm.bmc_helix.fake_ar import AlwaysIn, Clock, told
from tests.unit.itsm.bmc_helix.scripted import Request, Script

from secure_export.itsm.answer import Answer
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi, Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Later, Ok, Unclear
from secure_export.itsm.bmc_helix.forms import CREATE, INCIDENT, FormShape
from secure_export.itsm.http_errors import AnswerLost, NotSent
from secure_export.itsm.sign_in import SignInFailed

QUERY = Query("'Status' = \"New\"", ("Incident Number", "Status"))


class Renewing:
    """Gives another token after each that was rejected."""

    def __init__(self, most: int = 9) -> None:
        self.number = 1
        self.most = most

    async def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"AR-JWT {self.number}"}

    def rejected(self, headers: Mapping[str, str]) -> None:
        self.number = min(self.number + 1, self.most)

    async def close(self) -> None:
        """Nothing to close."""


class Failing(AlwaysIn):
    async def headers(self) -> Mapping[str, str]:
        raise SignInFailed("the password is wrong")


def entries(*rows: Mapping[str, Any], **more: Any) -> Answer:
    return told(200, {"entries": [{"values": row} for row in rows], **more})


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
    assert request.headers["Authorization"] == "AR-JWT t"


async def test_what_writes_send() -> None:
    """Values under ``values``; the id with its bar as it is, because addresses are encoded elsewhere."""
    script = Script(lambda _: told(204))
    api = EntryApi(script, AlwaysIn(), clock=Clock())
    await api.change(INCIDENT, "INC1|INC1", {"Status": "Resolved"})
    await api.create(CREATE, {"Description": "x"}, ("Incident Number",))
    put, post = script.requests
    assert (put.method, put.path) == ("PUT", "/api/arsys/v1/entry/HPD:IncidentInterface/INC1|INC1")
    assert put.json == {"values": {"Status": "Resolved"}}
    assert dict(post.query) == {"fields": "values(Incident Number)"}


@pytest.mark.parametrize(
    ("answer", "more"),
    [
        (entries({}, {}), True),
        (entries({}), False),
        (entries({}, _links={"next": [{"href": "x"}]}), True),
        (entries(), False),
    ],
)
async def test_whether_there_are_more(answer: Answer, *, more: bool) -> None:
    """A full page, or a link to the next, may hide records."""
    api = EntryApi(Script(lambda _: answer), AlwaysIn(), clock=Clock())
    found = await api.entries(INCIDENT, Query("'A' = \"b\"", ("A",), limit=2))
    assert isinstance(found, Ok)
    assert isinstance(found.body, Page)
    assert found.body.more is more


@pytest.mark.parametrize("body", [{}, {"entries": 3}, {"entries": [3]}, {"entries": [{}]}, [], {"values": {}}])
async def test_what_is_no_list_of_records(body: Any) -> None:
    """It is not taken for an empty one."""
    api = EntryApi(Script(lambda _: told(200, body)), AlwaysIn(), clock=Clock())
    assert isinstance(await api.entries(INCIDENT, QUERY), Later)


async def test_a_shape_that_nobody_can_read_is_empty() -> None:
    """Older servers answer OPTIONS in their own way."""
    api = EntryApi(Script(lambda _: told(200, {"odd": 1})), AlwaysIn(), clock=Clock())
    assert await api.shape(CREATE) == Ok(FormShape())


async def test_a_token_that_ended_is_renewed_once() -> None:
    """401 leads to one more call with another token."""
    script = Script(lambda request: told(401) if request.headers["Authorization"] == "AR-JWT 1" else entries())
    api = EntryApi(script, Renewing(), clock=Clock())
    assert isinstance(await api.entries(INCIDENT, QUERY), Ok)
    assert len(script.requests) == 2


async def test_who_is_not_let_in_stops_knocking() -> None:
    """After two refusals nothing is sent for a while, which grows, so that no account is locked."""
    script, clock = Script(lambda _: told(401)), Clock()
    api = EntryApi(script, Renewing(), clock=clock)
    first = await api.entries(INCIDENT, QUERY)
    assert isinstance(first, Later)
    assert first.not_before == clock.now + timedelta(seconds=15)
    assert isinstance(await api.entries(INCIDENT, QUERY), Later)
    assert len(script.requests) == 2
    clock.forward(15)
    second = await api.entries(INCIDENT, QUERY)
    assert isinstance(second, Later)
    assert second.not_before == clock.now + timedelta(seconds=30)


async def test_the_same_token_is_not_tried_twice() -> None:
    """A way to sign in that has nothing newer is not called again."""
    script = Script(lambda _: told(401))
    await EntryApi(script, Renewing(most=1), clock=Clock()).entries(INCIDENT, QUERY)
    assert len(script.requests) == 1


async def test_no_log_in_no_call() -> None:
    """Without credentials nothing is sent, and that is not the server's doing."""
    script = Script(lambda _: entries())
    assert isinstance(await EntryApi(script, Failing(), clock=Clock()).entries(INCIDENT, QUERY), Later)
    assert script.requests == []


@pytest.mark.parametrize(
    ("error", "expected"), [(NotSent("no connection"), Later), (AnswerLost("closed without an answer"), Unclear)]
)
async def test_a_broken_write(error: Exception, expected: type[Any]) -> None:
    """What was surely not sent can be made again; what may have been leaves doubt."""

    def reply(_: Request) -> Answer:
        raise error

    told_ = await EntryApi(Script(reply), AlwaysIn(), clock=Clock()).change(INCIDENT, "INC1|INC1", {})
    assert isinstance(told_, expected)


async def test_a_broken_read() -> None:
    """A read is made again later, however it broke."""

    def reply(_: Request) -> Answer:
        raise AnswerLost("closed without an answer")

    assert isinstance(await EntryApi(Script(reply), AlwaysIn(), clock=Clock()).entries(INCIDENT, QUERY), Later)
