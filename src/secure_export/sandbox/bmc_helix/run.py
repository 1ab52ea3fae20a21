"""Runs the stand-in by itself."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Final, Unpack

from secure_export.sandbox import serving as server
from secure_export.sandbox.bmc_helix.app import BmcHelixApp, bmc_helix_app
from secure_export.sandbox.bmc_helix.demo_data import COMPANY, CUSTOMER, GROUP, INTEGRATION_USER
from secure_export.sandbox.bmc_helix.forms.cmdb import AZURE_ATTRIBUTE, ROOT
from secure_export.sandbox.bmc_helix.people import Account
from secure_export.sandbox.greeting import ca_file, greeting
from secure_export.sandbox.tls import server_context

NAME: Final = "BMC Helix ITSM"


@contextlib.asynccontextmanager
async def serving(
    app: BmcHelixApp | None = None, **where: Unpack[server.Where]
) -> AsyncGenerator[tuple[BmcHelixApp, str]]:
    """Serve a stand-in for as long as the block lasts.

    Args:
        app: The application; one with the demo data if none is given.
        where: Where it listens, such as with ``tls=LocalCa.made().server_context()``.

    Yields:
        The application, and its base URL.

    Raises:
        NotLoopbackError: The address is not loopback and that was not allowed.
        OSError: The address cannot be listened on.
    """
    app = app or bmc_helix_app()
    async with server.serving(app, name=NAME, own_date=True, **where) as running:
        yield app, running.base_url


async def run_bmc_helix(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls_folder: Path | None = None,
    users: Sequence[Account] = (),
    announce: Callable[[str], None] = server.say,
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
    tls = server_context(tls_folder)
    running = await server.start(app, name=NAME, host=host, port=port, tls=tls, own_date=True)
    url, passwords = running.base_url, {one.login: one.password for one in app.server.accounts}
    lines = connection(url, passwords[INTEGRATION_USER], ca_file(tls_folder))
    more = [f"records {url}/  control {url}/control"]
    await server.run(running, greeting(passwords, more, tls_folder, lines), announce)


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
