"""Showing a tool who we are: the contract of every way to sign in, and the way that keeps a token."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from secure_export.clock import Clock
from secure_export.errors import SecureExportError
from secure_export.itsm.http_errors import AnswerLost, NotSent

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 15 * 60.0
LONGEST_UNREACHABLE_SECONDS = 60.0
LONGEST_ASKED_SECONDS = 3600.0
# A token that is refused so soon after it was given was never good: the tool gives it, and does not take it.
_YOUNG = timedelta(seconds=60)
_SIGN_OUT_SECONDS = 5.0
# A tool that gives the same token until it ends may give it with no second left; a moment later it gives a new one.
_TRIES_FOR_A_LIVE_ONE = 4
_BETWEEN_TRIES_SECONDS = 1.0


class SignInFailed(SecureExportError):  # noqa: N818 - reads as what it says
    """There are no credentials to show now.

    Attributes:
        reason: A sentence part for people, without credentials.
        not_before: When it is worth trying again; None: not known.
        refused: Whether the tool refused what we showed, as against that it could not be asked. Only then pauses
            grow long: many refusals lock an account.
    """

    def __init__(self, reason: str, not_before: datetime | None = None, *, refused: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.not_before = not_before
        self.refused = refused


class SignIn(Protocol):
    """One way to sign in to a tool."""

    async def headers(self) -> Mapping[str, str]:
        """Give the header fields that every request must carry.

        Raises:
            SignInFailed: There are none now.
        """
        ...

    def rejected(self, headers: Mapping[str, str]) -> None:
        """Take notice that the tool answered 401 to a request with these header fields: forget them."""
        ...

    async def close(self) -> None:
        """Sign out, where the tool has such a thing."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """A token as the tool gave it.

    Attributes:
        text: The token.
        lasts_seconds: For how long it is good, counted from when it was asked for; None: until the tool refuses it.
    """

    text: str = field(repr=False)
    lasts_seconds: float | None


@dataclass(frozen=True, slots=True)
class _Kept:
    """The token in use: since when, until when, and from when on a new one is asked for."""

    text: str = field(repr=False)
    since: datetime
    ends_at: datetime | None
    renew_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        return self.ends_at is None or now < self.ends_at

    def is_due(self, now: datetime) -> bool:
        return self.renew_at is not None and now >= self.renew_at


class KeptToken:
    """A way to sign in that gets a token, keeps it, and renews it before it ends.

    One renewal is under way at a time, whoever asks; it begins within the margin before the token's end, while the
    old one is still shown, so that nobody waits for it. After a failed renewal the tool is left alone, longer each
    time, so that no account is locked; the old token is shown as long as it is good.

    Args:
        fetch: Gets a token from the tool. What it raises of ours counts as a failure: ``SignInFailed`` for what the
            tool says, ``NotSent`` or ``AnswerLost`` where it could not be asked.
        clock: The time.
        scheme: What stands before the token in the header ``Authorization``.
        margin_seconds: How long before its end a token is renewed; a fifth of its life at most.
        sign_out: Gives a token back to the tool when the program stops.
        sleep: How to wait.
    """

    def __init__(  # noqa: PLR0913 - all but two have a value that suits
        self,
        fetch: Callable[[], Awaitable[Token]],
        *,
        clock: Clock,
        scheme: str = "Bearer",
        margin_seconds: float = 120.0,
        sign_out: Callable[[str], Awaitable[object]] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._scheme = scheme
        self._margin_seconds = margin_seconds
        self._sign_out = sign_out
        self._sleep = sleep
        self._kept: _Kept | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._failure: SignInFailed | None = None
        self._failures = 0
        self._rejections = 0
        self._closed = False

    async def headers(self) -> Mapping[str, str]:
        """Give the header field with a token that is good now.

        Raises:
            SignInFailed: There is none; ``not_before`` says when the tool will be asked again.
        """
        kept = self._good()
        if kept is None:
            await self._renewed()
            kept = self._good()
        elif kept.is_due(self._clock()):
            self._renew()
        if kept is None:
            raise self._no_token()
        return self._shown(kept)

    def rejected(self, headers: Mapping[str, str]) -> None:
        """Forget the token in these header fields, if it is still the one in use: late news of an old one is no news.

        A token that is refused soon after it was given is a failure like any other: with a pause before the next.
        """
        kept = self._kept
        if kept is None or {**headers}.get("Authorization") != self._shown(kept)["Authorization"]:
            return
        self._kept = None
        if self._clock() - kept.since >= _YOUNG:
            self._rejections = 0
            return
        self._rejections += 1
        reason = "the tool refuses the token that it has just given; see what its user is allowed"
        self._pause(SignInFailed(reason), self._rejections)

    async def close(self) -> None:
        """Stop a renewal, and give the token back where the tool takes it."""
        self._closed = True
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait([self._renewal])
        kept, self._kept = self._good(), None
        if kept is not None and self._sign_out is not None:
            with suppress(SecureExportError, TimeoutError):
                async with asyncio.timeout(_SIGN_OUT_SECONDS):
                    await self._sign_out(kept.text)

    def _good(self) -> _Kept | None:
        return self._kept if self._kept is not None and self._kept.is_good(self._clock()) else None

    def _shown(self, kept: _Kept) -> dict[str, str]:
        return {"Authorization": f"{self._scheme} {kept.text}"}

    def _no_token(self) -> SignInFailed:
        if self._failure is None:
            return SignInFailed("this connection is closed, because the program stops", refused=False)
        return SignInFailed(self._failure.reason, self._failure.not_before, refused=self._failure.refused)

    async def _renewed(self) -> None:
        """Wait for the renewal that is under way or begins now; one who waits can be cancelled without hurting it."""
        renewal = self._renew()
        if renewal is not None:
            await asyncio.wait([renewal])

    def _renew(self) -> asyncio.Task[None] | None:
        """Give the renewal that is under way, or begin one; None during a pause."""
        if self._renewal is None and not self._closed and not self._is_paused():
            self._renewal = asyncio.create_task(self._run(), name="sign in")
        return self._renewal

    def _is_paused(self) -> bool:
        until = self._failure.not_before if self._failure is not None else None
        return until is not None and self._clock() < until

    async def _run(self) -> None:
        try:
            await self._take_a_live_one()
        except SignInFailed as error:
            self._fail(error)
        except (NotSent, AnswerLost) as error:
            self._fail(SignInFailed(str(error), refused=False))
        except SecureExportError as error:
            self._fail(SignInFailed(str(error)))
        except Exception as error:  # noqa: BLE001 - a fault of ours must not become a storm of log-ins
            self._fail(SignInFailed(f"signing in failed by a fault of this program ({type(error).__name__})"))
        finally:
            self._renewal = None

    async def _take_a_live_one(self) -> None:
        for attempt in range(_TRIES_FOR_A_LIVE_ONE):
            if attempt:
                await self._sleep(_BETWEEN_TRIES_SECONDS)
            asked_at = self._clock()
            token = await self._fetch()
            kept = self._as_kept(token, asked_at)
            if kept.is_good(self._clock()):
                self._kept, self._failure, self._failures = kept, None, 0
                return
        raise SignInFailed("the tool gives only tokens that have ended already", refused=False)

    def _as_kept(self, token: Token, asked_at: datetime) -> _Kept:
        """Say how long a token is used.

        One that is given a second time is used to its end: asking again before that would give it a third time.
        """
        before = self._kept if self._kept is not None and self._kept.text == token.text else None
        if token.lasts_seconds is None:
            return _Kept(token.text, before.since if before else asked_at, None, None)
        ends_at = asked_at + timedelta(seconds=token.lasts_seconds)
        if before is not None:
            return _Kept(token.text, before.since, ends_at, ends_at)
        margin = timedelta(seconds=min(self._margin_seconds, token.lasts_seconds / 5))
        return _Kept(token.text, asked_at, ends_at, ends_at - margin)

    def _fail(self, failure: SignInFailed) -> None:
        self._failures += 1
        self._pause(failure, self._failures)

    def _pause(self, failure: SignInFailed, count: int) -> None:
        """Leave the tool alone for a while: as long as it asked, and longer with each failure."""
        now = self._clock()
        longest = LONGEST_PAUSE_SECONDS if failure.refused else LONGEST_UNREACHABLE_SECONDS
        until = now + timedelta(seconds=min(FIRST_PAUSE_SECONDS * 2.0 ** min(count - 1, 32), longest))
        if failure.not_before is not None:
            until = max(until, min(failure.not_before, now + timedelta(seconds=LONGEST_ASKED_SECONDS)))
        self._failure = SignInFailed(failure.reason, until, refused=failure.refused)
