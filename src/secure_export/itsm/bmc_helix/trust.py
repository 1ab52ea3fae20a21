"""Whether look-ups by key can be believed; while they cannot, nothing is made and nothing is called missing."""

import time
from collections.abc import Callable

from secure_export.itsm.bmc_helix.ended import Ended
from secure_export.workitems.outcome import TryLater

_SECONDS = 900.0
_SHORT_SECONDS = 60.0


class Trust:
    """Remembers why look-ups cannot be believed.

    Args:
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._why = ""
        self._until = 0.0

    @property
    def why_not(self) -> str:
        """Why look-ups cannot be believed now; empty when they can."""
        return self._why if self._why and self._monotonic() < self._until else ""

    def lose(self, why: str, *, lasting: bool = False) -> None:
        """Believe look-ups no more for a while.

        Args:
            why: What was seen.
            lasting: Whether a person has to mend it, so that it is tried again only after a quarter of an hour.
        """
        self._why = why
        self._until = self._monotonic() + (_SECONDS if lasting else _SHORT_SECONDS)

    def holds(self) -> None:
        """Go on if look-ups can be believed.

        Raises:
            Ended: They cannot.
        """
        if why := self.why_not:
            raise Ended(TryLater(why))
