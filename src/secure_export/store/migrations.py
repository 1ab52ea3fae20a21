"""Brings a database to the form that this program needs: numbered SQL files, each applied once."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from secure_export.errors import SettingsError

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step from one form of the database to the next.

    Attributes:
        number: Its place in the order, from 1 without gaps.
        name: The file's name.
        sql: What it does.
    """

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """What tells whether the file is still the one that was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations_in(folder: Traversable) -> list[Migration]:
    """Read the numbered files of a folder, in order."""
    names = sorted(entry.name for entry in folder.iterdir() if _NAME.fullmatch(entry.name))
    found = [Migration(int(name[:4]), name, (folder / name).read_text(encoding="utf-8")) for name in names]
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise SettingsError(f"the program's migrations are not numbered without gaps: {', '.join(names)}; reinstall it")
    return found


def still_to_apply(known: Sequence[Migration], applied: Sequence[tuple[int, str, str]]) -> list[Migration]:
    """Say which migrations a database lacks.

    Args:
        known: What this program knows, in order.
        applied: Number, name and checksum of what the database has, in order.

    Raises:
        SettingsError: The database is newer than the program, or was made by different files.
    """
    if len(applied) > len(known):
        newest = applied[-1][1]
        raise SettingsError(f"the database is newer than this program (it has {newest}); use the newer program with it")
    for migration, (number, name, checksum) in zip(known, applied, strict=False):
        if (migration.number, migration.checksum) != (number, checksum):
            raise SettingsError(
                f"the database was made with another {name} than this program has; "
                "use the program version that made it, or restore a backup"
            )
    return list(known[len(applied) :])
