"""BMC Helix ITSM (Remedy) as a connector: incidents through the AR entry API, and the CMDB."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from secure_export.cmdb.contract import Cmdb
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
from secure_export.itsm.contract import Changes, CheckResult, Preview
from secure_export.itsm.http import Http
from secure_export.workitems.outcome import Outcome
from secure_export.workitems.work_item import WorkItem

if TYPE_CHECKING:  # resources names the desk's contract, so importing it here would tie one connector to another
    from secure_export.itsm.resources import Resources

# Requests at a time are bounded by the setting connections (4), because BMC counts a user's sessions (9093). More lanes
# than that share look-ups: 64 make 1.2 calls for an alert where 16 make 1.5 and 4 make 2.8.
_CONCURRENCY = 64
_POLL_SECONDS = 30.0


class BmcHelixConnector:
    """Keeps work items in one BMC Helix ITSM.

    Args:
        name: The connection's name.
        settings: Its settings.
        resources: What the program lends.
    """

    def __init__(self, name: str, settings: BmcHelixSettings, resources: "Resources") -> None:
        self._http = Http(settings, share=resources.share)
        self._sign_in = sign_in_of(settings, self._http, clock=resources.clock)
        api = EntryApi(
            self._http,
            self._sign_in,
            clock=resources.clock,
            connections=settings.connections,
            share=resources.share,
        )
        classes = CmdbReading(api, settings.cmdb)
        cmdb = BmcHelixCmdb(classes, settings.cmdb)
        self._tools = tools(name, settings, api, clock=resources.clock, ci_remarks=cmdb.remarks)
        self._incidents = Incidents(self._tools)
        self._feed = ChangeFeed(self._tools)
        self._cmdb = CisAtHand(
            cmdb, found_seconds=settings.cmdb.found_seconds, missing_seconds=settings.cmdb.missing_seconds
        )
        self._checks = Checks(self._tools, self._sign_in, classes)

    @property
    def cmdb(self) -> Cmdb:
        """BMC's CMDB."""
        return self._cmdb

    async def look(self, item: WorkItem) -> Outcome:
        """Find the incident by its key."""
        return await self._incidents.look(item)

    async def create(self, item: WorkItem) -> Outcome:
        """Make the incident."""
        return await self._incidents.create(item)

    async def update(self, item: WorkItem) -> Outcome:
        """Bring notes and configuration items in."""
        return await self._incidents.update(item)

    async def resolve(self, item: WorkItem) -> Outcome:
        """Resolve the incident, and read it back."""
        return await self._incidents.resolve(item)

    async def reopen(self, item: WorkItem) -> Outcome:
        """Open the incident again, and read it back."""
        return await self._incidents.reopen(item)

    async def preview(self, item: WorkItem) -> Preview:
        """Say what ``create`` would write, without writing it."""
        return await preview.incident(self._tools, item)

    async def changes(self, cursor: str) -> Changes:
        """Say which work items people changed."""
        return await self._feed.changes(cursor)

    async def check(self) -> Sequence[CheckResult]:
        """Try everything that the configuration needs."""
        return await self._checks.run()

    async def close(self) -> None:
        """Stop what is under way, sign out and close the connections."""
        await self._tools.site.close()
        await self._sign_in.close()
        await self._http.close()


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
