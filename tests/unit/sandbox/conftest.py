"""What the tests of all stand-ins share: signing keys, which take a while to make."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from secure_export.sandbox.entra.keys import SigningKey, make_key


@pytest.fixture(scope="session")
def keys_made() -> list[SigningKey]:
    """Keep the keys that were made."""
    return []


@pytest.fixture
def next_key(keys_made: list[SigningKey]) -> Callable[[], SigningKey]:
    """Give a different key each time; every test gets the same ones."""
    places = itertools.count()

    def key() -> SigningKey:
        place = next(places)
        if place == len(keys_made):
            keys_made.append(make_key(datetime(2026, 5, 4, 9, 30, tzinfo=UTC)))
        return keys_made[place]

    return key
