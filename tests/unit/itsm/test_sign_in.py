"""Keeping a token: one renewal at a time, in time, and never so often that an account is locked."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from secure_export.errors import SecureExportError
from secure_export.itsm.http_errors import AnswerLost, NotSent
from secure_export.itsm.sign_in import KeptToken, SignIn, SignInFailed, Token
from secure_export.secrets import SecretMissing

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REFUSED = SignInFailed("access_denied")


class Endpoint:
    """A token endpoint with a clock: each token has the next number, and lasts as long as it is told."""

    def __init__(self, lasts_seconds: float | None = 1800.0) -> None:
        self.now = START
        self.lasts_seconds = lasts_seconds
        self.calls = 0
        self.answers: list[Token | Exception] = []
        self.answer: Callable[[], Token] = lambda: Token(f"t{self.calls}", self.lasts_seconds)
        self.hold: asyncio.Event | None = None
        self.slept: list[float] = []
        self.signed_out: list[str] = []

    def clock(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def fetch(self) -> Token:
        self.calls += 1
        if self.hold is not None:
            await self.hold.wait()
        answer = self.answers.pop(0) if self.answers else self.answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.forward(seconds)

    async def sign_out(self, text: str) -> None:
        self.signed_out.append(text)

    def kept(self, sign_out: Callable[[str], Awaitable[object]] | None = None) -> KeptToken:
        return KeptToken(self.fetch, clock=self.clock, sleep=self.sleep, sign_out=sign_out)


async def shown(sign_in: SignIn) -> str:
    """The token that is shown now, or a dash."""
    try:
        return (await sign_in.headers())["Authorization"].split(" ")[1]
    except SignInFailed:
        return "-"


async def failed(sign_in: SignIn) -> SignInFailed:
    with pytest.raises(SignInFailed) as caught:
        await sign_in.headers()
    return caught.value


async def settled() -> None:
    """Let what runs in the background come to its end."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_token_is_kept() -> None:
    """It is asked for once, and shown with every request."""
    endpoint = Endpoint()
    kept = endpoint.kept()
    assert dict(await kept.headers()) == {"Authorization": "Bearer t1"}
    endpoint.forward(1000)
    assert await shown(kept) == "t1"
    assert endpoint.calls == 1


async def test_the_scheme_is_the_tools() -> None:
    """Not every tool calls it Bearer."""
    kept = KeptToken(Endpoint().fetch, clock=lambda: START, scheme="AR-JWT")
    assert (await kept.headers())["Authorization"] == "AR-JWT t1"


async def test_many_who_ask_at_once_sign_in_once() -> None:
    """Twenty lanes start together: one sign-in, and all wait for it."""
    endpoint = Endpoint()
    endpoint.hold = asyncio.Event()
    kept = endpoint.kept()
    asked = [asyncio.create_task(shown(kept)) for _ in range(20)]
    await settled()
    endpoint.hold.set()
    assert await asyncio.gather(*asked) == ["t1"] * 20
    assert endpoint.calls == 1


async def test_who_is_cancelled_hurts_nobody() -> None:
    """Not even the one who began the sign-in; what it brings is kept."""
    endpoint = Endpoint()
    endpoint.hold = asyncio.Event()
    kept = endpoint.kept()
    asked = [asyncio.create_task(shown(kept)) for _ in range(3)]
    await settled()
    asked[0].cancel()
    asked[1].cancel()
    await settled()
    endpoint.hold.set()
    assert await asked[2] == "t1"
    assert endpoint.calls == 1
    only = asyncio.create_task(shown(endpoint.kept()))
    await settled()
    only.cancel()
    await settled()
    assert await shown(kept) == "t1"


@pytest.mark.parametrize(("lasts", "margin"), [(1800.0, 120.0), (3600.0, 120.0), (100.0, 20.0)])
async def test_a_token_is_renewed_before_it_ends(lasts: float, margin: float) -> None:
    """Within the margin a new one is asked for, while the old one is still shown: nobody waits for it."""
    endpoint = Endpoint(lasts)
    kept = endpoint.kept()
    await shown(kept)
    endpoint.forward(lasts - margin - 1)
    assert await shown(kept) == "t1"
    await settled()
    assert endpoint.calls == 1
    endpoint.forward(1)
    endpoint.hold = asyncio.Event()
    assert [await shown(kept) for _ in range(3)] == ["t1"] * 3
    endpoint.hold.set()
    await settled()
    assert await shown(kept) == "t2"
    assert endpoint.calls == 2


