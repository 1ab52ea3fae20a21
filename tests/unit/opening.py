"""Tells by a function's code, and that of what it names, whether it may open a socket, a process or a database."""

import asyncio
import inspect
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

from aiohttp import web
from tests.program import Program
from tests.sqlite import with_tables

from secure_export.app import opened
from secure_export.server import serve_asgi
from secure_export.store.sqlite.connect import connect_to_write
from secure_export.store.sqlite.database import Database
from secure_export.store.sqlite.store import SqliteStore

_OPENERS = (
    asyncio.create_subprocess_exec,
    asyncio.start_server,
    socket.create_server,
    socket.socket,
    sqlite3.connect,
    subprocess.Popen,
    subprocess.run,
    web.TCPSite,
    Database,
    Program,
    SqliteStore,
    connect_to_write,
    opened,
    serve_asgi,
    with_tables,
)
_LOOKED_THROUGH = ("tests.", "secure_export.sandbox.")

_opening: set[FunctionType] = set()
_harmless: set[FunctionType] = set()


def opens(function: Callable[..., Any]) -> bool:
    """Tell whether a function may open something, be it by what tests and stand-ins have for it."""
    start = _plain(function)
    return start is not None and _opens(start)


def _opens(start: FunctionType) -> bool:
    seen, todo = set[FunctionType](), [start]
    while todo:
        function = todo.pop()
        if function in seen or function in _harmless:
            continue
        if function in _opening or _names_an_opener(function):
            _opening.add(start)
            return True
        seen.add(function)
        todo += _named_functions(function)
    _harmless.update(seen)
    return False


def _names_an_opener(function: FunctionType) -> bool:
    return any(value is one for value in _named(function) for one in _OPENERS)


@cache
def _named_functions(function: FunctionType) -> list[FunctionType]:
    """Give the functions of tests and stand-ins that a function names, and those of the classes that it names."""
    ours = [one for one in _named(function) if str(getattr(one, "__module__", "")).startswith(_LOOKED_THROUGH)]
    found = [_plain(part) for one in ours for part in (vars(one).values() if inspect.isclass(one) else [one])]
    return [one for one in found if one is not None]


@cache
def _named(function: FunctionType) -> list[Any]:
    """Give the globals that a function's code names, and the members of modules."""
    names, known = set(_names(function.__code__)), function.__globals__
    values = [known[name] for name in names if name in known]
    modules = [vars(one) for one in values if isinstance(one, ModuleType)]
    return values + [module[name] for module in modules for name in names if name in module]


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _names(one)


def _plain(function: Any) -> FunctionType | None:
    """Take off decorators, those of Hypothesis too."""
    function = inspect.unwrap(getattr(getattr(function, "hypothesis", None), "inner_test", function))
    return function if isinstance(function, FunctionType) else None
