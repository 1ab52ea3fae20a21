"""Fetches what Azure could not deliver, in every tenant and subscription of the configuration."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from secure_export.app import Parts, doors
from secure_export.azure.errors import AzureRefused, NothingAsked
from secure_export.azure.missed.alerts_api import AlertsApi
from secure_export.azure.missed.catching_up import CatchingUp
from secure_export.azure.missed.finding import Found, Outcome
from secure_export.azure.missed.meant import RULE_NOT_FOUND
from secure_export.azure.missed.wishes import Bounds
from secure_export.azure.session import signed_in
from secure_export.azure_work.asked import Asked, asked_in, wishes_of
from secure_export.azure_work.in_time import in_time
from secure_export.azure_work.taking import Taking
from secure_export.errors import SecureExportError
from secure_export.telemetry.complaints import Complaints
from secure_export.telemetry.metrics import Metrics

LACKS_READER: Final = "; give who signs in the role Monitoring Reader on the subscription"
# Azure tries for about 75 seconds (Azure Monitor docs, action-groups, "Webhook").
_AZURE_TRIES: Final = timedelta(minutes=2)
_SOON_SECONDS: Final = 60.0
# The last page of a run is begun within its bounds, and what is missing of it still taken in.
_LONGEST_IN_BOUNDS: Final = 2


@asynccontextmanager
async def catching_up(parts: Parts, asked: Asked, *, bounds: Bounds | None = None) -> AsyncIterator[CatchingUp]:
    """Sign in to a tenant, to catch up there."""
    async with signed_in(parts.settings.azure, asked.tenant_id, authority=asked.authority) as session:
        taking = Taking(parts.store, doors(parts.settings), asked.tenant_id)
        yield CatchingUp(
            AlertsApi(session.manager),
            parts.store.upkeep,
            taking,
            asked.groups,
            clock=parts.store.clock,
            bounds=bounds,
        )


class MissedAlerts:
    """Catches up without anybody who looks on: what goes wrong goes into the log.

    Several processes may do the same at the same time: what both take in is recorded once.

    Args:
        parts: The open store and the connections.
        metrics: Counts what was taken in.
        bounds: How much one run asks.
    """

    def __init__(self, parts: Parts, metrics: Metrics, *, bounds: Bounds | None = None) -> None:
        self._parts = parts
        self._bounds = bounds or Bounds()
        self._metrics = metrics
        self._asked = asked_in(parts.settings)
        self._complaints = Complaints()

    async def catch_up(self) -> int:
        """Fetch what Azure could not deliver; how many notifications were taken in. Raises as ``caught_up`` does."""
        return (await self.caught_up())[0]

    async def caught_up(self) -> tuple[int, bool]:
        """Fetch what Azure could not deliver: how many notifications were taken in, and whether there is more.

        One tenant or subscription that cannot be asked does not hide the others.

        Raises:
            NothingAsked: None of them could be.
        """
        count, more, could_ask = 0, False, not self._asked
        for asked in self._asked:
            try:
                async with catching_up(self._parts, asked, bounds=self._bounds) as run:
                    for subscription in asked.subscriptions:
                        fetched, is_stopped = await self._catch_up_in(run, subscription)
                        count += fetched
                        # One that was stopped by trouble waits for its turn; the others only reached their bounds.
                        more |= subscription in run.unfinished and not is_stopped
                        could_ask |= bool(fetched) or not is_stopped
            except SecureExportError as error:
                self._complaints.waits("azure work waits", error, job="catch_up", tenant=asked.tenant_id)
        if not could_ask:
            raise NothingAsked
        return count, more

    async def catch_up_by_timer(self) -> float:
        """Catch up; the seconds until the next time: soon, where there is more than one run fetches.

        Raises as ``caught_up`` does.
        """
        _, more = await self.caught_up()
        usual = self._parts.settings.azure.missed.every_minutes * 60
        return min(usual, _SOON_SECONDS) if more else usual

    async def _catch_up_in(self, run: CatchingUp, subscription: str) -> tuple[int, bool]:
        """Catch up in one subscription: how many were taken in, and whether trouble stopped it."""
        count, wishes = 0, wishes_of(self._parts.settings, patience=_AZURE_TRIES)
        try:
            async with in_time(self._bounds.seconds * _LONGEST_IN_BOUNDS):
                async for found in run.run([subscription], wishes):
                    count += self._noted(found)
        except AzureRefused as error:
            hint = LACKS_READER if error.is_denied else ""
            self._complaints.warns("azure missed refused", f"{error}{hint}", subscription=subscription)
        except SecureExportError as error:
            self._complaints.waits("azure work waits", error, job="catch_up", subscription=subscription)
        except Exception as error:  # noqa: BLE001 - what is wrong with one must not hide the others
            self._complaints.failed("azure work failed", error, job="catch_up", subscription=subscription)
        else:
            return count, False
        return count, True

    def _noted(self, found: Found) -> int:
        if found.outcome is Outcome.TAKEN_IN:
            self._metrics.fetched(found.connection)
            self._complaints.notes(
                "alert fetched",
                found.reason,
                of=f"{found.alert_id} {found.condition}",
                connection=found.connection,
                alert=found.alert_id,
                condition=found.condition.value,
            )
            return 1
        if found.outcome in {Outcome.NOT_ALLOWED, Outcome.NOT_UNDERSTOOD} or found.reason == RULE_NOT_FOUND:
            self._complaints.warns("alert not fetched", found.reason, alert=found.alert_id)
        return 0
