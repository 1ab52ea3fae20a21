"""Brings the store that a URL names up to date, and says what that did."""

from secure_export.store.open import is_postgresql, sqlite_path
from secure_export.store.postgresql.migrate import known_migrations as known_to_postgresql
from secure_export.store.postgresql.place import Password, place_of
from secure_export.store.postgresql.store import bring_up_to_date
from secure_export.store.sqlite.connect import connect_to_write, store_errors
from secure_export.store.sqlite.migrate import known_migrations, migrate


async def bring_store_up_to_date(url: str, password: Password | None) -> list[str]:
    """Apply the migrations that a store lacks; their names.

    Raises:
        SettingsError: It does not fit this program, or the role may not change it.
        StoreUnavailable: It cannot be used now.
    """
    if is_postgresql(url):
        count = await bring_up_to_date(place_of(url, password=password))
        names = [one.name for one in known_to_postgresql()]
    else:
        with store_errors():
            connection = connect_to_write(sqlite_path(url))
            try:
                count = migrate(connection, known_migrations())
            finally:
                connection.close()
        names = [one.name for one in known_migrations()]
    return names[len(names) - count :]
