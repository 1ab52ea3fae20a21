"""A sandbox Entra ID in a thread of its own, for tests that talk to the real program."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from secure_export.sandbox.entra.run import start_entra


@contextmanager
def entra_running() -> Iterator[str]:
    """Run a sandbox Entra ID; gives its base URL."""
    started, stop = threading.Event(), threading.Event()
    found: list[str] = []

    async def run() -> None:
        entra, running = await start_entra()
        found.append(entra.base_url)
        started.set()
        await asyncio.to_thread(stop.wait)
        await running.stop()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="sandbox entra")
    thread.start()
    try:
        assert started.wait(10)
        yield found[0]
    finally:
        stop.set()
        thread.join(10)
