"""Tells a store that it was restored from an older copy by other means than ``store restore``."""

from contextlib import closing
from datetime import datetime

from secure_export.errors import SettingsError, StoreUnavailable
from secure_export.store.backup.looking import look_before_all
from secure_export.store.backup.looking_postgresql import look_before_all as look_before_all_in_postgresql
from secure_export.store.backup.verified import check_ours
from secure_export.store.copy.others import who_works_with
from secure_export.store.copy.postgresql import check_up_to_date
from secure_export.store.open import is_postgresql, sqlite_path
from secure_export.store.postgresql.connect import connect
from secure_export.store.postgresql.outages import store_errors as postgresql_errors
from secure_export.store.postgresql.place import Password, Place, place_of
from secure_export.store.sqlite.alone import connect_alone
from secure_export.store.sqlite.connect import store_errors
from secure_export.store.sqlite.migrate import known_migrations, migrate


async def mark_restored(url: str, password: Password | None, *, now: datetime) -> int:
    """Mark a store as restored now; how many work items are read back from their tools first.

    Raises:
        NotFound: There is no such file.
        SettingsError: It is none of this program, or does not fit it.
        StoreUnavailable: It cannot be used now, or a service works with it.
    """
    if is_postgresql(url):
        return await _in_postgresql(place_of(url, password=password), now)
    with store_errors(), closing(connect_alone(sqlite_path(url))) as connection:
        check_ours(connection, sqlite_path(url))
        migrate(connection, known_migrations())
        return look_before_all(connection, now=now)


async def _in_postgresql(place: Place, now: datetime) -> int:
    if place.through_pooler:
        raise SettingsError("name the server itself, without pooler=transaction: a pooler hides who works with it")
    connection = await connect(place, limits=False)
    try:
        await check_up_to_date(connection, str(place))
        if others := await who_works_with(connection, str(place)):
            raise StoreUnavailable(others)
        with postgresql_errors():
            return await look_before_all_in_postgresql(connection, now=now)
    finally:
        connection.terminate()
