"""Opens the store that a URL names."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from secure_export.clock import Clock
from secure_export.console.contract import Actions, Records
from secure_export.delivery.contract import Allotments, Lanes, Upkeep
from secure_export.errors import SettingsError
from secure_export.intake.contract import Journal
from secure_export.itsm.desk.contract import DeskRecords
from secure_export.store.postgresql.place import Password, place_of
from secure_export.store.postgresql.store import PostgresStore
from secure_export.store.sqlite.store import SqliteStore

_HELP = (
    "write sqlite:///name.db for a file beside the configuration, sqlite:///path/to/name.db for any other, "
    "or postgresql://user@host/database"
)


class Store(Protocol):
    """Everything that is kept, whichever database keeps it."""

    @property
    def clock(self) -> Clock:
        """The time that all processes which use this store share."""
        ...

    @property
    def journal(self) -> Journal:
        """What intake needs."""
        ...

    @property
    def lanes(self) -> Lanes:
        """What delivery needs."""
        ...

    @property
    def allotments(self) -> Allotments:
        """What of a connection's limits each process has."""
        ...

    @property
    def upkeep(self) -> Upkeep:
        """What timers need."""
        ...

    @property
    def records(self) -> Records:
        """What doors look at."""
        ...

    @property
    def actions(self) -> Actions:
        """What operators do."""
        ...

    @property
    def desk(self) -> DeskRecords:
        """What the embedded desk keeps."""
        ...

    def watch_commits(self, told: Callable[[float], None]) -> None:
        """Have somebody told how many seconds each transaction takes to be on disk; called in any thread."""
        ...

    async def ready(self) -> str | None:
        """Try to write, and say what is wrong; None when nothing is."""
        ...

    async def close(self) -> None:
        """Finish what was begun, and let go."""
        ...


async def open_store(url: str, *, password: Password | None = None) -> Store:
    """Open the store that a URL names, made and brought up to date where needed.

    Args:
        url: The URL.
        password: What gives PostgreSQL's password for each new connection, where it comes from the settings.

    Raises:
        SettingsError: The URL names no store that this program has, or the database does not fit this program.
        StoreUnavailable: The store cannot be opened now.
    """
    if is_postgresql(url):
        return await PostgresStore.open(place_of(url, password=password))
    return await SqliteStore.open(sqlite_path(url))


def is_postgresql(url: str) -> bool:
    """Tell whether a URL names a PostgreSQL database."""
    return urlsplit(url).scheme in {"postgresql", "postgres"}


def sqlite_path(url: str) -> Path:
    """Give the file that a store's URL names.

    Raises:
        SettingsError: It names none.
    """
    parts = urlsplit(url)
    if parts.scheme != "sqlite":
        raise SettingsError(f"store.url: {parts.scheme or 'a URL without a scheme'} is no kind of store; {_HELP}")
    if parts.netloc or parts.query or parts.fragment:
        raise SettingsError(f"store.url: a SQLite store has no host and no options; {_HELP}")
    path = unquote(parts.path)
    name = path.lstrip("/")
    if not name or path.endswith("/"):
        raise SettingsError(f"store.url names no file; {_HELP}")
    return Path(f"/{name}") if path.startswith("/") and "/" in name else Path(name)


def store_exists(url: str) -> bool:
    """Tell whether there is a store already, without making one; a server is asked only when it is opened."""
    return is_postgresql(url) or sqlite_path(url).exists()
