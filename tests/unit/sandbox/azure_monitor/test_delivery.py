"""Azure's rules for calling a webhook (azure-facts 2.2), one by one."""

import asyncio
from typing import Any

import pytest

from secure_export.sandbox.azure_monitor import (
    Banned,
    Bans,
    CachedToken,
    ClientCredentials,
    Delivered,
    Dropped,
    FixedToken,
    GaveUp,
    WebhookSender,
)

WAITS = [5.0, 20.0, 5.0, 40.0, 5.0]
RETRIED = [408, 429, 503, 504]
FINAL = [301, 302, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 500, 501, 502, 505]


def _sender(url: str, clock: Any, **more: Any) -> WebhookSender:
    return WebhookSender(url, clock=clock, sleep=clock.sleep, **more)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_delivered_at_once(receiver: Any, clock: Any, status: int) -> None:
    """A success ends it, with the answer's status and body."""
    receiver.statuses = [status]
    async with _sender(receiver.url, clock) as sender:
        result = await sender.send(b'{"a": 1}')
    assert isinstance(result, Delivered)
    assert (result.status, len(result.attempts)) == (status, 1)
    assert result.body == (b"" if status == 204 else b'{"status": "accepted"}')
    assert receiver.bodies == [b'{"a": 1}']
    assert clock.slept == []


@pytest.mark.parametrize("status", RETRIED)
async def test_four_statuses_are_retried(receiver: Any, clock: Any, status: int) -> None:
    """408, 429, 503 and 504 are tried again after five seconds."""
    receiver.statuses = [status]
    async with _sender(receiver.url, clock) as sender:
        result = await sender.send(b"{}")
    assert isinstance(result, Delivered)
    assert [one.status for one in result.attempts] == [status, 202]
    assert clock.slept == [5.0]


@pytest.mark.parametrize("status", FINAL)
async def test_every_other_status_drops_the_notification(receiver: Any, clock: Any, status: int) -> None:
    """401, 403, 400, 500, 502 and redirects are final: one call, no retry, no ban."""
    receiver.statuses = [status]
    async with _sender(receiver.url, clock) as sender:
        result = await sender.send(b"{}")
        after = await sender.send(b"{}")
    assert isinstance(result, Dropped)
    assert (result.status, len(result.attempts)) == (status, 1)
    assert str(status) in result.reason
    assert isinstance(after, Delivered)
    assert clock.slept == []


async def test_the_waits_are_5_20_5_40_5_and_then_it_gives_up(receiver: Any, clock: Any) -> None:
    """Six calls in all, 75 seconds from the first to the last."""
    receiver.statuses = [503, 429, 504, 408, 503, 429, 202]
    async with _sender(receiver.url, clock) as sender:
        result = await sender.send(b"{}")
    assert isinstance(result, GaveUp)
    assert clock.slept == WAITS
    assert [one.status for one in result.attempts] == [503, 429, 504, 408, 503, 429]
    assert result.attempts[-1].at - result.attempts[0].at == 75.0
    assert result.status == 429


async def test_the_last_retry_can_still_succeed(receiver: Any, clock: Any) -> None:
    """Five failures and a success are a delivery."""
    receiver.statuses = [503] * 5
    async with _sender(receiver.url, clock) as sender:
        result = await sender.send(b"{}")
    assert isinstance(result, Delivered)
    assert len(result.attempts) == 6


async def test_an_error_that_is_final_ends_the_retries(receiver: Any, clock: Any) -> None:
    """A 500 after a 503 drops the notification."""
    receiver.statuses = [503, 500]
    async with _sender(receiver.url, clock) as sender:
        result = await sender.send(b"{}")
    assert isinstance(result, Dropped)
    assert [one.status for one in result.attempts] == [503, 500]


async def test_retry_after_is_not_heeded(receiver: Any, clock: Any) -> None:
    """Azure documents its own waits and nothing of the receiver's wishes."""
    receiver.statuses = [429]
    async with _sender(receiver.url, clock) as sender:
        await sender.send(b"{}")
    assert clock.slept == [5.0]


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{"], ids=["none", "half"]
)
async def test_broken_connections_are_retried(raw_receiver: Any, clock: Any, answer: bytes) -> None:
    """No answer, or half of one, counts as a broken connection."""
    raw_receiver.answer = answer
    async with _sender(raw_receiver.url, clock) as sender:
        result = await sender.send(b"{}")
    assert isinstance(result, GaveUp)
    assert result.status is None
    assert raw_receiver.calls == 6
    assert "connection broke" in result.reason


