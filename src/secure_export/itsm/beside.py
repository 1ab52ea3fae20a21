"""Files that a connection's settings name lie beside the configuration, wherever the program was started."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from secure_export.secrets import Secret


def placed(written: Mapping[str, Any], read: BaseModel, folder: Path) -> dict[str, Any]:
    """Give a connection's settings as they are written, with relative files lying in a folder.

    Args:
        written: The settings as the configuration has them.
        read: What the connector makes of them; it tells which of them name files.
        folder: Where the configuration lies.
    """
    return {key: _placed(value, getattr(read, key, None), folder) for key, value in written.items()}


def _placed(written: Any, read: Any, folder: Path) -> Any:
    if isinstance(read, Secret):
        return read.beside(folder).model_dump(mode="json", exclude_none=True)
    if isinstance(read, Path):
        return str(folder / read)
    if isinstance(read, BaseModel) and isinstance(written, Mapping):
        return placed(written, read, folder)
    if isinstance(written, list) and isinstance(read, list | tuple) and len(written) == len(read):
        return [_placed(one, made, folder) for one, made in zip(written, read, strict=True)]
    if isinstance(written, Mapping) and isinstance(read, Mapping):
        return {key: _placed(value, read.get(key), folder) for key, value in written.items()}
    return written
