"""Intake on the real store: what was answered with 202 is there after a restart, and known as said before."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

from tests.unit.intake.doubles import GOOD, StandInGate, alert_body

from secure_export.intake.app import Intake
from secure_export.intake.door import ConnectionDoor
from secure_export.store.sqlite.store import SqliteStore
from secure_export.telemetry.metrics import Metrics

HEADERS = [(b"authorization", GOOD), (b"content-length", b"600")]


def intake_on(store: SqliteStore) -> Intake:
    """Make an intake whose only connections are desk and prod."""
    door = ConnectionDoor(subscriptions=frozenset({"*"}), tenants=None, correlate=lambda alert: f"alert:{alert.id}")
    return Intake(StandInGate(remembers=True), store.journal, {"desk": door, "prod": door}, Metrics())


async def post(intake: Intake, body: bytes, connection: str = "desk") -> dict[str, Any]:
    """Post by the shortcut, and give the answer's body."""
    take = intake.shortcut(b"POST", f"/v1/connections/{connection}/alerts".encode(), HEADERS)
    assert take is not None
    status, _, said = await take(body)
    assert status == 202
    found: dict[str, Any] = json.loads(said)
    return found


async def test_what_a_second_action_group_sends_is_known_also_after_a_restart(tmp_path: Path) -> None:
    """The answer names the first one; the second connection gets its own; quarantine is never a duplicate."""
    store = await SqliteStore.open(tmp_path / "store.db")
    intake = intake_on(store)
    first = await post(intake, alert_body("a1"))
    assert first["status"] == "accepted"
    garbage = [await post(intake, b"garbage") for _ in range(2)]
    assert {one["status"] for one in garbage} == {"quarantined"}
    assert garbage[0]["notification"] != garbage[1]["notification"]
    await store.close()

    store = await SqliteStore.open(tmp_path / "store.db")
    intake = intake_on(store)
    again = await post(intake, alert_body("a1", severity="Sev4"))
    assert again == {"notification": first["notification"], "status": "duplicate"}
    assert (await post(intake, alert_body("a1"), "prod"))["status"] == "accepted"
    assert (await post(intake, alert_body("a1", condition="Resolved")))["status"] == "accepted"
    await store.close()


async def test_of_the_same_alert_at_the_same_moment_one_is_accepted(tmp_path: Path) -> None:
    """Action groups fire side by side; whichever is first is accepted, and all name that one."""
    store = await SqliteStore.open(tmp_path / "store.db")
    intake = intake_on(store)
    answers = await asyncio.gather(*(post(intake, alert_body(f"a{n % 10}")) for n in range(100)))
    statuses = [one["status"] for one in answers]
    assert (statuses.count("accepted"), statuses.count("duplicate")) == (10, 90)
    assert len({one["notification"] for one in answers}) == 10
    await store.close()


async def test_202_means_that_another_reader_of_the_file_finds_it(tmp_path: Path) -> None:
    """Committed, not only handed to a thread: the numbers of all answers are in the file at once."""
    store = await SqliteStore.open(tmp_path / "store.db")
    intake = intake_on(store)
    for number in range(20):
        answered = await post(intake, alert_body(f"a{number}"))
        with sqlite3.connect(f"file:{tmp_path / 'store.db'}?mode=ro", uri=True) as reader:
            found = reader.execute("SELECT count(*) FROM notifications WHERE id = ?", (answered["notification"],))
            assert found.fetchone() == (1,)
        reader.close()
    await store.close()
