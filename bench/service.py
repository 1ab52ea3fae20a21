"""The program under test: ``secure-export serve``, as one process or as several on one store."""

import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.alert import SUBSCRIPTION
from bench.asking import asked
from bench.entra import Entra
from bench.machine import Core
from bench.process import free_port, running

CONFIG = "secure-export.toml"
ALL_ROLES = "intake,delivery,console"


@dataclass(frozen=True)
class Connection:
    """Where work items go.

    Attributes:
        name: The connection's name.
        type: Its type.
        settings: The lines of its settings, by name and in TOML.
        routes: Lines of its only route.
    """

    name: str = "desk"
    type: str = "desk"
    settings: Mapping[str, str] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)

    @property
    def webhook(self) -> str:
        """The path that alerts are posted to."""
        return f"/v1/connections/{self.name}/alerts"

    def lines(self) -> list[str]:
        """Give its part of the configuration."""
        lines = [f"[connections.{self.name}]", f'type = "{self.type}"', f'subscriptions = ["{SUBSCRIPTION}"]']
        lines += [f"{name} = {value}" for name, value in self.settings.items()]
        if self.routes:
            lines += [f"[[connections.{self.name}.routes]]"]
            lines += [f"{name} = {value}" for name, value in self.routes.items()]
        return lines


DESK = Connection()


@dataclass(frozen=True)
class Node:
    """One process of the program.

    Attributes:
        pid: The process.
        port: Where it listens on this machine.
        config: Its configuration.
    """

    pid: int
    port: int
    config: Path

    def get(self, path: str) -> Any:
        """Ask its JSON API."""
        return asked(self.port, path)

    def confirmed(self) -> float:
        """Say how often, by its metrics, a work item became as it should be."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(url, timeout=120) as answer:
            lines = answer.read().decode().splitlines()
        counts = [line.split()[-1] for line in lines if line.startswith("secure_export_delivery_seconds_count")]
        return sum(map(float, counts))


@contextmanager
def nodes_running(  # noqa: PLR0913 - what a program is started with
    entra: Entra,
    url: str,
    roles: Sequence[str],
    folder: Path,
    *,
    connection: Connection = DESK,
    core: Core = Core.SERVER,
) -> Iterator[list[Node]]:
    """Run processes of the program on one store while the block runs, each with a port and a configuration of its own.

    A user who has several puts a load balancer before them.

    Args:
        entra: Whose tokens they let in.
        url: The store.
        roles: What each does: one process for each of these.
        folder: Where their files go.
        connection: Where work items go.
        core: Where they run.
    """
    with ExitStack() as stack:
        nodes = []
        for role in roles:
            port = free_port()
            own = folder / f"node-{port}"
            own.mkdir()
            (own / CONFIG).write_text(_config(entra, url, port, connection), encoding="utf-8")
            command = [sys.executable, "-m", "secure_export", "serve", "--config", str(own / CONFIG), "--role", role]
            pid = stack.enter_context(running(command, port, own / "service.log", core=core))
            nodes.append(Node(pid, port, own / CONFIG))
        yield nodes


def _config(entra: Entra, url: str, port: int, connection: Connection) -> str:
    lines = [
        "[server]",
        f'listen = "127.0.0.1:{port}"',
        "[store]",
        f'url = "{url}"',
        "[identity]",
        f'authority = "{entra.authority}"',
        f'tenant_id = "{entra.tenant}"',
        f'audience = ["{entra.audience}"]',
        *connection.lines(),
    ]
    return "\n".join(lines) + "\n"
