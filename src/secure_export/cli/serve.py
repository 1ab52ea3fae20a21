"""``secure-export serve``."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Annotated

import structlog
import typer

from secure_export.app import Parts, opened
from secure_export.cli.options import DEFAULT_FILE, Config, run_async
from secure_export.errors import StoreUnavailable
from secure_export.itsm.contract import ConnectorType
from secure_export.itsm.registry import connector_types
from secure_export.server.garbage import collect_seldom
from secure_export.service import ALL_ROLES, Role
from secure_export.service import serve as serve_parts
from secure_export.settings import Settings
from secure_export.settings_file import read_settings
from secure_export.store.open import is_postgresql
from secure_export.telemetry.logging import set_up_logging

log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS = 1
_LONGEST_PAUSE_SECONDS = 15


def serve(
    config: Config = DEFAULT_FILE,
    role: Annotated[
        list[str] | None,
        typer.Option(
            help="What this process does: intake, delivery, console; several with commas. Without it everything.",
            metavar="ROLE",
        ),
    ] = None,
) -> None:
    """Run the service until Ctrl-C or SIGTERM.

    Example: [bold]secure-export serve --config secure-export.toml --role intake,delivery[/]
    """
    run_async(_serve(config, _roles(role)))


def _roles(given: list[str] | None) -> frozenset[Role]:
    if not given:
        return ALL_ROLES
    names = [name.strip() for text in given for name in text.split(",") if name.strip()]
    unknown = sorted(set(names) - {role.value for role in Role})
    if unknown or not names:
        raise typer.BadParameter(
            f"there is no role {', '.join(unknown) or 'of that name'}; there are: intake, delivery, console"
        )
    return frozenset(Role(name) for name in names)


async def _serve(config: Path, roles: frozenset[Role]) -> None:
    types = connector_types()
    settings = read_settings(config, types)
    set_up_logging(settings.log.format, settings.log.level)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def started(port: int) -> None:
        collect_seldom()
        log.info(
            "service started",
            address=f"{settings.server.host}:{port}",
            roles=sorted(roles),
            connections=sorted(settings.connections),
        )

    async with AsyncExitStack() as stack:
        found = await _opened(stack, settings, types, stop)
        if found is not None:
            await serve_parts(found, stop=stop, roles=roles, on_started=started)
    log.info("service stopped")


async def _opened(
    stack: AsyncExitStack, settings: Settings, types: Mapping[str, ConnectorType], stop: asyncio.Event
) -> Parts | None:
    """Open store and connections; None if it is to stop before a database server that is away has come back.

    A file is not waited for: it does not come back by itself.
    """
    pause = _FIRST_PAUSE_SECONDS
    while not stop.is_set():
        try:
            return await stack.enter_async_context(opened(settings, types))
        except StoreUnavailable as error:
            if not is_postgresql(settings.store.url):
                raise
            log.warning("waiting for the store", reason=str(error), again_in_seconds=pause)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    return None
