"""What the running service, and ``azure missed``, do in Azure: catch up on what was missed, and tell what people did.

Here the Azure side meets the way into the service and the store; the rooms themselves do not know each other.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from secure_export.alerts.alert import Condition
from secure_export.app import Parts, doors
from secure_export.azure.alert_state.telling import Act, Telling
from secure_export.azure.api import AzureApi
from secure_export.azure.errors import AzureRefused, AzureUnreachable, NotSignedIn
from secure_export.azure.missed.alerts_api import AlertsApi
from secure_export.azure.missed.catching_up import Bounds, CatchingUp, Wishes
from secure_export.azure.missed.finding import Found, Outcome
from secure_export.azure.missed.meant import RULE_NOT_FOUND, OurGroup
from secure_export.azure.session import signed_in
from secure_export.errors import SecureExportError, StoreUnavailable
from secure_export.identity.caller import Caller, Refusal
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.entry import Post, entry_of
from secure_export.settings import Settings
from secure_export.store.open import Store
from secure_export.telemetry.complaints import Complaints
from secure_export.telemetry.metrics import Metrics

FETCHED_BY: Final = "fetched from Azure"
# Azure tries for about 75 seconds (Azure Monitor docs, action-groups, "Webhook").
_AZURE_TRIES: Final = timedelta(minutes=2)
_ALERT_STATE_SECONDS: Final = 30.0
_SOON_SECONDS: Final = 60.0
_LACKS_CONTRIBUTOR: Final = "; give who signs in the role Monitoring Contributor on the subscription"
LACKS_READER: Final = "; give who signs in the role Monitoring Reader on the subscription"
_ANY_SUBSCRIPTION: Final = "*"


class Taking:
    """Takes in what was fetched: the same reading, routing and journal as for what Azure posts.

    Args:
        store: Where it is recorded.
        doors: What each connection lets in.
        tenant_id: Whose alerts these are.
    """

    def __init__(self, store: Store, doors: Mapping[str, ConnectionDoor], tenant_id: str) -> None:
        self._store = store
        self._doors = doors
        self._caller = Caller(
            tenant_id=tenant_id,
            application_id=FETCHED_BY,
            object_id="",
            roles=(),
            token_version="",
            token_id="",
            expires_at=0,
        )

    async def recorded(self, connection: str, alert_ids: Sequence[str]) -> Mapping[str, frozenset[Condition]]:
        """Say what was recorded of alerts, by id in lower case."""
        return await self._store.upkeep.recorded(connection, alert_ids)

    async def take_in(self, connection: str, body: bytes) -> tuple[Outcome, str]:
        """Record a notification durably; gives what became of it, with the reason.

        What cannot be read is not put into quarantine: Azure still has it, and it would be put there at each run.

        Raises:
            StoreUnavailable: It could not be recorded.
        """
        door = self._doors[connection]
        if not door.lets_in(self._caller.tenant_id):
            return Outcome.NOT_ALLOWED, f"connection {connection} takes no alerts of tenant {self._caller.tenant_id}"
        post = Post(connection=connection, caller=self._caller, received_at=self._store.clock(), body=body)
        try:
            entry = entry_of(post, door)
        except Refusal as refusal:
            return Outcome.NOT_ALLOWED, refusal.detail
        if entry.quarantine_reason is not None:
            return Outcome.NOT_UNDERSTOOD, entry.quarantine_reason
        if entry.dedupe_key is None:
            return Outcome.NOT_OURS, "it is a test of an action group"
        receipt = await self._store.journal.append(entry)
        return (Outcome.KNOWN if receipt.status == "duplicate" else Outcome.TAKEN_IN), ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked in one tenant.

    Attributes:
        tenant_id: Which tenant.
        authority: Where one signs in to it.
        subscriptions: The subscriptions, in lower case.
        groups: Our action groups.
    """

    tenant_id: str
    authority: str
    subscriptions: tuple[str, ...]
    groups: tuple[OurGroup, ...]


def asked_in(settings: Settings) -> tuple[Asked, ...]:
    """Say in which tenant which subscriptions are asked about.

    A subscription belongs to the tenant of the action group that lies in it, else to that of an action group of the
    same connection, else to the first tenant.
    """
    azure, identity = settings.azure, settings.identity
    tenants = {one.tenant_id: one.authority or identity.authority for one in identity.all_tenants}
    first = next(iter(tenants), "")
    homes: dict[str, str] = {}
    for name, connection in settings.connections.items():
        home = next((g.tenant_id for g in azure.action_groups.values() if g.connection == name and g.tenant_id), first)
        homes |= {one.lower(): home for one in connection.subscriptions if one != _ANY_SUBSCRIPTION}
    homes |= {g.subscription.lower(): g.tenant_id or first for g in azure.action_groups.values()}
    if azure.missed.subscriptions:
        homes = {one.lower(): homes.get(one.lower(), first) for one in azure.missed.subscriptions}
    groups = our_groups(settings)
    return tuple(
        Asked(tenant, authority, tuple(one for one, home in homes.items() if home == tenant), groups)
        for tenant, authority in tenants.items()
        if tenant in homes.values()
    )


