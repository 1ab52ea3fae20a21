"""The running service: starts the rooms in order, and stops them in reverse."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from enum import StrEnum
from typing import Any

from secure_export.app import Parts, doors, replay, sharing
from secure_export.azure_work.work import AzureWork
from secure_export.clock import utc_now
from secure_export.console.app import console_app
from secure_export.delivery.connection import Target
from secure_export.delivery.contract import Retention
from secure_export.delivery.upkeep import Upkeep
from secure_export.delivery.worker import Worker
from secure_export.front import Front
from secure_export.identity.gate import Gate
from secure_export.intake.app import Intake
from secure_export.server import TlsFiles, serve_asgi
from secure_export.settings import RetentionSettings
from secure_export.telemetry.health import Health
from secure_export.telemetry.metrics import Metrics


class Role(StrEnum):
    """What a process does; one that is not told does everything."""

    INTAKE = "intake"
    DELIVERY = "delivery"
    CONSOLE = "console"


ALL_ROLES = frozenset(Role)


async def serve(
    parts: Parts,
    *,
    stop: asyncio.Event,
    roles: Collection[Role] = ALL_ROLES,
    on_started: Callable[[int], None] | None = None,
) -> None:
    """Run the service until ``stop`` is set; then finish what was begun.

    Args:
        parts: The open store and the connections.
        stop: Set it to end.
        roles: What this process does.
        on_started: Called with the port once connections are taken.

    Raises:
        OSError: The address cannot be listened on.
    """
    settings, store = parts.settings, parts.store
    metrics, health = Metrics(), Health()
    health.add("store", store.ready)
    store.watch_commits(metrics.store_commit_seconds.observe)
    async with AsyncExitStack() as stack:
        gate = Gate(settings.identity, clock=utc_now, on_keys_age=metrics.keys_aged)
        if Role.INTAKE in roles or Role.CONSOLE in roles:
            await gate.start()
            stack.push_async_callback(gate.stop)
            health.add("signing_keys", gate.ready)
        if Role.DELIVERY in roles:
            await stack.enter_async_context(_delivering(parts, metrics, health))
        front = Front(
            intake=_intake(parts, gate, metrics) if Role.INTAKE in roles else None,
            console=_console(parts, gate) if Role.CONSOLE in roles else None,
            health=health,
            metrics=metrics,
            records=store.records,
        )
        server = settings.server
        await serve_asgi(
            front,
            server.host,
            server.port,
            stop=stop,
            tls=TlsFiles(server.tls_certificate, server.tls_key) if server.tls_certificate and server.tls_key else None,
            on_started=on_started,
            trusted_proxies=",".join(server.trusted_proxies),
            shortcut=front.intake.shortcut if front.intake is not None else None,
            refused=metrics.refused,
        )


def _intake(parts: Parts, gate: Gate, metrics: Metrics) -> Intake:
    return Intake(gate, parts.store.journal, doors(parts.settings), metrics, clock=parts.store.clock)


def _console(parts: Parts, gate: Gate) -> Any:
    return console_app(
        records=parts.store.records,
        actions=parts.store.actions,
        desk=parts.store.desk,
        gate=gate,
        replay=replay(parts),
        local_access=parts.settings.lets_this_machine_in,
        clock=utc_now,
    )


@asynccontextmanager
async def _delivering(parts: Parts, metrics: Metrics, health: Health) -> AsyncIterator[None]:
    """Deliver for every connection and keep the timers, until the block ends."""
    targets: Sequence[Target] = list(parts.targets.values())
    workers = [Worker(target, parts.store.lanes, watch=metrics, clock=parts.store.clock) for target in targets]
    for target, worker in zip(targets, workers, strict=True):
        health.add(f"delivery:{target.name}", worker.ready)
    retention = _retention(parts.settings.retention)
    parts.keepers.begin(sharing(parts), told=metrics.places_held)
    health.add("places", parts.keepers.ready)
    alone = parts.keepers.alone("timers")
    upkeep = Upkeep(parts.store.upkeep, targets, retention=retention, alone=alone, clock=parts.store.clock)
    tasks = [asyncio.create_task(worker.run(), name="delivery") for worker in workers]
    timers = [
        asyncio.create_task(upkeep.run(), name="upkeep"),
        asyncio.create_task(AzureWork(parts, metrics, parts.keepers.alone).run(), name="azure"),
    ]
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
        await asyncio.gather(*(worker.stop() for worker in workers))
        for task in (*timers, *tasks):
            with suppress(asyncio.CancelledError):
                await task


def _retention(settings: RetentionSettings) -> Retention:
    return Retention(
        notifications=timedelta(days=settings.notifications_days),
        work_items=timedelta(days=settings.work_items_days),
        quarantine=timedelta(days=settings.quarantine_days),
    )
