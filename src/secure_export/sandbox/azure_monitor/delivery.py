"""Calls a secure webhook as an action group does: with a token, few retries, and a ban when they all fail."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from types import TracebackType
from typing import Self

import aiohttp

from secure_export.sandbox.azure_monitor.credentials import TokenRefusedError, TokenSource, TokenUnavailableError
from secure_export.sandbox.azure_monitor.rules import (
    BAN_SECONDS,
    TIMEOUT_SECONDS,
    WAITS_SECONDS,
    Attempt,
    Banned,
    Bans,
    Delivered,
    Dropped,
    GaveUp,
    Result,
)

_MOST_CONNECTIONS = 100
_KEPT_BODY_BYTES = 64 * 1024
_HEADERS = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "SandboxAzureMonitor/1.0"}


class WebhookSender:
    """Sends notifications to one end point by Azure's rules; safe to call thousands of times at once.

    Use it as an asynchronous context manager, or call ``close`` when done.

    Attributes:
        url: The end point.
        counts: How many sends ended how, by the name of the result's class.
        statuses: How many calls got which HTTP status, retries included; None counts calls without an answer.
    """

    def __init__(  # noqa: PLR0913 - what a test or a fault run may want to set
        self,
        url: str,
        token: TokenSource | None = None,
        *,
        session: aiohttp.ClientSession | None = None,
        bans: Bans | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        time_scale: float = 1.0,
        timeout_seconds: float = TIMEOUT_SECONDS,
        connections: int = _MOST_CONNECTIONS,
    ) -> None:
        """Set up without connecting.

        Args:
            url: The end point.
            token: Where tokens come from; None: a plain webhook without one.
            session: A session that others close; None: one of its own.
            bans: Shared by all who send for one Azure Monitor; None: a list of its own.
            clock: Seconds that only grow.
            sleep: Waits that many seconds.
            time_scale: What Azure's waits and its ban are multiplied by: 0.01 is a hundred times as fast. The time-out
                of a call is not scaled.
            timeout_seconds: How long one call may take.
            connections: How many calls are made at once.
        """
        self.url = url
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[int | None] = Counter()
        self._token = token
        self._session = session
        self._owns_session = session is None
        self._bans = bans or Bans(clock, seconds=BAN_SECONDS * time_scale)
        self._clock = clock
        self._sleep = sleep
        self._waits = tuple(wait * time_scale for wait in WAITS_SECONDS)
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        # Slots and not the connection pool: time spent waiting for a free connection is no fault of the receiver.
        self._slots = asyncio.Semaphore(connections)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the session, if it is the sender's own."""
        if self._owns_session and self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, body: bytes) -> Result:
        """Send one notification.

        Args:
            body: The request's body, sent as it is.

        Returns:
            How it ended; nothing that the network or the receiver does raises.
        """
        result = await self._send(body)
        self.counts[type(result).__name__] += 1
        return result

    async def _send(self, body: bytes) -> Result:
        attempts: list[Attempt] = []
        reached = False
        for wait in (*self._waits, None):
            if (left := self._bans.seconds_left(self.url)) > 0:
                return Banned(left, tuple(attempts))
            try:
                token = await self._bearer()
            except TokenRefusedError as refusal:
                return Dropped(None, str(refusal), tuple(attempts))
            except TokenUnavailableError as problem:
                attempts.append(Attempt(self._clock(), 0.0, None, str(problem)))
            else:
                reached = True
                attempt, answer = await self._call(body, token)
                attempts.append(attempt)
                if not attempt.is_retried:
                    return _final(attempt, answer, tuple(attempts))
            if wait is not None:
                await self._sleep(wait)
        return self._give_up(tuple(attempts), ban=reached)

    def _give_up(self, attempts: tuple[Attempt, ...], *, ban: bool) -> GaveUp:
        last = attempts[-1]
        if ban:
            self._bans.ban(self.url)
        why = last.problem or f"The last answer was {last.status}."
        return GaveUp(last.status, f"It did not succeed after {len(attempts) - 1} retries. {why}", attempts)

    async def _bearer(self) -> dict[str, str]:
        if self._token is None:
            return {}
        return {"Authorization": f"Bearer {await self._token.token(self._own_session())}"}

    async def _call(self, body: bytes, token: dict[str, str]) -> tuple[Attempt, bytes]:
        began = self._clock()
        status: int | None = None
        problem, answer = "", b""
        try:
            async with self._slots, self._post(body, token) as response:
                answer = await _read(response)
                status = response.status
        except TimeoutError:
            problem = "The receiver did not answer in time."
        except (aiohttp.ClientError, OSError) as broken:
            problem = f"The connection broke: {str(broken) or type(broken).__name__}."
        self.statuses[status] += 1
        return Attempt(began, self._clock() - began, status, problem), answer

    @contextlib.asynccontextmanager
    async def _post(self, body: bytes, token: dict[str, str]) -> AsyncGenerator[aiohttp.ClientResponse]:
        async with self._own_session().post(
            self.url, data=body, headers={**_HEADERS, **token}, timeout=self._timeout, allow_redirects=False
        ) as response:
            yield response

    def _own_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Read the answer to its end and keep its beginning; an answer that breaks off counts as none."""
    kept = b""
    async for chunk in response.content.iter_any():
        kept += chunk[: _KEPT_BODY_BYTES - len(kept)]
    return kept


def _final(attempt: Attempt, answer: bytes, attempts: tuple[Attempt, ...]) -> Delivered | Dropped:
    status = attempt.status or 0
    if attempt.succeeded:
        return Delivered(status, answer, attempts)
    shown = answer[:300].decode("utf-8", "replace")
    return Dropped(status, f"The receiver answered {status}, which Azure does not retry. {shown}".rstrip(), attempts)
