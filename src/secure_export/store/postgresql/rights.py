"""What a role needs that runs the service and owns nothing (docs/decisions/0012-postgresql-store.md)."""

import asyncpg

from secure_export.errors import SettingsError
from secure_export.store.postgresql.connect import connect
from secure_export.store.postgresql.outages import store_errors
from secure_export.store.postgresql.place import Place

_FROM_NOW_ON = "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}"
_GRANTS = (
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}",
    # The service only reads which migrations there are, and never changes what it wrote down about people's actions.
    "REVOKE INSERT, UPDATE, DELETE ON {schema}.migrations FROM {role}",
    "REVOKE UPDATE, DELETE ON {schema}.audit_log FROM {role}",
    f"{_FROM_NOW_ON} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {{role}}",
    f"{_FROM_NOW_ON} GRANT USAGE ON SEQUENCES TO {{role}}",
    f"{_FROM_NOW_ON} GRANT EXECUTE ON FUNCTIONS TO {{role}}",
)


async def grants_to(place: Place, role: str) -> list[str]:
    """Give the statements that let a role run the service, as the role that owns the tables says them.

    Raises:
        StoreUnavailable: The database cannot be reached.
    """
    connection = await connect(place, limits=False)
    try:
        with store_errors():
            ((owner, schema),) = await connection.fetch("SELECT current_user::text, current_schema()::text")
    finally:
        connection.terminate()
    names = {"role": quoted(role), "owner": quoted(owner), "schema": quoted(schema)}
    return [grant.format(**names) for grant in _GRANTS]


async def grant(place: Place, statements: list[str]) -> None:
    """Run such statements, all or none.

    Raises:
        StoreUnavailable: The database cannot be reached.
        SettingsError: There is no such role, or it is not for this one to grant.
    """
    connection = await connect(place, limits=False)
    try:
        with store_errors():
            await _run(connection, statements)
    finally:
        connection.terminate()


async def _run(connection: "asyncpg.Connection[asyncpg.Record]", statements: list[str]) -> None:
    try:
        async with connection.transaction():
            for statement in statements:
                await connection.execute(statement)
    except (asyncpg.UndefinedObjectError, asyncpg.InsufficientPrivilegeError) as error:
        raise SettingsError(
            f"the rights were not granted: {error}; make the role first (CREATE ROLE … LOGIN), and grant with the role "
            "that owns the tables"
        ) from error


def quoted(name: str) -> str:
    """Write a name so that PostgreSQL takes it as it is."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
