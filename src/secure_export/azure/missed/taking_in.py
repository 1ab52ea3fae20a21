"""Has what is missing of some alerts taken in."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from secure_export.alerts.alert import Condition
from secure_export.azure.missed.comparing import Looked, Recorded, compared, notifications
from secure_export.azure.missed.contract import Taking
from secure_export.azure.missed.finding import Found, Outcome
from secure_export.azure.missed.listed import ListedAlert
from secure_export.azure.missed.meant import Meant, OurGroup, meant_for
from secure_export.azure.missed.progress import Progress
from secure_export.azure.missed.translate import body_of
from secure_export.azure.missed.whole_alerts import WholeAlerts
from secure_export.azure.missed.wishes import Wishes

_AT_ONCE = 64


class TakingIn:
    """Takes in what was missed in one subscription, page by page.

    Args:
        taking: The way in.
        whole: Reads alerts one by one.
        groups: Our action groups.
        rules: The action groups that each alert rule names, all in lower case.
        wishes: What is looked at.
        now: The time now.

    Attributes:
        connections: The connections that are fetched for.
    """

    def __init__(  # noqa: PLR0913 - it brings these together
        self,
        taking: Taking,
        whole: WholeAlerts,
        groups: Sequence[OurGroup],
        rules: Mapping[str, frozenset[str]],
        *,
        wishes: Wishes,
        now: datetime,
    ) -> None:
        self._taking = taking
        self._whole = whole
        self._groups = groups
        self.connections = tuple(dict.fromkeys(group.connection for group in groups))
        self._rules = rules
        self._wishes = wishes
        self._now = now

    async def run(self, alerts: Sequence[ListedAlert], progress: Progress) -> AsyncIterator[Found]:
        """Take in what is missing of some alerts, in the order of events.

        All of it is read before anything is taken in, and then taken in at once: what fired and ended in the outage
        shall not open a work item for the time that reading others takes.
        """
        looked = await self._looked(alerts, progress)
        whole: dict[str, ListedAlert] = {}
        if not self._wishes.dry_run:
            whole = await self._whole.read(one.alert for one in looked if one.outcome is Outcome.MISSING)
        if self._whole.is_cut:
            missing = (n for n, one in enumerate(looked) if one.outcome is Outcome.MISSING)
            looked = looked[: next((n for n in missing if looked[n].alert.guid not in whole), len(looked))]
        for start in range(0, len(looked), _AT_ONCE):
            some = [self._take_in(one, whole) for one in looked[start : start + _AT_ONCE]]
            for one in await asyncio.gather(*some, return_exceptions=True):
                if isinstance(one, BaseException):
                    raise one
                yield one

    async def _looked(self, alerts: Sequence[ListedAlert], progress: Progress) -> list[Looked]:
        meant = await self._meant(alerts)
        recorded = await self._recorded(alerts, meant, progress)
        return [
            one
            for alert, condition in notifications(alerts, progress, now=self._now, patience=self._wishes.patience)
            for one in compared(alert, condition, meant[alert.guid], recorded, progress)
        ]

    async def _meant(self, alerts: Sequence[ListedAlert]) -> dict[str, Meant]:
        """Say for whom alerts were, by GUID.

        The end of an alert whose firing was recorded is wanted whatever its rule names now: its work item is open.
        """
        meant = {one.guid: meant_for(one, self._groups, self._rules) for one in alerts}
        strays = [one for one in alerts if one.resolved and not one.suppressed and not meant[one.guid].connections]
        for connection in self.connections if strays else ():
            recorded = await self._taking.recorded(connection, [one.alert_id for one in strays])
            for one in strays:
                if Condition.FIRED in recorded.get(one.alert_id.lower(), ()):
                    meant[one.guid] = Meant((*meant[one.guid].connections, connection), "its firing was recorded")
        return meant

    async def _recorded(
        self, alerts: Sequence[ListedAlert], meant: Mapping[str, Meant], progress: Progress
    ) -> Recorded:
        """Say what was recorded of alerts; a connection that was renamed has recorded it under its former name."""
        wanted: dict[str, list[str]] = {}
        for alert in alerts:
            for connection in meant[alert.guid].connections:
                wanted.setdefault(connection, []).append(alert.alert_id)
        found: dict[tuple[str, str], frozenset[Condition]] = {}
        for connection, ids in wanted.items():
            for name in (connection, *progress.formerly.get(connection, ())):
                for one, known in (await self._taking.recorded(name, ids)).items():
                    found[connection, one] = found.get((connection, one), frozenset()) | known
        return found

    async def _take_in(self, one: Looked, whole: Mapping[str, ListedAlert]) -> Found:
        if one.outcome is not Outcome.MISSING or one.alert.guid not in whole:
            return one.found()
        body = body_of(whole[one.alert.guid], one.condition)
        return one.found(*await self._taking.take_in(one.connection, body))
