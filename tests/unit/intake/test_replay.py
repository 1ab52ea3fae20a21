"""Taking notifications out of quarantine."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.intake.doubles import CALLER, SUBSCRIPTION, TENANT, alert_body

from secure_export.errors import NotFound, NotUnderstood
from secure_export.intake.contract import Entry
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.entry import Post, entry_of, quarantined
from secure_export.intake.replay import Replay
from secure_export.store.sqlite.store import SqliteStore

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DOORS = {"desk": ConnectionDoor(frozenset({SUBSCRIPTION}), None, lambda alert: f"alert:{alert.id}")}


class KeptActions:
    """Actions that only remember what was replayed."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    async def replay(self, notification: int, *, entry: Any, by: str, now: datetime) -> int:
        self.entries.append(entry)
        return notification

    async def retry(self, key: str, *, by: str, now: datetime) -> int:
        raise NotFound(key)

    async def retry_all(self, *, connection: str | None, by: str, now: datetime) -> int:
        raise AssertionError(connection)

    async def audit(self, *, by: str, action: str, subject: str, now: datetime) -> None:
        raise AssertionError(action)


@pytest.mark.parametrize(
    "sent",
    [
        alert_body(),
        alert_body(alertRule="größer").decode("unicode_escape").encode("latin-1"),
        b"\xef\xbb\xbf" + alert_body(),
    ],
    ids=["in ASCII", "not in UTF-8", "with a byte order mark"],
)
async def test_a_replayed_body_is_the_one_that_came(tmp_path: Path, sent: bytes) -> None:
    """What delivery will read is what replay reads: every byte as it was sent, with who sent it."""
    store = await SqliteStore.open(tmp_path / "store.db", clock=lambda: NOW)
    post = Post(connection="desk", caller=CALLER, received_at=NOW, body=sent)
    number = (await store.journal.append(quarantined(post, "not understood yet"))).notification
    actions = KeptActions()
    await Replay(store.records, actions, DOORS, clock=lambda: NOW)(number, "ada")
    await store.close()
    [entry] = actions.entries
    assert entry == entry_of(post, DOORS["desk"])
    assert entry.body == sent
    assert TENANT.encode() in entry.caller


async def test_what_still_is_not_understood_stays(tmp_path: Path) -> None:
    """Nothing is done, and the reason is told."""
    store = await SqliteStore.open(tmp_path / "store.db", clock=lambda: NOW)
    post = Post(connection="desk", caller=CALLER, received_at=NOW, body=b"\xff{")
    number = (await store.journal.append(quarantined(post, "no JSON"))).notification
    actions = KeptActions()
    replay = Replay(store.records, actions, DOORS, clock=lambda: NOW)
    with pytest.raises(NotUnderstood, match="still not understood"):
        await replay(number, "ada")
    with pytest.raises(NotFound):
        await replay(number + 1, "ada")
    await store.close()
    assert actions.entries == []
