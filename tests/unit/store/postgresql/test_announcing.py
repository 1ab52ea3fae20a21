"""What the store does on a server that takes no notices, as some that only speak PostgreSQL's protocol."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.conformance.store_suite.samples import NOW, claim, entry
from tests.postgres import Server

from secure_export.store.postgresql.announcing import Announcing
from secure_export.store.postgresql.place import place_of
from secure_export.store.postgresql.store import PostgresStore

_WITHOUT_NOTICES = """
CREATE SCHEMA other;
CREATE FUNCTION other.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'function pg_notify does not exist' USING ERRCODE = '42883'; END$$;
"""
_TOLD = "not telling others through the database; lanes are found by looking"


async def _sessions(server: Server, database: str) -> int:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'secure-export'"
    return int((await server.fetch(asked, database))[0][0])


async def test_without_notices_it_works_and_says_so_once(postgres: Server, database: str) -> None:
    """Notifications are taken and lanes are found; the server is not asked again for each; closing closes all."""
    await postgres.execute(_WITHOUT_NOTICES, database=database)
    await postgres.execute(f"ALTER DATABASE {database} SET search_path = public, other, pg_catalog")
    with capture_logs() as logs:
        store = await PostgresStore.open(place_of(postgres.url(database)), clock=lambda: NOW)
        assert await store.lanes.take_over("desk", now=NOW) == 0
        for name in ("alert:a", "alert:b"):
            assert (await store.journal.append(entry(name))).status == "accepted"
            await asyncio.sleep(0.05)
        assert {lane.correlation_key for lane in await claim(store.lanes)} == {"alert:a", "alert:b"}
        await store.close()
    told = [one for one in logs if one["event"] == _TOLD]
    assert [one["reason"] for one in told] == ["function pg_notify does not exist"]
    async with asyncio.timeout(5):
        while await _sessions(postgres, database):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.02)


async def test_closing_closes_all_also_where_a_part_complains(
    postgres: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session that listens, with its lock, and the pool do not stay open behind an error."""
    store = await PostgresStore.open(place_of(postgres.url(database)), clock=lambda: NOW)
    assert await store.lanes.take_over("desk", now=NOW) == 0
    await store.journal.append(entry())

    async def complain(_: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Announcing, "close", complain)
        with pytest.raises(ZeroDivisionError):
            await store.close()
    await store._announcing.close()
    async with asyncio.timeout(5):
        while await _sessions(postgres, database):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.02)
