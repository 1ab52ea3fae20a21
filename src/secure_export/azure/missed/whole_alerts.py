"""Reads alerts one by one, for a list leaves their context out."""

from collections.abc import Iterable
from dataclasses import replace
from time import monotonic

from secure_export.azure.errors import AzureRefused, AzureUnreachable, NotSignedIn
from secure_export.azure.missed.alerts_api import AlertsApi
from secure_export.azure.missed.listed import ListedAlert

# Answers that say something of us or of the moment, and nothing of the page or the alert that was asked for.
OF_THE_MOMENT = frozenset({401, 403, 429})
_PASSES = 500


class WholeAlerts:
    """Reads the alerts of what is missing, as far as one run may.

    Args:
        api: Asks Azure.
        most: How many are read at most.
        ends_at: When no further one is read, on the monotonic clock; one of those asked for always is.

    Attributes:
        is_cut: Whether less was read than was asked for; the run ends then.
        trouble: What kept it from more; None where only the bounds did.
    """

    def __init__(self, api: AlertsApi, *, most: int, ends_at: float) -> None:
        self._api = api
        self._left = most
        self._ends_at = ends_at
        self.is_cut = False
        self.trouble: Exception | None = None

    async def read(self, listed: Iterable[ListedAlert]) -> dict[str, ListedAlert]:
        """Read alerts, by GUID; what keeps it from more is told afterwards."""
        whole: dict[str, ListedAlert] = {}
        for alert in listed:
            if alert.guid in whole:
                continue
            if self._left <= 0 or (whole and monotonic() >= self._ends_at):
                self.is_cut = True
                break
            self._left -= 1
            try:
                whole[alert.guid] = await self._whole(alert)
            except (AzureRefused, AzureUnreachable, NotSignedIn) as error:
                self.is_cut, self.trouble = True, error
                break
        return whole

    async def _whole(self, alert: ListedAlert) -> ListedAlert:
        """Read an alert; one that Azure lists and does not give is taken as it was listed, and holds up no other.

        Only its context is taken of what was read later; what was decided on stays as it was listed.
        """
        try:
            read = await self._api.alert(alert)
        except AzureRefused as error:
            if error.status in OF_THE_MOMENT or error.status >= _PASSES:
                raise
            return alert
        return replace(
            alert,
            context=read.context or alert.context,
            custom_properties=read.custom_properties or alert.custom_properties,
        )
