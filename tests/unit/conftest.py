"""Marks the tests that ``make unit`` leaves out: what listens on a socket, starts a process or opens a database."""

import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.opening import opens

_MARK = "served"
_HERE = Path(__file__).parent
_OPENED = ("socket.bind", "sqlite3.connect")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each by what it uses, so that nobody has to remember."""
    for item in items:
        if _is_here(item) and isinstance(item, pytest.Function) and any(map(opens, _functions_of(item))):
            item.add_marker(_MARK)


def _is_here(item: pytest.Item) -> bool:
    """Tell whether it is a unit test: under xdist these hooks are called for every other test, too."""
    return item.path.is_relative_to(_HERE)


def _functions_of(item: pytest.Function) -> Iterator[Callable[..., Any]]:
    """Give the test itself and the fixtures that it uses, each as the nearest conftest has it."""
    yield item.function
    for definitions in item._fixtureinfo.name2fixturedefs.values():
        yield definitions[-1].func


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Keep watch: a test that listens, or opens a database, without the mark fails."""
    _quick.append(_is_here(item) and item.get_closest_marker(_MARK) is None)
    try:
        return (yield)
    finally:
        _quick.pop()


_quick: list[bool] = []
"""Whether the test that runs must do without; empty between tests."""


def _watch(event: str, _arguments: tuple[object, ...]) -> None:
    if event in _OPENED and _quick[-1:] == [True]:
        raise AssertionError(
            f"This test opens something ({event}), and tests/unit/opening.py did not see it: name there what opens it,"
            " or mark the test as served."
        )


sys.addaudithook(_watch)
