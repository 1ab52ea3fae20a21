"""Tells Azure what people did with work items, in every tenant of the configuration."""

from contextlib import AsyncExitStack
from typing import Final

from secure_export.app import Parts
from secure_export.azure.alert_state.telling import Act, Telling
from secure_export.azure.api import AzureApi
from secure_export.azure.errors import AzureRefused, NothingAsked, NotSignedIn
from secure_export.azure.session import signed_in
from secure_export.azure_work.asked import asked_in
from secure_export.azure_work.in_time import in_time
from secure_export.telemetry.complaints import Complaints

_LACKS_CONTRIBUTOR: Final = "; give who signs in the role Monitoring Contributor on the subscription"
_LONGEST_SECONDS: Final = 600.0


class ToldActs:
    """Tells Azure of acts; what it refuses goes into the log.

    Args:
        parts: The open store and the connections.
        longest_seconds: When a run is given up; the next goes on.
    """

    def __init__(self, parts: Parts, *, longest_seconds: float = _LONGEST_SECONDS) -> None:
        self._parts = parts
        self._longest_seconds = longest_seconds
        self._is_kept_out = False
        self._asked = asked_in(parts.settings)
        self._complaints = Complaints()

    async def tell_acts(self) -> None:
        """Tell Azure what people did with work items.

        Raises:
            NothingAsked: There was something to tell, and this process was let in nowhere.
            AzureUnreachable: Azure does not answer.
            SecretMissing: A secret cannot be read.
            StoreUnavailable: The store cannot be read or written.
        """
        if not await self._parts.store.upkeep.untold_acts(after=0, limit=1):
            return
        self._is_kept_out = False
        async with in_time(self._longest_seconds), AsyncExitStack() as stack:
            managers: dict[str, AzureApi] = {}
            for asked in self._asked:
                signing_in = signed_in(self._parts.settings.azure, asked.tenant_id, authority=asked.authority)
                session = await stack.enter_async_context(signing_in)
                managers |= dict.fromkeys(asked.subscriptions, session.manager)
            only = next(iter(managers.values())) if len(self._asked) == 1 else None
            telling = Telling(
                self._parts.store.upkeep,
                lambda subscription: managers.get(subscription, only),
                refused=self._refused_act,
            )
            told = await telling.run()
        if self._is_kept_out and not told.changed + told.kept:
            raise NothingAsked

    def _refused_act(self, act: Act, error: AzureRefused | NotSignedIn) -> None:
        is_denied = isinstance(error, AzureRefused) and error.is_denied
        self._is_kept_out |= is_denied or isinstance(error, NotSignedIn)
        hint = _LACKS_CONTRIBUTOR if is_denied else ""
        self._complaints.warns("alert state refused", f"{error}{hint}", work_item=act.work_item)
