"""Requests an hour, requests at a time, requests that wait, and sessions, over real connections."""

import asyncio
import itertools
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.sandbox.servicenow.served import INCIDENTS, served

from secure_export.sandbox.servicenow.demo_access import INTEGRATION_USER
from secure_export.sandbox.servicenow.limits import RateRule
from secure_export.sandbox.turns import QueueFullError, Semaphore


async def test_a_rate_rule_counts_each_user_by_the_hour() -> None:
    """Counted answers name limit, reset and rule; one too many is 429; the next hour begins anew."""
    async with served() as client:
        client.app.limits.rates.add(RateRule(2, path="/api/now/table/incident*", api="Table API"))
        for _ in range(2):
            seen = await client.ask("GET", INCIDENTS)
            assert (seen.status, seen.headers["X-RateLimit-Limit"]) == (200, "2")
        refused = await client.ask("GET", INCIDENTS)
        assert refused.status == 429
        assert refused.json["error"]["detail"] == "Rate limit of 2 requests per hour for Table API exceeded"
        now = client.app.instance.clock.now().timestamp()
        assert int(refused.headers["X-RateLimit-Reset"]) == now + int(refused.headers["Retry-After"])
        assert (await client.ask("GET", INCIDENTS, user="admin")).status == 200
        assert "X-RateLimit-Limit" not in (await client.ask("GET", "/api/now/table/problem")).headers
        client.app.instance.clock.move(timedelta(hours=1))
        assert (await client.ask("GET", INCIDENTS)).status == 200


async def test_rate_rules_can_be_for_a_user_or_a_role_and_are_rows_of_a_table() -> None:
    """An administrator sees them in sys_rate_limit_rules; control replaces them."""
    async with served() as client:
        rules = [{"per_hour": 1, "user": INTEGRATION_USER}, {"per_hour": 5, "role": "admin"}]
        await client.control("POST", "limits", rates=rules)
        assert [(await client.ask("GET", INCIDENTS)).status for _ in range(2)] == [200, 429]
        mine = await client.ask("GET", INCIDENTS, user="admin")
        assert (mine.status, mine.headers["X-RateLimit-Limit"]) == (200, "5")
        rows = await client.ask("GET", "/api/now/table/sys_rate_limit_rules", user="admin")
        assert sorted(row["rate_limit"] for row in rows.json["result"]) == ["1", "5"]
        await client.control("POST", "limits", rates=[])
        assert (await client.ask("GET", INCIDENTS)).status == 200


async def test_four_at_a_time_with_a_fixed_time_of_service() -> None:
    """Twelve requests of 20 ms through four threads take three rounds, and never more than four run."""
    async with served() as client:
        await client.control("POST", "limits", threads=4, service_seconds=0.02)
        await client.control("DELETE", "counters")
        began = time.perf_counter()
        seen = await asyncio.gather(*(client.ask("GET", INCIDENTS + "?sysparm_limit=1") for _ in range(12)))
        took = time.perf_counter() - began
        assert {one.status for one in seen} == {200}
        assert took >= 0.06
        assert (await client.control("GET", "limits"))["most_at_a_time"] == 4


async def test_a_full_queue_is_429_without_headers() -> None:
    """One runs, two wait, the others are turned away."""
    async with served() as client:
        await client.control("POST", "limits", threads=1, queue=2)
        async with client.app.limits.semaphore.turn():
            asked = [asyncio.create_task(client.ask("GET", f"{INCIDENTS}?sysparm_limit=1")) for _ in range(5)]
            refused = [await one for one in itertools.islice(asyncio.as_completed(asked), 3)]
        seen = await asyncio.gather(*asked)
        assert Counter(one.status for one in seen) == {200: 2, 429: 3}
        assert {one.status for one in refused} == {429}
        assert not [name for name in refused[0].headers if name.lower().startswith(("x-ratelimit", "retry-after"))]


async def test_a_reused_session_meets_202_when_its_queue_is_long() -> None:
    """Requests of one session run one after the other; who finds the queue full is told 202 and nothing is done."""
    async with served() as client:
        cookie = (await client.ask("GET", INCIDENTS)).headers["Set-Cookie"].partition(";")[0]
        await client.control("POST", "limits", session_queue=2, threads=1)
        before = client.incidents()
        order: dict[str, Any] = {"json": {"short_description": "A test"}, "headers": {"Cookie": cookie}}
        async with client.app.limits.semaphore.turn():
            asked = [asyncio.create_task(client.ask("POST", INCIDENTS, **order)) for _ in range(5)]
            turned_away = [await one for one in itertools.islice(asyncio.as_completed(asked), 3)]
            assert {one.status for one in turned_away} == {202}
            assert client.incidents() == before
        assert Counter(one.status for one in await asyncio.gather(*asked)) == {201: 2, 202: 3}
        assert client.incidents() == before + 2


async def test_a_semaphore_survives_those_who_give_up() -> None:
    """Whoever is cancelled while waiting, or just as their turn comes, leaves no thread behind."""
    semaphore = Semaphore(threads=1, queue=5)

    async def enter() -> None:
        async with semaphore.turn():
            pass

    async with semaphore.turn():
        waiters = [asyncio.create_task(enter()) for _ in range(3)]
        await asyncio.sleep(0)
        assert (semaphore.running, semaphore.waiting) == (1, 3)
        waiters[0].cancel()
    waiters[1].cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    assert [one.cancelled() for one in waiters] == [True, True, False]
    assert (semaphore.running, semaphore.waiting, semaphore.most_at_a_time) == (0, 0, 1)


async def test_a_semaphore_without_a_queue_turns_away_at_once() -> None:
    """No place to wait: no wait."""
    semaphore = Semaphore(threads=1, queue=0)
    async with semaphore.turn():
        with pytest.raises(QueueFullError):
            async with semaphore.turn():
                pass
    assert semaphore.running == 0
