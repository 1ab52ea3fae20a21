"""Runs the stand-in by itself."""

import contextlib
import ssl
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Final

from secure_export.sandbox import serving as server
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
from secure_export.sandbox.tls import CA_FILE, LocalCa

NAME: Final = "ServiceNow"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


@contextlib.asynccontextmanager
async def serving(
    app: ServiceNowApp | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    allow_other_machines: bool = False,
) -> AsyncGenerator[tuple[ServiceNowApp, str]]:
    """Serve a stand-in for as long as the block lasts.

    Args:
        app: The application; one with the demo data and the documented users if none is given.
        host: Where to listen.
        port: 0 asks the system for a free one.
        tls: Its certificate, such as ``LocalCa.made().server_context()``; None: plain HTTP.
        allow_other_machines: Must be True for an address that is not loopback.

    Yields:
        The application, and its base URL.

    Raises:
        NotLoopbackError: The address is not loopback and that was not allowed.
        OSError: The address cannot be listened on.
    """
    if app is None:
        app = servicenow_app()
        open_doors(app)
    async with server.serving(
        app,
        name=NAME,
        host=host,
        port=port,
        tls=tls,
        own_date=True,
        allow_other_machines=allow_other_machines,
    ) as running:
        app.instance.url = running.base_url
        yield app, running.base_url


async def run_servicenow(  # noqa: PLR0913 - the command's options
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls_folder: Path | None = None,
    state: Path | None = None,
    users: Sequence[Account] = (),
    announce: Callable[[str], None] = _say,
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
    tls = LocalCa.kept_in(tls_folder).server_context() if tls_folder else None
    running = await server.start(app, name=NAME, host=host, port=port, tls=tls, own_date=True)
    app.instance.url = running.base_url
    for line in _greeting(app, running.base_url, tls_folder, state):
        announce(line)
    async with kept.kept() if kept else contextlib.nullcontext():
        with server.stopped_by_sigterm(running):
            await server.run_until_cancelled(running, announce)


def _greeting(app: ServiceNowApp, url: str, tls_folder: Path | None, state: Path | None) -> list[str]:
    passwords = app.instance.people.passwords
    lines = ["users, worth nothing anywhere else:"]
    lines += [f"  {name:<20} password {password}" for name, password in sorted(passwords.items())]
    lines += [f"OAuth client {CLIENT_ID}  secret {CLIENT_SECRET}  at {url}/oauth_token.do"]
    lines += [f"API key {API_KEY} (speaks for {INTEGRATION_USER})"]
    lines += [f"records {url}/  control {url}/control  (administrator: {ADMIN})"]
    if state is not None:
        lines += [f"rows are kept in {state}"]
    ca = tls_folder / CA_FILE if tls_folder else None
    if ca is not None:
        lines += [f"trust it: REQUESTS_CA_BUNDLE={ca} or SSL_CERT_FILE={ca}"]
    return [*lines, "", "in secure-export.toml:", "", *_snippet(url, passwords[INTEGRATION_USER], ca), ""]


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
