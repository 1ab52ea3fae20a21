"""What ``azure apply`` made, kept in a file, so that ``azure destroy`` takes back exactly that.

An intention is written before each call and confirmed after it. After a crash between the two, the thing counts as
ours if it is there: the intention says that it was not there before.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from secure_export.azure.setup.change import Action, Change
from secure_export.errors import SettingsError

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Made:
    """One thing that was made or changed, or was about to be.

    Attributes:
        tenant_id: In which tenant.
        kind: What it is, as ``Change.kind``.
        name: Which one.
        created: Whether it was not there before.
        done: Whether the call was confirmed.
        before: What was there before, as ``Change.before``.
        ids: What Azure calls it, once known.
    """

    tenant_id: str
    kind: str
    name: str
    created: bool
    done: bool = False
    before: Mapping[str, Any] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)


class _Versioned(msgspec.Struct):
    version: int


class _File(_Versioned):
    made: list[Made]


class Record:
    """The file.

    Args:
        path: Where it is; it is made with the first intention.

    Raises:
        SettingsError: It is there, and is no such record.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._made = _read(path)

    def of(self, tenant_id: str) -> tuple[Made, ...]:
        """List what was made in a tenant, oldest first."""
        return tuple(made for made in self._made if made.tenant_id == tenant_id)

    @property
    def tenants(self) -> tuple[str, ...]:
        """The tenants that something was made in."""
        return tuple(dict.fromkeys(made.tenant_id for made in self._made))

    def find(self, tenant_id: str, kind: str, name: str) -> Made | None:
        """Give what was made of this kind and name; None when it was not us."""
        return next((m for m in self._made if (m.tenant_id, m.kind, m.name) == (tenant_id, kind, name)), None)

    def intend(self, tenant_id: str, change: Change) -> None:
        """Write down what is about to be made. What was there before the very first change is what counts.

        What is not there now was taken away meanwhile: then nothing of what was before is left to go back to.
        """
        known = self.find(tenant_id, change.kind, change.name)
        created = change.action is Action.CREATE
        if known is not None and not created:
            return
        made = Made(tenant_id, change.kind, change.name, created, before=dict(change.before))
        self._made = [*(one for one in self._made if one is not known), made]
        self._write()

    def confirm(self, tenant_id: str, change: Change, ids: Mapping[str, str]) -> None:
        """Write down that it was made."""
        self._made = [
            Made(m.tenant_id, m.kind, m.name, m.created, done=True, before=m.before, ids={**m.ids, **ids})
            if (m.tenant_id, m.kind, m.name) == (tenant_id, change.kind, change.name)
            else m
            for m in self._made
        ]
        self._write()

    def forget(self, made: Made) -> None:
        """Write down that it was taken back."""
        key = (made.tenant_id, made.kind, made.name)
        self._made = [m for m in self._made if (m.tenant_id, m.kind, m.name) != key]
        if self._made:
            self._write()
        else:
            self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        """Replace the file in one go: a crash leaves the old one or the new one."""
        text = json.dumps({"version": _VERSION, "made": [asdict(made) for made in self._made]}, indent=2) + "\n"
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _read(path: Path) -> list[Made]:
    try:
        told = path.read_bytes()
        version = msgspec.json.decode(told, type=_Versioned).version
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(
            f"azure.record: {path} is no record of azure apply ({error}); restore it, or name another file"
        ) from None
    if version != _VERSION:
        raise SettingsError(f"azure.record: {path} was written by another version of this program; use that one")
    try:
        return msgspec.json.decode(told, type=_File).made
    except msgspec.MsgspecError as error:
        raise SettingsError(f"azure.record: {path} is damaged ({error}); restore it") from None
