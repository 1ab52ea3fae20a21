"""Journeys fork the program from a process that has it loaded: that is the same as starting it."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from tests import runs
from tests.journeys.contract.outside import alert

pytestmark = pytest.mark.journey


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--version"], id="ends well"),
        pytest.param(["alerts", "list", "--config", "none.toml"], id="fails"),
        pytest.param(["serve", "--nonsense"], id="wrong usage"),
    ],
)
def test_a_forked_run_is_as_one_that_was_started(tmp_path: Path, arguments: list[str]) -> None:
    """Exit code, output and errors are those of ``python -m secure_export`` in the same folder."""
    started = subprocess.run(
        [*runs.COMMAND, *arguments], cwd=tmp_path, env=runs.environment(), capture_output=True, check=False, timeout=60
    )
    forked = runs.run(arguments, tmp_path)
    assert (forked.code, forked.out, forked.err) == (
        started.returncode,
        started.stdout.decode(),
        started.stderr.decode(),
    )


def test_input_comes_from_where_it_should(tmp_path: Path) -> None:
    """A command that reads its standard input gets what the test gives."""
    body = json.dumps(alert("1")).encode()
    (tmp_path / "body.json").write_bytes(body)
    given, named = (runs.run(["explain", where, "--json"], tmp_path, body) for where in ("-", "body.json"))
    assert given.out
    assert (given.code, given.out, given.err) == (named.code, named.out, named.err)


def test_a_run_that_is_killed_ends_as_one_that_was_killed(tmp_path: Path) -> None:
    """A signal reaches the run itself, and its exit code is that of ``subprocess``."""
    with (tmp_path / "log").open("wb") as log, Path(os.devnull).open("rb") as nothing:
        run = runs.begin(["sandbox", "entra", "--port", "0"], tmp_path, nothing, log, log)
    assert run.poll() is None
    run.send_signal(signal.SIGKILL)
    assert run.wait(10) == -signal.SIGKILL
    assert run.poll() == -signal.SIGKILL
