"""Calling the instance: who we are, what is asked, and when not to knock any more."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.itsm.servicenow.fake_instance import failure, good

from secure_export.itsm.answer import Answer
from secure_export.itsm.http_errors import AnswerLost, NotSent
from secure_export.itsm.servicenow.api.table_api import Query, TableApi
from secure_export.itsm.servicenow.api.verdict import Later, Method, NotThere, Ok, Unclear
from secure_export.itsm.sign_in import SignInFailed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STRANGER = failure(401, "User Not Authenticated", "Required to provide Auth information")
SECRET = "swordfish"


class Instance:
    """Answers with what a test gives, the last again and again."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, Mapping[str, str], Any, Mapping[str, str]]] = []

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as Http has it
    ) -> Answer:
        self.asked.append((method, path, query or {}, json, headers or {}))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Tokens:
    """Signs in with one token after the other; a rejected one is not shown again."""

    def __init__(self, *tokens: str | SignInFailed) -> None:
        self.tokens = list(tokens)
        self.rejected_: list[str] = []

    async def headers(self) -> Mapping[str, str]:
        token = self.tokens[0]
        if isinstance(token, SignInFailed):
            raise token
        return {"Authorization": f"Bearer {token}"}

    def rejected(self, headers: Mapping[str, str]) -> None:
        self.rejected_.append(headers["Authorization"])
        if len(self.tokens) > 1:
            self.tokens.pop(0)

    async def close(self) -> None:
        """Nothing to close."""


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def api(instance: Instance, sign_in: Tokens | None = None, clock: Clock | None = None) -> TableApi:
    return TableApi(instance, sign_in or Tokens(SECRET), clock=clock or Clock())


async def test_a_query_says_exactly_what_it_wants() -> None:
    """Fields, limit, offset and form are named; links between pages and references are not asked for."""
    instance = Instance(good(200, []))
    query = Query("correlation_id=azmon1:x", ("sys_id", "state"), limit=7, offset=14, display=True)
    assert isinstance(await api(instance).rows("incident", query), Ok)
    (method, path, asked, body, headers) = instance.asked[0]
    assert (method, path, body) == ("GET", "/api/now/table/incident", None)
    assert asked == {
        "sysparm_query": "correlation_id=azmon1:x",
        "sysparm_fields": "sys_id,state",
        "sysparm_limit": "7",
        "sysparm_offset": "14",
        "sysparm_display_value": "all",
        "sysparm_exclude_reference_link": "true",
        "sysparm_suppress_pagination_header": "true",
    }
    assert headers == {"Authorization": f"Bearer {SECRET}"}


@pytest.mark.parametrize("result", [{"sys_id": "1"}, "text", [1], ["x"], [[]]])
async def test_a_query_that_brings_no_list_of_records_brings_nothing(result: Any) -> None:
    """What is no list of records is not taken for one, nor for an empty one."""
    told = await api(Instance(good(200, result))).rows("incident", Query("a=b", ("sys_id",)))
    assert isinstance(told, Later)


async def test_a_write_that_brings_no_record_is_unclear() -> None:
    """A change whose answer is no record may have been made."""
    there = api(Instance(good(201, [])))
    assert isinstance(await there.insert("incident", {"a": "b"}, ("sys_id",)), Unclear)
    assert isinstance(await there.patch("incident", "1", {"a": "b"}, ("sys_id",)), Unclear)
    assert isinstance(await there.row("incident", "1", ("sys_id",)), Later)


@pytest.mark.parametrize(
    ("error", "reading", "change"),
    [(NotSent("no route"), Later, Later), (AnswerLost("it broke"), Later, Unclear)],
)
async def test_what_never_arrived_and_what_may_have_are_told_apart(
    error: Exception, reading: type, change: type
) -> None:
    """A request that never reached the instance changed nothing; one whose answer was lost may have."""
    there = api(Instance(error))
    assert isinstance(await there.rows("incident", Query("a=b", ("sys_id",))), reading)
    assert isinstance(await there.insert("incident", {}, ("sys_id",)), change)
    assert isinstance(await there.patch("incident", "1", {}, ("sys_id",)), change)


