"""What the tests of the sandbox's Entra ID share."""

import random
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime

import pytest
from tests.azure_sandbox import GRAPH_SCOPE, Azure, Client, azure_running

from secure_export.sandbox.entra import SandboxEntra
from secure_export.sandbox.entra.identities import ADMIN
from secure_export.sandbox.entra.keys import SigningKey

BASE = "http://127.0.0.1:9000"
NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


@pytest.fixture
def entra(next_key: Callable[[], SigningKey]) -> SandboxEntra:
    """Give a stand-in at a fixed time and address."""
    chance = random.Random(7)  # noqa: S311 - what a stand-in invents need not be secret
    return SandboxEntra(base_url=BASE, now=lambda: NOW, chance=chance, make_key=next_key)


@pytest.fixture
async def azure(next_key: Callable[[], SigningKey]) -> AsyncGenerator[Azure]:
    """Serve an Azure with an empty tenant."""
    async with azure_running(make_key=next_key) as running:
        yield running


@pytest.fixture
async def graph(azure: Azure) -> AsyncGenerator[Client]:
    """Give an administrator at Graph."""
    async with azure.client(ADMIN, GRAPH_SCOPE) as client:
        yield client
