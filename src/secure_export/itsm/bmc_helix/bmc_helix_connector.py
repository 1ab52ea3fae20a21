"""BMC Helix ITSM (Remedy) as a connector: incidents through the AR entry API, and the CMDB."""

from typing import TYPE_CHECKING

from secure_export.itsm.bmc_helix import preview
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi
from secure_export.itsm.bmc_helix.check.checks import Checks
from secure_export.itsm.bmc_helix.cmdb.cis import BmcHelixCmdb
from secure_export.itsm.bmc_helix.cmdb.reading import CmdbReading
from secure_export.itsm.bmc_helix.incidents.changes import ChangeFeed
from secure_export.itsm.bmc_helix.incidents.incident_keeper import Incidents
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings, why_not_settable
from secure_export.itsm.bmc_helix.sign_in.ways import sign_in_of
from secure_export.itsm.bmc_helix.tools import tools
from secure_export.itsm.cis_at_hand import CisAtHand
from secure_export.itsm.contract import Preview
from secure_export.itsm.http import Http
from secure_export.itsm.remote_connector import RemoteConnector
from secure_export.workitems.work_item import WorkItem

if TYPE_CHECKING:  # resources names the desk's contract, so importing it here would tie one connector to another
    from secure_export.itsm.resources import Resources

# Requests at a time are bounded by the setting connections (4), because BMC counts a user's sessions (9093). More lanes
# than that share look-ups: 64 make 1.2 calls for an alert where 16 make 1.5 and 4 make 2.8.
_CONCURRENCY = 64
_POLL_SECONDS = 30.0


class BmcHelixConnector(RemoteConnector):
    """Keeps work items in one BMC Helix ITSM.

    Args:
        name: The connection's name.
        settings: Its settings.
        resources: What the program lends.
    """

    def __init__(self, name: str, settings: BmcHelixSettings, resources: "Resources") -> None:
        http = Http(settings, share=resources.share)
        sign_in = sign_in_of(settings, http, clock=resources.clock)
        api = EntryApi(http, sign_in, clock=resources.clock, connections=settings.connections, share=resources.share)
        classes = CmdbReading(api, settings.cmdb)
        cmdb = BmcHelixCmdb(classes, settings.cmdb)
        self._tools = tools(name, settings, api, clock=resources.clock, ci_remarks=cmdb.remarks)
        self._incidents = Incidents(self._tools)
        super().__init__(
            cmdb=CisAtHand(
                cmdb, found_seconds=settings.cmdb.found_seconds, missing_seconds=settings.cmdb.missing_seconds
            ),
            feed=ChangeFeed(self._tools),
            checks=Checks(self._tools, sign_in, classes),
            closables=(self._tools.site, sign_in, http),
        )

    def records(self, item: WorkItem) -> Incidents:  # noqa: ARG002 - all are incidents
        """Give what keeps a work item."""
        return self._incidents

    async def preview(self, item: WorkItem) -> Preview:
        """Say what ``create`` would write, without writing it."""
        return await preview.incident(self._tools, item)


class BmcHelixType:
    """How connections of type ``bmc-helix`` are configured and made."""

    settings = BmcHelixSettings
    concurrency = _CONCURRENCY
    poll_seconds = _POLL_SECONDS
    in_process = False

    def why_not_settable(self, field: str) -> str | None:
        """Say why a route cannot set a field; None: it can."""
        return why_not_settable(field)

    def make(self, name: str, settings: BmcHelixSettings, resources: "Resources") -> BmcHelixConnector:
        """Make the connector of a connection."""
        return BmcHelixConnector(name, settings, resources)
