"""Runs the stand-in by itself."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Final, Unpack

from secure_export.sandbox import serving as server
from secure_export.sandbox.greeting import ca_file, greeting
from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.app import ServiceNowApp, servicenow_app
from secure_export.sandbox.servicenow.demo_access import (
    ADMIN,
    API_KEY,
    CLIENT_ID,
    CLIENT_SECRET,
    INTEGRATION_USER,
    open_doors,
)
from secure_export.sandbox.servicenow.state_file import StateFile
from secure_export.sandbox.tls import server_context

NAME: Final = "ServiceNow"


@contextlib.asynccontextmanager
async def serving(
    app: ServiceNowApp | None = None, **where: Unpack[server.Where]
) -> AsyncGenerator[tuple[ServiceNowApp, str]]:
    """Serve a stand-in for as long as the block lasts.

    Args:
        app: The application; one with the demo data and the documented users if none is given.
        where: Where it listens, such as with ``tls=LocalCa.made().server_context()``.

    Yields:
        The application, and its base URL.

    Raises:
        NotLoopbackError: The address is not loopback and that was not allowed.
        OSError: The address cannot be listened on.
    """
    if app is None:
        app = servicenow_app()
        open_doors(app)
    async with server.serving(app, name=NAME, own_date=True, **where) as running:
        app.instance.url = running.base_url
        yield app, running.base_url


async def run_servicenow(  # noqa: PLR0913 - the command's options
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls_folder: Path | None = None,
    state: Path | None = None,
    users: Sequence[Account] = (),
    announce: Callable[[str], None] = server.say,
) -> None:
    """Run a stand-in for ServiceNow until the task is cancelled.

    Args:
        host: Where to listen.
        port: 0 asks the system for a free one.
        tls_folder: Where its certificate authority is kept; None: plain HTTP.
        state: The file that keeps its rows; None: they are gone when it stops.
        users: Further users, or other passwords and roles for those that are there.
        announce: Told, line by line, where it listens and how to get in.

    Raises:
        BadStateFileError: The state file cannot be read.
    """
    app = servicenow_app()
    kept = StateFile(state, app.instance, app.sign_in.oauth) if state else None
    if kept is not None:
        kept.load()
    open_doors(app)
    for account in users:
        set_account(app.instance, account)
    tls = server_context(tls_folder)
    running = await server.start(app, name=NAME, host=host, port=port, tls=tls, own_date=True)
    app.instance.url = running.base_url
    lines = _greeting(app, running.base_url, tls_folder, state)
    await server.run(running, lines, announce, kept.kept() if kept else None)


def _greeting(app: ServiceNowApp, url: str, tls_folder: Path | None, state: Path | None) -> list[str]:
    passwords = app.instance.people.passwords
    more = [
        f"OAuth client {CLIENT_ID}  secret {CLIENT_SECRET}  at {url}/oauth_token.do",
        f"API key {API_KEY} (speaks for {INTEGRATION_USER})",
        f"records {url}/  control {url}/control  (administrator: {ADMIN})",
        *([f"rows are kept in {state}"] if state else []),
    ]
    return greeting(passwords, more, tls_folder, _snippet(url, passwords[INTEGRATION_USER], ca_file(tls_folder)))


def _snippet(url: str, password: str, ca: Path | None) -> list[str]:
    return [
        "[connections.sandbox]",
        'type = "servicenow"',
        'subscriptions = ["*"]',
        f'url = "{url}"',
        f'username = "{INTEGRATION_USER}"',
        f'password = {{ env = "SANDBOX_SNOW_PASSWORD" }}    # export SANDBOX_SNOW_PASSWORD={password}',
        *([f'ca_file = "{ca}"'] if ca else []),
    ]
