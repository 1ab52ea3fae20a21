"""Documents are fetched within bounds, from a real server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientTimeout, web
from tests.unit.identity.stand_in import (
    TENANT,
    SettableClock,
    bearer,
    good_token,
    is_let_in,
    jwk,
    settings,
)

from secure_export.identity import key_fetch
from secure_export.identity.gate import Gate
from secure_export.identity.key_fetch import MAX_DOCUMENT_BYTES, fetch_document
from secure_export.identity.signing_keys import KeysNotUsable


async def _answer(request: web.Request) -> web.StreamResponse:
    match request.path:
        case "/exact":
            return web.Response(body=b"x" * MAX_DOCUMENT_BYTES)
        case "/large":
            return web.Response(body=b"x" * (MAX_DOCUMENT_BYTES + 1))
        case "/moved":
            raise web.HTTPFound("/exact")
        case "/away":
            raise web.HTTPServiceUnavailable
        case "/silent":
            await asyncio.sleep(60)
        case "/asked":
            return web.json_response(dict(request.headers))
        case "/endless":
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"x" * 65_536)
    return await _tenant(request)


async def _tenant(request: web.Request) -> web.Response:
    base = f"http://{request.host}/{TENANT}"
    documents = {
        f"/{TENANT}/.well-known/openid-configuration": {"issuer": base + "/", "jwks_uri": base + "/keys"},
        f"/{TENANT}/v2.0/.well-known/openid-configuration": {"issuer": base + "/v2.0", "jwks_uri": base + "/keys"},
        f"/{TENANT}/keys": {"keys": [jwk()]},
    }
    return web.json_response(documents[request.path])


@pytest.fixture
async def server() -> AsyncIterator[str]:
    """Serve on loopback and give the address."""
    application = web.Application()
    application.router.add_get("/{path:.*}", _answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def test_a_document_up_to_the_limit_is_read_whole(server: str) -> None:
    """512 KiB; a tenant's keys are some 20 KB."""
    assert len(await fetch_document(f"{server}/exact")) == MAX_DOCUMENT_BYTES


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/large", "more than 524288 bytes"),
        ("/endless", "more than 524288 bytes"),
        ("/moved", "status 302"),
        ("/away", "status 503"),
    ],
)
async def test_other_answers_are_refused(server: str, path: str, words: str) -> None:
    """Neither size nor redirects lead anywhere."""
    with pytest.raises(KeysNotUsable, match=words):
        await fetch_document(server + path)


async def test_a_silent_server_is_not_waited_for(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the keys gets an answer while the caller still listens."""
    monkeypatch.setattr(key_fetch, "_TIMEOUT", ClientTimeout(total=0.05))
    with pytest.raises(KeysNotUsable, match="did not answer within"):
        await fetch_document(f"{server}/silent")


async def test_a_server_that_is_not_there_is_named() -> None:
    """With the reason that the system gives."""
    with pytest.raises(KeysNotUsable, match="could not be reached"):
        await fetch_document("http://127.0.0.1:1/keys")


@pytest.mark.parametrize(
    "url",
    ["http://attacker.example/keys", "file:///etc/passwd", "data:,x", "ftp://127.0.0.1/", "https://u:p@host", ""],
)
async def test_unsafe_addresses_are_not_fetched(url: str) -> None:
    """Only https, or http on this machine."""
    with pytest.raises(KeysNotUsable, match="not fetched"):
        await fetch_document(url)


async def test_no_compressed_answer_is_asked_for(server: str) -> None:
    """A few bytes could unpack to gigabytes."""
    asked = json.loads((await fetch_document(f"{server}/asked")).lower())
    assert asked["accept-encoding"] == "identity"


@pytest.mark.parametrize("version", ["1.0", "2.0"])
async def test_a_sandbox_on_loopback_is_a_tenant_like_any_other(server: str, version: str) -> None:
    """Its issuer is the one that its metadata names."""
    gate = Gate(settings(authority=server), clock=SettableClock())
    issuer = f"{server}/{TENANT}/" + ("v2.0" if version == "2.0" else "")
    assert await is_let_in(gate, bearer(good_token(version, iss=issuer)))
    await gate.refresh()
    assert await gate.ready() is None