async def test_nobody_listening_is_retried(clock: Any, unused_port: int) -> None:
    """A refused connection counts as a broken one."""
    async with _sender(f"http://127.0.0.1:{unused_port}/", clock) as sender:
        result = await sender.send(b"{}")
    assert isinstance(result, GaveUp)
    assert clock.slept == WAITS


async def test_time_outs_are_retried(raw_receiver: Any, clock: Any) -> None:
    """A receiver that takes too long is called again: duplicates come from here."""
    async with _sender(raw_receiver.url, clock, timeout_seconds=0.03) as sender:
        result = await sender.send(b"{}")
    assert isinstance(result, GaveUp)
    assert raw_receiver.calls == 6
    assert "in time" in result.attempts[0].problem


async def test_after_giving_up_the_end_point_is_banned_for_15_minutes(receiver: Any, clock: Any) -> None:
    """Calls during the ban are not made and are lost; a second after it they are made again."""
    receiver.statuses = [503] * 6
    async with _sender(receiver.url, clock) as sender:
        await sender.send(b"{}")
        clock.now += 899.0
        during = await sender.send(b"{}")
        clock.now += 1.0
        after = await sender.send(b"{}")
    assert during == Banned(1.0)
    assert isinstance(after, Delivered)
    assert len(receiver.bodies) == 7


async def test_a_ban_cuts_short_the_retries_of_others(receiver: Any, clock: Any) -> None:
    """A notification between two retries is lost too when the ban begins."""
    bans = Bans(clock)
    receiver.statuses = [503]

    async def sleep(seconds: float) -> None:
        bans.ban(receiver.url)
        await clock.sleep(seconds)

    async with WebhookSender(receiver.url, clock=clock, sleep=sleep, bans=bans) as sender:
        result = await sender.send(b"{}")
    assert isinstance(result, Banned)
    assert [one.status for one in result.attempts] == [503]


async def test_a_ban_is_for_one_end_point_and_all_who_share_the_list(receiver: Any, clock: Any) -> None:
    """Another path of the same server is another end point; another sender of the same end point is banned too."""
    bans = Bans(clock)
    receiver.statuses = [503] * 6
    async with (
        _sender(receiver.url, clock, bans=bans) as one,
        _sender(receiver.url, clock, bans=bans) as two,
        _sender(f"{receiver.url}/other", clock, bans=bans) as other,
    ):
        await one.send(b"{}")
        assert isinstance(await two.send(b"{}"), Banned)
        assert isinstance(await other.send(b"{}"), Delivered)
    assert list(bans.listed()) == [receiver.url]


async def test_time_scale_makes_waits_and_ban_shorter(receiver: Any, clock: Any) -> None:
    """A hundredth of the time, the same shape."""
    receiver.statuses = [503] * 6
    async with _sender(receiver.url, clock, time_scale=0.01) as sender:
        await sender.send(b"{}")
        assert clock.slept == pytest.approx([0.05, 0.2, 0.05, 0.4, 0.05])
        assert isinstance(await sender.send(b"{}"), Banned)
        clock.now += 9.1
        assert isinstance(await sender.send(b"{}"), Delivered)


async def test_it_posts_json_with_the_bearer_token(receiver: Any, clock: Any) -> None:
    """The request is a POST of JSON with the token, the body as given."""
    async with _sender(receiver.url, clock, token=FixedToken("abc")) as sender:
        await sender.send("{“}".encode())
    (headers,) = receiver.headers
    assert headers["authorization"] == "Bearer abc"
    assert headers["content-type"].startswith("application/json")
    assert receiver.bodies == ["{“}".encode()]


async def test_a_plain_webhook_sends_no_token(receiver: Any, clock: Any) -> None:
    """Without a token source there is no Authorization header."""
    async with _sender(receiver.url, clock) as sender:
        await sender.send(b"{}")
    assert "authorization" not in receiver.headers[0]


