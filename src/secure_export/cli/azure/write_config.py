"""Writes what ``azure apply`` made into the configuration file; its comments and everything else stay."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from secure_export.errors import SettingsError

_PLACEHOLDER = "00000000-0000-0000-0000-000000000002"  # what ``init`` writes


def write_audience(config: Path, tenant_id: str, audience: Sequence[str]) -> None:
    """Add to what a tenant's tokens may be for.

    Args:
        config: The configuration file.
        tenant_id: The tenant.
        audience: What is added.

    Raises:
        SettingsError: The file cannot be changed.
    """
    try:
        text = config.read_text(encoding="utf-8")
        written = with_audience(text, tenant_id, audience)
    except (OSError, TOMLKitError) as error:
        raise SettingsError(f"{config} cannot be changed ({error}); write the audience by hand") from None
    _replace(config, written)


def with_audience(text: str, tenant_id: str, audience: Sequence[str]) -> str:
    """Give a configuration's text with a further audience; the placeholder of ``init`` gives way to it."""
    document = tomlkit.parse(text)
    identity: Any = document.setdefault("identity", tomlkit.table())
    tenants = [one for one in identity.get("tenants", ()) if str(one.get("tenant_id", "")).lower() == tenant_id]
    section = tenants[0] if tenants else identity
    if "azure_application_id" in section:
        section["azure_application_id"] = audience[0]
        return tomlkit.dumps(document)
    has = section.get("audience", [])
    known = [str(one) for one in ([has] if isinstance(has, str) else has)]
    kept = [one for one in known if _PLACEHOLDER not in one]
    section["audience"] = list(dict.fromkeys([*kept, *audience]))
    return tomlkit.dumps(document)


def _replace(config: Path, text: str) -> None:
    """Replace the file in one go, with the rights that it had."""
    target = config.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(target.stat().st_mode & 0o7777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
