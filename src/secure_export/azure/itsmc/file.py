"""Writes the configuration file: checked first, replaced in one go, with what was there beside it."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from secure_export.errors import SettingsError

_MOST_BACKUPS = 1_000


def replace_file(path: Path, text: str, *, was: str, check: Callable[[Path], object]) -> Path:
    """Write a file anew; a crash leaves the old one or the new one.

    Args:
        path: The file.
        text: Its new text.
        was: The text that the new one was made of.
        check: Reads a file as the program reads its configuration, and raises what is wrong with it.

    Returns:
        Where the text that was there is kept.

    Raises:
        SettingsError: The new text is no configuration, or somebody changed the file meanwhile.
        OSError: The file cannot be written.
    """
    real = path.resolve()
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.", suffix=".toml")
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(real, new)
        _check(new, path, check)
        _refuse_change(path, real, was)
        backup = _backup_of(real)
        shutil.copy2(real, backup)
        new.replace(real)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return backup


def read_text(path: Path) -> str:
    """Read the file with its line ends as they are."""
    return _text(path.resolve())


def _check(new: Path, path: Path, check: Callable[[Path], object]) -> None:
    try:
        check(new)
    except SettingsError as error:
        told = str(error).replace(str(new), str(path))
        raise SettingsError(f"nothing was written, because the result could not be used:\n{told}") from None


def _refuse_change(path: Path, real: Path, was: str) -> None:
    if _text(real) != was:
        raise SettingsError(f"{path} was changed by somebody else meanwhile; nothing was written, run this again")


def _backup_of(real: Path) -> Path:
    """Choose a name that nothing has: the text before the first run is never lost."""
    names = (".before-itsmc", *(f".before-itsmc-{number}" for number in range(2, _MOST_BACKUPS)))
    paths = (real.with_name(real.name + name) for name in names)
    return next(path for path in paths if not path.exists())


def _text(real: Path) -> str:
    with real.open(encoding="utf-8", newline="") as file:
        return file.read()
