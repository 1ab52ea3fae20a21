"""The tools that a storm can be sent into, each its sandbox in a process of its own, with a known limit."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from bench.asking import asked
from bench.machine import Core
from bench.process import free_port, running
from secure_export.sandbox.bmc_helix.demo_data import COMPANY, CUSTOMER, GROUP, INTEGRATION_USER
from secure_export.sandbox.bmc_helix.people import PASSWORD

_QUEUE: Final = 10_000
_KEYS_BEGIN_WITH: Final = "azmon1:"


@dataclass(frozen=True)
class Pace:
    """How much a tool takes.

    Attributes:
        threads: How many calls at a time.
        seconds_per_call: How long each takes.
    """

    threads: int
    seconds_per_call: float


SLOW: Final = Pace(4, 0.1)
"""Forty calls a second, as an instance that is shared with others may give."""

AT_ONCE: Final = Pace(16, 0.0)
"""Every call is answered as fast as the sandbox can."""


class StormTool(Protocol):
    """A tool that a storm can be sent into."""

    @property
    def name(self) -> str:
        """The connection's ``type``."""
        ...

    def command(self, port: int) -> Sequence[str]:
        """Give the command line, after the program's name, that runs its sandbox."""
        ...

    def prepare(self, port: int, resource_ids: Sequence[str], pace: Pace) -> None:
        """Limit what it takes at a time, put CIs there, and forget what was counted."""
        ...

    def settings(self, port: int, folder: Path, pace: Pace) -> Mapping[str, str]:
        """Give the lines of the connection's settings, by name and in TOML; secrets lie in files of the folder."""
        ...

    def calls(self, port: int) -> Mapping[str, int]:
        """Count the calls so far, by their kind."""
        ...

    def records(self, port: int) -> tuple[int, int, int]:
        """Count the records that were made, the work items among them, and those that are open."""
        ...


@dataclass(frozen=True)
class ServiceNow:
    """The sandbox's ServiceNow."""

    name: str = "servicenow"

    def command(self, port: int) -> Sequence[str]:
        """See ``StormTool.command``."""
        user = f"{_SNOW_USER}:{_SNOW_PASSWORD}:itil,personalize_choices,cmdb_read"
        return ("sandbox", "servicenow", "--port", str(port), "--user", user)

    def prepare(self, port: int, resource_ids: Sequence[str], pace: Pace) -> None:
        """See ``StormTool.prepare``."""
        for one in resource_ids:
            row = {"name": _name(one), "object_id": one, "install_status": "1", "operational_status": "1"}
            asked(port, "/control/records/cmdb_ci_vm_instance", {"values": row, "user": "admin"})
        _limit(port, pace)

    def settings(self, port: int, folder: Path, pace: Pace) -> Mapping[str, str]:
        """See ``StormTool.settings``."""
        return _reached(port, _SNOW_USER, _secret(folder, _SNOW_PASSWORD), pace)

    def calls(self, port: int) -> Mapping[str, int]:
        """See ``StormTool.calls``."""
        return _counted(port)

    def records(self, port: int) -> tuple[int, int, int]:
        """See ``StormTool.records``."""
        rows = asked(port, "/control/records/incident?query=correlation_idSTARTSWITHazmon1&limit=1000000")["rows"]
        return len(rows), len({row["correlation_id"] for row in rows}), sum(row["state"] in "123" for row in rows)


@dataclass(frozen=True)
class BmcHelix:
    """The sandbox's BMC Helix ITSM."""

    name: str = "bmc-helix"

    def command(self, port: int) -> Sequence[str]:
        """See ``StormTool.command``."""
        return ("sandbox", "bmc-helix", "--port", str(port))

    def prepare(self, port: int, resource_ids: Sequence[str], pace: Pace) -> None:
        """See ``StormTool.prepare``; the default rules find these CIs, the first of them by ``TokenId``."""
        for one in resource_ids:
            attributes = {"TokenId": one.lower(), "HostName": _name(one), "Company": COMPANY}
            asked(port, "/control/cis", {"name": _name(one), "attributes": attributes})
        _limit(port, pace)

    def settings(self, port: int, folder: Path, pace: Pace) -> Mapping[str, str]:
        """See ``StormTool.settings``."""
        return {
            **_reached(port, INTEGRATION_USER, _secret(folder, PASSWORD), pace),
            "company": f'"{COMPANY}"',
            "support_group": f'{{ group = "{GROUP}" }}',
            "assignee": f'{{ name = "{" ".join(CUSTOMER)}", login_id = "{INTEGRATION_USER}" }}',
        }

    def calls(self, port: int) -> Mapping[str, int]:
        """See ``StormTool.calls``."""
        return _counted(port)

    def records(self, port: int) -> tuple[int, int, int]:
        """See ``StormTool.records``."""
        rows = asked(port, "/control/incidents")
        ours = {row["Incident Number"]: row for row in rows if row.get(_HELIX_KEY, "").startswith(_KEYS_BEGIN_WITH)}
        keys = {row[_HELIX_KEY] for row in ours.values()}
        return len(ours), len(keys), sum(row["Status"] not in _HELIX_OVER for row in ours.values())


@contextmanager
def tool_running(tool: StormTool, folder: Path, *, core: Core = Core.LOAD) -> Iterator[tuple[int, int]]:
    """Run a tool's sandbox while the block runs; gives its process and its port."""
    port = free_port()
    command = [sys.executable, "-m", "secure_export", *tool.command(port)]
    with running(command, port, folder / "tool.log", core=core) as pid:
        yield pid, port


TOOLS: Final[Mapping[str, StormTool]] = {one.name: one for one in (ServiceNow(), BmcHelix())}
"""The tools by name."""

_SNOW_USER: Final = "storm.integration"
_SNOW_PASSWORD: Final = "sandbox-only"  # noqa: S105 - of the sandbox
_HELIX_KEY: Final = "Vendor Ticket Number"
_HELIX_OVER: Final = frozenset({"Resolved", "Closed", "Cancelled"})


def _name(resource_id: str) -> str:
    return resource_id.rpartition("/")[2]


def _secret(folder: Path, password: str) -> Path:
    secret = folder / "password"
    secret.write_text(password, encoding="utf-8")
    return secret


def _reached(port: int, user: str, secret: Path, pace: Pace) -> dict[str, str]:
    """Say how a tool is reached and signed in to, with as many connections as it has threads."""
    return {
        "url": f'"http://127.0.0.1:{port}"',
        "username": f'"{user}"',
        "password": f'{{ file = "{secret}" }}',
        "connections": str(pace.threads),
    }


def _limit(port: int, pace: Pace) -> None:
    """Let a sandbox take so many requests at a time, and so fast, from now on; what came before is not counted."""
    asked(port, "/control/limits", {"threads": pace.threads, "queue": _QUEUE, "service_seconds": pace.seconds_per_call})
    asked(port, "/control/counters", method="DELETE")


def _counted(port: int) -> Mapping[str, Any]:
    counted: dict[str, int] = asked(port, "/control/counters?limit=0")["calls"]
    return counted
