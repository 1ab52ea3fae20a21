"""Which tests count as quick."""

import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.keys import rsa_key
from tests.unit.opening import opens

from secure_export.sandbox import serving
from secure_export.sandbox.serving import is_loopback


def binds() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))


def keeps() -> None:
    sqlite3.connect(":memory:").close()


@cache
def runs() -> None:
    subprocess.run(["/bin/true"], check=True)


@contextmanager
def helped() -> Iterator[None]:
    binds()
    yield


class Server:
    def start(self) -> None:
        binds()


def by_a_class() -> None:
    Server().start()


def by_a_function_in_it() -> Callable[[], None]:
    def inner() -> None:
        with helped():
            pass

    return inner


async def by_a_stand_in() -> None:
    async with serving.serving(None, name="nothing"):
        pass


@given(st.none())
def by_examples(_: None) -> None:
    runs()


def harmless() -> bool:
    return is_loopback("127.0.0.1") and again(rsa_key() is None)


def again(more: bool) -> bool:  # noqa: FBT001 - only its name matters
    return not more or harmless()


@pytest.mark.parametrize(
    "one", [binds, keeps, runs, helped, by_a_class, by_a_function_in_it, by_a_stand_in, by_examples]
)
def test_whatever_way_leads_to_an_opener_is_seen(one: Callable[..., object]) -> None:
    """A test is served if it, a helper, a class, a decorated function or a stand-in below it opens something."""
    assert opens(one)


@pytest.mark.parametrize("one", [harmless, again, len])
def test_what_opens_nothing_is_quick(one: Callable[..., object]) -> None:
    """Functions that call each other are looked through once, and those of C not at all."""
    assert not opens(one)


@pytest.mark.parametrize("unseen", [binds, keeps])
def test_who_opens_something_unseen_fails(unseen: Callable[..., object]) -> None:
    """What only shows while it runs is refused then, so that the fast tests stay fast."""
    with pytest.raises(AssertionError, match="did not see it"):
        unseen()
