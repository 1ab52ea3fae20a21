"""Signing in to BMC Helix over real HTTP: one session, renewed, and given back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from secure_export.clock import utc_now
from secure_export.errors import SettingsError
from secure_export.itsm.bmc_helix.bmc_helix_connector import BmcHelixConnector
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.resources import Resources
from secure_export.sandbox.bmc_helix.app import BmcHelixApp
from secure_export.sandbox.bmc_helix.demo_data import INTEGRATION_USER
from secure_export.sandbox.bmc_helix.faults import Fault, FaultKind
from secure_export.sandbox.bmc_helix.people import PASSWORD
from secure_export.sandbox.bmc_helix.run import serving
from secure_export.sandbox.clock import Clock


@pytest.fixture
async def server() -> AsyncIterator[tuple[BmcHelixApp, str]]:
    async with serving() as (app, url):
        yield app, url


@asynccontextmanager
async def connected(url: str, clock: Any = utc_now, **own: Any) -> AsyncIterator[BmcHelixConnector]:
    named = {"url": url, "username": INTEGRATION_USER, "password": {"env": "PW"}, **own}
    resources = Resources(desk=None, clock=clock)  # type: ignore[arg-type] # no desk here
    connector = BmcHelixConnector("prod", BmcHelixSettings.model_validate(named), resources)
    try:
        yield connector
    finally:
        await connector.close()


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", PASSWORD)


async def test_many_lanes_are_one_session_which_ends_with_the_program(server: tuple[BmcHelixApp, str]) -> None:
    """BMC counts sessions; the one there was is logged out."""
    app, url = server
    async with connected(url) as connector:
        await asyncio.gather(*(connector.cmdb.by_names([f"vm-{place}"]) for place in range(20)))
        assert app.tokens.given == 1
        assert len(app.tokens.sessions()) == 1
    assert app.tokens.sessions() == []


async def test_a_session_that_was_ended_is_replaced_within_the_request(server: tuple[BmcHelixApp, str]) -> None:
    """A restart of BMC ends all sessions: the request that meets it logs in again, and is answered."""
    app, url = server
    clock = Clock()
    async with connected(url, clock.now) as connector:
        await connector.cmdb.by_names(["vm-web-01"])
        clock.move(timedelta(minutes=5))
        app.tokens.revoke()
        assert await connector.cmdb.by_names(["vm-web-02"])
        assert app.tokens.given == 2


async def test_a_token_is_renewed_before_it_ends(server: tuple[BmcHelixApp, str]) -> None:
    """By the life that the token tells: here ten minutes, and not an hour."""
    app, url = server
    app.server.site.token_seconds = 600
    clock = Clock()
    async with connected(url, clock.now) as connector:
        await connector.cmdb.by_names(["vm-web-01"])
        clock.move(timedelta(seconds=481))
        await connector.cmdb.by_names(["vm-web-02"])
        for _ in range(50):
            await asyncio.sleep(0.01)
            if app.tokens.given == 2:
                break
        assert app.tokens.given == 2


async def test_a_login_that_fails_is_not_tried_by_every_lane(server: tuple[BmcHelixApp, str]) -> None:
    """Twenty lanes that want in show a wrong password once: accounts are locked after a few."""
    app, url = server
    app.faults.set(Fault(FaultKind.GUEST, times=None))
    async with connected(url) as connector:
        told = await asyncio.gather(
            *(connector.cmdb.by_names([f"vm-{place}"]) for place in range(20)), return_exceptions=True
        )
        assert all(isinstance(one, Exception) for one in told)
        assert all("guest" in str(one) for one in told)
        assert app.tokens.given == 1


async def test_a_blank_password_does_not_start(
    server: tuple[BmcHelixApp, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server would let us in without looking at it."""
    app, url = server
    app.server.site.blank_password_allowed = True
    monkeypatch.setenv("PW", "")
    with pytest.raises(SettingsError, match="blank"):
        async with connected(url):
            raise AssertionError
    assert app.tokens.given == 0
