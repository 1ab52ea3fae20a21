"""The doors over real HTTP: tokens, control, trouble."""

import base64
import hmac
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

import aiohttp
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from secure_export.sandbox.entra import (
    AZNS_APP_ID,
    AZNS_SANDBOX_SECRET,
    DEFAULT_TENANT_ID,
    RESOURCE_APP_ID,
    ROLE,
    Order,
    SandboxEntra,
    start_entra,
)
from secure_export.sandbox.entra.keys import SigningKey

FORM = {
    "grant_type": "client_credentials",
    "client_id": AZNS_APP_ID,
    "client_secret": AZNS_SANDBOX_SECRET,
    "scope": f"api://{RESOURCE_APP_ID}/.default",
}
TENANT = DEFAULT_TENANT_ID


@pytest.fixture
async def door(next_key: Callable[[], SigningKey]) -> AsyncGenerator["_Door"]:
    """Serve a stand-in."""
    entra, running = await start_entra(SandboxEntra(make_key=next_key))
    async with aiohttp.ClientSession(running.base_url) as session:
        yield _Door(entra, session)
    await running.stop()


class _Door:
    def __init__(self, entra: SandboxEntra, session: aiohttp.ClientSession) -> None:
        self.entra = entra
        self.session = session

    async def get(self, path: str) -> Any:
        async with self.session.get(path) as answer:
            return await answer.json()

    async def post(self, path: str, body: Any, status: int = 200) -> Any:
        async with self.session.post(f"/control/{path}", json=body) as answer:
            assert answer.status == status
            return await answer.json()

    async def status(self, path: str) -> int:
        async with self.session.get(path) as answer:
            return answer.status

    async def token(self, form: dict[str, str] = FORM, path: str = "oauth2/v2.0/token", **headers: str) -> Any:
        async with self.session.post(f"/{TENANT}/{path}", data=form, headers=headers) as answer:
            return answer.status, await answer.json()


def _parts(token: str) -> tuple[Any, Any, str]:
    header, payload, signature = token.split(".")
    return *(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload)), signature


async def test_a_verifier_finds_its_way_from_the_metadata_to_a_valid_token(door: _Door) -> None:
    """Metadata, key list and token end point fit together over HTTP."""
    metadata = await door.get(f"/{TENANT}/v2.0/.well-known/openid-configuration")
    async with door.session.get(metadata["jwks_uri"]) as answer:
        keys = KeySet([RSAKey.import_key(key) for key in (await answer.json())["keys"]])
    async with door.session.post(metadata["token_endpoint"], data=FORM) as answer:
        body = await answer.json()
        assert answer.headers["Cache-Control"].startswith("no-store")
    claims = jwt.decode(body["access_token"], keys, algorithms=["RS256"]).claims
    assert claims["iss"] == metadata["issuer"]
    assert claims["roles"] == [ROLE]
    assert body["token_type"] == "Bearer"
    assert 3590 <= body["expires_in"] <= 5400


async def test_the_version_1_end_point_answers_in_texts(door: _Door) -> None:
    """The older end point takes ``resource`` and writes its numbers as texts."""
    status, body = await door.token({**FORM, "resource": f"api://{RESOURCE_APP_ID}"}, "oauth2/token")
    assert status == 200
    assert body["resource"] == f"api://{RESOURCE_APP_ID}"
    assert all(isinstance(body[name], str) for name in ("expires_in", "expires_on", "not_before"))


async def test_a_client_may_prove_itself_by_basic_authentication(door: _Door) -> None:
    """Client and secret may stand in the Authorization header."""
    secret = base64.b64encode(f"{AZNS_APP_ID}:{AZNS_SANDBOX_SECRET}".encode()).decode()
    form = {"grant_type": FORM["grant_type"], "scope": FORM["scope"]}
    assert (await door.token(form, Authorization=f"Basic {secret}"))[0] == 200
    assert (await door.token(form, Authorization="Basic !"))[0] == 401


async def test_a_wrong_secret_is_401_and_an_unknown_tenant_400(door: _Door) -> None:
    """Refusals reach the client with Entra's status."""
    assert (await door.token({**FORM, "client_secret": "wrong"}))[0] == 401
    assert await door.status("/no-guid/discovery/v2.0/keys") == 400


async def test_keys_turn_over_the_control_api(door: _Door) -> None:
    """Rotation promotes the announced key; an emergency roll leaves none of the old ones."""
    before = (await door.get("/control"))["keys"]
    rotated = await door.post("keys/rotate", {})
    assert (rotated["current"], rotated["previous"]) == (before["next"], before["current"])
    rolled = await door.post("keys/emergency-roll", {})
    assert not {before["current"], before["next"], rotated["next"]} & set(rolled.values())


