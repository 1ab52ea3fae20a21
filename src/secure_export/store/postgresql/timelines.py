"""Which primary is the latest: PostgreSQL counts how often a standby took the place of one."""

from typing import TypeAlias

import asyncpg

from secure_export.errors import StoreUnavailable

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# The name of a file of the log begins with the timeline in eight hexadecimal digits (PostgreSQL docs, "WAL Internals").
# pg_control_checkpoint() would tell the old one until the first checkpoint after a promotion.
_FILE_WRITTEN = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_lsn()) END"
_DIGITS = 8
_NOT_TOLD = (asyncpg.UndefinedFunctionError, asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError)

UNKNOWN = 0


class Timelines:
    """Remembers the highest timeline that servers at a place were on.

    A promotion raises it (PostgreSQL docs, 25.3.6), so that a server on a lower one was a primary before another took
    its place. It may take writes all the same when it is started again by mistake, and nobody would ever see them.

    Attributes:
        highest: The highest so far; ``UNKNOWN`` before any was told.
    """

    def __init__(self) -> None:
        self.highest = UNKNOWN

    def admit(self, timeline: int) -> None:
        """Remember the timeline of a server that is to be used.

        Raises:
            StoreUnavailable: There was a server on a higher one.
        """
        if UNKNOWN < timeline < self.highest:
            raise StoreUnavailable(
                f"the database server is an older primary (timeline {timeline}) than one that was used before "
                f"(timeline {self.highest}): a standby took its place; make it a standby of the new one. If "
                "another cluster replaced both on purpose, restart the service"
            )
        self.highest = max(self.highest, timeline)


async def timeline_of(session: Session, *, through_pooler: bool, seconds: float) -> int:
    """Ask a server for its timeline; ``UNKNOWN`` where it recovers, or is of a kind that does not tell.

    Args:
        session: A new session.
        through_pooler: Whether only what is within one transaction goes to the same server.
        seconds: How long the answer may take.
    """
    if through_pooler:
        await session.execute("BEGIN", timeout=seconds)
    try:
        name: str | None = await session.fetchval(_FILE_WRITTEN, timeout=seconds)
    except _NOT_TOLD:
        name = None
    if through_pooler:
        await session.execute("ROLLBACK", timeout=seconds)
    return UNKNOWN if name is None else int(name[:_DIGITS], 16)
