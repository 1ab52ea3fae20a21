"""A sandbox Entra ID in a thread of this process, and one token of it."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.machine import cores
from secure_export.sandbox.entra import (
    AZNS_APP_ID,
    AZNS_SANDBOX_SECRET,
    DEFAULT_TENANT_ID,
    RESOURCE_APP_ID,
    SandboxEntra,
    start_entra,
)

_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Entra:
    """Who vouches for the load generator.

    Attributes:
        authority: The base URL.
        tenant: The tenant's id.
        audience: The application that the token is for.
        token: A token as an action group has it, good for an hour.
    """

    authority: str
    tenant: str
    audience: str
    token: str


@contextmanager
def entra_running() -> Iterator[Entra]:
    """Run a sandbox Entra ID while the block runs."""
    started, stop = threading.Event(), threading.Event()
    found: list[SandboxEntra] = []

    async def run() -> None:
        entra, serving = await start_entra()
        found.append(entra)
        started.set()
        await asyncio.to_thread(stop.wait)
        await serving.stop()

    def on_its_core() -> None:
        os.sched_setaffinity(0, {cores().load})
        asyncio.run(run())

    thread = threading.Thread(target=on_its_core, name="sandbox entra")
    thread.start()
    try:
        if not started.wait(_PATIENCE_SECONDS):
            raise RuntimeError("the sandbox Entra ID did not start")
        issued = found[0].issue(DEFAULT_TENANT_ID, AZNS_APP_ID, AZNS_SANDBOX_SECRET, RESOURCE_APP_ID)
        yield Entra(found[0].base_url, DEFAULT_TENANT_ID, RESOURCE_APP_ID, issued.token)
    finally:
        stop.set()
        thread.join()
