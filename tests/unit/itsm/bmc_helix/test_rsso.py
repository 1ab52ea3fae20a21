"""Tokens of Helix Single Sign-On."""

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import ValidationError
from tests.unit.itsm.bmc_helix.ar_answers import USER
from tests.unit.itsm.scripted import NOW, Clock, Script, answer
from tests.unit.keys import private_pem, rsa_key

from secure_export.errors import SettingsError
from secure_export.itsm.answer import Answer
from secure_export.itsm.assertion import JWT_BEARER
from secure_export.itsm.bmc_helix.sign_in.rsso import RssoTokens
from secure_export.itsm.bmc_helix.sign_in.settings import SignInSettings
from secure_export.itsm.bmc_helix.sign_in.ways import sign_in_of
from secure_export.itsm.sign_in import SignInFailed

TOKEN_URL = "https://acme.onbmc.com/rsso/oauth2/v1.1/token"
CLIENT_SECRET = "client-s3cret"
RSA = rsa_key()
PUBLIC = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def own(tmp_path: Path) -> Any:
    def make(key: bytes = private_pem(RSA), **more: Any) -> SignInSettings:
        (tmp_path / "key").write_bytes(key)
        (tmp_path / "secret").write_text(CLIENT_SECRET, encoding="utf-8")
        rsso = {
            "token_url": TOKEN_URL,
            "client_id": "client-1",
            "client_secret": {"file": str(tmp_path / "secret")},
            "private_key": {"file": str(tmp_path / "key")},
            "subject": USER,
            **more,
        }
        return SignInSettings.model_validate({"url": "https://acme.onbmc.com", "rsso": rsso})

    return make


def given(**more: Any) -> Answer:
    return answer(200, {"access_token": "abc-1", "token_type": "Bearer", "expires_in": 900, **more})


async def test_an_assertion_is_exchanged_for_a_token(own: Any, clock: Clock) -> None:
    """Client id and secret go as HTTP Basic, the realm's application domain as ``audience``."""
    script = Script(lambda _: given())
    settings = own(audience="acme.onbmc.com", key_id="k1", assertion_audience="rsso", issuer="us")
    sign_in = sign_in_of(settings, script, clock=clock)
    assert await sign_in.headers() == {"Authorization": "Bearer abc-1"}
    (request,) = script.requests
    assert (request.method, request.path) == ("POST", "/rsso/oauth2/v1.1/token")
    assert base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"client-1:client-s3cret"
    assert (request.form["grant_type"], request.form["audience"]) == (JWT_BEARER, "acme.onbmc.com")
    assertion = jwt.decode(request.form["assertion"], RSAKey.import_key(PUBLIC), algorithms=["RS256"])
    assert assertion.header["kid"] == "k1"
    claims = {name: assertion.claims[name] for name in ("iss", "sub", "aud", "iat", "exp")}
    now = int(NOW.timestamp())
    assert claims == {"iss": "us", "sub": USER, "aud": "rsso", "iat": now, "exp": now + 300}
    await sign_in.close()


async def test_how_the_token_is_shown_can_be_set(own: Any, clock: Clock) -> None:
    """Which scheme a server takes is not documented, so that it is a setting."""
    sign_in = sign_in_of(own(presented_as="AR-JWT"), Script(lambda _: given()), clock=clock)
    assert await sign_in.headers() == {"Authorization": "AR-JWT abc-1"}
    await sign_in.close()


@pytest.mark.parametrize(
    ("told", "words", "refused"),
    [
        (answer(400, {"error": "invalid_grant", "error_description": "bad\nassertion"}), "invalid_grant, bad as", True),
        (answer(401, ""), "401, no words", True),
        (answer(200, {"token": "x"}), "gave no token", True),
        (answer(503, "down"), "not able to answer", False),
    ],
)
async def test_a_refusal_names_the_causes(told: Answer, words: str, own: Any, clock: Clock, *, refused: bool) -> None:
    """The endpoint says little: everything that may be the cause is listed."""
    with pytest.raises(SignInFailed, match=words) as failed:
        await RssoTokens(Script(lambda _: told), "/t", own().rsso, clock=clock).fetch()
    assert failed.value.refused is refused
    assert CLIENT_SECRET not in str(failed.value)


def test_a_token_endpoint_without_tls_is_refused(own: Any, clock: Clock) -> None:
    """The client's secret goes there."""
    with pytest.raises(SettingsError, match=r"rsso\.token_url"):
        sign_in_of(own(token_url="http://acme.onbmc.com/rsso/oauth2/token"), Script(lambda _: given()), clock=clock)


async def test_another_host_is_reached_by_connections_of_its_own(own: Any, clock: Clock) -> None:
    """They are closed with the sign-in."""
    sign_in = sign_in_of(own(token_url="https://sso.onbmc.com/t"), Script(lambda _: given()), clock=clock)
    await sign_in.close()
    with pytest.raises(SignInFailed):
        await sign_in.headers()


def test_two_ways_to_sign_in_are_one_too_many(own: Any) -> None:
    """Which one counts must not be guessed."""
    both = {"url": "https://acme.onbmc.com", "username": USER, "rsso": own().rsso}
    with pytest.raises(ValidationError, match="keep one"):
        SignInSettings.model_validate(both)
