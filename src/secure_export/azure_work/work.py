"""Runs by timer what the configuration allows the service to do in Azure."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from secure_export.app import Parts
from secure_export.azure_work.missed_alerts import MissedAlerts
from secure_export.azure_work.told_acts import ToldActs
from secure_export.delivery.alone import Alone
from secure_export.errors import SecureExportError, StoreUnavailable
from secure_export.telemetry.complaints import Complaints
from secure_export.telemetry.metrics import Metrics

_ALERT_STATE_SECONDS: Final = 30.0
_STANDS_BACK_SECONDS: Final = 300.0


class AzureWork:
    """Runs the timers until it is cancelled.

    Args:
        parts: The open store and the connections.
        metrics: Counts what was taken in.
        alone: Has one process at a time do some work, of all that deliver; each timer is such a work of its own.
    """

    def __init__(self, parts: Parts, metrics: Metrics, alone: Callable[[str], Alone]) -> None:
        self._settings = parts.settings.azure
        self._missed = MissedAlerts(parts, metrics)
        self._acts = ToldActs(parts)
        self._alone = alone
        self._complaints = Complaints()

    async def run(self) -> None:
        """Do it until cancelled."""
        async with asyncio.TaskGroup() as group:
            if self._settings.missed.enabled:
                usual = self._settings.missed.every_minutes * 60
                alone = self._alone("missed-alerts")
                group.create_task(every(usual, self._missed.catch_up_by_timer, alone, self._complaints))
            if self._settings.alert_state.enabled:
                alone = self._alone("alert-state")
                group.create_task(every(_ALERT_STATE_SECONDS, self._acts.tell_acts, alone, self._complaints))


async def every(
    seconds: float, job: Callable[[], Awaitable[float | None]], alone: Alone, complaints: Complaints
) -> None:
    """Run a job at once and then at its interval, or after the seconds that it gives, whatever comes of it.

    Who could not do it stands back for a while, and another process does it: which of them has the place is drawn by
    lot, and not by who has a way to Azure. Where there is no other, this one takes the place again afterwards.

    Args:
        seconds: The usual interval.
        job: What is run.
        alone: Says when it is this process that runs it.
        complaints: Told of trouble.
    """
    back_for = max(seconds, _STANDS_BACK_SECONDS)
    while True:
        pause = None
        try:
            async with alone:
                pause = await job()
        except StoreUnavailable as error:
            complaints.waits("azure work waits", error, job=job.__name__)
        except SecureExportError as error:
            alone.stand_back(back_for)
            complaints.waits("azure work waits", error, job=job.__name__)
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            alone.stand_back(back_for)
            complaints.failed("azure work failed", error, job=job.__name__)  # a library's own, and no reason to end
        except Exception as error:  # noqa: BLE001 - the timer goes on
            alone.stand_back(back_for)
            complaints.failed("azure work failed", error, job=job.__name__)
        await asyncio.sleep(seconds if pause is None else pause)
