"""The command line, as scripts call it."""

import json
from collections import Counter
from pathlib import Path

import pytest
from tests.journeys.contract.outside import alert
from tests.program import Program, free_port
from typer.testing import CliRunner

from secure_export.cli.main import app

pytestmark = pytest.mark.journey


def test_send_brings_a_thousand_alerts_and_ends_them(tmp_path: Path, entra: str) -> None:
    """``--count`` makes alerts of their own; the same call with ``--resolve`` ends just those."""
    program = Program(tmp_path, entra)
    program.start()
    try:
        (tmp_path / "alert.json").write_text(json.dumps(alert("many")), encoding="utf-8")
        call = ["send", "alert.json", "--url", program.webhook, "--token-from", entra, "--count", "1000", "--json"]
        for more in ([], ["--resolve"]):
            ran = program.run(*call, *more)
            assert ran.code == 0, ran.err
            results = json.loads(ran.out)
            assert len(results) == 1000
            assert {result["result"] for result in results} == {"delivered"}
        program.wait_until("/api/v1/lanes", lambda page: not page["items"])
        states = Counter(item["state"] for item in program.rows("work-items", "list"))
        assert states == {"resolved": 1000}
        assert len(json.loads(program.run("work-items", "list", "--json").out)) == 100, "the newest 100 by default"
        assert len(json.loads(program.run("alerts", "list", "--json", "--limit", "7").out)) == 7
    finally:
        program.stop()


def test_check_prints_json_and_nothing_else_when_something_is_wrong(tmp_path: Path) -> None:
    """Programs read the table from standard output, also when the authority cannot be reached; exit code 1."""
    program = Program(tmp_path, f"http://127.0.0.1:{free_port()}")
    ran = program.run("check", "--json")
    assert ran.code == 1
    assert [row["part"] for row in json.loads(ran.out) if not row["passed"]] == ["identity"]


def test_looking_with_a_configuration_elsewhere_makes_no_store(tmp_path: Path) -> None:
    """``--config`` works from every folder, and a command that only looks leaves the folder as it was."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "elsewhere").mkdir()
    program = Program(tmp_path / "etc", f"http://127.0.0.1:{free_port()}")
    text = program.config.read_text(encoding="utf-8").replace(
        f"sqlite:///{program.folder}/store.db", "sqlite:///store.db"
    )
    program.config.write_text(text, encoding="utf-8")
    assert program.run("cmdb", "list").code == 0
    elsewhere = Program(tmp_path / "elsewhere", f"http://127.0.0.1:{free_port()}")
    elsewhere.config.unlink()
    elsewhere.run("alerts", "list", "--config", str(program.config))
    assert list((tmp_path / "elsewhere").iterdir()) == []


LEAVES = [
    "demo",
    "init",
    "serve",
    "check",
    "explain",
    "send",
    "alerts list",
    "alerts show",
    "work-items list",
    "work-items show",
    "lanes list",
    "lanes retry",
    "quarantine list",
    "quarantine show",
    "quarantine replay",
    "cmdb import",
    "cmdb list",
    "cmdb search",
    "sandbox entra",
    "sandbox azure-monitor",
]


@pytest.mark.parametrize("command", LEAVES)
def test_the_help_of_every_command_has_an_example(command: str) -> None:
    """A person copies the example instead of reading on."""
    shown = CliRunner().invoke(app, [*command.split(), "--help"])
    assert shown.exit_code == 0, shown.output
    assert f"Example: secure-export {command}" in " ".join(shown.output.split())
