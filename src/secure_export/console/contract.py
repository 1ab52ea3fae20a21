"""What the doors that look (console, JSON API, command line) and act need of a store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, newest first.

    Attributes:
        rows: JSON objects in the form of the contract.
        next_cursor: Opaque text for the following page; None on the last one.
    """

    rows: Sequence[dict[str, Any]]
    next_cursor: str | None


class Records(Protocol):
    """Reads what is kept. Lists are newest first, paged by cursor; ``limit`` is at most 1,000.

    A page may hold fewer rows than asked for, or none, and still have a next one. A cursor that was not handed out, and
    a state or condition that does not exist, is a ``ValueError`` whose text says so.
    """

    async def alerts(  # noqa: PLR0913 - filters by name
        self,
        *,
        connection: str | None = None,
        condition: str | None = None,
        work_item: str | None = None,
        search: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page:
        """List alerts; ``work_item`` is an id, and ``search`` is contained in id, rule, title or targets."""
        ...

    async def alert(self, alert_id: str, *, connection: str | None = None) -> dict[str, Any]:
        """Give one alert with its notifications (``notifications``: id, received_at, caller, status) by its alertId.

        Several connections, and several test notifications, can have the same alertId: the newest is given.

        Raises:
            NotFound: There is none.
        """
        ...

    async def work_items(  # noqa: PLR0913 - filters by name
        self,
        *,
        connection: str | None = None,
        state: str | None = None,
        owed: bool | None = None,
        unbound: bool | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page:
        """List work items; ``unbound`` means that some binding of them has no CI."""
        ...

    async def work_item(self, item_id: str) -> dict[str, Any]:
        """Give one work item with its content and its steps.

        ``steps`` have ``kind``, ``started_at``, ``finished_at``, ``outcome`` and ``reason``.

        Args:
            item_id: Its id, or its number in the tool, whatever the case; the newest of that number is given.

        Raises:
            NotFound: There is none, or several connections have one of this number: then the text names their ids.
        """
        ...

    async def lanes(
        self,
        *,
        connection: str | None = None,
        state: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page:
        """List lanes that are not idle.

        Each has ``key``, ``connection``, ``state``, ``reason``, ``due_at``, ``pending``, and of its latest work item
        ``work_item`` (the id) and ``title``; null when it has none yet.
        """
        ...

    async def quarantine(self, *, connection: str | None = None, cursor: str | None = None, limit: int = 100) -> Page:
        """List what is in quarantine, without the bodies."""
        ...

    async def quarantined(self, notification: int) -> dict[str, Any]:
        """Give one quarantined notification with its body as text.

        Raises:
            NotFound: It is not in quarantine.
        """
        ...

    async def quarantined_body(self, notification: int) -> bytes:
        """Give the body of one quarantined notification as it came, which need not be text.

        Raises:
            NotFound: It is not in quarantine.
        """
        ...

    async def counts(self) -> dict[str, int]:
        """Count what operators watch.

        ``ready``, ``claimed``, ``waiting`` and ``parked`` lanes, ``oldest_due_seconds``, ``quarantine``.
        """
        ...


class Actions(Protocol):
    """What an operator does. Each is written to the audit log with who did it."""

    async def retry(self, key: str, *, by: str, now: datetime) -> int:
        """Make a parked or waiting lane ready at once and forget its failed attempts; how many lanes have that key.

        Raises:
            NotFound: No lane of this key is parked or waiting.
        """
        ...

    async def retry_all(self, *, connection: str | None, by: str, now: datetime) -> int:
        """Do the same for every parked or waiting lane, of one connection or (None) of all; how many there were."""
        ...

    async def replay(self, notification: int, *, entry: Any, by: str, now: datetime) -> int:
        """Take a quarantined notification out of quarantine as ``entry`` (``intake.contract.Entry``) says."""
        ...

    async def audit(self, *, by: str, action: str, subject: str, now: datetime) -> None:
        """Write a line into the audit log."""
        ...
