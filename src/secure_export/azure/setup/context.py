"""What the steps of one tenant share: the two APIs, what is wanted, and what was found out on the way."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay, wait_exponential

from secure_export.azure.api import AzureApi
from secure_export.azure.errors import AzureRefused, AzureUnreachable, ConnectionBroken
from secure_export.azure.setup.wanted import WantedTenant

_PATIENCE_SECONDS = 120.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0
_LOOKS = 3
T = TypeVar("T")


@dataclass(slots=True)
class Found:
    """Ids that later steps need; None: not there, or not yet.

    Attributes:
        application_id: The app registration's object id.
        client_id: Its application (client) id.
        identifier_uri: Its Application ID URI.
        service_principal_id: The object id of its service principal.
        role_id: The id of the app role that callers must have.
        caller_id: The object id of the action groups' service principal.
    """

    application_id: str | None = None
    client_id: str | None = None
    identifier_uri: str | None = None
    service_principal_id: str | None = None
    role_id: str | None = None
    caller_id: str | None = None


@dataclass(slots=True)
class Context:
    """What the steps of one tenant share.

    Attributes:
        graph: Microsoft Graph.
        manager: Azure Resource Manager.
        wanted: What should be there.
        claims: What the token for Microsoft Graph says of who signs in.
        found: What was found out so far.
        waits: Told of each pause while something that was made does not show yet: what, why, and for how many seconds.
        first_pause_seconds: How long the first such pause is.
        patience_seconds: For how long it is waited in all.
    """

    graph: AzureApi
    manager: AzureApi
    wanted: WantedTenant
    claims: Mapping[str, Any] = field(default_factory=dict)
    found: Found = field(default_factory=Found)
    waits: Callable[[str, str, float], None] = lambda *_: None
    first_pause_seconds: float = _FIRST_PAUSE_SECONDS
    patience_seconds: float = _PATIENCE_SECONDS

    @property
    def me(self) -> str | None:
        """The object id of who signs in; None where it is not known."""
        object_id = self.claims.get("oid")
        return str(object_id) if object_id else None

    async def patiently(
        self, what: str, attempt: Callable[[], Awaitable[None]], *, while_: Callable[[AzureRefused], bool]
    ) -> None:
        """Make an attempt again and again while the directory's servers do not agree yet, or an answer was lost.

        Entra ID answers from several servers: what one has made another may not know for a minute or two.

        Args:
            what: What is waited for, for people.
            attempt: What is tried.
            while_: Whether a refusal may be such a delay.

        Raises:
            AzureRefused: The last refusal, or one that is no delay.
            ConnectionBroken: The connection broke each time.
        """

        def told(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            self.waits(what, str(error), state.next_action.sleep if state.next_action else 0.0)

        async def once() -> None:
            await attempt()  # tenacity awaits only what was defined with ``async``

        patient = AsyncRetrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, ConnectionBroken) or (isinstance(error, AzureRefused) and while_(error))
            ),
            wait=wait_exponential(multiplier=self.first_pause_seconds, max=_LONGEST_PAUSE_SECONDS),
            stop=stop_after_delay(self.patience_seconds),
            before_sleep=told,
            reraise=True,
        )
        await patient(once)

    async def found_again(self, read: Callable[[], Awaitable[T | None]]) -> T | None:
        """Read something that is to be taken back: what a server does not know may be there for others."""
        for turn in range(_LOOKS):
            there = await read()
            if there is not None or turn == _LOOKS - 1:
                return there
            await asyncio.sleep(self.first_pause_seconds)
        return None

    async def delete(self, api: AzureApi, path: str, *, version: str | None = None) -> bool:
        """Delete something; whether it was there."""
        try:
            await api.call("DELETE", path, query={"api-version": version} if version else None)
        except AzureRefused as error:
            if error.is_missing:
                return False
            raise
        return True

    async def until(self, what: str, shows: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something that was made shows.

        Raises:
            AzureUnreachable: It does not, for longer than we are patient.
        """

        async def attempt() -> None:
            if not await shows():
                raise _NotYet

        try:
            await self.patiently(what, attempt, while_=lambda error: isinstance(error, _NotYet) or error.is_missing)
        except _NotYet:
            raise AzureUnreachable(
                f"{what} was made, but Azure does not show it after {self.patience_seconds:.0f} s; run this again"
            ) from None


class _NotYet(AzureRefused):
    def __init__(self) -> None:
        super().__init__(404, "", "it does not show yet")
