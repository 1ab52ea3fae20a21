"""What is measured: this program, and what it is compared with. Each takes alerts at some ports and a path."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.entra import Entra
from bench.machine import Core
from bench.process import free_port, running
from bench.service import DESK, nodes_running
from bench.stores import Kind, store_running


@dataclass(frozen=True, kw_only=True)
class Running:
    """Something that takes alerts.

    Attributes:
        pids: Its processes; what they started belongs to them.
        ports: On 127.0.0.1, one for each process that takes alerts.
        database: The first process of the database that belongs to it; none where it has none.
        path: Where alerts are posted to.
        token: The bearer token; empty: none is asked for.
        template: The body, as ``bench.load`` wants it; empty: the metric alert.
    """

    pids: tuple[int, ...]
    ports: tuple[int, ...]
    database: tuple[int, ...] = ()
    path: str = DESK.webhook
    token: str = ""
    template: str = ""


class Contender(Protocol):
    """Something that can be started."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def started(self, folder: Path) -> AbstractContextManager[Running]:
        """Run it, with its files in a folder of its own, while the block runs."""
        ...


@dataclass(frozen=True)
class SecureExport:
    """The real program: ``secure-export serve --role intake``, on a store of its own that is empty.

    Attributes:
        entra: Whose tokens it lets in.
        kind: The store.
        processes: How many there are.
    """

    entra: Entra
    kind: Kind
    processes: int = 1

    @property
    def name(self) -> str:
        """What it is called in tables."""
        many = f", {self.processes} processes" if self.processes > 1 else ""
        return f"Secure Export, {self.kind.shown}{many}"

    @contextmanager
    def started(self, folder: Path) -> Iterator[Running]:
        """Run it."""
        with (
            store_running(self.kind, folder) as place,
            nodes_running(self.entra, place.url, ["intake"] * self.processes, folder, core=Core.ANY) as nodes,
        ):
            pids, ports = tuple(node.pid for node in nodes), tuple(node.port for node in nodes)
            yield Running(pids=pids, ports=ports, database=place.pids, token=self.entra.token)


@dataclass(frozen=True)
class DoNothing:
    """The same server with a handler that reads the body, answers 202, and does nothing else."""

    name: str = "the server, doing nothing"

    @contextmanager
    def started(self, folder: Path) -> Iterator[Running]:
        """Run it."""
        port = free_port()
        command = [sys.executable, "-m", "bench.nothing", str(port)]
        with running(command, port, folder / "nothing.log", core=Core.ANY) as pid:
            yield Running(pids=(pid,), ports=(port,))
