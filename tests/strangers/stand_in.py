"""The sandbox as strangers' clients meet it, and their packages."""

import contextlib
import importlib
import warnings
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secure_export.sandbox.servicenow.app import ServiceNowApp
from secure_export.sandbox.servicenow.demo_access import ADMIN, PASSWORD
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.run import serving
from secure_export.sandbox.tls import LocalCa

__all__ = ["ADMIN", "CREDENTIALS", "PASSWORD", "StandIn", "plain", "stranger", "with_tls"]
CREDENTIALS = (ADMIN, PASSWORD)


@dataclass(frozen=True)
class StandIn:
    """A served sandbox.

    Attributes:
        app: The application.
        url: Where it is reached.
        ca_file: What a client must trust; empty without TLS.
    """

    app: ServiceNowApp
    url: str
    ca_file: str = ""

    @property
    def instance(self) -> Instance:
        return self.app.instance

    @property
    def address(self) -> str:
        return self.url.partition("://")[2]


@contextlib.asynccontextmanager
async def plain() -> AsyncGenerator[StandIn]:
    """Serve over HTTP."""
    async with serving() as (app, url):
        yield StandIn(app, url)


@contextlib.asynccontextmanager
async def with_tls(folder: Path) -> AsyncGenerator[StandIn]:
    """Serve over TLS with a certificate of a new authority."""
    ca = LocalCa.made()
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(ca.pem)
    async with serving(tls=ca.server_context()) as (app, url):
        yield StandIn(app, url, str(ca_file))


def stranger(name: str) -> Any:
    """Import a stranger's package; none of them has types, and old ones warn about themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)
