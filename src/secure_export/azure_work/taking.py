"""The way into the service for what was fetched."""

from collections.abc import Mapping, Sequence
from typing import Final

from secure_export.alerts.alert import Condition
from secure_export.azure.missed.finding import Outcome
from secure_export.identity.caller import Caller, Refusal
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.entry import Post, entry_of
from secure_export.store.open import Store

FETCHED_BY: Final = "fetched from Azure"


class Taking:
    """Takes in what was fetched: the same reading, routing and journal as for what Azure posts.

    Args:
        store: Where it is recorded.
        doors: What each connection lets in.
        tenant_id: Whose alerts these are.
    """

    def __init__(self, store: Store, doors: Mapping[str, ConnectionDoor], tenant_id: str) -> None:
        self._store = store
        self._doors = doors
        self._caller = Caller(
            tenant_id=tenant_id,
            application_id=FETCHED_BY,
            object_id="",
            roles=(),
            token_version="",
            token_id="",
            expires_at=0,
        )

    async def recorded(self, connection: str, alert_ids: Sequence[str]) -> Mapping[str, frozenset[Condition]]:
        """Say what was recorded of alerts, by id in lower case."""
        return await self._store.upkeep.recorded(connection, alert_ids)

    async def take_in(self, connection: str, body: bytes) -> tuple[Outcome, str]:
        """Record a notification durably; gives what became of it, with the reason.

        What cannot be read is not put into quarantine: Azure still has it, and it would be put there at each run.

        Raises:
            StoreUnavailable: It could not be recorded.
        """
        door = self._doors[connection]
        if not door.lets_in(self._caller.tenant_id):
            return Outcome.NOT_ALLOWED, f"connection {connection} takes no alerts of tenant {self._caller.tenant_id}"
        post = Post(connection=connection, caller=self._caller, received_at=self._store.clock(), body=body)
        try:
            entry = entry_of(post, door)
        except Refusal as refusal:
            return Outcome.NOT_ALLOWED, refusal.detail
        if entry.quarantine_reason is not None:
            return Outcome.NOT_UNDERSTOOD, entry.quarantine_reason
        if entry.dedupe_key is None:
            return Outcome.NOT_OURS, "it is a test of an action group"
        receipt = await self._store.journal.append(entry)
        return (Outcome.KNOWN if receipt.status == "duplicate" else Outcome.TAKEN_IN), ""
