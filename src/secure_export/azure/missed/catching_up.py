"""Fetches what Azure could not deliver: looks at what changed, compares, and has what is missing taken in."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

import msgspec

from secure_export.alerts.alert import Condition
from secure_export.azure.errors import AzureRefused, AzureUnreachable, NotSignedIn
from secure_export.azure.missed.alerts_api import AlertsApi, Page
from secure_export.azure.missed.finding import Found, Outcome
from secure_export.azure.missed.listed import ListedAlert
from secure_export.azure.missed.meant import Meant, OurGroup, meant_for
from secure_export.azure.missed.progress import Progress, kept, next_pass, to_keep
from secure_export.azure.missed.translate import body_of, conditions, rule_name
from secure_export.clock import Clock

# Answers that say something of us or of the moment, and nothing of the page or the alert that was asked for.
_NOT_OF_THE_PAGE = frozenset({401, 403, 429})
_PASSES = 500
_AT_ONCE = 64
_MISSING = Outcome.MISSING


class Cursors(Protocol):
    """Keeps how far we came."""

    async def cursor(self, name: str) -> str:
        """Read a named cursor; empty when it was never kept."""
        ...

    async def keep_cursor(self, name: str, value: str) -> None:
        """Keep a named cursor."""
        ...


class Taking(Protocol):
    """The way into the service: the same as for what Azure posts."""

    async def recorded(self, connection: str, alert_ids: Sequence[str]) -> Mapping[str, frozenset[Condition]]:
        """Say what was recorded of alerts, by id in lower case; those that are not known are left out."""
        ...

    async def take_in(self, connection: str, body: bytes) -> tuple[Outcome, str]:
        """Record a notification durably; gives what became of it, with the reason."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one run may ask, so that it always leaves Azure's limits to others, too.

    Attributes:
        pages: Pages of alerts of one subscription; Azure allows 100 a minute (Azure Monitor limits, "Alerts API").
        alerts: Alerts read one by one, of one subscription; Azure allows 1,000 calls a minute.
        seconds: How long a run begins further pages.
    """

    pages: int = 60
    alerts: int = 600
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a run looks at.

    Attributes:
        look_back: How far back the first run looks.
        keeps: How long the store remembers what it recorded.
        patience: How young an event may be that Azure is probably still delivering, and that is left to the next run.
        since: From when on a person wants to have a look; such a run keeps no cursor.
        dry_run: Whether nothing is taken in.
    """

    look_back: timedelta
    keeps: timedelta
    patience: timedelta = timedelta(0)
    since: datetime | None = None
    dry_run: bool = False


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
            one = _Pass(self, subscription, wishes, rules)
            async for found in one.run():
                yield found
            if one.is_complete:
                self.unfinished.discard(subscription)


@dataclass(frozen=True, slots=True)
class _Looked:
    """A notification that was compared with what is recorded."""

    alert: ListedAlert
    condition: Condition
    connection: str
    outcome: Outcome
    reason: str

    def found(self, outcome: Outcome | None = None, reason: str = "") -> Found:
        alert, condition = self.alert, self.condition
        at = _at(alert, condition)
        outcome, reason = outcome or self.outcome, reason or self.reason
        return Found(alert.alert_id, rule_name(alert), self.connection, condition, at, outcome, reason)


