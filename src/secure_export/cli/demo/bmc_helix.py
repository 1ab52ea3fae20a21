"""BMC Helix as the demo's tool: the sandbox's server, with other people's incidents in it already."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from secure_export.app import Parts
from secure_export.cli.demo import bmc_helix_judge
from secure_export.cli.demo.bmc_helix_cmdb import LOOKUPS, put_estate
from secure_export.cli.demo.bmc_helix_judge import KEY, NUMBER
from secure_export.cli.demo.tool import Act, Place, Result
from secure_export.sandbox.azure_monitor.estate import Estate
from secure_export.sandbox.bmc_helix import looking
from secure_export.sandbox.bmc_helix.demo_data import COMPANY, CUSTOMER, GROUP, INTEGRATION_USER
from secure_export.sandbox.bmc_helix.people import PASSWORD
from secure_export.sandbox.bmc_helix.person import Person
from secure_export.sandbox.bmc_helix.run import serving
from secure_export.sandbox.bmc_helix.server import ArServer

_AGENT: Final = "ada.lovelace"
_POLL_SECONDS: Final = 1
_KEY_OF_ANOTHER_PROGRAM: Final = "azmon1:00c0ffee:1"


class BmcHelix:
    """The stand-in for a server with BMC Helix ITSM.

    Args:
        server: The server.
        url: Where its REST API is reached.
        password: The file with the integration user's password.
        estate: What the alerts are about.
    """

    label = "BMC Helix"
    remark = "The console's pages Incidents and CMDB are the desk's, and empty here: people work in BMC Helix."

    def __init__(self, server: ArServer, url: str, password: Path, estate: Estate) -> None:
        self._server = server
        self._url = url
        self._estate = estate
        self._cis = 0
        _open_others(server)
        self._of_others = bmc_helix_judge.looks_by_number(server)
        self.settings: Mapping[str, Any] = {
            "type": "bmc-helix",
            "url": url,
            "username": INTEGRATION_USER,
            "password": {"file": str(password)},
            "company": COMPANY,
            "support_group": {"group": GROUP},
            "assignee": {"name": " ".join(CUSTOMER), "login_id": INTEGRATION_USER},
            "incident_url": f"{url}/arsys/forms/sandbox/HPD%3AHelp%20Desk/?eid={{entry_id}}",
            "cmdb": {"ci_lookup": LOOKUPS},
            "poll_seconds": _POLL_SECONDS,
        }

    async def fill(self, _: Parts) -> None:
        """Put the estate into the CMDB."""
        self._cis = put_estate(self._server, self._estate)

    def places(self) -> Sequence[Place]:
        """Say where its records and its control are."""
        return [
            Place("BMC Helix (sandbox)", self._url, "its incidents, newest first; nothing in it is real"),
            Place(
                "its CMDB", f"{self._url}/cis", f"{self._cis} Azure resources, dead and unreconciled ones beside them"
            ),
            Place("its control", f"{self._url}/control", "faults, clock, and acting as somebody else"),
        ]

    def hints(self, results: Sequence[Result]) -> Sequence[tuple[str, str]]:
        """Say how to look at it, act as a person, and break it."""
        faults = f"{self._url}/control/faults"
        outage = json.dumps({"kind": "error-before", "times": None})
        found = bmc_helix_judge.an_open_record(self._server, results)
        return [
            ("BMC Helix, without sign-in", self._url),
            *([(f"end {found[NUMBER]}", self._ending(found[NUMBER]))] if found else []),
            ("make an outage", f"curl -X POST {faults} -d '{outage}'"),
            ("end the outage", f"curl -X DELETE {faults}  # what waits is tried again within half a minute"),
        ]

    def people_act(self, results: Sequence[Result]) -> Act | None:
        """Have somebody of the service desk take an incident and work on it."""
        if (found := bmc_helix_judge.an_open_record(self._server, results)) is None:
            return None
        number = found[NUMBER]
        agent = Person(self._server, _AGENT)
        agent.comment(number, "I look into it.")
        agent.start(number)
        name = str((looking.incident(self._server, number) or {})["Assignee"])
        item = next(one for result in results for one in result.items if one["number"] == number)
        return Act(item["id"], f"{name} takes {number} in BMC Helix", "In Progress", name)

    def complaints(self, results: Sequence[Result]) -> Sequence[str]:
        """Read the server's incidents, and compare them with what has to be."""
        return bmc_helix_judge.complaints(self._server, self._estate, results, self._of_others)

    def _ending(self, number: str) -> str:
        order = json.dumps({"person": _AGENT, "text": "It was restarted."})
        return f"curl -X POST {self._url}/control/incidents/{number}/resolve -d '{order}'"


def _open_others(server: ArServer) -> None:
    """Open what is there before: by phone, of a vendor, of another program like this one, and one that is resolved."""
    person = Person(server, _AGENT)
    person.open("The printer on the second floor is out of paper")
    person.open("Disk of the backup library fails", **{KEY: "CASE-4711"})
    person.open("Percentage CPU of vm-elsewhere is above 85 %", **{KEY: _KEY_OF_ANOTHER_PROGRAM})
    person.resolve(person.open("Cannot print"))


@asynccontextmanager
async def running(folder: Path, estate: Estate) -> AsyncIterator[BmcHelix]:
    """Run the stand-in for as long as the block lasts."""
    password = folder / "bmc-helix-password"
    password.touch(mode=0o600)
    password.write_text(PASSWORD, encoding="utf-8")
    async with serving() as (app, url):
        yield BmcHelix(app.server, url, password, estate)
