"""One pass through what changed in a subscription, page by page, latest change first."""

from collections.abc import AsyncIterator
from datetime import datetime
from time import monotonic

import msgspec

from secure_export.azure.errors import AzureRefused, AzureUnreachable
from secure_export.azure.missed.alerts_api import AlertsApi, Page
from secure_export.azure.missed.contract import Cursors
from secure_export.azure.missed.finding import Found
from secure_export.azure.missed.progress import Progress, kept, next_pass, to_keep
from secure_export.azure.missed.taking_in import TakingIn
from secure_export.azure.missed.whole_alerts import OF_THE_MOMENT, WholeAlerts
from secure_export.azure.missed.wishes import Wishes


class OnePass:
    """Catches up in one subscription; what it leaves, the next one goes on with.

    Args:
        subscription: Which subscription, in lower case.
        wishes: What is looked at.
        api: Asks Azure.
        cursors: Keeps how far we came.
        taking_in: Takes in what is missing of a page.
        whole: Reads alerts for it.
        now: The time now.
        pages: How many pages are read at most.
        ends_at: When no further page is read, on the monotonic clock.

    Attributes:
        is_complete: Whether it came to the end of what changed.
    """

    def __init__(  # noqa: PLR0913 - it brings these together
        self,
        subscription: str,
        wishes: Wishes,
        *,
        api: AlertsApi,
        cursors: Cursors,
        taking_in: TakingIn,
        whole: WholeAlerts,
        now: datetime,
        pages: int,
        ends_at: float,
    ) -> None:
        self._api = api
        self._cursors = cursors
        self._taking_in = taking_in
        self._whole = whole
        self._subscription = subscription
        self._name = f"azure-missed:{subscription}"
        self._wishes = wishes
        self._now = now
        self._pages = pages
        self._ends_at = ends_at
        self.is_complete = False

    async def run(self) -> AsyncIterator[Found]:
        """Look at page after page, and give what was found; raises as ``CatchingUp.run`` does."""
        progress = await self._begin()
        for _ in range(self._pages):
            page = await self._page(progress)
            changed = [one for one in page.alerts if one.modified is None or one.modified >= progress.since]
            async for found in self._taking_in.run(changed, progress):
                yield found
            if self._whole.trouble is not None:
                raise self._whole.trouble
            if self._whole.is_cut:
                return
            is_last = page.following is None or len(changed) < len(page.alerts)
            progress = self._after(progress, None if is_last else page.following)
            await self._keep(progress)
            self.is_complete = is_last
            if is_last or monotonic() >= self._ends_at:
                return

    async def _begin(self) -> Progress:
        wishes = self._wishes
        known = kept(await self._cursors.cursor(self._name))
        return next_pass(
            known,
            now=self._now,
            look_back=wishes.look_back,
            keeps=wishes.keeps,
            since=wishes.since,
            connections=self._taking_in.connections,
        )

    async def _page(self, progress: Progress) -> Page:
        """Read the page that is next; from the start where Azure does not give the one that we were at.

        Its address may be too old, or one of another cloud; asked for again and again, it would hold up everything.
        """
        if progress.page is not None:
            try:
                return await self._api.page(self._subscription, progress.page)
            except AzureRefused as error:
                if error.status in OF_THE_MOMENT:
                    raise
            except AzureUnreachable:
                pass
        return await self._api.page(self._subscription)

    def _after(self, progress: Progress, following: str | None) -> Progress:
        if following is not None:
            return msgspec.structs.replace(progress, page=following)
        # What is younger than our patience was left out, and is looked at again.
        until = (progress.began or self._now) - self._wishes.patience
        return msgspec.structs.replace(progress, until=max(progress.until, until), began=None, page=None)

    async def _keep(self, progress: Progress) -> None:
        if self._wishes.since is None and not self._wishes.dry_run:
            await self._cursors.keep_cursor(self._name, to_keep(progress))
