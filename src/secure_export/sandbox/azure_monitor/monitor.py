"""Azure Monitor's notifying half: action groups, called side by side, each by Azure's rules."""

import asyncio
import itertools
import json
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import aiohttp

from secure_export.sandbox.azure_monitor.action_group import ActionGroup, Webhook
from secure_export.sandbox.azure_monitor.catalogue.story import Notification
from secure_export.sandbox.azure_monitor.credentials import CachedToken, ClientCredentials
from secure_export.sandbox.azure_monitor.delivery import WebhookSender
from secure_export.sandbox.azure_monitor.rules import BAN_SECONDS, TIMEOUT_SECONDS, Bans, Result

MOST_GROUPS_PER_RULE: Final = 5
_KEPT_DELIVERIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: one body for actions with the common alert schema on, one for those with it off.

    Attributes:
        kind: The catalogue's name, or ``raw``.
        condition: ``Fired``, ``Resolved``, or empty for a raw body.
        alert_id: ``essentials.alertId``; None where the body has none.
        common: The body with the common alert schema on.
        legacy: The body with it off.
    """

    kind: str
    condition: str
    alert_id: str | None
    common: bytes
    legacy: bytes

    @classmethod
    def of(cls, kind: str, notification: Notification) -> Self:
        """Encode a notification."""
        common, legacy = (json.dumps(notification.body(common_schema=one)).encode() for one in (True, False))
        return cls(kind, notification.condition, notification.alert_id, common, legacy)

    @classmethod
    def raw(cls, body: bytes) -> Self:
        """Take a body as it is, whatever it says."""
        return cls("raw", "", None, body, body)


@dataclass(slots=True)
class Delivery:
    """One message on its way to one webhook of one group.

    Attributes:
        number: Counts up from 1.
        message: What is sent.
        group: The action group that sends it.
        webhook: The receiver.
        began_at: Seconds since the epoch.
        result: How it ended; None: it is under way.
    """

    number: int
    message: Message
    group: str
    webhook: Webhook
    began_at: float
    result: Result | None = None

    @property
    def body(self) -> bytes:
        """What this webhook gets, by its setting."""
        return self.message.common if self.webhook.use_common_alert_schema else self.message.legacy


class AzureMonitor:
    """Holds action groups and notifies them.

    Use it as an asynchronous context manager, or call ``close`` when done.

    Attributes:
        authority: Where tokens come from: Entra ID's base URL.
        groups: The action groups by name in lower case.
        bans: The end points that no group calls just now.
        deliveries: The latest ten thousand deliveries, in the order they began.
        observers: Told of every message before it is sent, and to which groups.
    """

    def __init__(  # noqa: PLR0913 - what a test may want to set
        self,
        authority: str,
        client_id: str,
        client_secret: str,
        *,
        groups: Iterable[ActionGroup] = (),
        time_scale: float = 1.0,
        timeout_seconds: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall_clock: Callable[[], float] = time.time,
        chance: random.Random | None = None,
    ) -> None:
        """Set up without connecting.

        Args:
            authority: Entra ID's base URL.
            client_id: Azure Monitor's application id there.
            client_secret: What it proves itself with.
            groups: Action groups.
            time_scale: What Azure's waits and its ban are multiplied by.
            timeout_seconds: How long one call may take; not scaled.
            clock: Seconds that only grow.
            sleep: Waits that many seconds.
            wall_clock: Seconds since the epoch.
            chance: Decides in which order groups are called.
        """
        self.authority = authority.rstrip("/")
        self.groups: dict[str, ActionGroup] = {}
        self.bans = Bans(clock, seconds=BAN_SECONDS * time_scale)
        self.deliveries: deque[Delivery] = deque(maxlen=_KEPT_DELIVERIES)
        self.observers: list[Callable[[Message, Sequence[str]], None]] = []
        self._numbers = itertools.count(1)
        self._client = (client_id, client_secret)
        self._time_scale = time_scale
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._sleep = sleep
        self._wall_clock = wall_clock
        self._chance = chance or random.Random()
        self._session: aiohttp.ClientSession | None = None
        self._senders: dict[tuple[str, str, str], WebhookSender] = {}
        for group in groups:
            self.put_group(group)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        self._senders.clear()

    def put_group(self, group: ActionGroup) -> None:
        """Add an action group, or put another in its place."""
        self.groups[group.name.lower()] = group

    def ask_tokens_of(self, authority: str, client_id: str | None = None, client_secret: str | None = None) -> None:
        """Take tokens from another Entra ID from now on; None keeps the credentials as they are."""
        self.authority = authority.rstrip("/")
        self._client = (client_id or self._client[0], client_secret or self._client[1])
        self._senders.clear()

    def forget_tokens(self) -> None:
        """Ask for new tokens from now on, instead of keeping each until it ends."""
        self._senders.clear()

    async def notify(self, message: Message, groups: Sequence[str]) -> list[Delivery]:
        """Send a message to every webhook of these groups, all at once and in no order.

        A group that is named twice is called once; a receiver that stands in two groups is called twice.

        Args:
            message: What is sent.
            groups: Names of at most five action groups.

        Returns:
            The deliveries, ended.

        Raises:
            LookupError: There is no such group.
            ValueError: There are too many.
        """
        found = self.find(groups)
        for tell in self.observers:
            tell(message, [one.name for one in found])
        return await self._deliver_all(
            [one for group in found for one in self._start(message, group.name, group.webhooks)]
        )

    async def send(self, message: Message, group: str, webhooks: Sequence[Webhook]) -> list[Delivery]:
        """Send a message to webhooks that no group holds, such as those of a test.

        Returns:
            The deliveries, ended.
        """
        return await self._deliver_all(self._start(message, group, webhooks))

    async def pause(self, seconds: float) -> None:
        """Wait, unscaled, by the sleep that deliveries use."""
        await self._sleep(seconds)

    def find(self, names: Sequence[str]) -> list[ActionGroup]:
        """Find the action groups with these names, each once, without those that are disabled.

        Raises:
            LookupError: There is no such group.
            ValueError: There are more than a rule can have.
        """
        wanted = list(dict.fromkeys(self._key(name) for name in names))
        if len(wanted) > MOST_GROUPS_PER_RULE:
            raise ValueError(f"An alert rule has at most {MOST_GROUPS_PER_RULE} action groups, not {len(wanted)}.")
        if missing := [name for name in wanted if name not in self.groups]:
            raise LookupError(
                f"There is no action group {missing[0]!r}; there are: {', '.join(self.groups) or 'none'}."
            )
        return [self.groups[name] for name in wanted if self.groups[name].enabled]

    def _key(self, name: str) -> str:
        """Give a group's key: its name, or the end of its ARM id where no other id ends so."""
        key = name.lower()
        if key in self.groups:
            return key
        ending = [one for one in self.groups if one.endswith(f"/actiongroups/{key}")]
        return ending[0] if len(ending) == 1 else key

    def _start(self, message: Message, group: str, webhooks: Sequence[Webhook]) -> list[Delivery]:
        started = [Delivery(next(self._numbers), message, group, one, self._wall_clock()) for one in webhooks]
        self.deliveries.extend(started)
        return started

    async def _deliver_all(self, started: list[Delivery]) -> list[Delivery]:
        self._chance.shuffle(started)
        await asyncio.gather(*(self._deliver(one) for one in started))
        return started

    async def _deliver(self, delivery: Delivery) -> None:
        delivery.result = await self._sender(delivery.webhook).send(delivery.body)

    def _sender(self, webhook: Webhook) -> WebhookSender:
        key = (webhook.service_uri, webhook.tenant_id, webhook.identifier_uri if webhook.use_aad_auth else "")
        if key not in self._senders:
            self._senders[key] = WebhookSender(
                webhook.service_uri,
                self._token(webhook) if webhook.use_aad_auth else None,
                session=self._shared_session(),
                bans=self.bans,
                clock=self._clock,
                sleep=self._sleep,
                time_scale=self._time_scale,
                timeout_seconds=self._timeout_seconds,
            )
        return self._senders[key]

    def _token(self, webhook: Webhook) -> CachedToken:
        endpoint = f"{self.authority}/{webhook.tenant_id}/oauth2/v2.0/token"
        return CachedToken(ClientCredentials(endpoint, *self._client, webhook.identifier_uri), clock=self._clock)

    def _shared_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._session
