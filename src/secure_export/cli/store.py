"""``secure-export store``: copies, backups, and what there is to know about the store."""

import asyncio
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from secure_export.cli.options import DEFAULT_FILE, AsJson, Config, run_async
from secure_export.cli.output import err, out, print_details, print_json, print_table
from secure_export.cli.progress import pages, shown
from secure_export.clock import utc_now
from secure_export.errors import SettingsError
from secure_export.itsm.registry import connector_types
from secure_export.settings import StoreSettings
from secure_export.settings_file import read_settings
from secure_export.store.backup.making import back_up
from secure_export.store.backup.marking import mark_restored
from secure_export.store.backup.restoring import Restored
from secure_export.store.backup.restoring import restore as restore_backup
from secure_export.store.bringing_up import bring_store_up_to_date
from secure_export.store.copy.copying import Compared, copy_store, was_copied
from secure_export.store.copy.opening import Where, sides
from secure_export.store.description import Description, describe_postgresql, describe_sqlite
from secure_export.store.instants import rfc3339
from secure_export.store.open import is_postgresql, sqlite_path
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.rights import grant, grants_to

app = typer.Typer(
    name="store", help="The store: copies, backups, migrations.", no_args_is_help=True, add_completion=False
)

_CONFIGURATION = ".toml"
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_NEXT_UNIT = 1024
# What a shell says of a command that a signal ended: 128 and its number.
_INTERRUPTED = 128 + signal.SIGINT
_TERMINATED = 128 + signal.SIGTERM

Force = Annotated[bool, typer.Option("--force", help="Replace the file that is there.")]


