"""What errors of the database mean."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from secure_export.errors import StoreUnavailable

# Classes of SQLSTATE (PostgreSQL docs, "PostgreSQL Error Codes") that tell of the state of server or connection.
_OUTAGES = (
    "08",  # connection exception
    "28",  # invalid authorization
    "3D",  # no such database
    "53",  # insufficient resources: disk full, too many connections
    "55P03",  # lock not available
    "57",  # operator intervention: shutting down, starting, cancelled, timed out
    "58",  # system error
    "XX001",  # data corrupted
    "XX002",  # index corrupted
    "25006",  # read only: it is a standby, or has become one
    "25P03",  # idle in transaction for too long
    "25P04",  # transaction took too long
    "40",  # rolled back: deadlock, serialization failure
)
_OF_LOST_CONNECTIONS = ("connection is closed", "connection was closed", "released back to the pool", "pool is clos")
# What a session was to remember is not there: it was another's before, which a pooler brings about.
_FORGOTTEN = ("26000", "42P05")
_OF_ROOM = ("53100", "58030")
_MAKE_THEM = "deploy/postgresql/roles.sql makes database and roles; or name the right one in store.url"
# What the server says of who may come in, and to what: an error, words of it, and what to do.
_ADVICE: tuple[tuple[type[Exception], str, str], ...] = (
    (asyncpg.InvalidCatalogNameError, "", _MAKE_THEM),
    (asyncpg.InvalidPasswordError, "", "check the user in store.url and the password (store.password)"),
    (asyncpg.InvalidAuthorizationSpecificationError, "does not exist", _MAKE_THEM),
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        "",
        "let the server take this user from this machine (pg_hba.conf), or name another in store.url",
    ),
)
_AGAIN = ("40001", "40P01")
_TAKEN_BACK = ("25006", "3D", "53100", "53200", "55P03", "57014", *_AGAIN, *_FORGOTTEN)
_LEFT = ("08", "25006", "25P03", "25P04", "57P", *_FORGOTTEN)


class LockTimeout(StoreUnavailable):
    """Somebody else held what was to be locked; nothing was kept."""


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what network and database complain about into ``StoreUnavailable``; a wrong statement stays what it is."""
    try:
        yield
    except asyncpg.LockNotAvailableError as error:
        raise LockTimeout(f"the database did not give a lock in time: {error}") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise StoreUnavailable(
            f"the role that runs the service lacks a right: {error}; grant it what "
            "docs/decisions/0012-postgresql-store.md names, after each migration"
        ) from error
    except Exception as error:
        if not is_outage(error):
            raise
        raise StoreUnavailable(f"the database cannot be used now: {text_of(error)}; {_what_to_do(error)}") from error


def is_outage(error: BaseException) -> bool:
    """Whether an error is about the state of network or database, rather than about what was asked."""
    if isinstance(error, asyncpg.PostgresError):
        return _code(error).startswith((*_OUTAGES, *_FORGOTTEN))
    if isinstance(error, asyncpg.InterfaceError):
        return _is_about_connection(error)
    return isinstance(error, OSError | ssl.SSLError | TimeoutError | asyncpg.InternalClientError | EOFError)


def may_work_at_once(error: BaseException) -> bool:
    """Whether the same transaction may work when it is tried again: others were in its way."""
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        return True  # somebody migrated; what was prepared before is prepared anew
    return isinstance(error, asyncpg.PostgresError) and _code(error) in _AGAIN


def leaves_connection_unusable(error: BaseException) -> bool:
    """Whether a connection should not be used again after an error, even if it seems to be open."""
    if isinstance(error, asyncpg.PostgresError):
        return _code(error).startswith(_LEFT)
    return is_outage(error)


def is_about_room(error: BaseException | None) -> bool:
    """Whether the database lacks room to write more: its disk is full, or cannot be written."""
    return isinstance(error, asyncpg.PostgresError) and _code(error).startswith(_OF_ROOM)


def leaves_in_doubt(error: BaseException) -> bool:
    """Whether an answer to what commits leaves open what came of it.

    The server takes back what it complains about, and goes on; one that ends the session may have committed before.
    """
    if isinstance(error, asyncpg.PostgresError) and _code(error).startswith(_TAKEN_BACK):
        return False
    return is_outage(error)


def text_of(error: BaseException) -> str:
    """Say in one line what happened; errors of time-outs have no text."""
    return " ".join(str(error).split()) or type(error).__name__


def _what_to_do(error: Exception) -> str:
    is_of_pooler = isinstance(error, asyncpg.PostgresError) and _code(error) in _FORGOTTEN
    if is_of_pooler or "unsupported startup parameter" in str(error):  # PgBouncer's words
        return "where a pooler hands out sessions for a transaction at a time, write pooler=transaction into store.url"
    for kind, words, advice in _ADVICE:
        if isinstance(error, kind) and words in str(error):
            return advice
    return "check that it runs and can be reached"


def _code(error: asyncpg.PostgresError) -> str:
    return error.sqlstate or ""


def _is_about_connection(error: asyncpg.InterfaceError) -> bool:
    """Tell a lost connection from wrong use of one: asyncpg has one class for both."""
    return any(words in str(error) for words in _OF_LOST_CONNECTIONS)