def our_groups(settings: Settings) -> tuple[OurGroup, ...]:
    """Give the action groups of the configuration."""
    return tuple(
        OurGroup(
            id=f"/subscriptions/{g.subscription}/resourceGroups/{g.resource_group}/providers/Microsoft.Insights/"
            f"actionGroups/{g.name or section}".lower(),
            connection=g.connection,
            subscription=g.subscription.lower() if g.link.subscription else None,
        )
        for section, g in settings.azure.action_groups.items()
        if g.connection in settings.connections
    )


def wishes_of(settings: Settings, *, patience: timedelta = timedelta(0)) -> Wishes:
    """Say what a run looks at by the configuration."""
    return Wishes(
        look_back=timedelta(hours=settings.azure.missed.look_back_hours),
        keeps=timedelta(days=settings.retention.work_items_days),
        patience=patience,
    )


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


class AzureWork:
    """Runs what the configuration allows the service to do in Azure, by timer, until it is cancelled.

    Several processes may do the same at the same time: what both take in is recorded once.

    Args:
        parts: The open store and the connections.
        metrics: Counts what was taken in.
        bounds: How much one run asks.
    """

    def __init__(self, parts: Parts, metrics: Metrics, *, bounds: Bounds | None = None) -> None:
        self._parts = parts
        self._bounds = bounds
        self._metrics = metrics
        self._asked = asked_in(parts.settings)
        self._complaints = Complaints()
        self._stopped: set[str] = set()

    async def run(self) -> None:
        """Do it until cancelled."""
        azure = self._parts.settings.azure
        async with asyncio.TaskGroup() as group:
            if azure.missed.enabled:
                usual = azure.missed.every_minutes * 60
                group.create_task(_every(usual, self._catch_up_by_timer, self._complaints))
            if azure.alert_state.enabled:
                group.create_task(_every(_ALERT_STATE_SECONDS, self.tell_acts, self._complaints))

    async def catch_up(self) -> int:
        """Fetch what Azure could not deliver; how many notifications were taken in."""
        return (await self.caught_up())[0]

    async def caught_up(self) -> tuple[int, bool]:
        """Fetch what Azure could not deliver: how many notifications were taken in, and whether there is more.

        One tenant or subscription that cannot be asked does not hide the others.
        """
        count, more = 0, False
        for asked in self._asked:
            try:
                async with catching_up(self._parts, asked, bounds=self._bounds) as run:
                    for subscription in asked.subscriptions:
                        count += await self._catch_up_in(run, subscription)
                        more |= self._goes_on(run, subscription)
            except SecureExportError as error:
                self._complaints.waits("azure work waits", error, job="catch_up", tenant=asked.tenant_id)
        return count, more

    async def _catch_up_in(self, run: CatchingUp, subscription: str) -> int:
        count, wishes = 0, wishes_of(self._parts.settings, patience=_AZURE_TRIES)
        try:
            async for found in run.run([subscription], wishes):
                count += self._noted(found)
        except AzureRefused as error:
            self._stopped.add(subscription)
            hint = LACKS_READER if error.is_denied else ""
            self._complaints.warns("azure missed refused", f"{error}{hint}", subscription=subscription)
        except (AzureUnreachable, NotSignedIn, StoreUnavailable) as error:
            self._stopped.add(subscription)
            self._complaints.waits("azure work waits", error, job="catch_up", subscription=subscription)
        except Exception as error:  # noqa: BLE001 - what is wrong with one must not hide the others
            self._stopped.add(subscription)
            self._complaints.failed("azure work failed", error, job="catch_up", subscription=subscription)
        return count

    def _goes_on(self, run: CatchingUp, subscription: str) -> bool:
        """Whether a run only reached its bounds; one that was stopped by trouble waits for its turn."""
        is_stopped = subscription in self._stopped
        self._stopped.discard(subscription)
        return subscription in run.unfinished and not is_stopped

    async def _catch_up_by_timer(self) -> float:
        """Catch up; the seconds until the next time: soon, where there is more than one run fetches."""
        _, more = await self.caught_up()
        usual = self._parts.settings.azure.missed.every_minutes * 60
        return min(usual, _SOON_SECONDS) if more else usual

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

    def _refused_act(self, act: Act, error: AzureRefused | NotSignedIn) -> None:
        hint = _LACKS_CONTRIBUTOR if isinstance(error, AzureRefused) and error.is_denied else ""
        self._complaints.warns("alert state refused", f"{error}{hint}", work_item=act.work_item)

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


async def _every(seconds: float, job: Callable[[], Awaitable[float | None]], complaints: Complaints) -> None:
    """Run a job at once and then at its interval, or after the seconds that it gives, whatever comes of it."""
    while True:
        pause = None
        try:
            pause = await job()
        except (AzureUnreachable, AzureRefused, NotSignedIn, StoreUnavailable) as error:
            complaints.waits("azure work waits", error, job=job.__name__)
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            complaints.failed("azure work failed", error, job=job.__name__)  # a library's own, and no reason to end
        except Exception as error:  # noqa: BLE001 - the timer goes on
            complaints.failed("azure work failed", error, job=job.__name__)
        await asyncio.sleep(seconds if pause is None else pause)
