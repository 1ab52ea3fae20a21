"""Others that take alerts over HTTP, to compare intake with. They are no part of the program, and optional.

Alertmanager comes from Debian; nothing has to run, the bench starts it::

    apt-get install --no-install-recommends prometheus-alertmanager

It keeps alerts in memory and asks for no token: a crash loses what came since its last snapshot.

Alerta comes from the Python index and needs an environment of its own, named by ``SECURE_EXPORT_BENCH_ALERTA``::

    uv venv --python 3.11 /tmp/alerta
    uv pip install --python /tmp/alerta/bin/python alerta-server==9.1.0 psycopg2-binary==2.9.13
    uv pip install --python /tmp/alerta/bin/python flask==3.1.3 werkzeug==3.1.9 gunicorn==27.0.1
    export SECURE_EXPORT_BENCH_ALERTA=/tmp/alerta

It runs under gunicorn with two workers of eight threads, on a PostgreSQL set up as that of the program, and commits
each alert before it answers. It was given no token to check, and its plug-ins are as it brings them along.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.alert import alerta_alert, alertmanager_alert
from bench.contenders import Contender, Running
from bench.machine import Core
from bench.postgres import postgres_running
from bench.process import free_port, running

VARIABLE: Final = "SECURE_EXPORT_BENCH_ALERTA"
_WORKERS: Final = 2
_THREADS: Final = 8


@dataclass(frozen=True)
class Alertmanager:
    """Prometheus's Alertmanager, which keeps alerts in memory.

    Attributes:
        program: Where it is installed.
        name: What it is called in tables.
    """

    program: str
    name: str = "Alertmanager (in memory, no token)"

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
        with running(command, port, folder / "alertmanager.log", core=Core.ANY) as pid:
            yield Running(pids=(pid,), ports=(port,), path="/api/v2/alerts", template=alertmanager_alert().decode())


@dataclass(frozen=True)
class Alerta:
    """Alerta on PostgreSQL.

    Attributes:
        programs: Where its environment's programs are.
        name: What it is called in tables.
    """

    programs: Path
    name: str = "Alerta, PostgreSQL (no token)"

    @contextmanager
    def started(self, folder: Path) -> Iterator[Running]:
        """Run it under gunicorn."""
        port = free_port()
        with postgres_running() as server:
            command = [
                "/usr/bin/env",
                f"DATABASE_URL={server.url}",
                "DATABASE_NAME=postgres",
                str(self.programs / "gunicorn"),
                f"--workers={_WORKERS}",
                f"--threads={_THREADS}",
                "--preload",  # else the workers make the tables at the same time, and all but one fail
                f"--bind=127.0.0.1:{port}",
                "--log-level=error",
                "alerta:create_app()",
            ]
            with running(command, port, folder / "alerta.log", core=Core.ANY) as pid:
                body = alerta_alert().decode()
                yield Running(pids=(pid,), ports=(port,), database=(server.pid,), path="/alert", template=body)


def peers(missing: Callable[[str], None]) -> Sequence[Contender]:
    """Find those that are installed.

    Args:
        missing: Told of each that is not, and what to do about it.
    """
    found: list[Contender] = []
    if program := shutil.which("prometheus-alertmanager"):
        found.append(Alertmanager(program))
    else:
        missing("Alertmanager is not installed: apt-get install prometheus-alertmanager")
    programs = Path(os.environ.get(VARIABLE, "")) / "bin"
    if VARIABLE in os.environ and (programs / "gunicorn").exists():
        found.append(Alerta(programs))
    else:
        missing(f"Alerta is not installed: bench/peers.py says how, and {VARIABLE} names where")
    return found