async def test_thousands_at_once_share_few_connections_and_are_counted(receiver: Any, clock: Any) -> None:
    """Sends wait for a slot, not for a time-out; every end is counted, and so is every status."""
    receiver.statuses = [503, 400, 200]
    async with _sender(receiver.url, clock, connections=8, timeout_seconds=5) as sender:
        results = await asyncio.gather(*(sender.send(b"%d" % number) for number in range(1000)))
    assert sender.counts == {"Delivered": 999, "Dropped": 1}
    assert sender.statuses == {202: 998, 200: 1, 400: 1, 503: 1}
    assert sum(isinstance(one, Delivered) for one in results) == 999
    assert {int(body) for body in receiver.bodies} == set(range(1000))


class TestTokens:
    """How a token is got and kept."""

    def _credentials(self, url: str) -> ClientCredentials:
        return ClientCredentials(url, "client", "secret", "api://hook")

    async def test_one_request_serves_all_who_wait(self, receiver: Any, tokens: Any, clock: Any) -> None:
        """Fifty sends at once ask once, for the resource's default scope."""
        token = CachedToken(self._credentials(tokens.url), clock=clock)
        async with _sender(receiver.url, clock, token=token) as sender:
            await asyncio.gather(*(sender.send(b"{}") for _ in range(50)))
        assert len(tokens.forms) == 1
        assert "scope=api%3A%2F%2Fhook%2F.default" in tokens.forms[0]
        assert {one["authorization"] for one in receiver.headers} == {"Bearer token-1"}

    @pytest.mark.parametrize(("lasts", "kept"), [(3600, 3300), (400, 200)])
    async def test_it_is_kept_until_shortly_before_its_end(
        self, session: Any, tokens: Any, clock: Any, lasts: int, kept: int
    ) -> None:
        """Five minutes before the end, or half-way for a short one, another is asked for."""
        tokens.expires_in = str(lasts)
        source = CachedToken(self._credentials(tokens.url), clock=clock)
        assert await source.token(session) == "token-1"
        clock.now += kept - 1
        assert await source.token(session) == "token-1"
        clock.now += 2
        assert await source.token(session) == "token-2"

    async def test_a_refused_token_drops_the_notification(self, receiver: Any, tokens: Any, clock: Any) -> None:
        """No token, no call, no retry; the reason says what Entra said and does not say the secret."""
        tokens.status = 401
        token = CachedToken(self._credentials(tokens.url), clock=clock)
        async with _sender(receiver.url, clock, token=token) as sender:
            result = await sender.send(b"{}")
        assert isinstance(result, Dropped)
        assert (result.status, result.attempts, receiver.bodies) == (None, (), [])
        assert "AADSTS7000215" in result.reason
        assert "secret'" not in repr(token) + result.reason

    @pytest.mark.parametrize(("status", "expires_in"), [(500, 3600), (200, None)])
    async def test_a_token_end_point_in_trouble_is_retried_and_bans_nobody(
        self, receiver: Any, tokens: Any, clock: Any, status: int, expires_in: Any
    ) -> None:
        """The receiver is not at fault when Entra is down."""
        tokens.status, tokens.expires_in = status, expires_in
        token = CachedToken(self._credentials(tokens.url), clock=clock)
        async with _sender(receiver.url, clock, token=token) as sender:
            assert isinstance(await sender.send(b"{}"), GaveUp)
            assert clock.slept == WAITS
            tokens.status, tokens.expires_in = 200, 3600
            assert isinstance(await sender.send(b"{}"), Delivered)

    async def test_an_unreachable_token_end_point_is_retried(self, receiver: Any, clock: Any, unused_port: int) -> None:
        """As above, for a broken connection."""
        token = CachedToken(self._credentials(f"http://127.0.0.1:{unused_port}/"), clock=clock)
        async with _sender(receiver.url, clock, token=token) as sender:
            result = await sender.send(b"{}")
        assert isinstance(result, GaveUp)
        assert "cannot be reached" in result.reason
        assert receiver.bodies == []

    def test_credentials_do_not_show_in_texts(self) -> None:
        """Neither a client secret nor a token may reach a log."""
        assert "hush" not in repr(ClientCredentials("u", "c", "hush")) + repr(FixedToken("hush"))
