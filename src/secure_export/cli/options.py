"""Options that several commands share, and how they open the program's parts."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop

from secure_export.app import Parts, opened
from secure_export.itsm.registry import connector_types
from secure_export.settings_file import DEFAULT_FILE, read_settings
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
async def parts(config: Path) -> AsyncIterator[Parts]:
    """Open what the configuration names."""
    types = connector_types()
    async with opened(read_settings(config, types), types) as found:
        yield found


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work on the loop that the service uses; only errors are logged, beside what it prints."""
    set_up_logging("console", "error")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