async def test_a_revoked_token_is_renewed_once_at_once() -> None:
    """After a 401 a new token is shown, and the caller does not notice; a POST that got 401 changed nothing."""
    instance, tokens = Instance(STRANGER, good(201, {"sys_id": "1"})), Tokens("old", "new")
    assert isinstance(await api(instance, tokens).insert("incident", {"a": "b"}, ("sys_id",)), Ok)
    assert [headers["Authorization"] for *_, headers in instance.asked] == ["Bearer old", "Bearer new"]
    assert tokens.rejected_ == ["Bearer old"]


async def test_the_same_credentials_are_not_shown_again_at_once() -> None:
    """An account that is tried in vain many times is locked: a refused password is shown once."""
    instance = Instance(STRANGER)
    told = await api(instance).row("incident", "1", ("sys_id",))
    assert isinstance(told, Later)
    assert len(instance.asked) == 1
    assert SECRET not in told.reason


async def test_nobody_knocks_while_we_are_not_let_in() -> None:
    """All lanes wait together, for a time that grows, and go on as soon as one is let in."""
    instance, clock = Instance(STRANGER), Clock()
    there = api(instance, clock=clock)
    waits: list[float] = []
    for _ in range(7):
        told = await there.row("incident", "1", ("sys_id",))
        assert isinstance(told, Later)
        assert told.not_before is not None
        asked = len(instance.asked)
        assert isinstance(await there.insert("incident", {}, ("sys_id",)), Later)
        assert len(instance.asked) == asked
        waits.append((told.not_before - clock.now).total_seconds())
        clock.now = told.not_before
    assert waits == [15, 30, 60, 120, 240, 300, 300]
    instance.answers = [failure(404, "No Record found")]
    assert isinstance(await there.row("incident", "1", ("sys_id",)), NotThere)
    assert isinstance(await there.row("incident", "1", ("sys_id",)), NotThere)


async def test_requests_that_are_refused_together_are_one_refusal() -> None:
    """Those that were under way at the same time do not make the pause longer."""
    clock, both_asked = Clock(), asyncio.Event()

    class Together(Instance):
        async def request(self, *args: Any, **more: Any) -> Answer:
            answer = await super().request(*args, **more)
            if len(self.asked) == 2:
                both_asked.set()
            await both_asked.wait()
            return answer

    there = api(Together(STRANGER), clock=clock)
    told = await asyncio.gather(*(there.row("incident", "1", ("sys_id",)) for _ in range(2)))
    assert {one.not_before for one in told if isinstance(one, Later)} == {NOW + timedelta(seconds=15)}


async def test_an_answer_to_what_was_sent_before_a_refusal_opens_no_door() -> None:
    """A request that was let in while the password was still right says nothing about the one that is wrong now."""
    refused = asyncio.Event()

    class Overtaken(Instance):
        async def request(self, *args: Any, **more: Any) -> Answer:
            answer = await super().request(*args, **more)
            if answer.status == 200:
                await refused.wait()
            return answer

    instance = Overtaken(good(200, {"sys_id": "1"}), STRANGER)
    there = api(instance)
    earlier = asyncio.create_task(there.row("incident", "1", ("sys_id",)))
    await asyncio.sleep(0)
    assert isinstance(await there.row("incident", "1", ("sys_id",)), Later)
    refused.set()
    assert isinstance(await earlier, Ok)
    asked = len(instance.asked)
    assert isinstance(await there.row("incident", "1", ("sys_id",)), Later)
    assert len(instance.asked) == asked


async def test_a_sign_in_that_fails_is_later() -> None:
    """Without credentials nothing is sent; when they may be there is passed on."""
    instance, at = Instance(good(200, [])), NOW + timedelta(minutes=1)
    told = await api(instance, Tokens(SignInFailed("the secret is gone", at))).call(Method.POST, "/x", json={})
    assert told == Later("the secret is gone", at)
    assert instance.asked == []