async def test_a_tokens_life_begins_when_it_was_asked_for() -> None:
    """A slow answer has used some of it up."""
    endpoint = Endpoint(100)
    endpoint.hold = asyncio.Event()
    kept = endpoint.kept()
    asked = asyncio.create_task(shown(kept))
    await settled()
    endpoint.forward(90)
    endpoint.hold.set()
    assert await asked == "t1"
    await settled()
    endpoint.forward(10)
    endpoint.answers = [REFUSED]
    assert await shown(kept) in {"-", "t2"}
    assert endpoint.calls == 2


async def test_a_failed_renewal_keeps_the_token_that_is_good() -> None:
    """Until it ends it is shown; then there is none, and the reason and the time of the next try are told."""
    endpoint = Endpoint(1800)
    kept = endpoint.kept()
    await shown(kept)
    endpoint.forward(1700)
    endpoint.answers = [REFUSED] * 9
    assert await shown(kept) == "t1"
    await settled()
    endpoint.forward(99)
    assert await shown(kept) == "t1"
    await settled()
    endpoint.forward(1)
    with pytest.raises(SignInFailed, match="access_denied") as caught:
        await kept.headers()
    assert caught.value.not_before is not None
    assert caught.value.not_before > endpoint.now


def _pauses(first: float, longest: float, count: int) -> list[float]:
    return [min(first * 2**n, longest) for n in range(count)]


@pytest.mark.parametrize(
    ("failure", "longest", "refused"),
    [
        (REFUSED, 900.0, True),
        (SignInFailed("busy", refused=False), 60.0, False),
        (NotSent("cannot be reached"), 60.0, False),
        (AnswerLost("did not answer"), 60.0, False),
        (SecretMissing("not set"), 900.0, True),
        (SecureExportError("whatever"), 900.0, True),
        (KeyError("geheim"), 900.0, True),
    ],
)
async def test_pauses_after_failures_grow(failure: Exception, longest: float, refused: object) -> None:
    """From 5 s on, twice as long each time: to 15 min where credentials were refused, else to a minute.

    In a pause nobody reaches the tool, however many ask.
    """
    endpoint = Endpoint()
    kept = endpoint.kept()
    endpoint.answers = [failure] * 10
    pauses = []
    for attempt in range(1, 11):
        errors = [await failed(kept) for _ in range(3)]
        assert endpoint.calls == attempt
        assert errors[0].refused is refused
        assert "geheim" not in str(errors)
        until = errors[0].not_before
        assert until is not None
        assert {error.not_before for error in errors} == {until}
        pauses.append((until - endpoint.now).total_seconds())
        endpoint.now = until
    assert pauses == _pauses(5, longest, 10)
    assert await shown(kept) == "t11"
    endpoint.forward(7200)
    endpoint.answers = [failure]
    assert (await failed(kept)).not_before == endpoint.now + timedelta(seconds=5), "a success ends the growth"


@pytest.mark.parametrize(("asked", "pause"), [(2.0, 5.0), (60.0, 60.0), (86400.0, 3600.0)])
async def test_a_pause_is_at_least_as_long_as_the_tool_asks(asked: float, pause: float) -> None:
    """But a wrong answer does not stop a connection for a day."""
    endpoint = Endpoint()
    endpoint.answers = [SignInFailed("429", START + timedelta(seconds=asked), refused=False)]
    with pytest.raises(SignInFailed) as caught:
        await endpoint.kept().headers()
    assert caught.value.not_before == START + timedelta(seconds=pause)


async def test_a_rejected_token_is_forgotten_once() -> None:
    """Four requests learn that their token was revoked: one new sign-in, and late news of the old one is no news."""
    endpoint = Endpoint()
    kept = endpoint.kept()
    old = dict(await kept.headers())
    endpoint.forward(600)
    kept.rejected(old)
    new = dict(await kept.headers())
    for _ in range(3):
        kept.rejected(old)
        assert dict(await kept.headers()) == new
    assert endpoint.calls == 2


async def test_news_of_headers_that_are_not_ours_are_none() -> None:
    """What was not shown cannot have been rejected."""
    endpoint = Endpoint()
    kept = endpoint.kept()
    kept.rejected({"Authorization": "Bearer t1"})
    await kept.headers()
    kept.rejected({})
    kept.rejected({"Authorization": "Basic t1"})
    assert await shown(kept) == "t1"
    assert endpoint.calls == 1


