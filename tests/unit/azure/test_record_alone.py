"""Commands that would work with one record at the same time."""

import fcntl
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from secure_export.azure.setup.record_alone import RecordInUse, record_alone
from secure_export.cli.azure import app as azure_app
from secure_export.cli.itsmc import app as itsmc_app
from secure_export.errors import SettingsError

HOLDER = """
import sys
from pathlib import Path
from secure_export.azure.setup.record_alone import record_alone
with record_alone(Path(sys.argv[1]), "azure apply"):
    print("it is ours", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_a_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process work with the record."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "it is ours\n"
            yield process
        finally:
            process.kill()


def test_who_comes_second_is_told_who_holds_the_record_and_what_to_do(tmp_path: Path) -> None:
    """And a killed process holds nothing: the next one gets the record at once."""
    path = tmp_path / "azure.json"
    with held_by_a_process(path) as process:
        with pytest.raises(RecordInUse) as told, record_alone(path, "azure destroy"):
            pass
        assert re.search(
            rf"azure\.json is in use: 'azure apply' \(process {process.pid} on \S+, since .* UTC\)", str(told.value)
        )
        assert "wait until it has ended, or end it, and run this again" in str(told.value)
        process.kill()
        process.wait()
        with record_alone(path, "azure destroy") as record:
            assert record.tenants == ()


def test_a_lock_leaves_nothing_behind(tmp_path: Path) -> None:
    """However the block ends; and who comes after gets the record."""
    path = tmp_path / "azure.json"
    for _ in range(2):
        with pytest.raises(KeyError), record_alone(path, "azure apply"):
            raise KeyError
        assert list(tmp_path.iterdir()) == []
    path.write_text("no record", encoding="utf-8")
    with pytest.raises(SettingsError, match="is no record"), record_alone(path, "azure apply"):
        pass
    assert list(tmp_path.iterdir()) == [path]


def test_two_records_are_two_locks(tmp_path: Path) -> None:
    """Who works with another record, be it in the same folder, is in nobody's way."""
    with record_alone(tmp_path / "a.json", "azure apply"), record_alone(tmp_path / "b.json", "azure apply"):
        with pytest.raises(RecordInUse, match=r"a\.json"), record_alone(tmp_path / "a.json", "azure apply"):
            pass
        with pytest.raises(RecordInUse, match=r"b\.json"), record_alone(tmp_path / "b.json", "azure apply"):
            pass


def test_a_lock_file_that_its_holder_removed_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opened it just before that makes a new one: else two would hold files of one name."""
    path = tmp_path / "azure.json"
    first = record_alone(path, "azure apply")
    first.__enter__()
    lock, is_over = fcntl.flock, False

    def after_the_first(file: int, how: int) -> None:
        nonlocal is_over
        if not is_over:
            is_over = True
            first.__exit__(None, None, None)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", after_the_first)
    with record_alone(path, "azure apply"), pytest.raises(RecordInUse), record_alone(path, "azure destroy"):
        pass


def test_where_nothing_can_be_written_commands_that_change_nothing_go_on(tmp_path: Path) -> None:
    """A folder that is not there holds no record, and takes none."""
    with record_alone(tmp_path / "nowhere" / "azure.json", "azure destroy") as record:
        assert record.tenants == ()


@pytest.mark.parametrize(
    ("app", "command"),
    [(azure_app, "apply"), (azure_app, "destroy"), (itsmc_app, "undo")],
    ids=["azure apply", "azure destroy", "itsmc undo"],
)
def test_commands_refuse_a_record_in_use_before_they_ask_azure(tmp_path: Path, app: typer.Typer, command: str) -> None:
    """Whatever both would do: nobody signs in, and the record stays with who holds it."""
    file = tmp_path / "secure-export.toml"
    file.write_text(
        '[server]\npublic_url = "https://alerts.example.test"\n'
        '[identity]\ntenant_id = "c0ffee00-7e57-4a11-9b5d-5a4db0c5ed01"\naudience = ["api://x"]\n'
        '[connections.desk]\ntype = "desk"\nsubscriptions = ["*"]\n'
        '[azure]\nrecord = "made.json"\ngraph_url = "http://127.0.0.1:9"\nresource_manager_url = "http://127.0.0.1:9"\n',
        encoding="utf-8",
    )
    with record_alone(tmp_path / "made.json", "azure apply"):
        ran = CliRunner().invoke(app, [command, "--config", str(file), "--yes"])
    assert isinstance(ran.exception, RecordInUse), ran.output
