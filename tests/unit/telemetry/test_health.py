"""Alive and ready."""

import asyncio
import json

from secure_export.telemetry.health import Health


async def fine() -> str | None:
    return None


async def broken() -> str | None:
    return "the disk is full"


async def failing() -> str | None:
    raise OSError("no route")


async def endless() -> str | None:
    await asyncio.Event().wait()
    return None


async def test_alive_whatever_is_wrong() -> None:
    """A service that waits for its store must not be restarted for it."""
    health = Health()
    health.add("store", broken)
    assert (await health.healthz())[0] == 200


async def test_ready_when_every_check_is_well() -> None:
    """Ready says so, check by check."""
    health = Health()
    health.add("store", fine)
    status, body = await health.readyz()
    assert status == 200
    assert json.loads(body) == {"status": "ready", "checks": {"store": "ok"}}


async def test_not_ready_says_what_is_wrong() -> None:
    """Each check that fails, raises or does not answer is told apart, and the others are still told."""
    health = Health(patience_seconds=0.01)
    for name, check in (("store", broken), ("keys", failing), ("tool", endless), ("disk", fine)):
        health.add(name, check)
    status, body = await health.readyz()
    assert status == 503
    assert json.loads(body)["checks"] == {
        "store": "the disk is full",
        "keys": "OSError: no route",
        "tool": "did not answer within 0.01 s",
        "disk": "ok",
    }


async def test_strangers_cannot_make_the_store_write_for_each_question() -> None:
    """Readiness is asked for once a second, however many ask."""
    asked: list[None] = []

    async def writes() -> str | None:
        asked.append(None)
        return None

    health = Health()
    health.add("store", writes)
    assert {(await health.readyz())[0] for _ in range(100)} == {200}
    assert len(asked) < 5, "not more than one in each second that this takes"