class _Pass:
    """Catches up in one subscription."""

    def __init__(
        self, owner: CatchingUp, subscription: str, wishes: Wishes, rules: Mapping[str, frozenset[str]]
    ) -> None:
        self._api = owner._api  # noqa: SLF001 - a part of the same thing
        self._taking = owner._taking  # noqa: SLF001 - as above
        self._cursors = owner._cursors  # noqa: SLF001 - as above
        self._groups = owner._groups  # noqa: SLF001 - as above
        self._bounds = owner._bounds  # noqa: SLF001 - as above
        self._now = owner._clock()  # noqa: SLF001 - as above
        self._subscription = subscription
        self._wishes = wishes
        self._rules = rules
        self._name = f"azure-missed:{subscription}"
        self._alerts_left = self._bounds.alerts
        self._ends_at = monotonic() + self._bounds.seconds
        self.is_complete = False
        self._is_cut = False
        self._trouble: Exception | None = None

    async def run(self) -> AsyncIterator[Found]:
        progress = await self._begin()
        for _ in range(self._bounds.pages):
            page = await self._page(progress)
            changed = [one for one in page.alerts if one.modified is None or one.modified >= progress.since]
            async for found in self._look_at(changed, progress):
                yield found
            if self._trouble is not None:
                raise self._trouble
            if self._is_cut:
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
        return next_pass(known, now=self._now, look_back=wishes.look_back, keeps=wishes.keeps, since=wishes.since)

    async def _page(self, progress: Progress) -> Page:
        """Read the page that is next; from the start where Azure does not give the one that we were at.

        Its address may be too old, or one of another cloud; asked for again and again, it would hold up everything.
        """
        if progress.page is not None:
            try:
                return await self._api.page(self._subscription, progress.page)
            except AzureRefused as error:
                if error.status in _NOT_OF_THE_PAGE:
                    raise
            except AzureUnreachable:
                pass
        return await self._api.page(self._subscription)

    def _after(self, progress: Progress, following: str | None) -> Progress:
        if following is not None:
            return msgspec.structs.replace(progress, page=following)
        # What is younger than our patience was left out, and is looked at again.
        until = (progress.began or self._now) - self._wishes.patience
        return Progress(floor=progress.floor, until=max(progress.until, until))

    async def _keep(self, progress: Progress) -> None:
        if self._wishes.since is None and not self._wishes.dry_run:
            await self._cursors.keep_cursor(self._name, to_keep(progress))

    async def _look_at(self, alerts: Sequence[ListedAlert], progress: Progress) -> AsyncIterator[Found]:
        """Take in what is missing of some alerts, in the order of events.

        All of it is read before anything is taken in, and then taken in at once: what fired and ended in the outage
        shall not open a work item for the time that reading others takes.
        """
        meant = await self._meant(alerts)
        recorded = await self._recorded(alerts, meant)
        told = [(one, condition) for one in alerts for condition in conditions(one)]
        looked = [
            one
            for alert, condition in sorted(told, key=lambda one: _at(*one) or self._now)
            if self._is_of_interest(alert, condition, progress)
            for one in self._compared(alert, condition, meant[alert.guid], recorded, progress)
        ]
        whole = {} if self._wishes.dry_run else await self._read([one for one in looked if one.outcome is _MISSING])
        if self._is_cut:
            unread = (n for n, one in enumerate(looked) if one.outcome is _MISSING and one.alert.guid not in whole)
            looked = looked[: next(unread, len(looked))]
        for start in range(0, len(looked), _AT_ONCE):
            some = [self._take_in(one, whole) for one in looked[start : start + _AT_ONCE]]
            for one in await asyncio.gather(*some, return_exceptions=True):
                if isinstance(one, BaseException):
                    raise one
                yield one

    async def _take_in(self, one: _Looked, whole: Mapping[str, ListedAlert]) -> Found:
        if one.outcome is not _MISSING or one.alert.guid not in whole:
            return one.found()
        body = body_of(whole[one.alert.guid], one.condition)
        return one.found(*await self._taking.take_in(one.connection, body))

    async def _read(self, missing: Iterable[_Looked]) -> dict[str, ListedAlert]:
        """Read the alerts of what is missing, as far as this run may; what keeps it from more is told afterwards."""
        whole: dict[str, ListedAlert] = {}
        for one in missing:
            if one.alert.guid in whole:
                continue
            if self._alerts_left <= 0 or (whole and monotonic() >= self._ends_at):
                self._is_cut = True
                break
            self._alerts_left -= 1
            try:
                whole[one.alert.guid] = await self._with_context(one.alert)
            except (AzureRefused, AzureUnreachable, NotSignedIn) as error:
                self._is_cut, self._trouble = True, error
                break
        return whole

    async def _with_context(self, alert: ListedAlert) -> ListedAlert:
        """Read an alert; one that Azure lists and does not give is taken as it was listed, and holds up no other."""
        try:
            return _with_context(alert, await self._api.alert(alert))
        except AzureRefused as error:
            if error.status in _NOT_OF_THE_PAGE or error.status >= _PASSES:
                raise
            return alert

    def _compared(
        self,
        alert: ListedAlert,
        condition: Condition,
        meant: Meant,
        recorded: Mapping[tuple[str, str], frozenset[Condition]],
        progress: Progress,
    ) -> Iterator[_Looked]:
        """Say for each connection whether a notification is missing."""
        if not meant.connections:
            yield _Looked(alert, condition, "", Outcome.NOT_OURS, meant.reason)
        for connection in meant.connections:
            known = recorded.get((connection, alert.alert_id.lower()), frozenset())
            outcome, reason = self._known(alert, condition, known, progress)
            yield _Looked(alert, condition, connection, outcome, reason or meant.reason)

    async def _meant(self, alerts: Sequence[ListedAlert]) -> dict[str, Meant]:
        """Say for whom alerts were, by GUID.

        The end of an alert whose firing was recorded is wanted whatever its rule names now: its work item is open.
        """
        meant = {one.guid: meant_for(one, self._groups, self._rules) for one in alerts}
        strays = [one for one in alerts if one.resolved and not one.suppressed and not meant[one.guid].connections]
        for connection in dict.fromkeys(group.connection for group in self._groups) if strays else ():
            recorded = await self._taking.recorded(connection, [one.alert_id for one in strays])
            for one in strays:
                if Condition.FIRED in recorded.get(one.alert_id.lower(), ()):
                    meant[one.guid] = Meant((*meant[one.guid].connections, connection), "its firing was recorded")
        return meant

    async def _recorded(
        self, alerts: Sequence[ListedAlert], meant: Mapping[str, Meant]
    ) -> dict[tuple[str, str], frozenset[Condition]]:
        wanted: dict[str, list[str]] = {}
        for alert in alerts:
            for connection in meant[alert.guid].connections:
                wanted.setdefault(connection, []).append(alert.alert_id)
        found = {connection: await self._taking.recorded(connection, ids) for connection, ids in wanted.items()}
        return {(name, one): known for name, ids in found.items() for one, known in ids.items()}

    def _is_of_interest(self, alert: ListedAlert, condition: Condition, progress: Progress) -> bool:
        """Whether an event lies in the time that is looked at, and Azure has surely given up on it."""
        at = _at(alert, condition)
        if at is None:
            return True
        is_young = bool(self._wishes.patience) and at > self._now - self._wishes.patience
        return at >= progress.floor and not is_young

    @staticmethod
    def _known(
        alert: ListedAlert, condition: Condition, known: frozenset[Condition], progress: Progress
    ) -> tuple[Outcome, str]:
        if condition in known:
            return Outcome.KNOWN, ""
        began_before = alert.started is not None and alert.started < progress.floor
        if condition is Condition.RESOLVED and Condition.FIRED not in known and began_before:
            return Outcome.NOT_OURS, "it fired before the time that is looked at, and was never recorded"
        return Outcome.MISSING, ""


def _at(alert: ListedAlert, condition: Condition) -> datetime | None:
    if condition is Condition.FIRED:
        return alert.started
    return alert.resolved_at or alert.modified


def _with_context(listed: ListedAlert, read: ListedAlert) -> ListedAlert:
    """Take the context of what was read later; what was decided on stays as it was listed."""
    return replace(
        listed,
        context=read.context or listed.context,
        custom_properties=read.custom_properties or listed.custom_properties,
    )
