"""Keeps this process's places in each connection: renews, gives back, takes what is free."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from math import inf

import structlog

from secure_export.clock import steady_seconds
from secure_export.delivery.contract import Allotments, PlacesAsked
from secure_export.delivery.owned_lane import Sleep
from secure_export.errors import StoreUnavailable
from secure_export.itsm.share import Share
from secure_export.telemetry.complaints import Complaints

log = structlog.get_logger(__name__)

HeldTold = Callable[[str, int], None]
"""Told of a connection's name, and of how many of its places this process holds."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How places are held, in seconds.

    Attributes:
        window: How long after a renewal calls may begin.
        margin: How much longer than that and the longest call others wait, for clocks that do not go equally fast.
        between_renewals: How often is renewed; several times within the window, so that one may fail.
        soon: How often while places change hands, and after trouble.
    """

    window: float = 15.0
    margin: float = 5.0
    between_renewals: float = 3.0
    soon: float = 0.5


class PlaceKeeper:
    """Keeps the places of one connection.

    Args:
        connection: The connection's name.
        share: What is to be kept up to date.
        places: How many places the connection has.
        longest_call_seconds: How long after its beginning a call has surely ended in the tool.
        allotments: Hands places out.
        told: Told how many are held.
        terms: How places are held.
        seconds: The clock of the share.
        sleep: Waits for seconds.
    """

    def __init__(  # noqa: PLR0913 - clocks are given by tests only
        self,
        connection: str,
        share: Share,
        *,
        places: int,
        longest_call_seconds: float,
        allotments: Allotments,
        told: HeldTold = lambda *_: None,
        terms: Terms | None = None,
        seconds: Callable[[], float] = steady_seconds,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._connection = connection
        self._share = share
        self._places = places
        self._terms = terms or Terms()
        self._lease = timedelta(seconds=self._terms.window + longest_call_seconds + self._terms.margin)
        self._allotments = allotments
        self._told = told
        self._seconds = seconds
        self._sleep = sleep
        self._complaints = Complaints(connection=connection)
        self._held = self._fair = 0
        self._until = self._back_at = -inf
        self._told_held = -1
        self._trouble: str | None = None
        self._adjust()

    async def run(self) -> None:
        """Keep the share up to date until cancelled; whatever goes wrong, it goes on."""
        while True:
            try:
                if self._seconds() < self._back_at and not self._share.needed():
                    await self.leave()
                else:
                    await self.renew()
                is_settled, self._trouble = self._held == self._fair, None
            except StoreUnavailable as error:
                is_settled, self._trouble = False, str(error)
                self._complaints.waits("places not renewed", error)
            except Exception as error:  # noqa: BLE001 - without it nothing is delivered any more
                is_settled = False
                self._trouble = f"keeping places failed ({type(error).__name__}); the log says more"
                self._complaints.failed("keeping places failed", error)
            await self._sleep(self._terms.between_renewals if is_settled else self._terms.soon)

    async def ready(self) -> str | None:
        """Say why places are not kept, so that no tool is called before long; to hold none is no trouble."""
        return self._trouble

    async def renew(self) -> None:
        """Renew once.

        Raises:
            StoreUnavailable: It is not known whether it was renewed; calls may begin for as long as they might before.
        """
        # Not used any more before anybody is told: what is under way needs its places until it ends.
        self._held = min(self._held, max(self._fair, self._share.needed()))
        self._adjust()
        sent_at = self._seconds()
        asked = PlacesAsked(places=self._places, keep=self._held, lease=self._lease)
        allotment = await self._allotments.renew(self._connection, asked)
        self._held, self._fair = allotment.held, allotment.fair
        self._until = inf if allotment.lasts else sent_at + self._terms.window
        self._adjust()

    def stand_back(self, seconds: float) -> None:
        """Give all places back as soon as nothing is under way there, and ask for none for so many seconds."""
        self._back_at = self._seconds() + seconds

    async def leave(self) -> None:
        """Give all places back: no call may be under way any more."""
        self._held = self._fair = 0
        self._adjust()
        with suppress(StoreUnavailable):  # they are free when the lease is over
            await self._allotments.leave(self._connection)

    def _adjust(self) -> None:
        goal = min(self._held, self._fair)
        self._share.change(held=self._held, goal=goal, of=self._places, until=self._until)
        if self._held != self._told_held:
            self._told_held = self._held
            self._told(self._connection, self._held)
            log.info("places changed", connection=self._connection, places=self._held, of=self._places)
