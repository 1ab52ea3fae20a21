"""What is measured: this program, and what it is compared with. Each takes alerts at a port and a path."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.alert import SUBSCRIPTION, alertmanager_alert
from bench.entra import Entra
from bench.process import free_port, running

CONFIG = "secure-export.toml"
WEBHOOK = "/v1/connections/desk/alerts"


@dataclass(frozen=True)
class Running:
    """Something that takes alerts.

    Attributes:
        pid: Its process.
        port: On 127.0.0.1.
        path: Where alerts are posted to.
        token: The bearer token; empty: none is asked for.
        template: The body, as ``bench.load`` wants it; empty: the metric alert.
    """

    pid: int
    port: int
    path: str = WEBHOOK
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
    """The real program: ``secure-export serve``.

    Attributes:
        entra: Whose tokens it lets in.
        roles: What it does.
        name: What it is called in tables.
    """

    entra: Entra
    roles: str = "intake"
    name: str = "Secure Export"

    @contextmanager
    def started(self, folder: Path) -> Iterator[Running]:
        """Run it on the store in the folder, which is made when it is not there."""
        port = free_port()
        config = folder / CONFIG
        config.write_text(
            f'[server]\nlisten = "127.0.0.1:{port}"\n\n[store]\nurl = "sqlite:///{folder / "store.db"}"\n\n'
            f'[identity]\nauthority = "{self.entra.authority}"\ntenant_id = "{self.entra.tenant}"\n'
            f'audience = ["{self.entra.audience}"]\n\n'
            f'[connections.desk]\ntype = "desk"\nsubscriptions = ["{SUBSCRIPTION}"]\n',
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "secure_export", "serve", "--config", str(config), "--role", self.roles]
        with running(command, port, folder / "service.log") as pid:
            yield Running(pid, port, token=self.entra.token)


@dataclass(frozen=True)
class DoNothing:
    """The same server with a handler that reads the body, answers 202, and does nothing else."""

    name: str = "the server, doing nothing"

    @contextmanager
    def started(self, folder: Path) -> Iterator[Running]:
        """Run it."""
        port = free_port()
        with running([sys.executable, "-m", "bench.nothing", str(port)], port, folder / "nothing.log") as pid:
            yield Running(pid, port)


@dataclass(frozen=True)
class Alertmanager:
    """Prometheus's Alertmanager, which keeps alerts in memory: a crash loses those since its last snapshot.

    Attributes:
        program: Where it is installed.
        name: What it is called in tables.
    """

    program: str
    name: str = "Alertmanager (in memory)"

    @contextmanager
    def started(self, folder: Path) -> Iterator[Running]:
        """Run it with a receiver that does nothing, and without a cluster."""
        port = free_port()
        config = folder / "alertmanager.yml"
        config.write_text("route: {receiver: none, group_by: [alertname]}\nreceivers: [{name: none}]\n")
        command = [
            self.program,
            f"--config.file={config}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=error",
        ]
        with running(command, port, folder / "alertmanager.log") as pid:
            yield Running(pid, port, path="/api/v2/alerts", template=alertmanager_alert().decode())


def alertmanager() -> Alertmanager | None:
    """Find Debian's Alertmanager; None where it is not installed."""
    program = shutil.which("prometheus-alertmanager")
    return Alertmanager(program) if program else None
