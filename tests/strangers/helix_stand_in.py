"""The sandbox's BMC Helix as strangers' clients meet it."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from secure_export.sandbox.bmc_helix.app import BmcHelixApp
from secure_export.sandbox.bmc_helix.run import serving


@dataclass(frozen=True)
class HelixStandIn:
    """A served sandbox.

    Attributes:
        app: The application.
        url: Where it is reached.
    """

    app: BmcHelixApp
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextlib.asynccontextmanager
async def plain_helix() -> AsyncGenerator[HelixStandIn]:
    """Serve over HTTP."""
    async with serving() as (app, url):
        yield HelixStandIn(app, url)
