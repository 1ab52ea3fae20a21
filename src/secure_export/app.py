"""Builds the program out of its rooms: the store, the connectors, and the rules of each connection.

Only here and in ``service.py``, which starts and stops what runs, concrete classes are known. The command line, the
demo and the tests all begin here.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from secure_export.delivery.connection import Target
from secure_export.delivery.place_keepers import PlaceKeepers
from secure_export.errors import SettingsError
from secure_export.intake.door import ANY_SUBSCRIPTION, ConnectionDoor
from secure_export.intake.replay import Replay
from secure_export.itsm.contract import ConnectorType
from secure_export.itsm.resources import Resources
from secure_export.itsm.share import Share
from secure_export.policy.decide import Policy
from secure_export.settings import ConnectionSettings, ServerSettings, Settings
from secure_export.store.open import Store, open_store
from secure_export.workitems.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class Parts:
    """What commands and the service have in common.

    Attributes:
        settings: The configuration.
        store: What is kept.
        targets: The connections, by name.
        keepers: What keeps this process's places in their limits, once it delivers.
    """

    settings: Settings
    store: Store
    targets: Mapping[str, Target]
    keepers: PlaceKeepers


@asynccontextmanager
async def opened(settings: Settings, types: Mapping[str, ConnectorType]) -> AsyncIterator[Parts]:
    """Open the store and make the connectors; close them in reverse.

    Raises:
        StoreUnavailable: The store cannot be opened.
        SettingsError: The store does not fit this program, or a connection cannot be used as it is configured.
    """
    async with AsyncExitStack() as stack:
        store = await open_store(settings.store.url, password=settings.store.password_now)
        stack.push_async_callback(store.close)
        resources = Resources(desk=store.desk, clock=store.clock, console_url=console_url(settings.server))
        keepers = PlaceKeepers(store.allotments)
        stack.push_async_callback(keepers.close)  # after the connectors: signing out is a call, too
        targets: dict[str, Target] = {}
        for name, connection in settings.connections.items():
            targets[name] = _target(name, connection, types[connection.type], resources)
            stack.push_async_callback(targets[name].connector.close)
        yield Parts(settings, store, targets, keepers)


def console_url(server: ServerSettings) -> str:
    """Say where people reach the console."""
    if server.public_url:
        return server.public_url.rstrip("/")
    scheme = "https" if server.tls_certificate else "http"
    return f"{scheme}://{server.listen}"


def sharing(parts: Parts) -> Sequence[Target]:
    """Give the connections whose limits all processes share: those to tools elsewhere, and those with a limit set.

    The desk, which is in our own store, has limits only where the configuration says so.
    """
    configured = parts.settings.connections
    return [
        target
        for name, target in parts.targets.items()
        if not target.in_process or configured[name].concurrency or configured[name].rate_per_second
    ]


def doors(settings: Settings) -> dict[str, ConnectionDoor]:
    """Say what each connection's webhook lets in, and which lane an alert goes to."""
    return {name: _door(connection) for name, connection in settings.connections.items()}


def replay(parts: Parts) -> Replay:
    """Make what takes notifications out of quarantine."""
    return Replay(parts.store.records, parts.store.actions, doors(parts.settings), clock=parts.store.clock)


def _door(connection: ConnectionSettings) -> ConnectionDoor:
    policy = _policy(connection)
    return ConnectionDoor(
        subscriptions=_listed(connection) or frozenset({ANY_SUBSCRIPTION}),
        tenants=frozenset(t.lower() for t in connection.tenants) if connection.tenants is not None else None,
        correlate=lambda alert: policy.correlate(alert).key,
    )


def _listed(connection: ConnectionSettings) -> frozenset[str] | None:
    """The subscriptions that a connection lists, in lower case; None when it takes alerts of every one."""
    listed = frozenset(subscription.lower() for subscription in connection.subscriptions)
    return None if ANY_SUBSCRIPTION in listed else listed


def _policy(connection: ConnectionSettings) -> Policy:
    return Policy(*connection.routes)


def _target(name: str, connection: ConnectionSettings, kind: ConnectorType, resources: Resources) -> Target:
    share = Share()
    try:
        connector = kind.make(name, kind.settings.model_validate(connection.own), replace(resources, share=share))
    except SettingsError as error:
        raise SettingsError(f"connections.{name}: {error}") from None
    return Target(
        name=name,
        policy=_policy(connection),
        connector=connector,
        concurrency=connection.concurrency or kind.concurrency,
        in_process=kind.in_process,
        poll_seconds=connection.poll_seconds or kind.poll_seconds,
        rate_per_second=connection.rate_per_second,
        retry=RetryPolicy(connection.retry_first_seconds, connection.retry_longest_seconds),
        step_timeout_seconds=connection.step_timeout_seconds,
        subscriptions=_listed(connection),
        share=share,
    )
