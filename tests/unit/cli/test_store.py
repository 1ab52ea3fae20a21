"""The commands about the store: what they print, and how they end."""

import asyncio
import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from anyio.to_thread import run_sync
from tests.postgres import Server
from tests.unit.store.copy.filled import filled
from typer.testing import CliRunner

from secure_export.cli.progress import Shown
from secure_export.cli.store import app
from secure_export.errors import SecureExportError, SettingsError, StoreUnavailable
from secure_export.store.open import sqlite_path
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore
from secure_export.store.sqlite import alone

CONFIGURATION = """
[store]
{store}

[identity]
tenant_id = "11111111-1111-4111-8111-111111111111"
audience = "22222222-2222-4222-8222-222222222222"

[connections.desk]
type = "desk"
subscriptions = ["33333333-3333-4333-8333-333333333333"]
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only shortly for those who use a file."""
    monkeypatch.setattr(alone, "_PATIENCE_SECONDS", 0.05)


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Give a configuration of a SQLite database with something in it."""
    asyncio.run(filled(tmp_path / "store.db"))
    return configuration(tmp_path, 'url = "sqlite:///store.db"')


def configuration(folder: Path, store: str) -> str:
    file = folder / "secure-export.toml"
    file.write_text(CONFIGURATION.format(store=store), encoding="utf-8")
    return str(file)


def run(*arguments: str, code: int = 0) -> str:
    """Run a command, and give what it printed; what it complains about is raised."""
    ran = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    if isinstance(ran.exception, SecureExportError):
        raise ran.exception
    assert ran.exit_code == code, (ran.output, ran.exception)
    return ran.stdout


def test_a_copy_prints_what_it_compared(tmp_path: Path, config: str) -> None:
    """A table with a line for each thing that is kept, and what to do next; as JSON with whole digests."""
    printed = run("copy", config, f"sqlite://{tmp_path}/a.db")
    assert "Set store.url to the copy" in printed
    lines = [line.split() for line in printed.splitlines()[1:] if line.startswith("ok")]
    assert lines[1][:4] == ["ok", "notifications", "30", "30"]
    assert all(line[2] == line[3] and line[4] == line[5] for line in lines)
    told = json.loads(run("copy", config, f"sqlite://{tmp_path}/b.db", "--json"))
    assert all(one["same"] and one["source"] == one["target"] for one in told)


def test_a_copy_that_was_finished_before_is_told_and_is_no_error(tmp_path: Path, config: str) -> None:
    """Whoever did not see the end of the first run learns of it from the second; programs get an empty list."""
    target = f"sqlite://{tmp_path}/a.db"
    run("copy", config, target)
    told = CliRunner().invoke(app, ["copy", config, target])
    assert (told.exit_code, told.stdout) == (0, "")
    assert f"{target} is a finished copy of this source, which has not changed since" in told.stderr
    assert json.loads(run("copy", config, target, "--json")) == []


def test_a_rehearsed_copy_is_not_taken_for_the_real_one(tmp_path: Path, config: str) -> None:
    """What came since the rehearsal is missing: that is an error, before anything is told about what comes later."""
    target = f"sqlite://{tmp_path}/a.db"
    with closing(sqlite3.connect(tmp_path / "store.db")) as other:
        other.execute("SELECT * FROM cursors").fetchall()
        run("copy", config, target, "--force")
        other.execute("INSERT INTO audit_log (at, by, action, subject) VALUES (2, 'me', 'retry', 'since')")
        other.commit()
        told = CliRunner().invoke(app, ["copy", config, target, "--force", "--json"])
        assert isinstance(told.exception, SettingsError)
        assert "is a finished copy of an older state of" in str(told.exception)
        assert "from now on" not in told.output
    with pytest.raises(SettingsError, match="whose audit_log have changed since; begin with an empty target"):
        run("copy", config, target, "--json")


def test_a_path_is_told_as_the_url_that_it_would_be(
    tmp_path: Path, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is suggested names the same file: a URL with a folder in it begins at the root."""
    monkeypatch.chdir(tmp_path)
    for given, meant in (
        (f"{tmp_path}/my store.db", f"sqlite://{tmp_path}/my%20store.db"),
        ("store.db", "sqlite:///store.db"),
        ("sub/store.db", f"sqlite://{tmp_path}/sub/store.db"),
    ):
        with pytest.raises(SettingsError) as told:
            run("copy", given, config)
        assert str(told.value).endswith(f"did you mean {meant}?")
        assert sqlite_path(meant).absolute() == tmp_path / given


def test_a_copy_of_a_source_in_use_says_so(tmp_path: Path, config: str) -> None:
    """With --force, so that nobody takes it for all there is."""
    with closing(sqlite3.connect(tmp_path / "store.db")) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM cursors").fetchall()
        told = CliRunner().invoke(app, ["copy", config, f"sqlite://{tmp_path}/a.db", "--force"])
    assert told.exit_code == 0
    assert "what comes from now on is not in the copy" in told.stderr


