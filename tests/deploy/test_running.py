"""The compose file's own commands without containers: a real PostgreSQL, and a process for each role."""

import asyncio
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.deploy.deployment import DEPLOY, loaded
from tests.postgres import OwnProcess, Server, own_server
from tests.program import COMMAND, free_port

from secure_export.sandbox.entra.directory import DEFAULT_TENANT_ID, RESOURCE_APP_ID

pytestmark = pytest.mark.journey

SERVICES: dict[str, Any] = loaded(DEPLOY / "compose" / "compose.yaml")["services"]
CONFIGURATION = DEPLOY / "compose" / "secure-export.toml"
ADMINISTRATOR = "cloud_administrator"
ESSENTIALS = {
    "alertId": "/subscriptions/0f4c8a77-5d21-4b6e-9c13-a8e2d7b4f650/providers/Microsoft.AlertsManagement/alerts/1",
    "alertRule": "queue depth",
    "severity": "Sev2",
    "signalType": "Metric",
    "monitorCondition": "Fired",
    "monitoringService": "Platform",
    "firedDateTime": "2026-05-04T10:00:00Z",
}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Give a folder with the passwords that the compose file mounts."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name in ("owner-password", "runner-password"):
        (folder / name).write_text(f"it's a \\ {name}\n", encoding="utf-8")
    return folder


@pytest.fixture
async def server(postgres: Server) -> AsyncIterator[OwnProcess]:
    """Give a server with an administrator who is no superuser, as clouds have; what is made on it goes again."""
    own = own_server(postgres)
    await postgres.execute(f"CREATE ROLE {ADMINISTRATOR} LOGIN CREATEDB CREATEROLE")
    yield own
    await postgres.execute("DROP DATABASE IF EXISTS secure_export WITH (FORCE)")
    for role in ("secure_export", "secure_export_owner", ADMINISTRATOR):
        await postgres.execute(f"DROP ROLE IF EXISTS {role}")


def make_roles(server: OwnProcess, secrets: Path) -> None:
    """Run the command of the service that makes database and roles."""
    _, *arguments = SERVICES["roles"]["entrypoint"]
    sql = str(DEPLOY / "postgresql" / "roles.sql")
    placed = [one.replace("/run/secrets", str(secrets)).replace("/roles.sql", sql) for one in arguments]
    place = {
        "PGHOST": str(server.folder),
        "PGPORT": str(server.port),
        "PGUSER": ADMINISTRATOR,
        "PGDATABASE": "postgres",
    }
    command = [str(server.programs / "psql"), "--quiet", *placed]
    ran = subprocess.run(command, env={**os.environ, **place}, capture_output=True, text=True, check=False, timeout=30)
    assert ran.returncode == 0, ran.stderr


def command_of(name: str) -> list[str]:
    """Give the command of a service with the configuration where it is here."""
    return [
        *COMMAND,
        *(one.replace("/etc/secure-export", str(CONFIGURATION.parent)) for one in SERVICES[name]["command"]),
    ]


def environment_of(name: str, server: OwnProcess, secrets: Path, **more: str) -> Mapping[str, str]:
    """Give the environment of a service, with the database, the secrets and the tenant that are here."""
    given = {
        key: value.replace("@database/", f"@127.0.0.1:{server.port}/").replace("/run/secrets", str(secrets))
        for key, value in SERVICES[name]["environment"].items()
    }
    own = {key: value for key, value in os.environ.items() if not key.startswith(("SECURE_EXPORT_", "PG"))}
    return {**own, **given, **more}


def answer(port: int, path: str) -> tuple[int, str]:
    """Ask a process; status 0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as got:
            return got.status, got.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


async def test_the_compose_files_commands_bring_an_alert_to_an_incident(
    tmp_path: Path, server: OwnProcess, secrets: Path, postgres: Server, entra: str
) -> None:
    """Roles and tables are made by somebody who is no superuser; each process is ready, does its own, ends in order."""
    make_roles(server, secrets)
    make_roles(server, secrets)
    kept = await postgres.fetch("SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE 'secure_export%'")
    assert {row[0] for row in kept if row[1].startswith("SCRAM-SHA-256$")} == {"secure_export", "secure_export_owner"}
    run(command_of("migrate"), environment_of("migrate", server, secrets))
    here = {
        "SECURE_EXPORT__IDENTITY__AUTHORITY": entra,
        "SECURE_EXPORT__IDENTITY__TENANT_ID": DEFAULT_TENANT_ID,
        "SECURE_EXPORT__IDENTITY__AUDIENCE": RESOURCE_APP_ID,
        "SECURE_EXPORT__CONNECTIONS__DESK__SUBSCRIPTIONS": "*",
    }
    ports = {name: free_port() for name in ("intake", "delivery", "console")}
    environments = {
        name: environment_of(name, server, secrets, **here, SECURE_EXPORT__SERVER__LISTEN=f"127.0.0.1:{port}")
        for name, port in ports.items()
    }
    with running(tmp_path, environments) as codes:
        for name, port in ports.items():
            wait_until_ready(port, tmp_path / f"{name}.log")
        send_alert(tmp_path, ports["intake"], entra)
        incidents: list[Any] = []
        async with asyncio.timeout(20):
            while not incidents:
                incidents = await postgres.fetch("SELECT 1 FROM desk_incidents", database="secure_export")
        assert len(incidents) == 1
        assert answer(ports["delivery"], "/v1/connections/desk/alerts")[0] == 503
        assert answer(ports["console"], "/api/v1/alerts")[0] == 401
    assert codes == {"intake": 0, "delivery": 0, "console": 0}


def run(command: list[str], environment: Mapping[str, str]) -> None:
    """Run a command that has to end well."""
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr


@contextmanager
def running(folder: Path, environments: Mapping[str, Mapping[str, str]]) -> Iterator[dict[str, int]]:
    """Run services while the block lasts, then end them by SIGTERM; their exit codes are there afterwards."""
    processes: dict[str, subprocess.Popen[bytes]] = {}
    codes: dict[str, int] = {}
    try:
        for name, environment in environments.items():
            with (folder / f"{name}.log").open("wb") as log:
                processes[name] = subprocess.Popen(command_of(name), env=environment, stdout=log, stderr=log)
        yield codes
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        codes |= {name: process.wait(timeout=40) for name, process in processes.items()}


def wait_until_ready(port: int, log: Path) -> None:
    """Wait until a process says that it can do its part."""
    end = time.monotonic() + 30
    while answer(port, "/readyz")[0] != 200:
        assert time.monotonic() < end, (answer(port, "/readyz"), log.read_text()[-2000:])
        time.sleep(0.05)
    assert answer(port, "/healthz")[0] == 200


def send_alert(folder: Path, port: int, entra: str) -> None:
    """Post an alert as an action group does."""
    data = {"essentials": ESSENTIALS, "alertContext": None}
    body = json.dumps({"schemaId": "azureMonitorCommonAlertSchema", "data": data})
    (folder / "alert.json").write_text(body, encoding="utf-8")
    url = f"http://127.0.0.1:{port}/v1/connections/desk/alerts"
    run([*COMMAND, "send", str(folder / "alert.json"), "--url", url, "--token-from", entra], os.environ)