@app.command("copy")
def copy(
    from_: Annotated[str, typer.Argument(metavar="FROM", help="A URL as in store.url, or a configuration file.")],
    to: Annotated[str, typer.Argument(metavar="TO", help="The same for the target, which must be empty.")],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Copy a source in use, as it is now; what comes later is not in the copy.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy everything to another store, of the same or of the other kind, and compare the two.

    Stop the service first. If the copy is interrupted, run the same command again: it goes on where it ended.

    Exit code 1 says that the two differ; no service starts on such a copy.

    Example: [bold]secure-export store copy secure-export.toml postgresql://owner@db/alerts[/]
    """
    try:
        compared = run_async(_copy(_where(from_), _where(to), force=force))
    except (KeyboardInterrupt, asyncio.CancelledError) as error:
        err.print("Interrupted. Run the same command again: it goes on where it ended.", soft_wrap=True)
        raise typer.Exit(_INTERRUPTED if isinstance(error, KeyboardInterrupt) else _TERMINATED) from error
    if compared is None:
        _tell_that_it_was_copied(to, as_json=as_json)
        return
    differ = [one.table for one in compared if not one.same]
    if as_json:
        print_json([_plain(one) for one in compared])
    else:
        rows = [
            ("ok" if c.same else "DIFFERS", c.table, c.source, c.target, c.source_digest[:12], c.target_digest[:12])
            for c in compared
        ]
        columns = ("", "table", "rows in source", "in target", "digest of source", "of target")
        print_table(columns, rows, empty="Nothing to compare.")
    if differ:
        err.print(
            f"\nThe two differ in {', '.join(differ)}: the source was written to between two attempts, or the target "
            "was. Remove the target (the file, or drop and make the database), stop the service, and copy again.",
            soft_wrap=True,
        )
        raise typer.Exit(1)
    if not as_json:
        out.print(
            "\nBoth have the same. Set store.url to the copy, then start the service; never on the old one again."
        )


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to.")],
    config: Config = DEFAULT_FILE,
    *,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Copy the SQLite store into one file, while the service runs.

    Example: [bold]secure-export store backup /backups/alerts.db --config secure-export.toml[/]
    """
    database = _file_of(_settings(config), "pg_dump, or what your provider has")
    with shown() as part:
        size = back_up(database, file, pages("copying pages", part), now=utc_now(), replace=force)
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        out.print(f"{file}: {_size(size)}, checked and complete.", soft_wrap=True)


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `store backup` wrote.")],
    config: Config = DEFAULT_FILE,
    *,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the SQLite store; stop the service first.

    All that was open is read back from its tool before anything is done about it.

    What was recorded after the backup is gone: `secure-export azure missed` fetches it.

    Example: [bold]secure-export store restore /backups/alerts.db --config secure-export.toml[/]
    """
    database = _file_of(_settings(config), "pg_restore, or what your provider has")
    with shown() as part:
        done = restore_backup(file, database, pages("copying pages", part), now=utc_now(), replace=force)
    if as_json:
        print_json(_as_json(done, database))
        return
    of = f" of {done.made_at}" if done.made_at else ""
    out.print(f"{database}: the backup{of} is in place.", soft_wrap=True)
    _tell_what_follows(done.to_look_at)


@app.command("restored")
def restored(config: Config = DEFAULT_FILE, *, as_json: AsJson = False) -> None:
    """Tell a store that it was restored by other means, such as pg_restore, and so is old; stop the service first.

    As after `store restore`, all that is open is read back from its tool before anything is done about it.

    For 31 days new work items are looked for before they are made.

    Example: [bold]secure-export store restored --config secure-export.toml[/]
    """
    store = _settings(config)
    to_look_at = run_async(mark_restored(store.url, store.password_now, now=utc_now()))
    if as_json:
        print_json({"to_look_at": to_look_at})
        return
    _tell_what_follows(to_look_at)


@app.command("migrate")
def migrate(
    config: Config = DEFAULT_FILE,
    grant_to: Annotated[
        str | None,
        typer.Option("--grant-to", metavar="ROLE", help="Give this PostgreSQL role what it needs to run the service."),
    ] = None,
    *,
    print_sql: Annotated[
        bool, typer.Option("--print-sql", help="With --grant-to: print the statements, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the store up to date; with PostgreSQL as the role that owns the tables.

    Example: [bold]secure-export store migrate --config owner.toml --grant-to runner[/]
    """
    if print_sql and grant_to is None:
        raise typer.BadParameter("--print-sql goes with --grant-to ROLE")
    applied, grants = run_async(_migrate(_settings(config), grant_to, print_only=print_sql))
    if as_json:
        print_json({"applied": applied, "grants": grants})
    elif print_sql:
        out.print("\n".join(f"{statement};" for statement in grants), markup=False, soft_wrap=True)
    else:
        out.print(f"Applied {', '.join(applied)}." if applied else "Nothing to do: the store is up to date.")
        if grant_to is not None:
            out.print(f"The role {grant_to} may run the service.", markup=False)


@app.command("info")
def info(config: Config = DEFAULT_FILE, *, as_json: AsJson = False) -> None:
    """Tell what the store is, how big it is, and how far back it goes.

    Example: [bold]secure-export store info --config secure-export.toml[/]
    """
    found = run_async(_describe(_settings(config)))
    if as_json:
        print_json(_described(found))
        return
    told = _described(found) | {"size": _size(found.size_bytes)}
    del told["size_bytes"]
    print_details(told)


async def _copy(from_: Where, to: Where, *, force: bool) -> list[Compared] | None:
    with _asked_to_end(), shown() as part:
        async with sides(from_, to, although_in_use=force) as (source, target):
            copied = await was_copied(source, target, part)
            if source.is_in_use:
                err.print("The source is in use: what comes from now on is not in the copy.", soft_wrap=True)
            return None if copied else await copy_store(source, target, part, now=utc_now())


@contextmanager
def _asked_to_end() -> Iterator[None]:
    """Let SIGTERM cancel the task, as Ctrl-C does."""
    task = asyncio.current_task()
    if task is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def _tell_that_it_was_copied(to: str, *, as_json: bool) -> None:
    """Say that there is nothing to do: an earlier run finished this copy."""
    if as_json:
        print_json([])
    err.print(
        f"{to} is a finished copy of this source, which has not changed since: it was compared, and is complete. "
        "Nothing was copied now.",
        markup=False,
        soft_wrap=True,
    )


async def _migrate(store: StoreSettings, role: str | None, *, print_only: bool) -> tuple[list[str], list[str]]:
    if role is not None and not is_postgresql(store.url):
        raise SettingsError("--grant-to is for PostgreSQL; a SQLite file belongs to who runs the service")
    with _progress_of_migrations_logged():
        applied = [] if print_only else await bring_store_up_to_date(store.url, store.password_now)
    if role is None:
        return applied, []
    place = place_of(store.url, password=store.password_now)
    statements = await grants_to(place, role)
    if not print_only:
        await grant(place, statements)
    return applied, statements


@contextmanager
def _progress_of_migrations_logged() -> Iterator[None]:
    """Have told what takes long: an index of a big store, and another process that migrates."""
    logger = logging.getLogger("secure_export.store.postgresql")
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(logging.NOTSET)


async def _describe(store: StoreSettings) -> Description:
    if is_postgresql(store.url):
        return await describe_postgresql(place_of(store.url, password=store.password_now))
    return describe_sqlite(sqlite_path(store.url))


def _settings(config: Path) -> StoreSettings:
    return read_settings(config, connector_types()).store


def _where(text: str) -> Where:
    """Read a URL, or the configuration that names one.

    Raises:
        SettingsError: It is neither.
    """
    if "://" in text:
        return Where(text)
    if not text.endswith(_CONFIGURATION):
        raise SettingsError(f"{text} is neither a URL nor a configuration (.toml); did you mean {_url_of(text)}?")
    store = _settings(Path(text))
    return Where(store.url, store.password_now)


def _url_of(path: str) -> str:
    """Give the URL of a SQLite file; with a folder in it, it would be taken for one from the root."""
    return f"sqlite:///{quote(path)}" if "/" not in path else f"sqlite://{quote(str(Path(path).absolute()))}"


def _file_of(store: StoreSettings, instead: str) -> Path:
    if is_postgresql(store.url):
        raise SettingsError(f"this is for SQLite; the store is PostgreSQL, for which there is {instead}")
    return sqlite_path(store.url)


def _plain(one: Compared) -> dict[str, Any]:
    return {
        "table": one.table,
        "same": one.same,
        "source": {"rows": one.source, "digest": one.source_digest},
        "target": {"rows": one.target, "digest": one.target_digest},
    }


def _tell_what_follows(to_look_at: int) -> None:
    out.print(f"{to_look_at} work items are read back from their tools first.", soft_wrap=True)
    out.print("Start the service, then fetch what came after the backup: secure-export azure missed", soft_wrap=True)


def _as_json(done: Restored, database: Path) -> dict[str, Any]:
    return {
        "file": str(database),
        "made_at": done.made_at or None,
        "migrations": done.migrations,
        "to_look_at": done.to_look_at,
    }


def _described(found: Description) -> dict[str, Any]:
    oldest, newest = found.oldest_notification, found.newest_notification
    return {
        "engine": found.engine,
        "place": found.place,
        "size_bytes": found.size_bytes,
        "migration": found.migration,
        "counts": found.counts,
        "oldest_notification": rfc3339(oldest) if oldest is not None else None,
        "newest_notification": rfc3339(newest) if newest is not None else None,
        "bytes_per_alert": found.bytes_per_alert,
    }


def _size(count: int) -> str:
    """Write a number of bytes for people."""
    size, unit = float(count), 0
    while size >= _NEXT_UNIT and unit < len(_UNITS) - 1:
        size, unit = size / _NEXT_UNIT, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{count} bytes"
