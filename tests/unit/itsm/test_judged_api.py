"""Calling a tool: who we are, what never arrived, and when not to knock any more."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.unit.itsm.scripted import NOW, AlwaysIn, Clock, answer

from secure_export.itsm.answer import Answer
from secure_export.itsm.change_queue import ChangeQueue, NoTurn
from secure_export.itsm.http_errors import AnswerLost, NotSent
from secure_export.itsm.judged_api import JudgedApi
from secure_export.itsm.requests import Requests
from secure_export.itsm.sign_in import SignIn, SignInFailed
from secure_export.itsm.verdict import (
    READS,
    Later,
    Method,
    NotSignedIn,
    NotThere,
    Ok,
    Refused,
    Unclear,
    Verdict,
)

SECRET = "swordfish"
STRANGER, GOOD = answer(401), answer(200)
CHANGES = [method for method in Method if method not in READS]


class PlainApi(JudgedApi[Ok, Refused]):
    """A tool whose answers mean what their status says."""

    to_mend = "mend it"

    def judged(self, answer: Answer, method: Method) -> Verdict[Ok, Refused]:
        match answer.status:
            case 401:
                return NotSignedIn("401")
            case 404:
                return NotThere("404")
            case _:
                return Ok()


class Tool:
    """Answers with what a test gives, the last again and again."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []

    async def request(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **_: Any) -> Answer:
        self.asked.append((method, path, headers or {}))
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(told, Exception):
            raise told
        return told


class Tokens(AlwaysIn):
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


def api(tool: Requests, sign_in: SignIn | None = None, clock: Clock | None = None) -> PlainApi:
    return PlainApi(tool, sign_in or Tokens(SECRET), clock=clock or Clock())


@pytest.mark.parametrize(
    ("error", "reading", "change"),
    [(NotSent("no route"), Later, Later), (AnswerLost("it broke"), Later, Unclear)],
)
async def test_what_never_arrived_and_what_may_have_are_told_apart(
    error: Exception, reading: type, change: type
) -> None:
    """A request that never reached the tool changed nothing; one whose answer was lost may have."""
    there = api(Tool(error))
    for method in READS:
        assert isinstance(await there.call(method, "/x"), reading)
    for method in CHANGES:
        assert isinstance(await there.call(method, "/x"), change)


async def test_readings_do_not_wait_for_the_turn_of_changes() -> None:
    """Changes wait for each other; a reading goes at once, with whichever method."""

    class Full(ChangeQueue):
        @asynccontextmanager
        async def turn(self) -> AsyncIterator[None]:
            raise NoTurn
            yield

    there = PlainApi(Tool(GOOD), Tokens(SECRET), clock=Clock(), changes=Full(4))
    for method in Method:
        assert isinstance(await there.call(method, "/x"), Ok if method in READS else Later)


async def test_a_token_that_ended_is_renewed_once_at_once() -> None:
    """After a 401 a new token is shown, and the caller does not notice; a POST that got 401 changed nothing."""
    tool, tokens = Tool(STRANGER, GOOD), Tokens("old", "new")
    assert isinstance(await api(tool, tokens).call(Method.POST, "/x"), Ok)
    assert [headers["Authorization"] for *_, headers in tool.asked] == ["Bearer old", "Bearer new"]
    assert tokens.rejected_ == ["Bearer old"]


async def test_the_same_credentials_are_not_shown_again_at_once() -> None:
    """An account that is tried in vain many times is locked: a refused password is shown once."""
    tool = Tool(STRANGER)
    told = await api(tool).call(Method.GET, "/x")
    assert isinstance(told, Later)
    assert len(tool.asked) == 1
    assert SECRET not in told.reason
    assert "mend it" in told.reason


async def test_newer_credentials_that_are_refused_too_are_the_last() -> None:
    """After two refusals nothing is sent for a while."""
    tool = Tool(STRANGER)
    there = api(tool, Tokens("1", "2", "3", "4"))
    for _ in range(2):
        assert isinstance(await there.call(Method.GET, "/x"), Later)
    assert len(tool.asked) == 2


async def test_nobody_knocks_while_we_are_not_let_in() -> None:
    """All lanes wait together, for a time that grows, and go on as soon as one is let in."""
    tool, clock = Tool(STRANGER), Clock()
    there = api(tool, clock=clock)
    waits: list[float] = []
    for _ in range(7):
        told = await there.call(Method.GET, "/x")
        assert isinstance(told, Later)
        assert told.not_before is not None
        asked = len(tool.asked)
        assert isinstance(await there.call(Method.POST, "/x"), Later)
        assert len(tool.asked) == asked
        waits.append((told.not_before - clock.now).total_seconds())
        clock.now = told.not_before
    assert waits == [15, 30, 60, 120, 240, 300, 300]
    tool.answers = [answer(404)]
    assert isinstance(await there.call(Method.GET, "/x"), NotThere)
    assert isinstance(await there.call(Method.GET, "/x"), NotThere)


async def test_requests_that_are_refused_together_are_one_refusal() -> None:
    """Those that were under way at the same time do not make the pause longer."""
    both_asked = asyncio.Event()

    class Together(Tool):
        async def request(self, *args: Any, **more: Any) -> Answer:
            told = await super().request(*args, **more)
            if len(self.asked) == 2:
                both_asked.set()
            await both_asked.wait()
            return told

    there = api(Together(STRANGER))
    told = await asyncio.gather(*(there.call(Method.GET, "/x") for _ in range(2)))
    assert {one.not_before for one in told if isinstance(one, Later)} == {NOW + timedelta(seconds=15)}


async def test_an_answer_to_what_was_sent_before_a_refusal_opens_no_door() -> None:
    """A request that was let in while the password was still right says nothing about the one that is wrong now."""
    refused = asyncio.Event()

    class Overtaken(Tool):
        async def request(self, *args: Any, **more: Any) -> Answer:
            told = await super().request(*args, **more)
            if told.status == 200:
                await refused.wait()
            return told

    tool = Overtaken(GOOD, STRANGER)
    there = api(tool)
    earlier = asyncio.create_task(there.call(Method.GET, "/x"))
    await asyncio.sleep(0)
    assert isinstance(await there.call(Method.GET, "/x"), Later)
    refused.set()
    assert isinstance(await earlier, Ok)
    asked = len(tool.asked)
    assert isinstance(await there.call(Method.GET, "/x"), Later)
    assert len(tool.asked) == asked


@pytest.mark.parametrize("at", [None, NOW + timedelta(minutes=1)])
async def test_a_sign_in_that_fails_is_later(at: datetime | None) -> None:
    """Without credentials nothing is sent; when they may be there is passed on."""
    tool = Tool(GOOD)
    told = await api(tool, Tokens(SignInFailed("the secret is gone", at))).call(Method.POST, "/x", json={})
    assert told == Later("the secret is gone", at)
    assert tool.asked == []
