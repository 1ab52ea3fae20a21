"""What every test shares."""

import gc
import os
from collections.abc import Generator, Iterator
from typing import Any

import hypothesis
import pytest
import structlog
from tests.entra import entra_running
from tests.postgres import Server, memory, postgres_running


def pytest_configure() -> None:
    """Let files of tests lie in memory, where flushing costs nothing, and errors in their log be plain: colours cost.

    Nothing is shown less by it: no test cuts the power, and those that fill a disk bring their own.
    """
    structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback
    if (folder := memory()) is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", folder)


# No test is a matter of time: on a busy machine examples take long to make, and to try.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("untimed"), max_examples=20)
hypothesis.settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the garbage collector pass over thousands of tests and modules, which stay to the end.

    It looked at all of them every few hundred tests, a third of a second each time, and more often while they came.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever asks for the server, by itself or through another fixture; let quick tests be quick."""
    for item in items:
        if isinstance(item, pytest.Function):
            if "postgres" in item.fixturenames:
                item.add_marker("postgresql")
            if hypothesis.is_hypothesis_test(item.function):
                _keep_quick(item.function)


def _keep_quick(test: Any) -> None:
    """Try no more examples than the profile ``quick`` says, if that was asked for, also where a test asks for more."""
    if hypothesis.settings.get_current_profile_name() == "quick":
        own = test._hypothesis_internal_use_settings
        most = min(own.max_examples, hypothesis.settings().max_examples)
        test._hypothesis_internal_use_settings = hypothesis.settings(own, max_examples=most)


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
