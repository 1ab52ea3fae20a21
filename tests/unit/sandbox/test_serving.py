"""The sandbox's server."""

import logging

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from secure_export.sandbox import serving
from secure_export.sandbox.serving import is_loopback


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


APP = Starlette(routes=[Route("/", _hello)])


async def test_port_0_gives_a_free_port_and_the_address_answers_at_once() -> None:
    """Two servers on port 0 do not clash, and each is reached under the URL that it names."""
    async with serving.serving(APP, name="one") as one, serving.serving(APP, name="two") as two:
        assert one.base_url != two.base_url
        async with aiohttp.ClientSession() as session, session.get(two.base_url) as answer:
            assert await answer.text() == "hello"


async def test_after_stop_nothing_listens() -> None:
    """A stopped stand-in gives its port back."""
    running = await serving.start(APP, name="one")
    await running.stop()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(running.base_url)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "sandbox.example"])  # noqa: S104 - must be refused
async def test_other_machines_are_kept_out(host: str) -> None:
    """An address that others could reach is refused unless that was asked for explicitly."""
    with pytest.raises(serving.NotLoopbackError, match="this machine only"):
        await serving.start(APP, name="one", host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_addresses_of_this_machine_are_loopback(host: str) -> None:
    """Every form of a loopback address is known."""
    assert is_loopback(host)


async def test_it_says_loudly_what_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """Each start is logged as a warning that names the stand-in."""
    with caplog.at_level(logging.WARNING, "secure_export.sandbox"):
        async with serving.serving(APP, name="Entra ID"):
            pass
    assert "SANDBOX" in caplog.text
    assert "Entra ID" in caplog.text
