"""What the tests of ARM share: an Azure that runs, and its administrator."""

from collections.abc import AsyncGenerator, Callable

import pytest
from tests.azure_sandbox import Azure, Client, azure_running

from secure_export.sandbox.entra.identities import ADMIN
from secure_export.sandbox.entra.keys import SigningKey


@pytest.fixture
async def azure(next_key: Callable[[], SigningKey]) -> AsyncGenerator[Azure]:
    """Serve an Azure with an empty tenant, whose waits are a thousandth of Azure's."""
    async with azure_running(make_key=next_key) as running:
        yield running


@pytest.fixture
async def arm(azure: Azure) -> AsyncGenerator[Client]:
    """Give an administrator at ARM."""
    async with azure.client(ADMIN) as client:
        yield client
