"""ServiceNow as the demo's tool: the sandbox's instance, with other people's records in it already."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from secure_export.app import Parts
from secure_export.cli.demo import servicenow_judge
from secure_export.cli.demo.servicenow_cmdb import put_estate
from secure_export.cli.demo.tool import Act, Place, Result
from secure_export.sandbox.azure_monitor.estate import Estate
from secure_export.sandbox.servicenow.demo_access import INTEGRATION_USER, PASSWORD
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.run import serving

_AGENT: Final = "itil.agent"
_POLL_SECONDS: Final = 1
_GROUP_OF_THE_REST: Final = "Service Desk"


class ServiceNow:
    """The stand-in for a ServiceNow instance.

    Args:
        instance: The instance.
        url: Where it is reached.
        password: The file with the integration user's password.
        estate: What the alerts are about.
    """

    label = "ServiceNow"
    remark = "The console's pages Incidents and CMDB are the desk's, and empty here: people work in ServiceNow."

    def __init__(self, instance: Instance, url: str, password: Path, estate: Estate) -> None:
        self._instance = instance
        self._url = url
        self._estate = estate
        self._cis = 0
        self._of_others = servicenow_judge.changes_by_id(instance)
        self.settings: Mapping[str, Any] = {
            "type": "servicenow",
            "url": url,
            "username": INTEGRATION_USER,
            "password": {"file": str(password)},
            "assignment_group": _GROUP_OF_THE_REST,
            "poll_seconds": _POLL_SECONDS,
        }

    async def fill(self, _: Parts) -> None:
        """Put the estate into the instance's CMDB, as Discovery does."""
        self._cis = put_estate(self._instance, self._estate)

    def places(self) -> Sequence[Place]:
        """Say where its records and its control are."""
        return [
            Place("ServiceNow (sandbox)", self._url, "its records, newest first; nothing in it is real"),
            Place("its CMDB", f"{self._cis} CIs", "as Discovery left them, dead rows of the same ids among them"),
            Place("its control", f"{self._url}/control", "faults, clock, and acting as somebody else"),
        ]

    def hints(self, results: Sequence[Result]) -> Sequence[tuple[str, str]]:
        """Say how to look at it, act as a person, and break it."""
        faults = f"{self._url}/control/faults"
        outage = json.dumps({"kind": "error-before", "times": None})
        row = servicenow_judge.an_open_record(self._instance, results)
        return [
            ("ServiceNow, without sign-in", self._url),
            *([(f"end {row['number']} as {_AGENT}", self._ending(row["sys_id"]))] if row else []),
            ("make an outage", f"curl -X POST {faults} -d '{outage}'"),
            ("end the outage", f"curl -X DELETE {faults}  # what waits is tried again within half a minute"),
        ]

    def people_act(self, results: Sequence[Result]) -> Act | None:
        """Have an agent of the service desk take an incident and work on it."""
        if (row := servicenow_judge.an_open_record(self._instance, results)) is None:
            return None
        agent = self._instance.user(_AGENT)
        values = {"state": "2", "assigned_to": agent.sys_id, "work_notes": "I look into it."}
        self._instance.update("incident", row["sys_id"], values, agent)
        item = next(one for result in results for one in result.items if one["number"] == row["number"])
        return Act(item["id"], f"{agent.name} takes {row['number']} in ServiceNow", "In Progress", agent.name)

    def complaints(self, results: Sequence[Result]) -> Sequence[str]:
        """Read the instance's rows, and compare them with what has to be."""
        return servicenow_judge.complaints(self._instance, self._estate, results, self._of_others)

    def _ending(self, sys_id: str) -> str:
        values = {"state": "6", "close_code": "Solution provided", "close_notes": "It was restarted."}
        order = json.dumps({"user": _AGENT, "values": values})
        return f"curl -X PATCH {self._url}/control/records/incident/{sys_id} -d '{order}'"


@asynccontextmanager
async def running(folder: Path, estate: Estate) -> AsyncIterator[ServiceNow]:
    """Run the stand-in for as long as the block lasts."""
    password = folder / "servicenow-password"
    password.touch(mode=0o600)
    password.write_text(PASSWORD, encoding="utf-8")
    async with serving() as (app, url):
        yield ServiceNow(app.instance, url, password, estate)
