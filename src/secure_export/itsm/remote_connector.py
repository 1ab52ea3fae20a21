"""What every connector to a tool elsewhere does in the same way; each gives it its parts."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

from secure_export.cmdb.contract import Cmdb
from secure_export.itsm.contract import Changes, CheckResult
from secure_export.itsm.record_keeper import RecordKeeper
from secure_export.workitems.outcome import Outcome
from secure_export.workitems.work_item import WorkItem


class Feed(Protocol):
    """Tells what people changed."""

    async def changes(self, cursor: str) -> Changes:
        """See ``Connector.changes``."""
        ...


class Checks(Protocol):
    """Tries everything that the configuration needs."""

    async def run(self) -> Sequence[CheckResult]:
        """See ``Connector.check``."""
        ...


class Closable(Protocol):
    """Has something to let go of."""

    async def close(self) -> None:
        """Let go of it."""
        ...


class RemoteConnector(ABC):
    """Keeps work items in one tool elsewhere.

    Args:
        cmdb: The tool's CMDB.
        feed: Tells what people changed.
        checks: Tries everything that the configuration needs.
        closables: What is closed with it, in this order.
    """

    def __init__(self, *, cmdb: Cmdb, feed: Feed, checks: Checks, closables: Sequence[Closable]) -> None:
        self._cmdb = cmdb
        self._feed = feed
        self._checks = checks
        self._closables = closables

    @abstractmethod
    def records(self, item: WorkItem) -> RecordKeeper[Any]:
        """Give what keeps a work item."""

    @property
    def cmdb(self) -> Cmdb:
        """The tool's CMDB."""
        return self._cmdb

    async def look(self, item: WorkItem) -> Outcome:
        """Find the record by its key."""
        return await self.records(item).look(item)

    async def create(self, item: WorkItem) -> Outcome:
        """Make the record."""
        return await self.records(item).create(item)

    async def update(self, item: WorkItem) -> Outcome:
        """Bring notes and configuration items in."""
        return await self.records(item).update(item)

    async def resolve(self, item: WorkItem) -> Outcome:
        """Resolve the record, and read it back."""
        return await self.records(item).resolve(item)

    async def reopen(self, item: WorkItem) -> Outcome:
        """Open the record again, and read it back."""
        return await self.records(item).reopen(item)

    async def changes(self, cursor: str) -> Changes:
        """Say which work items people changed."""
        return await self._feed.changes(cursor)

    async def check(self) -> Sequence[CheckResult]:
        """Try everything that the configuration needs."""
        return await self._checks.run()

    async def close(self) -> None:
        """Stop what is under way, sign out and close the connections."""
        for one in self._closables:
            await one.close()
