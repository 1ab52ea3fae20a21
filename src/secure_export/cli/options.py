"""Options that several commands share, and how they open the program's parts."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, TypeVar

import typer
import uvloop

from secure_export.app import Parts, opened
from secure_export.itsm.registry import connector_types
from secure_export.settings import StoreSettings
from secure_export.settings_file import DEFAULT_FILE, read_settings
from secure_export.store.open import store_exists
from secure_export.telemetry.logging import set_up_logging

T = TypeVar("T")

Config = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file.", envvar="SECURE_EXPORT_CONFIG", metavar="F")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many to print, newest first.")]
All = Annotated[bool, typer.Option("--all", help="Print everything there is.")]
Connection = Annotated[
    str | None, typer.Option("--connection", help="Only what belongs to this connection.", metavar="C")
]
DEFAULT_LIMIT = 100

__all__ = ["DEFAULT_FILE", "DEFAULT_LIMIT", "All", "AsJson", "Config", "Connection", "Limit", "parts", "run_async"]


@asynccontextmanager
async def parts(config: Path, *, make: bool = False) -> AsyncIterator[Parts]:
    """Open what the configuration names.

    Args:
        config: The configuration file.
        make: Whether a store is made where there is none. What only looks makes none, and sees an empty one.
    """
    types = connector_types()
    settings = read_settings(config, types)
    with TemporaryDirectory() as folder:
        if not make and not store_exists(settings.store.url):
            settings = settings.model_copy(update={"store": StoreSettings(url=f"sqlite:///{folder}/empty.db")})
        async with opened(settings, types) as found:
            yield found


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work on the loop that the service uses; only errors are logged, beside what it prints."""
    set_up_logging("console", "error")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
