"""Connections to the database, with the time limits and settings that every one has."""

from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from secure_export.store.postgresql import texts
from secure_export.store.postgresql.hosts import Hosts
from secure_export.store.postgresql.outages import store_errors
from secure_export.store.postgresql.place import Place

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

_CONNECT_SECONDS = 5.0
_STATEMENTS_KEPT = 256
_IDLE_SECONDS = 300.0
_LIMITS = {
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
}
# A machine that is gone says no good-bye: the server is to notice within half a minute, and let go of what it held.
_KEPT_ALIVE = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25s",
}
# The server ends a statement first, and says why; this is for a network that swallows everything.
ANSWER_SECONDS = 20.0
# A commit is on disk when it returns, whatever the role or database has as its default; stronger ones stay.
_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', {within}) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
)

# Who has waited for a lock must see what was committed meanwhile, whatever the role or database has as its default.
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
BEGIN_THROUGH_POOLER = "; ".join(
    [BEGIN, *(f"SET LOCAL {name} = '{value}'" for name, value in _LIMITS.items()), _DURABLE.format(within=True)]
)


async def open_pool(place: Place) -> "asyncpg.Pool[asyncpg.Record]":
    """Open a pool of connections; none is made before it is needed."""

    async def prepare(connection: Connection) -> None:
        await _convert_texts(connection)
        if not place.through_pooler:
            await connection.execute(_DURABLE.format(within=False))

    with store_errors():
        pool: asyncpg.Pool[asyncpg.Record] = await asyncpg.create_pool(
            **_arguments(place),
            connect=Hosts(place).connect,
            min_size=0,
            max_size=place.pool_size,
            max_inactive_connection_lifetime=_IDLE_SECONDS,
            command_timeout=ANSWER_SECONDS,
            init=prepare,
            reset=_leave_as_it_is,
        )
    return pool


async def connect(place: Place, *, limits: bool = True) -> "asyncpg.Connection[asyncpg.Record]":
    """Open one connection beside the pool; without limits for what may take long.

    Raises:
        StoreUnavailable: It cannot be opened now.
    """
    with store_errors():
        connection = await Hosts(place).connect(
            **_arguments(place, limits=limits), command_timeout=ANSWER_SECONDS if limits else None
        )
        await _convert_texts(connection)
    return connection


def _arguments(place: Place, *, limits: bool = True) -> dict[str, Any]:
    settings = {"application_name": "secure-export"}
    if not place.through_pooler:
        settings |= {"jit": "off"} | _KEPT_ALIVE | (_LIMITS if limits else {})
    return {
        **place.arguments(),
        "timeout": _CONNECT_SECONDS,
        "server_settings": settings,
        "statement_cache_size": 0 if place.through_pooler else _STATEMENTS_KEPT,
    }


async def _convert_texts(connection: Connection) -> None:
    await connection.set_type_codec(
        "text", schema="pg_catalog", encoder=texts.encoded, decoder=texts.decoded, format="binary"
    )


async def _leave_as_it_is(connection: Connection) -> None:
    """Spare the questions with which asyncpg cleans a connection: no session is changed here."""
