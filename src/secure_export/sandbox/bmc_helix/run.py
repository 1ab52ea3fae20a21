"""Runs the stand-in by itself."""

import contextlib
import ssl
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Final

from secure_export.sandbox import serving as server
from secure_export.sandbox.bmc_helix.app import BmcHelixApp, bmc_helix_app
from secure_export.sandbox.bmc_helix.demo_data import COMPANY, CUSTOMER, GROUP, INTEGRATION_USER
from secure_export.sandbox.bmc_helix.forms.cmdb import AZURE_ATTRIBUTE, ROOT
from secure_export.sandbox.bmc_helix.people import Account
from secure_export.sandbox.tls import CA_FILE, LocalCa

NAME: Final = "BMC Helix ITSM"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


@contextlib.asynccontextmanager
async def serving(
    app: BmcHelixApp | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    allow_other_machines: bool = False,
) -> AsyncGenerator[tuple[BmcHelixApp, str]]:
    """Serve a stand-in for as long as the block lasts.

    Args:
        app: The application; one with the demo data if none is given.
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
    app = app or bmc_helix_app()
    async with server.serving(
        app,
        name=NAME,
        host=host,
        port=port,
        tls=tls,
        own_date=True,
        allow_other_machines=allow_other_machines,
    ) as running:
        yield app, running.base_url


async def run_bmc_helix(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls_folder: Path | None = None,
    users: Sequence[Account] = (),
    announce: Callable[[str], None] = _say,
) -> None:
    """Run a stand-in for BMC Helix ITSM until the task is cancelled.

    Args:
        host: Where to listen.
        port: 0 asks the system for a free one.
        tls_folder: Where its certificate authority is kept; None: plain HTTP.
        users: Further users, or other passwords and roles for those that are there.
        announce: Told, line by line, where it listens and how to get in.
    """
    app = bmc_helix_app()
    for account in users:
        app.server.accounts.set(account)
    tls = LocalCa.kept_in(tls_folder).server_context() if tls_folder else None
    running = await server.start(app, name=NAME, host=host, port=port, tls=tls, own_date=True)
    for line in _greeting(app, running.base_url, tls_folder):
        announce(line)
    with server.stopped_by_sigterm(running):
        await server.run_until_cancelled(running, announce)


def _greeting(app: BmcHelixApp, url: str, tls_folder: Path | None) -> list[str]:
    accounts = sorted(app.server.accounts, key=lambda one: one.login)
    lines = ["users, worth nothing anywhere else:"]
    lines += [f"  {one.login:<20} password {one.password}" for one in accounts]
    lines += [f"records {url}/  control {url}/control"]
    ca = tls_folder / CA_FILE if tls_folder else None
    if ca is not None:
        lines += [f"trust it: REQUESTS_CA_BUNDLE={ca} or SSL_CERT_FILE={ca}"]
    password = next(one.password for one in accounts if one.login == INTEGRATION_USER)
    return [*lines, "", "in secure-export.toml:", "", *connection(url, password, ca), ""]


def connection(url: str, password: str, ca: Path | None) -> list[str]:
    """Write the connection of Secure Export to a stand-in, for people to copy.

    Args:
        url: Where it listens.
        password: The integration user's password.
        ca: The certificate of its authority; None: plain HTTP.
    """
    return [
        "[connections.sandbox]",
        'type = "bmc-helix"',
        'subscriptions = ["*"]',
        f'url = "{url}"',
        f'username = "{INTEGRATION_USER}"',
        f'password = {{ env = "SANDBOX_HELIX_PASSWORD" }}    # export SANDBOX_HELIX_PASSWORD={password}',
        f'company = "{COMPANY}"',
        f'support_group = {{ group = "{GROUP}" }}',
        f'assignee = {{ name = "{" ".join(CUSTOMER)}", login_id = "{INTEGRATION_USER}" }}',
        f'incident_url = "{url}/incident/{{number}}"',
        *([f'ca_file = "{ca}"'] if ca else []),
        "",
        "[[connections.sandbox.cmdb.ci_lookup]]",
        f'class = "{ROOT}"',
        f'attribute = "{AZURE_ATTRIBUTE}"',
        'source = "resource_id"',
        "",
        "[[connections.sandbox.cmdb.ci_lookup]]",
        f'class = "{ROOT}"',
        'attribute = "Name"',
        'source = "name"',
    ]
