"""Whether look-ups by key can be believed; while they cannot, nothing is made and nothing is called missing."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from secure_export.itsm.ended import Ended
from secure_export.itsm.first_alone import first_alone
from secure_export.workitems.outcome import TryLater

_SECONDS = 60.0


class Trust:
    """Remembers why look-ups cannot be believed.

    Args:
        monotonic: A clock in seconds that never goes back.

    Attributes:
        vain: The number of an incident that was made and is not found by its key; empty: there is none.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._why = ""
        self._until = 0.0
        self._proven = False
        self._first = asyncio.Lock()
        self.vain = ""

    @property
    def why_not(self) -> str:
        """Why look-ups cannot be believed now; empty when they can."""
        return self._why if self._why and self._monotonic() < self._until else ""

    def first_alone(self) -> AbstractAsyncContextManager[None]:
        """Let incidents be made one at a time until one is found by its key; see ``first_alone``."""
        return first_alone(self._first, lambda: self._proven)

    def proven(self) -> None:
        """Take notice that an incident was found by its key."""
        self._proven = True

    def lose(self, why: str, *, vain: str = "") -> None:
        """Believe look-ups no more for a while.

        Args:
            why: What was seen.
            vain: The number of an incident that was made and is not found by its key, if there is one: as long as that
                is so nothing else is made.
        """
        self._why = why
        self._until = self._monotonic() + _SECONDS
        self._proven = False
        self.vain = vain or self.vain

    def lose_again(self) -> None:
        """Believe look-ups no more for a while, because nothing has changed since they were lost."""
        self.lose(self._why)

    def holds(self) -> None:
        """Go on if look-ups can be believed.

        Raises:
            Ended: They cannot.
        """
        if why := self.why_not:
            raise Ended(TryLater(why))