def test_an_interrupted_copy_says_how_to_go_on(tmp_path: Path, config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C and SIGTERM end it with one line; files alone do not keep it from hearing them."""
    for signal_, unheard in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, lambda *_: None)):
        previous = signal.signal(signal_, unheard)
        target = f"sqlite://{tmp_path}/{signal_.name}.db"
        monkeypatch.setattr(Shown, "begun", lambda _, what, _rows, number=signal_: _send_when_copying(what, number))
        try:
            told = CliRunner().invoke(app, ["copy", config, target])
        finally:
            signal.signal(signal_, previous)
            monkeypatch.undo()
        assert told.exit_code == 128 + signal_, told.output
        assert told.stderr.splitlines()[-1] == "Interrupted. Run the same command again: it goes on where it ended."
        assert "Both have the same" in run("copy", config, target)


def _send_when_copying(what: str, number: signal.Signals) -> None:
    if what == "copying notifications":
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("command", ["copy", "restore", "restored", "backup", "migrate", "info"])
def test_help_has_one_line_for_a_paragraph(command: str) -> None:
    """A terminal wraps it; line breaks of the source in the middle of a sentence would be shown."""
    text = next(one.callback.__doc__ for one in app.registered_commands if one.name == command and one.callback)
    assert text is not None
    paragraphs = text.strip().split("\n\n")
    assert [one for one in paragraphs if "\n" in one.strip()] == []


def test_a_backup_into_a_folder_that_cannot_be_made_names_it(tmp_path: Path, config: str) -> None:
    """And says what to do."""
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "backups"
    with pytest.raises(StoreUnavailable, match=f"the folder {folder} is not there and cannot be made.*make it, or"):
        run("backup", str(folder / "alerts.db"), "--config", config)


def test_a_copy_that_differs_is_told_and_fails(tmp_path: Path, config: str) -> None:
    """Exit 1, and the word that says so in the line of the table."""
    target = tmp_path / "a.db"
    run("copy", config, f"sqlite://{target}")
    with closing(sqlite3.connect(target)) as db:
        db.execute("UPDATE cursors SET name = 'store-copy:unfinished' WHERE name = 'store-copy:finished'")
        db.execute("DELETE FROM audit_log")
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in (*tables, "notification_keys"):
            db.execute("INSERT INTO cursors (name, value) VALUES (?, 'complete')", (f"store-copy:position:{table}",))
        db.commit()
    printed = run("copy", config, f"sqlite://{target}", code=1)
    assert [line.split()[1] for line in printed.splitlines() if "DIFFERS" in line] == ["audit_log"]


async def test_a_configuration_names_a_store_with_its_password(
    tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy from there and to there works without a password in any URL; the variable is read when it is needed."""
    await filled(tmp_path / "source.db")
    async with postgres.database(migrated=False) as name:
        config = configuration(tmp_path, f'url = "{postgres.url(name)}"\npassword = {{ env = "DB_SECRET" }}')
        with pytest.raises(StoreUnavailable, match=r"store\.password: .*DB_SECRET"):
            await run_sync(run, "copy", f"sqlite://{tmp_path}/source.db", config)
        monkeypatch.setenv("DB_SECRET", "x")
        assert "Both have the same" in await run_sync(run, "copy", f"sqlite://{tmp_path}/source.db", config)
        assert "Both have the same" in await run_sync(run, "copy", config, f"sqlite://{tmp_path}/back.db")


def test_backup_and_restore(tmp_path: Path, config: str) -> None:
    """What was backed up comes back, and each command says what it did."""
    file = tmp_path / "backup.db"
    assert "checked and complete" in run("backup", str(file), "--config", config)
    with pytest.raises(SecureExportError, match="--force"):
        run("backup", str(file), "--config", config)
    assert json.loads(run("backup", str(file), "--config", config, "--force", "--json")) == {
        "file": str(file),
        "bytes": file.stat().st_size,
    }
    (tmp_path / "store.db").unlink()
    printed = run("restore", str(file), "--config", config)
    assert "is in place" in printed
    assert "azure missed" in printed
    told = json.loads(run("restore", str(file), "--config", config, "--force", "--json"))
    assert told["to_look_at"] == 12
    assert told["made_at"] is not None


def test_a_store_is_told_that_it_was_restored(config: str) -> None:
    """How much is looked at first, and what to do next."""
    assert "12 work items are read back" in run("restored", "--config", config)
    assert json.loads(run("restored", "--config", config, "--json")) == {"to_look_at": 12}


async def test_backups_are_for_sqlite(tmp_path: Path, postgres: Server) -> None:
    """With PostgreSQL its own means are named."""
    config = configuration(tmp_path, f'url = "{postgres.url("any")}"')
    for command, instead in (("backup", "pg_dump"), ("restore", "pg_restore")):
        with pytest.raises(SettingsError, match=instead):
            await run_sync(run, command, "x.db", "--config", config)


def test_info_of_sqlite(config: str) -> None:
    """How big, how much, how far back, and how current; for people and for programs."""
    told = json.loads(run("info", "--config", config, "--json"))
    assert told["engine"].startswith("SQLite 3")
    assert told["counts"]["notifications"] == 30
    assert told["counts"]["quarantine"] == 1
    assert told["bytes_per_alert"] == told["size_bytes"] // told["counts"]["alerts"]
    assert told["oldest_notification"] < told["newest_notification"]
    assert told["migration"].startswith("0")
    assert "bytes per alert" in run("info", "--config", config)


def test_looking_makes_no_database(tmp_path: Path) -> None:
    """What only looks leaves nothing behind where there is nothing."""
    config = configuration(tmp_path, 'url = "sqlite:///nothing.db"')
    with pytest.raises(SecureExportError, match="there is no"):
        run("info", "--config", config)
    assert not (tmp_path / "nothing.db").exists()


@pytest.mark.served
def test_migrate_makes_and_updates_sqlite(tmp_path: Path) -> None:
    """The names of what was applied, and nothing the second time."""
    config = configuration(tmp_path, 'url = "sqlite:///new.db"')
    assert "Applied 0001_core.sql" in run("migrate", "--config", config)
    assert "up to date" in run("migrate", "--config", config)
    assert json.loads(run("migrate", "--config", config, "--json")) == {"applied": [], "grants": []}
    with pytest.raises(SettingsError, match="PostgreSQL"):
        run("migrate", "--config", config, "--grant-to", "runner")
    run("migrate", "--config", config, "--print-sql", code=2)


async def test_migrate_says_what_it_waits_for(
    tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs it sees on standard error why it takes long; standard output stays for programs."""
    monkeypatch.setattr("secure_export.store.postgresql.migrate._PATIENCE_WITH_PEERS_SECONDS", 0.0)
    async with postgres.database(migrated=False) as name, postgres.connection(name) as peer:
        await peer.execute("SELECT pg_advisory_lock(1397310820, 1)")
        config = configuration(tmp_path, f'url = "{postgres.url(name)}"')
        told = await run_sync(CliRunner().invoke, app, ["migrate", "--config", config, "--json"])
    assert isinstance(told.exception, StoreUnavailable)
    assert "waiting for another process that migrates" in told.stderr
    assert told.stdout == ""


async def test_migrate_lets_another_role_run_the_service(tmp_path: Path, postgres: Server) -> None:
    """The owner migrates and grants; the role that runs the service owns nothing, and works."""
    async with postgres.database(migrated=False) as name:
        role = f'{name}_Run"ner'
        await postgres.execute(f"""CREATE ROLE "{role.replace('"', '""')}" LOGIN""")
        try:
            config = configuration(tmp_path, f'url = "{postgres.url(name)}"')
            assert "Applied 0001_core.sql" in await run_sync(run, "migrate", "--config", config)
            sql = await run_sync(run, "migrate", "--config", config, "--grant-to", role, "--print-sql")
            assert sql.count(";\n") == 9
            runner = place_of(postgres.url(name, role=role.replace('"', "%22")))
            with pytest.raises(StoreUnavailable, match="lacks a right"):
                await PostgresStore.open(runner)
            await run_sync(run, "migrate", "--config", config, "--grant-to", role)
            store = await PostgresStore.open(runner)
            assert await store.ready() is None
            await store.close()
            for table, right in (("migrations", "INSERT"), ("audit_log", "UPDATE"), ("audit_log", "DELETE")):
                asked = f"SELECT has_table_privilege($${role}$$, '{table}', '{right}')"
                assert await postgres.fetch(asked, database=name) == [(False,)], (table, right)
            of_runner = postgres.url(name, role=role.replace('"', "%22"))
            assert "Both have the same" in await run_sync(run, "copy", of_runner, f"sqlite://{tmp_path}/copy.db")
            told = json.loads(await run_sync(run, "info", "--config", config, "--json"))
            assert told["engine"].startswith("PostgreSQL")
            assert told["counts"]["alerts"] == 0
            assert told["bytes_per_alert"] is None
            with pytest.raises(SettingsError, match="make the role first"):
                await run_sync(run, "migrate", "--config", config, "--grant-to", "nobody-here")
        finally:
            quoted = role.replace('"', '""')
            await postgres.execute(f'DROP OWNED BY "{quoted}"', database=name)
            await postgres.execute(f'DROP ROLE "{quoted}"')
