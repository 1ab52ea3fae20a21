"""Whether, when and as whom a call goes to a tool: each in its turn, signed in, and none while we are not let in."""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from secure_export.clock import Clock
from secure_export.errors import SecureExportError
from secure_export.itsm.change_queue import ChangeQueue, NoTurn
from secure_export.itsm.share import NoPlace, Share
from secure_export.itsm.sign_in import SignIn, SignInFailed

V = TypeVar("V")
_FIRST_PAUSE_SECONDS = 15.0
_LONGEST_PAUSE_SECONDS = 300.0
_LONGEST_CALM = timedelta(hours=1)  # a wrong answer must not stop a connection

Attempt = Callable[[Mapping[str, str]], Awaitable[V]]
"""Makes a call once, with the header fields that show who we are, and says what came of it."""


class NotAdmitted(SecureExportError):  # noqa: N818 - reads as what it says
    """A call was not made, or the tool did not let us in: it changed nothing.

    Attributes:
        reason: A sentence part for people.
        not_before: When it is worth trying again; None: not known.
    """

    def __init__(self, reason: str, not_before: datetime | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.not_before = not_before


class Admission(Generic[V]):
    """Lets calls go to one tool.

    After a 401 that new credentials do not mend nothing is sent for a while, which grows, nor what waits for its turn
    then: an account that is tried in vain many times is locked. Nothing is sent either for as long as the tool asks
    (as by ``Retry-After``), whoever was told so: a look-up of CIs uses up the same quota as a work item.

    Args:
        sign_in: Gives the header fields that show who we are.
        clock: The time.
        connections: How many calls are made at a time.
        share: What this process has of them; None: all.
        changes: In which turn changes are made; None: as suits the connections.
        why_stranger: Says why the tool did not let us in; None: that is not what it answered.
        is_let_in: Whether an answer shows that the tool let us in.
        asked_until: Says until when an answer asks not to be called; None: it does not ask.
        to_mend: What a person can do when it does not, as a sentence part.
    """

    def __init__(  # noqa: PLR0913 - a tool's own words and ways
        self,
        sign_in: SignIn,
        *,
        clock: Clock,
        connections: int,
        share: Share | None = None,
        changes: ChangeQueue | None = None,
        why_stranger: Callable[[V], str | None],
        is_let_in: Callable[[V], bool],
        asked_until: Callable[[V], datetime | None],
        to_mend: str,
    ) -> None:
        self._sign_in = sign_in
        self._clock = clock
        share = share or Share()
        self._turns = share.turns(connections)
        self._changes = changes or ChangeQueue(connections, share=share)
        self._why_stranger = why_stranger
        self._is_let_in = is_let_in
        self._asked_until = asked_until
        self._calm_until: datetime | None = None
        self._to_mend = to_mend
        self._pause_seconds = 0.0
        self._shut_until: datetime | None = None
        self._why_shut = ""
        self._refusals = 0

    async def read(self, attempt: Attempt[V]) -> V:
        """Make a call that changes nothing.

        Raises:
            NotAdmitted: It was not made, or we were not let in.
        """
        try:
            async with self._turns:
                return await self._let_in(attempt)
        except NoPlace as error:
            raise NotAdmitted(str(error)) from None

    async def _let_in(self, attempt: Attempt[V]) -> V:
        if self._shut_until is not None and self._clock() < self._shut_until:
            raise NotAdmitted(self._why_shut, self._shut_until)
        if self._calm_until is not None and self._clock() < self._calm_until:
            raise NotAdmitted("the tool asked not to be called for a while", self._calm_until)
        try:
            return await self._signed_in(attempt)
        except SignInFailed as failed:
            raise NotAdmitted(failed.reason, failed.not_before) from None

    async def change(self, attempt: Attempt[V]) -> V:
        """Make a call that changes something; see ``read``."""
        try:
            async with self._changes.turn():
                return await self.read(attempt)
        except NoTurn:
            reason = "the tool answers so slowly that the turn of this change did not come: nothing was sent"
            raise NotAdmitted(reason) from None

    async def _signed_in(self, attempt: Attempt[V]) -> V:
        """Call, and once more with new credentials if there are any: a token may be revoked before its time."""
        refusals = self._refusals
        headers = await self._sign_in.headers()
        told = await self._timed(attempt, headers)
        if self._why_stranger(told) is not None:
            self._sign_in.rejected(headers)
            newer = await self._sign_in.headers()
            if dict(newer) != dict(headers):
                told = await self._timed(attempt, newer)
                if self._why_stranger(told) is not None:
                    self._sign_in.rejected(newer)
        if (why := self._why_stranger(told)) is not None:
            raise self._shut(why)
        if refusals == self._refusals and self._is_let_in(told):  # we were not refused after this call began
            self._pause_seconds, self._shut_until = 0.0, None
        if (until := self._asked_until(told)) is not None:
            self._calm_until = min(until, self._clock() + _LONGEST_CALM)
        return told

    async def _timed(self, attempt: Attempt[V], headers: Mapping[str, str]) -> V:
        began = time.monotonic()
        try:
            return await attempt(headers)
        finally:
            self._changes.answered(time.monotonic() - began)

    def _shut(self, why: str) -> NotAdmitted:
        """Send nothing for a while; those who were under way at the same time do not make it longer."""
        now = self._clock()
        self._refusals += 1
        if self._shut_until is None or now >= self._shut_until:
            self._pause_seconds = min(max(_FIRST_PAUSE_SECONDS, 2 * self._pause_seconds), _LONGEST_PAUSE_SECONDS)
            self._shut_until = now + timedelta(seconds=self._pause_seconds)
        self._why_shut = f"{why}: {self._to_mend}; secure-export check says more"
        return NotAdmitted(self._why_shut, self._shut_until)
