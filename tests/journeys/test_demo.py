"""The demo as a person runs it: its judgement, its last line, and what stands in the tool when it is over."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.program import COMMAND, free_port
from tests.runs import begin

from secure_export.sandbox.azure_monitor.estate import sample_estate
from secure_export.sandbox.azure_monitor.scenario import one_round
from secure_export.sandbox.entra.directory import DEFAULT_TENANT_ID

pytestmark = pytest.mark.journey

TOTALS = one_round(sample_estate(DEFAULT_TENANT_ID), datetime(2026, 1, 1, tzinfo=UTC)).totals
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("SECURE_EXPORT")},
    "PYTHONUNBUFFERED": "1",
    "NO_COLOR": "1",
}
SECONDS = 90.0


def test_one_round_ends_well_and_prints_its_numbers(tmp_path: Path) -> None:
    """``--once`` exits 0 only if every alert got where it belongs; its last line is JSON for programs."""
    ran = subprocess.run(
        [*COMMAND, "demo", "--once", "--port", str(free_port())],
        capture_output=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
        check=False,
        timeout=SECONDS,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Every alert got where it belongs" in ran.stdout
    assert "/v1/connections/desk/alerts" in ran.stdout
    summary = json.loads(ran.stdout.splitlines()[-1])
    assert list(summary) == ["alerts", "work_items", "resolved", "bound", "quarantined"]
    assert (summary["work_items"], summary["resolved"], summary["quarantined"]) == (
        TOTALS.work_items,
        TOTALS.resolved,
        TOTALS.quarantined,
    )
    assert TOTALS.bound <= summary["bound"] <= TOTALS.bound_at_most
    assert list(tmp_path.iterdir()) == [], "nothing stays"


def test_the_demo_leaves_each_incident_once_in_servicenow_and_ends_by_ctrl_c(tmp_path: Path) -> None:
    """What the demo says of itself is seen from outside too: in the page that it names, by its control, and by hand."""
    with _running("servicenow", tmp_path) as shown:
        assert "Every alert got where it belongs" in shown
        assert "/v1/connections/servicenow/alerts" in shown
        console, snow = _after("console", shown), _after("ServiceNow (sandbox)", shown)
        rows = _json(f"{snow}/control/records/incident?query=correlation_idSTARTSWITHazmon1:")["rows"]
        assert Counter(row["state"] for row in rows) == {
            "6": TOTALS.resolved,
            "1": TOTALS.work_items - TOTALS.resolved - 1,
            "2": 1,
        }
        assert len({row["correlation_id"] for row in rows}) == len(rows)
        assert TOTALS.bound <= sum(bool(row["cmdb_ci"]) for row in rows) <= TOTALS.bound_at_most
        assert rows[0]["number"] in _text(f"{snow}/")
        items = {item["number"]: item for item in _json(f"{console}/api/v1/work-items?limit=1000")["items"]}
        assert set(items) == {row["number"] for row in rows}
        (taken,) = (items[row["number"]] for row in rows if row["state"] == "2")
        assert (taken["tool_state"], taken["assignment"]) == ("In Progress", "Ines Tilburg")
        assert taken["number"] in _text(taken["url"])
        number, command = _command("end (INC[0-9]+) as itil.agent", shown)
        assert items[number]["tool_state"] == "New"
        _typed(command)
        ended = _until(
            f"{console}/api/v1/work-items/{items[number]['id']}", lambda item: item["tool_state"] == "Resolved"
        )
        assert "Solution provided: It was restarted." in ended["resolution_in_tool"]
        assert ended["hands_off"], "a person ended it while its alert fires: it is left to people"


def test_the_demo_leaves_each_incident_once_in_bmc_helix_and_follows_a_person(tmp_path: Path) -> None:
    """Its judgement is good, and what it says is seen from outside too, as with ServiceNow."""
    with _running("bmc-helix", tmp_path) as shown:
        assert "Every alert got where it belongs" in shown
        assert "not as it should be" not in shown
        console, bmc = _after("console", shown), _after("BMC Helix (sandbox)", shown)
        items = {item["number"]: item for item in _json(f"{console}/api/v1/work-items?limit=1000")["items"]}
        all_there = {one["Incident Number"]: one for one in _json(f"{bmc}/control/incidents")}
        ours = [all_there[number] for number in items]
        assert len({one["Vendor Ticket Number"] for one in ours}) == TOTALS.work_items == len(ours)
        assert Counter(one["Status"] for one in ours) == {
            "Resolved": TOTALS.resolved,
            "Assigned": TOTALS.work_items - TOTALS.resolved - 1,
            "In Progress": 1,
        }
        assert TOTALS.bound <= sum("HPD_CI_ReconID" in one for one in ours) <= TOTALS.bound_at_most
        (taken,) = (items[one["Incident Number"]] for one in ours if one["Status"] == "In Progress")
        assert (taken["tool_state"], taken["assignment"]) == ("In Progress", "Ada Lovelace")
        assert taken["number"] in _text(taken["url"])
        number, command = _command("end (INC[0-9]+)", shown)
        assert items[number]["tool_state"] == "Assigned"
        _typed(command)
        ended = _until(
            f"{console}/api/v1/work-items/{items[number]['id']}", lambda item: item["tool_state"] == "Resolved"
        )
        assert "No Further Action Required: It was restarted." in ended["resolution_in_tool"]
        assert ended["hands_off"], "a person ended it while its alert fires: it is left to people"


@contextmanager
def _running(tool: str, folder: Path) -> Iterator[str]:
    """Run the demo until its round is over; gives what it printed by then."""
    log = folder / "shown.txt"
    with log.open("wb") as out, Path(os.devnull).open("rb") as nothing:
        process = begin(["demo", "--tool", tool, "--port", str(free_port())], folder, nothing, out, out)
    try:
        end = time.monotonic() + SECONDS
        while "Ctrl-C ends it" not in log.read_text("utf-8") and process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        assert "Ctrl-C ends it" in log.read_text("utf-8"), log.read_text("utf-8")
        yield log.read_text("utf-8")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, log.read_text("utf-8")
        assert list(folder.iterdir()) == [log], "nothing stays"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _after(name: str, shown: str) -> str:
    """Give the address that stands beside a name."""
    found = re.search(rf"{re.escape(name)}\s+(http://\S+)", shown)
    assert found, shown
    return found.group(1)


def _command(name: str, shown: str) -> tuple[str, str]:
    """Give what a pattern of a name caught, and the command beside it."""
    found = re.search(rf"{name}\s+(curl .+)", shown)
    assert found, shown
    return found.group(1), found.group(2)


def _typed(command: str) -> None:
    """Do what a command with curl does."""
    curl, option, method, url, data, body = shlex.split(command)
    assert (curl, option, data) == ("curl", "-X", "-d")
    request = urllib.request.Request(url, data=body.encode(), method=method)  # noqa: S310 - checked below
    assert request.host.startswith("127.0.0.1:")
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        assert answer.status == 200


def _until(url: str, wanted: Callable[[Any], bool]) -> Any:
    """Ask until the answer is as wanted."""
    end = time.monotonic() + 20
    while not wanted(answer := _json(url)) and time.monotonic() < end:
        time.sleep(0.1)
    assert wanted(answer), answer
    return answer


def _text(url: str) -> str:
    assert urllib.parse.urlsplit(url).hostname == "127.0.0.1"
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own loopback address
        text: str = answer.read().decode()
        return text


def _json(url: str) -> Any:
    return json.loads(_text(url))
