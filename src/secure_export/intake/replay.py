"""Takes a notification out of quarantine: what was not understood then may be understood now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from secure_export.clock import Clock
from secure_export.console.contract import Actions, Records
from secure_export.errors import NotFound, NotUnderstood
from secure_export.identity.caller import Caller, Refusal
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.entry import Post, entry_of


class Replay:
    """Reads a quarantined body again, by the rules that hold for new ones."""

    def __init__(
        self, records: Records, actions: Actions, doors: Mapping[str, ConnectionDoor], *, clock: Clock
    ) -> None:
        self._records = records
        self._actions = actions
        self._doors = doors
        self._clock = clock

    async def __call__(self, notification: int, by: str) -> None:
        """Send a quarantined notification on its way.

        Args:
            notification: Which one.
            by: Who asks for it, for the audit log.

        Raises:
            NotFound: It is not in quarantine, or its connection is no longer configured.
            NotUnderstood: It still is not understood; it stays in quarantine.
        """
        kept = await self._records.quarantined(notification)
        door = self._doors.get(kept["connection"])
        if door is None:
            raise NotFound(f"connection {kept['connection']} is not in the configuration; add it, then replay again")
        now = self._clock()
        try:
            entry = entry_of(_post(kept, await self._records.quarantined_body(notification), now), door)
        except Refusal as refusal:
            raise NotUnderstood(refusal.detail) from refusal
        if entry.quarantine_reason is not None:
            raise NotUnderstood(f"it is still not understood: {entry.quarantine_reason}")
        await self._actions.replay(notification, entry=entry, by=by, now=now)


def _post(kept: Mapping[str, Any], body: bytes, now: datetime) -> Post:
    """The notification as it was posted; who sent it was checked then, and is only written down again."""
    sent_by = kept.get("caller") or {}
    caller = Caller(
        tenant_id=sent_by.get("tenant", ""),
        application_id=sent_by.get("application", ""),
        object_id="",
        roles=(),
        token_version=sent_by.get("version", ""),
        token_id=sent_by.get("token_id", ""),
        expires_at=0,
    )
    return Post(connection=kept["connection"], caller=caller, received_at=now, body=body)
