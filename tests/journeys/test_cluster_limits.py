"""Several processes of the real program deliver into one tool, which counts how many calls are under way."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.conformance.servicenow_tool import INTEGRATION_PASSWORD, INTEGRATION_USER
from tests.journeys import delivering_process
from tests.journeys.delivering_process import LEASE_SECONDS, LONGEST_CALL_SECONDS
from tests.postgres import Server
from tests.unit.delivery.scene import alert

from secure_export.clock import utc_now
from secure_export.identity.caller import Caller
from secure_export.intake.door import ConnectionDoor
from secure_export.intake.entry import Post, entry_of
from secure_export.policy.decide import Policy
from secure_export.policy.settings import RouteSettings
from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.app import ServiceNowApp, servicenow_app
from secure_export.sandbox.servicenow.run import serving
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore

pytestmark = pytest.mark.journey

CONNECTIONS = 3
SECONDS_PER_CALL = 0.04
NAME = "prod"
CALLER = Caller(
    tenant_id="t", application_id="a", object_id="o", roles=("r",), token_version="2.0", token_id="u", expires_at=0
)


class Cluster:
    """Processes that deliver into one sandbox, and what is told of alerts meanwhile."""

    def __init__(self, folder: Path, store: PostgresStore, store_url: str, app: ServiceNowApp, url: str) -> None:
        self._folder = folder
        self._store = store
        self._store_url = store_url
        self._url = url
        self.app = app
        self.processes: list[Process] = []
        self.fired = 0

    @property
    def incidents(self) -> int:
        return sum(1 for _ in self.app.instance.tables.rows("incident"))

    async def start(self) -> Process:
        number = len(self.processes)
        config, password = self._folder / f"{number}.toml", self._folder / "password"
        password.write_text(INTEGRATION_PASSWORD, encoding="utf-8")
        config.write_text(
            f'[server]\nlisten = "127.0.0.1:0"\n[store]\nurl = "{self._store_url}"\n'
            '[identity]\nauthority = "http://127.0.0.1:9"\ntenant_id = "c7a5b8b7-4c5a-4f0e-9d2b-5a4c1a3e2f10"\n'
            'audience = ["a"]\n'
            f'[connections.{NAME}]\ntype = "servicenow"\nsubscriptions = ["*"]\nurl = "{self._url}"\n'
            f'username = "{INTEGRATION_USER}"\npassword = {{ file = "{password}" }}\nconnections = {CONNECTIONS}\n'
            f"request_timeout_seconds = {LONGEST_CALL_SECONDS}\nstep_timeout_seconds = 2\nretry_first_seconds = 0.2\n"
            "concurrency = 12\n",
            encoding="utf-8",
        )
        log = (self._folder / f"{number}.log").open("wb")
        program = await asyncio.create_subprocess_exec(
            sys.executable, delivering_process.__file__, str(config), stdout=log, stderr=log, cwd=self._folder
        )
        log.close()
        self.processes.append(program)
        return program

    async def fire(self, count: int) -> None:
        policy = Policy(RouteSettings())
        door = ConnectionDoor(frozenset({"*"}), None, lambda told: policy.correlate(told).key)
        posts = [
            Post(connection=NAME, caller=CALLER, received_at=utc_now(), body=alert(f"a{self.fired + n}", vm=f"vm{n}"))
            for n in range(count)
        ]
        await asyncio.gather(*(self._store.journal.append(entry_of(post, door)) for post in posts))
        self.fired += count

    async def places(self, of: str = NAME) -> list[int]:
        """Say how many places each process holds, as the store has it."""
        asked = "SELECT places FROM allotments WHERE connection = $1"
        rows = await self._store._database.read(lambda db: db.fetch(asked, of))
        return sorted(int(row[0]) for row in rows)

    async def until(self, condition: Callable[[], object], *, seconds: float = 25.0) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while True:
            met = condition()
            if await met if asyncio.iscoroutine(met) else met:
                return
            if asyncio.get_running_loop().time() > end:
                logs = "\n".join(log.read_text()[-1500:] for log in sorted(self._folder.glob("*.log")))
                lanes = list((await self._store.records.lanes()).rows)
                raise AssertionError(f"{self.incidents} incidents, places {await self.places()}, {lanes}\n{logs}")
            await asyncio.sleep(0.02)

    async def until_places_are(self, *held: int, of: str = NAME) -> None:
        async def are() -> bool:
            return await self.places(of) == sorted(held)

        await self.until(are)


@asynccontextmanager
async def running(folder: Path, postgres: Server) -> AsyncIterator[Cluster]:
    app = servicenow_app()
    set_account(app.instance, Account(INTEGRATION_USER, INTEGRATION_PASSWORD))
    limits = app.limits.semaphore
    limits.threads, limits.queue, limits.service_seconds = 64, 1000, SECONDS_PER_CALL
    async with postgres.database() as name, serving(app) as (_, url):
        store = await PostgresStore.open(place_of(postgres.url(name)))
        cluster = Cluster(folder, store, postgres.url(name, pool_size="3"), app, url)
        try:
            yield cluster
        finally:
            for process in cluster.processes:
                if process.returncode is None:
                    process.kill()
                await process.wait()
            await store.close()


async def test_a_tool_never_has_more_calls_than_its_connection_allows_whatever_becomes_of_processes(
    tmp_path: Path, postgres: Server
) -> None:
    """Three processes share three connections evenly; one is stopped for longer than its lease, and goes on; one is
    killed. The rest takes their places over, but never early, and every alert becomes one incident.
    """
    async with running(tmp_path, postgres) as cluster:
        await asyncio.gather(*(cluster.start() for _ in range(3)))
        stopped, doomed, _ = cluster.processes
        await cluster.until_places_are(1, 1, 1)
        await cluster.until_places_are(0, 0, 1, of="alone:timers")  # what is done by timer is done by one of them
        before = cluster.incidents
        await cluster.fire(80)
        await cluster.until(lambda: cluster.incidents > before + 20)
        os.kill(stopped.pid, signal.SIGSTOP)
        doomed.kill()
        await cluster.until_places_are(CONNECTIONS)
        os.kill(stopped.pid, signal.SIGCONT)
        await cluster.fire(20)
        await cluster.until_places_are(1, 2)
        # Who was stopped while it looked a CI up takes that for a CMDB without an answer, and lets the lane wait 30 s.
        await cluster.until(lambda: cluster.incidents >= before + 100, seconds=60.0)
        stopped.terminate()
        await stopped.wait()
        await cluster.until_places_are(CONNECTIONS)
        assert cluster.app.limits.semaphore.most_at_a_time == CONNECTIONS
        keys = [
            row["correlation_id"] for row in cluster.app.instance.tables.rows("incident") if row.get("correlation_id")
        ]
        assert len(keys) == len(set(keys)) == cluster.fired
    assert LEASE_SECONDS < 3, "so that a stopped process is stopped for longer"
