"""ServiceNow as a connector: tasks through the Table API, or events of Event Management, and the CMDB."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from secure_export.cmdb.contract import Cmdb
from secure_export.itsm.cis_at_hand import CisAtHand
from secure_export.itsm.contract import Changes, CheckResult, Preview
from secure_export.itsm.http import Http
from secure_export.itsm.servicenow import preview
from secure_export.itsm.servicenow.api.table_api import TableApi
from secure_export.itsm.servicenow.check.checks import Checks
from secure_export.itsm.servicenow.cmdb.cis import ServiceNowCmdb
from secure_export.itsm.servicenow.cmdb.reading import CmdbReading
from secure_export.itsm.servicenow.events.event_changes import ChangesOfBoth
from secure_export.itsm.servicenow.events.event_keeper import WORK_ITEMS, Events, origin_of
from secure_export.itsm.servicenow.settings import ServiceNowSettings, why_not_settable
from secure_export.itsm.servicenow.sign_in.ways import sign_in_of
from secure_export.itsm.servicenow.tasks.changes import ChangeFeed
from secure_export.itsm.servicenow.tasks.task_records import TaskRecords
from secure_export.itsm.servicenow.tools import tools
from secure_export.workitems.outcome import Outcome
from secure_export.workitems.work_item import WorkItem

if TYPE_CHECKING:  # resources names the desk's contract, so importing it here would tie one connector to another
    from secure_export.itsm.resources import Resources

_CONCURRENCY = 64
_POLL_SECONDS = 15.0


class ServiceNowConnector:
    """Keeps work items in one ServiceNow instance.

    Args:
        name: The connection's name.
        settings: Its settings.
        resources: What the program lends.
    """

    def __init__(self, name: str, settings: ServiceNowSettings, resources: "Resources") -> None:
        self._http = Http(settings, share=resources.share)
        self._sign_in = sign_in_of(settings, self._http, clock=resources.clock)
        api = TableApi(
            self._http,
            self._sign_in,
            clock=resources.clock,
            connections=settings.connections,
            share=resources.share,
        )
        self._tools = tools(name, settings, api, clock=resources.clock)
        self._tasks = TaskRecords(self._tools)
        self._origin = origin_of(name, settings, resources.console_url)
        self._events = Events(self._tools, self._origin)
        task_feed = ChangeFeed(self._tools)
        self._feed = ChangesOfBoth(task_feed, self._tools)
        cmdb = ServiceNowCmdb(CmdbReading(api), settings.cmdb)
        self._cmdb = CisAtHand(
            cmdb, found_seconds=settings.cmdb.found_seconds, missing_seconds=settings.cmdb.missing_seconds
        )
        self._checks = Checks(self._tools, self._http, self._sign_in, cmdb, task_feed)

    @property
    def cmdb(self) -> Cmdb:
        """The instance's CMDB."""
        return self._cmdb

    async def look(self, item: WorkItem) -> Outcome:
        """Find the record by its key."""
        return await self._records(item).look(item)

    async def create(self, item: WorkItem) -> Outcome:
        """Make the record."""
        return await self._records(item).create(item)

    async def update(self, item: WorkItem) -> Outcome:
        """Bring notes and configuration items in."""
        return await self._records(item).update(item)

    async def resolve(self, item: WorkItem) -> Outcome:
        """Resolve the record, and read it back."""
        return await self._records(item).resolve(item)

    async def reopen(self, item: WorkItem) -> Outcome:
        """Open the record again, and read it back."""
        return await self._records(item).reopen(item)

    async def preview(self, item: WorkItem) -> Preview:
        """Say what ``create`` would write, without writing it."""
        if item.desired.content.work_item in WORK_ITEMS:
            return preview.first_event(self._tools, item, self._origin)
        return await preview.task(self._tools, item)

    async def changes(self, cursor: str) -> Changes:
        """Say which work items people changed."""
        return await self._feed.changes(cursor)

    async def check(self) -> Sequence[CheckResult]:
        """Try everything that the configuration needs."""
        return await self._checks.run()

    async def close(self) -> None:
        """Stop what is under way, sign out and close the connections."""
        await self._tools.choices.close()
        await self._tools.canary.close()
        await self._sign_in.close()
        await self._http.close()

    def _records(self, item: WorkItem) -> TaskRecords | Events:
        """What keeps a work item, by the word that its route has for it."""
        if item.desired.content.work_item not in WORK_ITEMS:
            return self._tasks
        self._feed.begin()
        return self._events


class ServiceNowType:
    """How connections of type ``servicenow`` are configured and made."""

    settings = ServiceNowSettings
    concurrency = _CONCURRENCY
    poll_seconds = _POLL_SECONDS
    in_process = False

    def why_not_settable(self, field: str) -> str | None:
        """Say why a route cannot set a field; None: it can."""
        return why_not_settable(field)

    def make(self, name: str, settings: ServiceNowSettings, resources: "Resources") -> ServiceNowConnector:
        """Make the connector of a connection."""
        return ServiceNowConnector(name, settings, resources)
