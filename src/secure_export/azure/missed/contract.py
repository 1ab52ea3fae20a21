"""What catching up needs of others: a place for how far it came, and the way into the service."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from secure_export.alerts.alert import Condition
from secure_export.azure.missed.finding import Outcome


class Cursors(Protocol):
    """Keeps how far we came."""

    async def cursor(self, name: str) -> str:
        """Read a named cursor; empty when it was never kept."""
        ...

    async def keep_cursor(self, name: str, value: str) -> None:
        """Keep a named cursor."""
        ...


class Taking(Protocol):
    """The way into the service: the same as for what Azure posts."""

    async def recorded(self, connection: str, alert_ids: Sequence[str]) -> Mapping[str, frozenset[Condition]]:
        """Say what was recorded of alerts, by id in lower case; those that are not known are left out."""
        ...

    async def take_in(self, connection: str, body: bytes) -> tuple[Outcome, str]:
        """Record a notification durably; gives what became of it, with the reason."""
        ...
