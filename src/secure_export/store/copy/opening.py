"""Opens the two sides of a copy by their URLs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from secure_export.errors import SettingsError
from secure_export.store.copy.postgresql import PostgresSide
from secure_export.store.copy.side import Source, Target
from secure_export.store.copy.sqlite import SqliteSide
from secure_export.store.open import is_postgresql, sqlite_path
from secure_export.store.postgresql.place import Password, Place, place_of


@dataclass(frozen=True, slots=True)
class Where:
    """Where a store is.

    Attributes:
        url: Its URL.
        password: What gives PostgreSQL's password, where it comes from the settings.
    """

    url: str
    password: Password | None = None

    def place(self) -> Place:
        """Read the URL of a PostgreSQL database."""
        place = place_of(self.url, password=self.password)
        if place.through_pooler:
            raise SettingsError("a copy needs a session of its own: name the server itself, without pooler=transaction")
        return place


@asynccontextmanager
async def sides(from_: Where, to: Where, *, although_in_use: bool) -> AsyncIterator[tuple[Source, Target]]:
    """Open both sides of a copy.

    Args:
        from_: The source.
        to: The target.
        although_in_use: Whether to copy a source that others work with, as it is at this moment.

    Raises:
        NotFound: The source is not there.
        SettingsError: One of them does not fit, or both are the same.
        StoreUnavailable: One of them cannot be reached, or others work with it.
    """
    if _is_same(from_, to):
        raise SettingsError("source and target are the same store; name two")
    async with AsyncExitStack() as stack:
        source: Source
        if is_postgresql(from_.url):
            source = await PostgresSide.source(from_.place(), although_in_use=although_in_use)
        else:
            source = SqliteSide.source(sqlite_path(from_.url), although_in_use=although_in_use)
        stack.push_async_callback(source.close)
        target: Target
        if is_postgresql(to.url):
            target = await PostgresSide.target(to.place())
        else:
            target = SqliteSide.target(sqlite_path(to.url))
        stack.push_async_callback(target.close)
        yield source, target


def _is_same(one: Where, other: Where) -> bool:
    if is_postgresql(one.url) != is_postgresql(other.url):
        return False
    if is_postgresql(one.url):
        return str(one.place()) == str(other.place())
    return sqlite_path(one.url).resolve() == sqlite_path(other.url).resolve()
