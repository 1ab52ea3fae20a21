"""All places: kept from when this process begins to deliver until its connectors are closed."""

import asyncio
from collections.abc import Sequence

from secure_export.delivery.alone import Alone
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import Allotments
from secure_export.delivery.place_keeper import HeldTold, PlaceKeeper, Terms
from secure_export.itsm.share import Share

_CLOSE_SECONDS = 5.0
# Of work that one process does at a time: how long a single call of it may still go on in who is gone.
_LONGEST_CALL_SECONDS = 10.0


class PlaceKeepers:
    """Keeps places for every connection that has limits to share.

    Commands that call a tool without delivering (``check``, ``explain``) never begin: their few calls are not counted.

    Args:
        allotments: Hands places out.

    Attributes:
        terms: How places are held by the keepers that begin from now on.
    """

    def __init__(self, allotments: Allotments) -> None:
        self.terms = Terms()
        self._allotments = allotments
        self._keepers: list[PlaceKeeper] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    def begin(self, targets: Sequence[Target], *, told: HeldTold = lambda *_: None) -> None:
        """Call no tool from now on without a place.

        Args:
            targets: The connections that have limits to share.
            told: Told how many places of a connection are held.
        """
        for target in targets:
            places = target.share.places(target.concurrency)
            self._keep(target.name, target.share, places, longest_call_seconds=_longest_call(target), told=told)

    def alone(self, work: str) -> Alone:
        """Have one process at a time do some work, of all that say so of it.

        Args:
            work: Which work: a word.
        """
        share = Share()
        # No connection's name has a colon.
        keeper = self._keep(f"alone:{work}", share, 1, longest_call_seconds=_LONGEST_CALL_SECONDS)
        return Alone(share, stand_back=keeper.stand_back)

    def _keep(
        self, name: str, share: Share, places: int, *, longest_call_seconds: float, told: HeldTold = lambda *_: None
    ) -> PlaceKeeper:
        keeper = PlaceKeeper(
            name,
            share,
            places=places,
            longest_call_seconds=longest_call_seconds,
            allotments=self._allotments,
            told=told,
            terms=self.terms,
        )
        self._keepers.append(keeper)
        self._tasks.append(asyncio.create_task(keeper.run(), name="places"))
        return keeper

    async def ready(self) -> str | None:
        """Say why places of some connection are not kept; None: all are, be they none."""
        if not self._closing and any(task.done() for task in self._tasks):
            return "what keeps this process's places has ended; restart it, and please report it"
        troubles = [trouble for keeper in self._keepers if (trouble := await keeper.ready()) is not None]
        return troubles[0] if troubles else None

    async def close(self) -> None:
        """Give everything back; no call is under way any more."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSE_SECONDS)
        await asyncio.gather(*(keeper.leave() for keeper in self._keepers))


def _longest_call(target: Target) -> float:
    """Say how long after its beginning a call has surely ended: one within this process ends with it."""
    return 0.0 if target.in_process else target.share.longest_call_seconds(target.step_timeout_seconds)
