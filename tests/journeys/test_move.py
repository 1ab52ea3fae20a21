"""The real service moves from SQLite to PostgreSQL and back, with work in every state, and goes on."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import Server
from tests.program import Program
from tests.runs import COMMAND_SECONDS, begin

from secure_export.sandbox.azure_monitor.credentials import CachedToken, ClientCredentials
from secure_export.sandbox.azure_monitor.delivery import WebhookSender
from secure_export.sandbox.azure_monitor.rules import Delivered
from secure_export.sandbox.entra.directory import AZNS_APP_ID, AZNS_SANDBOX_SECRET, DEFAULT_TENANT_ID, RESOURCE_APP_ID

pytestmark = pytest.mark.journey

SUBSCRIPTION = "0f4c8a77-5d21-4b6e-9c13-a8e2d7b4f650"
MORE_ROWS = 10_000


def alert(name: str, *, resolved: bool = False) -> dict[str, Any]:
    essentials = {
        "alertId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/{name}",
        "alertRule": f"queue depth {name}",
        "severity": "Sev2",
        "signalType": "Metric",
        "monitorCondition": "Resolved" if resolved else "Fired",
        "monitoringService": "Platform",
        "firedDateTime": "2026-05-04T10:00:00Z",
    }
    if resolved:
        essentials["resolvedDateTime"] = "2026-05-04T10:20:00Z"
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": essentials, "alertContext": None}}


async def send(program: Program, entra: str, *values: Any) -> None:
    """Post bodies as an action group would."""
    credentials = ClientCredentials(
        f"{entra}/{DEFAULT_TENANT_ID}/oauth2/v2.0/token", AZNS_APP_ID, AZNS_SANDBOX_SECRET, f"api://{RESOURCE_APP_ID}"
    )
    async with WebhookSender(program.webhook, CachedToken(credentials), time_scale=0.05) as sender:
        for value in values:
            assert isinstance(await sender.send(json.dumps(value).encode()), Delivered)


def settled(program: Program) -> None:
    program.wait_until("/api/v1/lanes", lambda answer: not answer["items"])


def move(program: Program, to: str, *, ends: Sequence[signal.Signals]) -> None:
    """Copy the store, ending the copy in its middle, and have the service use the copy from now on."""
    command = ("store", "copy", str(program.config), to, "--json")
    unfinished = 0
    for number in ends:
        code, told = ended_in_the_middle(command, program.folder, number)
        assert code in {0, {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 143}[number]}, told
        assert ("Run the same command again" in told) == (code > 0), told
        unfinished += code != 0
    assert unfinished, "none was ended under way"
    done = program.run(*command)
    assert done.code == 0, done.err
    assert all(one["same"] for one in json.loads(done.out))
    again = program.run(*command)
    assert (again.code, json.loads(again.out)) == (0, [])
    assert "is a finished copy of this source" in again.err
    text = program.config.read_text(encoding="utf-8")
    old = next(line for line in text.splitlines() if line.startswith("url = "))
    program.config.write_text(text.replace(old, f'url = "{to}"'), encoding="utf-8")


def ended_in_the_middle(command: Sequence[str], folder: Path, number: signal.Signals) -> tuple[int, str]:
    """Begin a copy and end it when it copies notifications, or has got further; gives its exit code and what it told.

    A machine that is busy with something else may let it finish before it is ended.
    """
    errors = folder / "copy.err"
    with Path(os.devnull).open("r+b") as nothing, errors.open("w+b") as told:
        process = begin(command, folder, nothing, nothing, told)
    end = time.monotonic() + COMMAND_SECONDS
    while process.poll() is None and not any(
        part in errors.read_text() for part in ("copying notifications", "comparing")
    ):
        assert time.monotonic() < end, "it did not begin to copy"
        time.sleep(0.002)
    process.send_signal(number)
    return process.wait(COMMAND_SECONDS), errors.read_text()


def history(database: Path) -> None:
    """Add much that is over, so that a copy takes long enough to be killed in the middle."""
    with closing(sqlite3.connect(database)) as db:
        (last,) = db.execute("UPDATE counter SET value = value + ? RETURNING value", (MORE_ROWS,)).fetchone()
        rows = [(last - n, 1_700_000_000_000_000 + n * 1000, os.urandom(60)) for n in range(MORE_ROWS)]
        db.executemany("INSERT INTO notifications (id, received_at, sender, packed, body) VALUES (?, ?, 1, 0, ?)", rows)
        db.commit()


async def test_a_service_moves_there_and_back_and_finishes_its_work(
    tmp_path: Path, entra: str, postgres: Server
) -> None:
    """Owed, open, resolved and quarantined: each has one incident in the end, and no duplicate is taken for new."""
    program = Program(tmp_path, entra)
    async with postgres.database(migrated=False) as name:
        try:
            program.start()
            await send(program, entra, alert("open"), alert("over"), alert("over", resolved=True), {"not": "an alert"})
            settled(program)
            program.stop()
            program.start("--role", "intake,console")
            await send(program, entra, alert("owed"), alert("open", resolved=True))
            before = {item["id"]: item["number"] for item in program.json("/api/v1/work-items")["items"]}
            program.kill()
            history(tmp_path / "store.db")

            move(program, postgres.url(name), ends=(signal.SIGKILL, signal.SIGTERM, signal.SIGKILL))
            program.start()
            await send(program, entra, alert("owed"), alert("new"))
            settled(program)
            assert states(program) == {"open": "resolved", "over": "resolved", "owed": "open", "new": "open"}
            assert (
                before.items()
                <= {item["id"]: item["number"] for item in program.json("/api/v1/work-items")["items"]}.items()
            )
            assert len(program.json("/api/v1/quarantine")["items"]) == 1
            program.stop()

            move(program, f"sqlite://{tmp_path}/back.db", ends=(signal.SIGTERM,))
            program.start()
            await send(program, entra, alert("owed", resolved=True), alert("new"), alert("last"))
            settled(program)
            assert states(program) == {
                "open": "resolved",
                "over": "resolved",
                "owed": "resolved",
                "new": "open",
                "last": "open",
            }
            numbers = [incident["number"] for incident in program.rows("desk", "incidents")]
            assert len(numbers) == len(set(numbers)) == 5
        finally:
            program.stop()


def states(program: Program) -> dict[str, str]:
    """Give the state of each alert's only work item."""
    items = program.json("/api/v1/work-items")["items"]
    found = {item["alerts"][0].rpartition("/")[2]: item["state"] for item in items}
    assert len(found) == len(items)
    assert not any(item["owed"] for item in items)
    return found
