"""Keeps the rows of an instance, passwords and tokens in a file, so that they outlive the process."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.oauth import OAuthServer, Token
from secure_export.sandbox.servicenow.tables import Row

_VERSION: Final = 1
_AT_MOST_EVERY_SECONDS: Final = 1.0


class Snapshot(msgspec.Struct, frozen=True):
    """The rows of an instance at one time.

    Attributes:
        families: The rows of every family of tables, by its first table.
    """

    families: dict[str, list[Row]]


class State(msgspec.Struct, frozen=True):
    """What is kept in a file.

    Attributes:
        version: Of this form.
        rows: The rows.
        passwords: By ``user_name``.
        shift_seconds: How far the clock was moved.
        access: Access tokens.
        refresh: Refresh tokens.
    """

    version: int
    rows: Snapshot
    passwords: dict[str, str]
    shift_seconds: float
    access: list[Token]
    refresh: list[Token]


class BadStateFileError(ValueError):
    """A state file cannot be read."""


def snapshot(instance: Instance) -> Snapshot:
    """Copy all rows of an instance; stored rows are never changed in place, so none is copied itself."""
    return Snapshot({root: rows for root, rows in instance.tables.families() if rows})


def restore(instance: Instance, copy: Snapshot) -> None:
    """Put the rows of a copy in the place of all rows, as cloning another instance over this one does."""
    instance.replace_state(copy.families)


class StateFile:
    """A file with the state of an instance.

    Args:
        path: Where it is.
        instance: Whose rows.
        oauth: Whose tokens.
    """

    def __init__(self, path: Path, instance: Instance, oauth: OAuthServer) -> None:
        self._path = path
        self._instance = instance
        self._oauth = oauth
        self._written: object = None

    def load(self) -> bool:
        """Take over what the file holds.

        Returns:
            Whether there was a file.

        Raises:
            BadStateFileError: It is no state file of this version.
        """
        if not self._path.exists():
            return False
        try:
            state = msgspec.json.decode(self._path.read_bytes(), type=State)
        except msgspec.DecodeError as problem:
            raise BadStateFileError(self._complaint(str(problem))) from None
        if state.version != _VERSION:
            raise BadStateFileError(self._complaint(f"its version is {state.version}, not {_VERSION}"))
        restore(self._instance, state.rows)
        self._instance.people.passwords.update(state.passwords)
        self._instance.clock.move(timedelta(seconds=state.shift_seconds) - self._instance.clock.shift)
        self._oauth.load(state.access, state.refresh)
        return True

    def save(self) -> bool:
        """Write the file if anything changed; a crash leaves the old one or the new one, never a half.

        Returns:
            Whether anything was written.
        """
        mark = self._mark()
        if mark == self._written:
            return False
        data = msgspec.json.encode(self._state())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self._path)
        self._written = mark
        return True

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncGenerator[None]:
        """Write changes at most once a second as long as the block lasts, and at its end."""
        task = asyncio.create_task(self._keep(), name="sandbox state file")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self.save()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_AT_MOST_EVERY_SECONDS)
            self.save()

    def _state(self) -> State:
        instance = self._instance
        kept = self._oauth.dump()
        shift = instance.clock.shift.total_seconds()
        return State(_VERSION, snapshot(instance), instance.people.passwords, shift, kept["access"], kept["refresh"])

    def _mark(self) -> object:
        """Give what differs whenever the state does, without writing all of it out."""
        instance = self._instance
        versions = tuple(instance.tables.version(table.name) for table in instance.dictionary)
        tokens = tuple(token.value for token in self._oauth.tokens())
        return versions, tokens, tuple(instance.people.passwords.items()), instance.clock.shift

    def _complaint(self, problem: str) -> str:
        return f"{self._path} is no state file of this sandbox: {problem}. Name another file, or delete this one."
