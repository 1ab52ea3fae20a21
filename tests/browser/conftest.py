"""A console that a real browser opens, over a service that took in every kind of alert."""

import asyncio
import shutil
import socket
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, sync_playwright
from tests.unit.console.whole import Whole, fill, whole_service

T = TypeVar("T")

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_CHROMIUM = "no Chromium was found: install it (apt-get install chromium) to have the pages tried in a browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, and skip it where there is no browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it again at the end, where it is seen."""
    if CHROMIUM is None:
        terminalreporter.write_line(f"WARNING: browser tests did not run: {NO_CHROMIUM}", yellow=True, bold=True)


@dataclass
class Served:
    """A console that is served.

    Attributes:
        url: Where.
        whole: What is behind it.
        loop: The loop that all of it runs on.
    """

    url: str
    whole: Whole
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Have something done behind the console, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a filled console on a free port of the loopback address, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    started, stop = threading.Event(), threading.Event()
    found: list[Served] = []

    async def run() -> None:
        async with whole_service(tmp_path_factory.mktemp("console"), url) as whole:
            whole.clock.now = datetime.now(UTC) - timedelta(minutes=12)
            await fill(whole)
            whole.clock.now = datetime.now(UTC)
            server = uvicorn.Server(uvicorn.Config(whole.app(), log_config=None, lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
                await asyncio.sleep(0.01)
            found.append(Served(url, whole, asyncio.get_running_loop()))
            started.set()
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await serving

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="console")
    thread.start()
    try:
        assert started.wait(30)
        yield found[0]
    finally:
        stop.set()
        thread.join(30)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser that talks to nobody but the console.

    It must not outlive the module: Playwright's loop runs in this thread until then, and tests that are asynchronous
    could not run theirs.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page whose every complaint, and every request to elsewhere, is written down."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Open an address of the console, which must answer 200."""
        answer = self.page.goto(self.url + path)
        assert answer is not None
        assert answer.status == 200, path

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def on_dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def on_request(self, request: Request) -> None:
        if not request.url.startswith(self.url):
            self.complaints.append(f"request to {request.url}")


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A reader in Berlin."""
    context = chromium.new_context(locale="en-GB", timezone_id="Europe/Berlin", viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def watched(context: BrowserContext, served: Served) -> Iterator[Watched]:
    """A page; at the end of the test it must not have complained."""
    page = context.new_page()
    watched = Watched(page, served.url)
    page.on("console", watched.on_console)
    page.on("pageerror", lambda error: watched.complaints.append(f"script: {error}"))
    page.on("request", watched.on_request)
    page.on("dialog", watched.on_dialog)
    yield watched
    assert watched.complaints == []
