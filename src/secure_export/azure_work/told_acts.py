"""Tells Azure what people did with work items, in every tenant of the configuration."""

from contextlib import AsyncExitStack
from typing import Final

from secure_export.app import Parts
from secure_export.azure.alert_state.telling import Act, Telling
from secure_export.azure.api import AzureApi
from secure_export.azure.errors import AzureRefused, NotSignedIn
from secure_export.azure.session import signed_in
from secure_export.azure_work.asked import asked_in
from secure_export.telemetry.complaints import Complaints

_LACKS_CONTRIBUTOR: Final = "; give who signs in the role Monitoring Contributor on the subscription"


class ToldActs:
    """Tells Azure of acts; what it refuses goes into the log.

    Args:
        parts: The open store and the connections.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._asked = asked_in(parts.settings)
        self._complaints = Complaints()

    async def tell_acts(self) -> None:
        """Tell Azure what people did with work items."""
        if not await self._parts.store.upkeep.untold_acts(after=0, limit=1):
            return
        async with AsyncExitStack() as stack:
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
            await telling.run()

    def _refused_act(self, act: Act, error: AzureRefused | NotSignedIn) -> None:
        hint = _LACKS_CONTRIBUTOR if isinstance(error, AzureRefused) and error.is_denied else ""
        self._complaints.warns("alert state refused", f"{error}{hint}", work_item=act.work_item)