@pytest.mark.parametrize(
    ("mode", "status"), [("error", 500), ("garbage", 200), ("empty", 200), ("slow", 200), ("none", 200)]
)
async def test_each_outage_is_as_ordered(door: _Door, mode: str, status: int) -> None:
    """A door fails, stalls or talks nonsense; the others go on."""
    await door.post("outage", {"mode": mode, "seconds": 0.01, "doors": ["keys"]})
    async with door.session.get(f"/{TENANT}/discovery/v2.0/keys") as answer:
        text = await answer.text()
        assert answer.status == status
    is_sound = mode in {"slow", "none"}
    assert ('"n":' in text and text.endswith("]}")) is is_sound
    assert await door.status(f"/{TENANT}/v2.0/.well-known/openid-configuration") == 200


async def test_requests_are_counted(door: _Door) -> None:
    """How often a verifier fetched keys can be read."""
    for _ in range(3):
        await door.get(f"/{TENANT}/discovery/keys")
    assert (await door.get("/control"))["requests"][f"/{TENANT}/discovery/keys"] == 3


async def test_any_token_can_be_ordered(door: _Door) -> None:
    """Claims and header are put over the honest ones, and None takes a member out."""
    order = {
        "claims": {"tid": "x", "oid": None},
        "header": {"kid": "none such"},
        "lifetime_seconds": -60,
        "roles": ["r"],
    }
    header, claims, _ = _parts((await door.post("tokens", order))["access_token"])
    assert header["kid"] == "none such"
    assert claims["tid"] == "x"
    assert "oid" not in claims
    assert claims["roles"] == ["r"]
    assert claims["exp"] < door.entra.now().timestamp()


async def test_an_unsigned_token_can_be_ordered(door: _Door) -> None:
    """``none`` leaves the signature empty and says so."""
    header, _, signature = _parts((await door.post("tokens", {"algorithm": "none"}))["access_token"])
    assert (header["alg"], signature) == ("none", "")


async def test_a_token_signed_with_the_public_key_as_a_secret_can_be_ordered(door: _Door) -> None:
    """``HS256`` is the confusion attack: a verifier that takes the PEM as a secret accepts it."""
    token = (await door.post("tokens", {"algorithm": "HS256"}))["access_token"]
    signed, _, signature = token.rpartition(".")
    secret = door.entra.ring().current.public_pem()
    assert base64.urlsafe_b64decode(signature + "==") == hmac.digest(secret, signed.encode(), "sha256")
    assert _parts(token)[0]["alg"] == "HS256"


@pytest.mark.parametrize("part", ["foreign", "unlisted"])
async def test_a_token_signed_by_a_wrong_key_can_be_ordered(door: _Door, part: str) -> None:
    """The kid names the key that really signed."""
    header, _, _ = _parts((await door.post("tokens", {"key": part}))["access_token"])
    assert header["kid"] == door.entra.ring().named(part).kid


@pytest.mark.parametrize(
    ("path", "body"), [("tokens", {"claim": {}}), ("outage", {"mode": "odd"}), ("tokens", {"key": "previous"})]
)
async def test_orders_that_make_no_sense_are_refused(door: _Door, path: str, body: dict[str, Any]) -> None:
    """A misspelt member is no silent default."""
    assert "error" in await door.post(path, body, 400)


async def test_pages_of_other_sites_cannot_use_control(door: _Door) -> None:
    """A page of another site in a browser on this machine mints no token."""
    async with door.session.post("/control/tokens", json={}, headers={"Origin": "http://other.example"}) as answer:
        assert answer.status == 403
        assert "this machine" in (await answer.json())["error"]


async def test_clients_and_resources_can_be_registered(door: _Door) -> None:
    """A second application and a second caller get tokens of their own."""
    await door.post("clients", {"client_id": "aaaaaaaa-1111-4111-8111-000000000001", "secret": "two"})
    resource = {
        "client_id": "aaaaaaaa-1111-4111-8111-000000000002",
        "identifier_uris": ["api://second"],
        "token_version": 1,
    }
    await door.post("resources", resource)
    form = {**FORM, "client_id": "aaaaaaaa-1111-4111-8111-000000000001", "client_secret": "two"}
    _, body = await door.token({**form, "scope": "api://second/.default"})
    _, claims, _ = _parts(body["access_token"])
    assert (claims["aud"], claims["ver"], claims["appidacr"]) == ("api://second", "1.0", "1")


def test_an_unregistered_audience_and_caller_can_be_ordered(entra: SandboxEntra) -> None:
    """A token for somebody else is easy to get for the tests that must refuse it."""
    _, claims, _ = _parts(entra.mint(Order(audience="api://elsewhere", client_id="b", version=1)))
    assert (claims["aud"], claims["appid"]) == ("api://elsewhere", "b")
    assert "roles" not in claims
