"""Fetches what Azure could not deliver: looks at what changed, compares, and has what is missing taken in."""

from collections.abc import AsyncIterator, Iterable, Mapping
from time import monotonic

from secure_export.azure.missed.alerts_api import AlertsApi
from secure_export.azure.missed.contract import Cursors, Taking
from secure_export.azure.missed.finding import Found
from secure_export.azure.missed.meant import OurGroup
from secure_export.azure.missed.one_pass import OnePass
from secure_export.azure.missed.taking_in import TakingIn
from secure_export.azure.missed.whole_alerts import WholeAlerts
from secure_export.azure.missed.wishes import Bounds, Wishes
from secure_export.clock import Clock


class CatchingUp:
    """Catches up in the subscriptions of one tenant.

    Args:
        api: Asks Azure.
        cursors: Keeps how far we came.
        taking: The way in.
        groups: Our action groups.
        clock: The time.
        bounds: How much is asked.

    Attributes:
        unfinished: The subscriptions in which the latest run reached its bounds, so that another run goes on.
    """

    def __init__(  # noqa: PLR0913 - it brings these together
        self,
        api: AlertsApi,
        cursors: Cursors,
        taking: Taking,
        groups: Iterable[OurGroup],
        *,
        clock: Clock,
        bounds: Bounds | None = None,
    ) -> None:
        self._api = api
        self._cursors = cursors
        self._taking = taking
        self._groups = tuple(groups)
        self._clock = clock
        self._bounds = bounds or Bounds()
        self.unfinished: set[str] = set()

    async def run(self, subscriptions: Iterable[str], wishes: Wishes) -> AsyncIterator[Found]:
        """Catch up in every subscription, and give what was found as it is found.

        A run that reaches its bounds, or is killed, is gone on with by the next one.

        Raises:
            AzureRefused: Azure does not let us ask.
            AzureUnreachable: Azure does not answer.
            NotSignedIn: There is no token.
            StoreUnavailable: The store cannot be read or written.
        """
        subscriptions = [one.lower() for one in subscriptions]
        if not subscriptions or not self._groups:
            return
        rules = await self._api.groups_of_rules(subscriptions)
        for subscription in subscriptions:
            self.unfinished.add(subscription)
            one = self._pass(subscription, wishes, rules)
            async for found in one.run():
                yield found
            if one.is_complete:
                self.unfinished.discard(subscription)

    def _pass(self, subscription: str, wishes: Wishes, rules: Mapping[str, frozenset[str]]) -> OnePass:
        now, bounds = self._clock(), self._bounds
        ends_at = monotonic() + bounds.seconds
        whole = WholeAlerts(self._api, most=bounds.alerts, ends_at=ends_at)
        return OnePass(
            subscription,
            wishes,
            api=self._api,
            cursors=self._cursors,
            taking_in=TakingIn(self._taking, whole, self._groups, rules, wishes=wishes, now=now),
            whole=whole,
            now=now,
            pages=bounds.pages,
            ends_at=ends_at,
        )