async def test_a_tool_that_refuses_its_own_new_tokens_is_not_asked_for_ever() -> None:
    """It gives tokens and does not take them (its user lacks a role): sign-ins get rarer, as after any failure."""
    endpoint = Endpoint()
    kept = endpoint.kept()
    times = []
    for _ in range(200):
        try:
            headers = await kept.headers()
        except SignInFailed as error:
            endpoint.now = error.not_before or endpoint.now
        else:
            times.append(endpoint.now)
            kept.rejected(headers)
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    assert gaps[:9] == _pauses(5, 900, 9)
    assert set(gaps[9:]) == {900.0}


async def test_a_token_that_worked_for_long_ends_the_pauses() -> None:
    """A new token that holds for an hour shows that all is well again: the next rejection means a new one at once."""
    endpoint = Endpoint(7200)
    kept = endpoint.kept()
    for _ in range(3):
        kept.rejected(await kept.headers())
        endpoint.forward(900)
    headers = await kept.headers()
    endpoint.forward(3600)
    kept.rejected(headers)
    assert await shown(kept) == "t5"
    kept.rejected(await kept.headers())
    with pytest.raises(SignInFailed) as caught:
        await kept.headers()
    assert caught.value.not_before == endpoint.now + timedelta(seconds=5)


async def test_a_tool_that_gives_the_same_token_until_it_ends_is_not_asked_for_ever() -> None:
    """Asking again before the end brings the same token with what is left of its life; two calls more are enough."""
    endpoint = Endpoint()
    kept = endpoint.kept()
    ends = START + timedelta(seconds=1800)

    def answer() -> Token:
        left = int((ends - endpoint.now).total_seconds())
        return Token("same", left) if endpoint.now < ends + timedelta(seconds=1) else Token("next", 1800)

    endpoint.answer = answer
    seen = []
    for _ in range(1810):
        seen.append(await shown(kept))
        await settled()
        endpoint.forward(1)
    assert "-" not in seen
    assert set(seen) == {"same", "next"}
    assert endpoint.calls <= 5


async def test_a_token_without_a_second_left_is_asked_for_again_in_a_moment() -> None:
    """The tool's own seconds are whole: the next one has a new token."""
    endpoint = Endpoint()
    endpoint.answers = [Token("old", 0), Token("old", 0), Token("new", 1800)]
    kept = endpoint.kept()
    assert await shown(kept) == "new"
    assert endpoint.slept == [1.0, 1.0]


async def test_a_tool_that_gives_only_ended_tokens_is_left_alone() -> None:
    """A few tries, then a pause."""
    endpoint = Endpoint(0)
    kept = endpoint.kept()
    with pytest.raises(SignInFailed, match="ended already") as caught:
        await kept.headers()
    assert endpoint.calls == 4
    assert caught.value.not_before is not None


async def test_a_token_without_an_end_is_used_until_it_is_rejected() -> None:
    """Where the tool does not say how long it lasts."""
    endpoint = Endpoint(None)
    kept = endpoint.kept()
    headers = await kept.headers()
    endpoint.forward(10**6)
    assert await kept.headers() == headers
    kept.rejected(headers)
    assert await shown(kept) == "t2"


async def test_closing_signs_out_once() -> None:
    """The token that is in use is given back; afterwards there is none, and nothing is asked for."""
    endpoint = Endpoint()
    kept = endpoint.kept(endpoint.sign_out)
    await kept.headers()
    await kept.close()
    await kept.close()
    assert endpoint.signed_out == ["t1"]
    with pytest.raises(SignInFailed):
        await kept.headers()
    assert endpoint.calls == 1


async def test_closing_without_a_token_asks_for_nothing() -> None:
    """A service that never signed in does not do so to sign out."""
    endpoint = Endpoint()
    await endpoint.kept(endpoint.sign_out).close()
    assert (endpoint.calls, endpoint.signed_out) == (0, [])


async def test_a_sign_out_that_fails_stops_nobody() -> None:
    """The program ends anyway."""

    async def fails(_: str) -> None:
        raise NotSent("cannot be reached")

    kept = Endpoint().kept(fails)
    await kept.headers()
    await kept.close()


async def test_closing_ends_a_renewal_that_hangs() -> None:
    """Who waits for it is told that there is no token."""
    endpoint = Endpoint()
    endpoint.hold = asyncio.Event()
    kept = endpoint.kept()
    asked = asyncio.create_task(shown(kept))
    await settled()
    await kept.close()
    assert await asked == "-"


def test_a_token_is_not_shown() -> None:
    """Not in a log either."""
    assert "geheim" not in repr(Token("geheim", 1))
