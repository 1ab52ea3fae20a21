"""The store through a real PgBouncer that hands out its sessions for a transaction at a time."""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.conformance.store_suite.samples import NOW, alert, claim, claim_one, entry, folded, item, resolved
from tests.conformance.store_suite.test_upkeep import RETENTION, forget_all
from tests.postgres import Server, own_server

from secure_export.errors import StoreUnavailable
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore

_PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
_CONFIGURATION = """
[databases]
* = host={folder} port={port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 50
"""

pytestmark = pytest.mark.skipif(
    _PROGRAM is None, reason="no PgBouncer on this machine (Debian: apt-get install pgbouncer): poolers are not tested"
)


@pytest.fixture
def pooled(postgres: Server) -> Iterator[int]:
    """Give the port of a PgBouncer with two sessions for all."""
    server = own_server(postgres)
    folder = Path(tempfile.mkdtemp(prefix="se-pgbouncer-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    file = folder / "pgbouncer.ini"
    file.write_text(_CONFIGURATION.format(folder=server.folder, port=server.port, own_port=port), encoding="utf-8")
    assert _PROGRAM is not None
    as_whom = {}
    if os.geteuid() == 0:  # it refuses to run as root
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        as_whom = {"user": nobody.pw_uid, "group": nobody.pw_gid}
    process = subprocess.Popen([_PROGRAM, "-q", file], cwd=folder, stderr=subprocess.DEVNULL, **as_whom)  # type: ignore[call-overload]
    try:
        end = time.monotonic() + 10
        while not _answers(port):
            assert time.monotonic() < end
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_everything_works_through_a_pooler_of_transactions(postgres: Server, database: str, pooled: int) -> None:
    """Two processes with eight connections each share two sessions, and nothing of one turns up at the other."""
    url = f"postgresql://postgres@127.0.0.1:{pooled}/{database}?pooler=transaction&pool_size=8"
    stores = [await PostgresStore.open(place_of(url), clock=lambda: NOW) for _ in range(2)]
    try:
        for store in stores:
            assert await store.lanes.take_over("desk", now=NOW) == 0
            assert await store.ready() is None
        async with asyncio.timeout(20):
            receipts = await asyncio.gather(*(stores[n % 2].journal.append(entry(f"alert:{n}")) for n in range(60)))
            assert {one.status for one in receipts} == {"accepted"}
            claims = await asyncio.gather(*(claim(stores[n % 2].lanes, limit=10) for n in range(8)))
            lanes = [lane for some in claims for lane in some]
            while len(lanes) < 60:
                lanes += await claim(stores[0].lanes)
            assert len({lane.correlation_key for lane in lanes}) == 60
            await asyncio.gather(
                *(
                    stores[n % 2].lanes.save(lane, folded(lane, item=item(lane.correlation_key)), now=NOW)
                    for n, lane in enumerate(lanes)
                )
            )
        assert len((await stores[1].records.work_items(limit=100)).rows) == 60
        assert (await stores[0].records.lanes()).rows == []
        await _lives_and_is_forgotten(stores[0])
    finally:
        for store in stores:
            await store.close()


async def _lives_and_is_forgotten(store: PostgresStore) -> None:
    one = resolved(item("alert:old"))
    await store.journal.append(entry("alert:old"))
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane, item=one, alerts=[alert("old", work_item=one.id, ended_at=NOW)]), now=NOW)
    await store.desk.try_out()
    assert await forget_all(store, NOW + RETENTION.notifications + timedelta(days=2)) >= 1


async def test_who_did_not_say_that_there_is_a_pooler_is_told(database: str, pooled: int) -> None:
    """The error names the option, instead of what the pooler complains about alone."""
    with pytest.raises(StoreUnavailable, match=r"write pooler=transaction into store\.url"):
        await PostgresStore.open(place_of(f"postgresql://postgres@127.0.0.1:{pooled}/{database}"))
