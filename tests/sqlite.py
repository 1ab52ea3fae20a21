"""New SQLite files for tests: copies of one that was migrated once, which costs a fourth of migrating each."""

import tempfile
from functools import cache
from pathlib import Path

from secure_export.store.sqlite.connect import connect_to_write
from secure_export.store.sqlite.migrate import known_migrations, migrate


def with_tables(path: Path) -> Path:
    """Put a file with empty tables there, as the program's first start would make it, if there is none."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_new())
    return path


@cache
def _new() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        connection = connect_to_write(path)
        migrate(connection, known_migrations())
        connection.close()
        return path.read_bytes()
