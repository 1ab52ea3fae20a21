"""ServiceNow as a connector: tasks through the Table API, or events of Event Management, and the CMDB."""

from typing import TYPE_CHECKING, Any

from secure_export.itsm.cis_at_hand import CisAtHand
from secure_export.itsm.contract import Preview
from secure_export.itsm.http import Http
from secure_export.itsm.record_keeper import RecordKeeper
from secure_export.itsm.remote_connector import RemoteConnector
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
from secure_export.workitems.work_item import WorkItem

if TYPE_CHECKING:  # resources names the desk's contract, so importing it here would tie one connector to another
    from secure_export.itsm.resources import Resources

_CONCURRENCY = 64
_POLL_SECONDS = 15.0


class ServiceNowConnector(RemoteConnector):
    """Keeps work items in one ServiceNow instance.

    Args:
        name: The connection's name.
        settings: Its settings.
        resources: What the program lends.
    """

    def __init__(self, name: str, settings: ServiceNowSettings, resources: "Resources") -> None:
        http = Http(settings, share=resources.share)
        sign_in = sign_in_of(settings, http, clock=resources.clock)
        api = TableApi(http, sign_in, clock=resources.clock, connections=settings.connections, share=resources.share)
        self._tools = tools(name, settings, api, clock=resources.clock)
        self._tasks = TaskRecords(self._tools)
        self._origin = origin_of(name, settings, resources.console_url)
        self._events = Events(self._tools, self._origin)
        task_feed = ChangeFeed(self._tools)
        self._both = ChangesOfBoth(task_feed, self._tools)
        cmdb = ServiceNowCmdb(CmdbReading(api), settings.cmdb)
        super().__init__(
            cmdb=CisAtHand(
                cmdb, found_seconds=settings.cmdb.found_seconds, missing_seconds=settings.cmdb.missing_seconds
            ),
            feed=self._both,
            checks=Checks(self._tools, http, sign_in, cmdb, task_feed),
            closables=(self._tools.choices, self._tools.canary, sign_in, http),
        )

    def records(self, item: WorkItem) -> RecordKeeper[Any]:
        """Give what keeps a work item, by the word that its route has for it."""
        if item.desired.content.work_item not in WORK_ITEMS:
            return self._tasks
        self._both.begin()
        return self._events

    async def preview(self, item: WorkItem) -> Preview:
        """Say what ``create`` would write, without writing it."""
        if item.desired.content.work_item in WORK_ITEMS:
            return preview.first_event(self._tools, item, self._origin)
        return await preview.task(self._tools, item)


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
