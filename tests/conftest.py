"""What every test shares."""

from collections.abc import Iterator

import pytest
from tests.entra import entra_running
from tests.postgres import Server, postgres_running


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, which is what the program runs on."""
    return "asyncio"


@pytest.fixture(scope="session")
def entra() -> Iterator[str]:
    """Give the base URL of a sandbox Entra ID that runs as long as the tests do."""
    with entra_running() as url:
        yield url


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Give a PostgreSQL server that runs as long as the tests do."""
    with postgres_running() as server:
        yield server
