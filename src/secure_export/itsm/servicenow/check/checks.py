"""``secure-export check`` for a connection of type ``servicenow``: tries everything, and leaves no trace."""

from collections.abc import Sequence

from secure_export.itsm.contract import CheckResult
from secure_export.itsm.requests import Requests
from secure_export.itsm.servicenow.check.events import events_result
from secure_export.itsm.servicenow.check.records import CheckRecords
from secure_export.itsm.servicenow.check.sign_in import CheckSignIn
from secure_export.itsm.servicenow.cmdb.cis import ServiceNowCmdb
from secure_export.itsm.servicenow.tasks.changes import ChangeFeed
from secure_export.itsm.servicenow.tasks.kinds import kind_of
from secure_export.itsm.servicenow.tools import Tools
from secure_export.itsm.sign_in import SignIn

_USUAL_TABLE = "incident"


class Checks:
    """Tries a connection.

    Args:
        tools: What the steps of the connection share.
        http: Makes requests.
        sign_in: The way to sign in.
        cmdb: The CMDB, without what is kept of earlier answers.
        feed: Asks which records people changed.
    """

    def __init__(self, tools: Tools, http: Requests, sign_in: SignIn, cmdb: ServiceNowCmdb, feed: ChangeFeed) -> None:
        self._tools = tools
        self._cmdb = cmdb
        self._feed = feed
        self._sign_in = CheckSignIn(tools.settings, http, sign_in, tools.api, clock=tools.clock)

    async def run(self) -> Sequence[CheckResult]:
        """Try signing in, and when that works all the rest."""
        signed_in = await self._sign_in.run()
        results = list(signed_in.results)
        if signed_in.me is None:
            return [*results, CheckResult("everything else", passed=False, detail="not tried without signing in")]
        for table in self._tables():
            if (kind := kind_of(table, self._tools.settings)) is not None:
                results += await CheckRecords(self._tools, kind, signed_in.me.roles).run()
        results.append(await events_result(self._tools.api, signed_in.me.roles))
        return [*results, *await self._cmdb.check(), *await self._feed.check()]

    def _tables(self) -> tuple[str, ...]:
        """Incidents, what the configuration has to say something about, and what was written to in this process."""
        return tuple(dict.fromkeys((_USUAL_TABLE, *self._tools.settings.tables, *sorted(self._tools.observed.tables))))
