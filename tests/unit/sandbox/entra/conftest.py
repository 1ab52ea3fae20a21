"""What the tests of the sandbox's Entra ID share."""

import itertools
import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from secure_export.sandbox.entra import SandboxEntra
from secure_export.sandbox.entra.keys import SigningKey, make_key

BASE = "http://127.0.0.1:9000"
NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def pool() -> list[SigningKey]:
    """Make keys once: a test needs a dozen different ones at most."""
    return [make_key(NOW) for _ in range(12)]


@pytest.fixture
def next_key(pool: list[SigningKey]) -> Callable[[], SigningKey]:
    """Give a different key each time."""
    keys = itertools.cycle(pool)
    return lambda: next(keys)


@pytest.fixture
def entra(next_key: Callable[[], SigningKey]) -> SandboxEntra:
    """Give a stand-in at a fixed time and address."""
    chance = random.Random(7)  # noqa: S311 - what a stand-in invents need not be secret
    return SandboxEntra(base_url=BASE, now=lambda: NOW, chance=chance, make_key=next_key)
