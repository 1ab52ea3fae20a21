"""What every test shares."""

import os
from collections.abc import Iterator

import hypothesis
import pytest
from tests.entra import entra_running
from tests.postgres import Server, memory, postgres_running


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark that ``make unit`` leaves out, and let files of tests lie in memory, where flushing costs nothing.

    Nothing is shown less by it: no test cuts the power, and those that fill a disk bring their own.
    """
    config.addinivalue_line("markers", "postgresql: needs a PostgreSQL server, which the tests start")
    if (folder := memory()) is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", folder)


# No test is a matter of time: on a busy machine examples take long to make, and to try.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever asks for the server, by itself or through another fixture."""
    for item in items:
        if isinstance(item, pytest.Function) and "postgres" in item.fixturenames:
            item.add_marker("postgresql")


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
