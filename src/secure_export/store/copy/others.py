"""Who else works with a PostgreSQL database: a service, or another copy."""

import asyncio
from typing import Any

import asyncpg

from secure_export.errors import StoreUnavailable
from secure_export.store.postgresql.outages import store_errors
from secure_export.store.postgresql.presence import LOCKS

_PATIENCE_SECONDS = 5.0
_AGAIN_SECONDS = 0.2
_ONE_COPY = "SELECT pg_try_advisory_lock(1397310820, 3)"
_OTHERS = """
SELECT (SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'secure-export' AND pid <> pg_backend_pid()),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND objsubid = 2 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


async def who_works_with(connection: "asyncpg.Connection[Any]", name: str) -> str | None:
    """Say who else works with a database; what was killed a moment ago is given the time to be gone.

    Args:
        connection: A session with it.
        name: What to call it.
    """
    end = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while True:
        with store_errors():
            ((sessions, deliverers),) = await connection.fetch(_OTHERS, LOCKS)
        if not sessions and not deliverers:
            return None
        if asyncio.get_running_loop().time() > end:
            break
        await asyncio.sleep(_AGAIN_SECONDS)
    return (
        f"{name} is in use: {sessions} sessions of this program, {deliverers} processes that deliver; "
        "stop the services that work with it, then try again"
    )


async def become_the_only_copy(connection: "asyncpg.Connection[Any]", name: str) -> None:
    """Let no other copy go to the same database; one that was killed a moment ago lets go soon.

    Raises:
        StoreUnavailable: One is under way.
    """
    end = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while not await connection.fetchval(_ONE_COPY):
        if asyncio.get_running_loop().time() > end:
            raise StoreUnavailable(f"another copy to {name} is under way; wait until it is over")
        await asyncio.sleep(_AGAIN_SECONDS)
