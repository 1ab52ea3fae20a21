"""Lanes in PostgreSQL (``secure_export.delivery.contract.Lanes``)."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

from secure_export.delivery.contract import Change, ClaimedLane, Known
from secure_export.itsm.desk.contract import WriteInDoubt
from secure_export.store.instants import instant
from secure_export.store.postgresql import claiming, saving
from secure_export.store.postgresql.alert_table import read_known
from secure_export.store.postgresql.announcing import Announcing
from secure_export.store.postgresql.connect import Connection
from secure_export.store.postgresql.database import Database
from secure_export.store.postgresql.outages import LockTimeout
from secure_export.store.postgresql.presence import LOCKS, Presence

_BETWEEN_POLLS_SECONDS = 0.25
_BETWEEN_PATIENT_CLAIMS_SECONDS = 1.0
_AFTER_VAIN_PATIENCE_SECONDS = 10.0
_DOUBTS_REMEMBERED = 1000
_NUMBER_BITS = 62
_NEXT_DUE = """
SELECT min(due_at) FROM unnest('{ready,claimed,waiting}'::text[]) AS every (one) CROSS JOIN LATERAL (
    SELECT due_at FROM lanes WHERE connection = $1 AND state = one AND due_at IS NOT NULL ORDER BY due_at LIMIT 1
) AS first
"""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A claim that may have been kept though nobody heard of it."""

    connection: str
    number: int
    lease_until: datetime


class PostgresLanes:
    """Lanes, claimed by one owner at a time.

    Args:
        database: The database, migrated.
        announcing: Tells when lanes may have become ready.
        presence: Shows that this process lives.
    """

    def __init__(self, database: Database, announcing: Announcing, presence: Presence) -> None:
        self._database = database
        self._announcing = announcing
        self._presence = presence
        self._claims_in_doubt: list[_Claim] = []
        self._patient_from: dict[str, float] = {}
        self._saves_in_doubt: dict[tuple[str, str, int], tuple[Change, int]] = {}

    async def take_over(self, connection: str, *, now: datetime, patience: timedelta = timedelta(0)) -> int:
        """See ``Lanes.take_over``; it takes nothing from the living."""
        await self._presence.begin()
        if not self._presence.settled:
            return 0
        own = self._presence.owner
        taken = await self._database.write(
            lambda db: claiming.take_over(db, connection, now=now, patience=patience, locks=LOCKS, own=own)
        )
        if taken:
            self._announcing.ready()
        return taken

    async def claim(
        self, connection: str, *, limit: int, pending_limit: int, now: datetime, lease: timedelta
    ) -> Sequence[ClaimedLane]:
        """See ``Lanes.claim``."""
        self._announcing.signals.searching()
        await self._give_back(connection, now)
        one = _Claim(connection, secrets.randbits(_NUMBER_BITS) + 1, now + lease)

        async def take(db: Connection, *, patient: bool) -> list[ClaimedLane]:
            until = one.lease_until
            taken = await claiming.take(
                db,
                connection,
                limit=limit,
                owner=self._presence.owner,
                number=one.number,
                now=now,
                lease_until=until,
                patient=patient,
            )
            if not taken:
                return []
            return await claiming.read_taken(db, connection, taken, pending_limit=pending_limit, lease_until=until)

        try:
            if self._is_patient(connection):
                with suppress(LockTimeout):
                    return await self._database.write(partial(take, patient=True))
                self._patient_from[connection] = monotonic() + _AFTER_VAIN_PATIENCE_SECONDS
            return await self._database.write(partial(take, patient=False))
        except WriteInDoubt:
            self._claims_in_doubt.append(one)
            raise

    def _is_patient(self, connection: str) -> bool:
        """Whether it is time to wait for a lane that was passed over, because others held it each time."""
        if monotonic() < self._patient_from.get(connection, 0.0):
            return False
        self._patient_from[connection] = monotonic() + _BETWEEN_PATIENT_CLAIMS_SECONDS
        return True

    async def known(self, lane: ClaimedLane, *, alert_ids: Sequence[str], problems: Sequence[str]) -> Known:
        """See ``Lanes.known``."""
        item_id = lane.item.id if lane.item is not None else None
        return await self._database.read(lambda db: read_known(db, lane.connection, item_id, alert_ids, problems))

    async def save(self, lane: ClaimedLane, change: Change, *, now: datetime) -> None:
        """See ``Lanes.save``; a change that was in doubt is recognised when it is saved again, and kept once."""
        key = (lane.connection, lane.correlation_key, lane.token)
        doubtful, number = self._saves_in_doubt.pop(key, (None, 0))
        if doubtful != change:
            number = secrets.randbits(_NUMBER_BITS) + 1
        try:
            is_ready = await self._database.write(lambda db: saving.save(db, lane, change, now=now, number=number))
        except WriteInDoubt:
            self._saves_in_doubt[key] = (change, number)
            while len(self._saves_in_doubt) > _DOUBTS_REMEMBERED:  # whoever gave up on a lane does not say so
                del self._saves_in_doubt[next(iter(self._saves_in_doubt))]
            raise
        if is_ready or change.moved:
            self._announcing.ready()

    async def renew(self, lane: ClaimedLane, *, until: datetime) -> None:
        """See ``Lanes.renew``."""
        await self._database.write(lambda db: saving.renew(db, lane, until=until))

    async def next_due(self, connection: str) -> datetime | None:
        """See ``Lanes.next_due``."""
        due_at = await self._database.read(lambda db: db.fetchval(_NEXT_DUE, connection))
        return None if due_at is None else instant(due_at)

    async def wait(self, *, timeout_seconds: float) -> None:
        """See ``Lanes.wait``; where other processes are not heard it ends early, so that the lanes are looked at."""
        if not self._presence.listens:
            timeout_seconds = min(timeout_seconds, _BETWEEN_POLLS_SECONDS)
        await self._announcing.signals.wait(timeout_seconds=timeout_seconds)

    async def _give_back(self, connection: str, now: datetime) -> None:
        """Make lanes ready that were claimed without anybody hearing of it."""
        for one in [claim for claim in self._claims_in_doubt if claim.connection == connection]:
            await self._database.write(
                lambda db, one=one: claiming.give_back(  # type: ignore[misc] # one is bound now
                    db, connection, one.number, now=now, lease_until=one.lease_until
                )
            )
            self._claims_in_doubt.remove(one)
