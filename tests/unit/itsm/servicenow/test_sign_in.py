"""Signing in to ServiceNow, in each way."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from tests.unit.itsm.loopback import Reply, tool
from tests.unit.itsm.scripted import NOW, Clock, Request, Script, answer
from tests.unit.keys import private_pem, rsa_key

from secure_export.errors import SettingsError
from secure_export.itsm.answer import Answer
from secure_export.itsm.assertion import JWT_BEARER
from secure_export.itsm.http_errors import AnswerLost, NotSent
from secure_export.itsm.servicenow.settings import Grant, ServiceNowSettings
from secure_export.itsm.servicenow.sign_in.oauth import OAuthTokens
from secure_export.itsm.servicenow.sign_in.token_endpoint import TokenEndpoint, causes
from secure_export.itsm.servicenow.sign_in.ways import ByCertificate, sign_in_of
from secure_export.itsm.sign_in import SignInFailed

SECRETS = ("hunter2", "client-s3cret", "refresh-0ld")
VAGUE = {"error_description": "access_denied", "error": "server_error"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secret(tmp_path: Path) -> Any:
    def make(text: str) -> dict[str, str]:
        file = tmp_path / f"secret-{text[:8]}"
        file.write_text(f"{text}\n", encoding="utf-8")
        return {"file": str(file)}

    return make


def settings(**own: Any) -> ServiceNowSettings:
    return ServiceNowSettings.model_validate({"url": "https://acme.service-now.com", **own})


def given(text: str = "token-1", *, refresh: str | None = None, lasts: Any = 1799) -> Answer:
    body: dict[str, Any] = {"access_token": text, "scope": "useraccount", "token_type": "Bearer", "expires_in": lasts}
    return answer(200, {**body, **({"refresh_token": refresh} if refresh else {})})


def oauth(secret: Any, grant: str, **more: Any) -> dict[str, Any]:
    return {"grant": grant, "client_id": "abc", "client_secret": secret("client-s3cret"), **more}


def renew(place: Mapping[str, str]) -> None:
    Path(place["file"]).write_text("new", encoding="utf-8")


def no_secret(text: str) -> bool:
    return not any(one in text for one in SECRETS)


async def test_basic_authentication_shows_user_and_password(secret: Any, clock: Clock) -> None:
    """User and password go into the header in UTF-8."""
    ours = settings(username="azure", password=secret("hunter2-ü"))
    headers = await sign_in_of(ours, Script(lambda _: answer()), clock=clock).headers()
    scheme, _, encoded = headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded).decode()) == ("Basic", "azure:hunter2-ü")


async def test_a_password_that_was_renewed_in_its_place_is_used(tmp_path: Path, clock: Clock) -> None:
    """After a refusal the file is read again, so that nobody has to restart the service."""
    file = tmp_path / "password"
    file.write_text("old", encoding="utf-8")
    sign_in = sign_in_of(
        settings(username="azure", password={"file": str(file)}), Script(lambda _: answer()), clock=clock
    )
    before = await sign_in.headers()
    file.write_text("new", encoding="utf-8")
    assert await sign_in.headers() == before
    sign_in.rejected({"Authorization": "Basic of-another-time"})
    assert await sign_in.headers() == before
    sign_in.rejected(before)
    assert base64.b64decode((await sign_in.headers())["Authorization"][6:]) == b"azure:new"
    await sign_in.close()


async def test_a_missing_secret_is_told_by_its_place(tmp_path: Path, clock: Clock) -> None:
    """Who reads the message knows which file to make."""
    ours = settings(username="azure", password={"file": str(tmp_path / "nothing")})
    with pytest.raises(SignInFailed, match="nothing"):
        await sign_in_of(ours, Script(lambda _: answer()), clock=clock).headers()


async def test_an_api_key_has_a_header_of_its_own(secret: Any, clock: Clock) -> None:
    """ServiceNow takes it as ``x-sn-apikey``."""
    sign_in = sign_in_of(settings(api_key=secret("hunter2")), Script(lambda _: answer()), clock=clock)
    assert await sign_in.headers() == {"x-sn-apikey": "hunter2"}


async def test_a_client_certificate_alone_needs_no_header(tmp_path: Path, clock: Clock) -> None:
    """With mutual TLS the connection says who we are, and a refusal changes nothing about that."""
    sign_in = sign_in_of(settings(client_certificate=str(tmp_path / "c.pem")), Script(lambda _: answer()), clock=clock)
    assert isinstance(sign_in, ByCertificate)
    assert await sign_in.headers() == {}
    sign_in.rejected({})
    await sign_in.close()
    assert await sign_in.headers() == {}


GRANTS = [
    ("client_credentials", {}, {"grant_type": "client_credentials"}),
    (
        "password",
        {"username": "azure", "password": "hunter2"},
        {"grant_type": "password", "username": "azure", "password": "hunter2"},
    ),
    ("refresh_token", {}, {"grant_type": "refresh_token", "refresh_token": "refresh-0ld"}),
]


@pytest.mark.parametrize(("grant", "own", "form"), GRANTS)
async def test_a_grant_is_asked_for_in_the_body(
    grant: str, own: Mapping[str, str], form: Mapping[str, str], secret: Any, clock: Clock
) -> None:
    """Everything goes into the form, because instances may take parameters from the body alone."""
    script = Script(lambda _: given())
    more = {"refresh_token": secret("refresh-0ld")} if grant == "refresh_token" else {}
    named = {name: secret(text) if name == "password" else text for name, text in own.items()}
    ours = settings(oauth=oauth(secret, grant, scope="useraccount", **more), **named)
    sign_in = sign_in_of(ours, script, clock=clock)
    assert await sign_in.headers() == {"Authorization": "Bearer token-1"}
    (request,) = script.requests
    assert (request.method, request.path) == ("POST", "/oauth_token.do")
    assert request.form == {**form, "client_id": "abc", "client_secret": "client-s3cret", "scope": "useraccount"}
    assert request.query == {}
    assert request.headers == {}
    await sign_in.close()


async def test_the_form_arrives_as_a_form(secret: Any, clock: Clock) -> None:
    """The token endpoint takes nothing but ``application/x-www-form-urlencoded``."""
    body = json.dumps({"access_token": "t", "expires_in": 60}).encode()
    good = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with tool(Reply(good)) as endpoint:
        ours = settings(url=endpoint.url, oauth=oauth(secret, "client_credentials"))
        http = endpoint.http()
        assert await sign_in_of(ours, http, clock=clock).headers() == {"Authorization": "Bearer t"}
        await http.close()
    (received,) = endpoint.requests
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    assert received.body == b"grant_type=client_credentials&client_id=abc&client_secret=client-s3cret"


def keys() -> list[tuple[str, Any]]:
    return [("RS256", rsa_key()), ("ES256", ec.generate_private_key(ec.SECP256R1()))]


@pytest.mark.parametrize(("algorithm", "key"), keys(), ids=["RS256", "ES256"])
async def test_an_assertion_says_who_we_are(algorithm: str, key: Any, tmp_path: Path, clock: Clock) -> None:
    """The JWT bearer grant signs the claims that ServiceNow checks, each assertion with an id of its own."""
    pem = tmp_path / "key.pem"
    pem.write_bytes(private_pem(key))
    own = {
        "grant": "jwt_bearer",
        "client_id": "abc",
        "private_key": {"file": str(pem)},
        "key_id": "kid-1",
        "subject": "azure",
        "algorithm": algorithm,
    }
    script = Script(lambda _: given(lasts=1))
    tokens = OAuthTokens(settings(oauth=own), TokenEndpoint(script, clock=clock), clock=clock)
    await tokens.fetch()
    await tokens.fetch()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    verifier = RSAKey.import_key(public) if algorithm == "RS256" else ECKey.import_key(public)
    decoded = [jwt.decode(one.form["assertion"], verifier, algorithms=[algorithm]) for one in script.requests]
    assert script.requests[0].form["grant_type"] == JWT_BEARER
    assert "client_secret" not in script.requests[0].form
    assert decoded[0].header == {"alg": algorithm, "typ": "JWT", "kid": "kid-1"}
    jti = [one.claims.pop("jti") for one in decoded]
    assert len(set(jti)) == 2
    now = int(NOW.timestamp())
    assert decoded[0].claims == {"iss": "abc", "sub": "azure", "aud": "abc", "iat": now, "exp": now + 300}


@pytest.mark.parametrize(
    ("grant", "names"),
    [
        (Grant.CLIENT_CREDENTIALS, ["glide.oauth.inbound.client.credential.grant_type.enabled", "Application User"]),
        (Grant.PASSWORD, ["glide.oauth.inbound.ropc.grant_type.disabled", "locked out", "password"]),
        (Grant.REFRESH_TOKEN, ["Refresh Token Lifespan", "username and password"]),
        (Grant.JWT_BEARER, ["Verifier Map", "Clock Skew", "aud"]),
    ],
)
async def test_a_refusal_names_all_that_may_be_the_cause(
    grant: Grant, names: list[str], secret: Any, clock: Clock
) -> None:
    """The endpoint does not say what is wrong: the message lists the causes by ServiceNow's names."""
    endpoint = TokenEndpoint(Script(lambda _: answer(401, VAGUE)), clock=clock)
    with pytest.raises(SignInFailed) as caught:
        await endpoint.ask(grant, {}, [])
    assert caught.value.refused
    assert "credentials or configuration" in caught.value.reason
    assert "server_error" in caught.value.reason
    for name in [*names, "Client Secret"]:
        assert name in caught.value.reason


def test_an_unknown_client_leaves_one_cause() -> None:
    """``invalid_client`` is the one error that says something."""
    assert "grant_type.enabled" not in causes(Grant.CLIENT_CREDENTIALS, "invalid_client")
    assert "Client ID" in causes(Grant.CLIENT_CREDENTIALS, "invalid_client")


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 500])
async def test_whatever_else_it_answers_is_a_refusal(status: int, clock: Clock) -> None:
    """Any answer but 200 in the endpoint's own form means credentials or configuration: long pauses, no lock-out."""
    with pytest.raises(SignInFailed) as caught:
        await TokenEndpoint(Script(lambda _: answer(status, VAGUE)), clock=clock).ask(Grant.PASSWORD, {}, [])
    assert caught.value.refused


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_gateway_that_speaks_json_has_refused_nothing(status: int, clock: Clock) -> None:
    """That the instance is not reached says nothing about credentials, in whichever form it is told."""
    busy = answer(status, {"error": "upstream unavailable"})
    with pytest.raises(SignInFailed) as caught:
        await TokenEndpoint(Script(lambda _: busy), clock=clock).ask(Grant.PASSWORD, {}, [])
    assert not caught.value.refused
    assert "credentials" not in caught.value.reason


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_an_instance_that_is_down_has_refused_nothing(status: int, clock: Clock) -> None:
    """A web page of a proxy or a rate limit says nothing about credentials; a wish to wait is passed on."""
    busy = answer(status, "<html>maintenance</html>", retry_after="60")
    with pytest.raises(SignInFailed) as caught:
        await TokenEndpoint(Script(lambda _: busy), clock=clock).ask(Grant.PASSWORD, {}, [])
    assert not caught.value.refused
    assert caught.value.not_before is not None
    assert (caught.value.not_before - NOW).total_seconds() == 60


@pytest.mark.parametrize(
    "body",
    ["<html>Hibernating Instance</html>", {}, [], {"access_token": ""}, {"access_token": 7}, {"access_token": "a\nb"}],
)
async def test_an_answer_without_a_token_is_no_sign_in(body: Any, clock: Clock) -> None:
    """A page with status 200, and a token that no header can hold, are not taken for a token."""
    with pytest.raises(SignInFailed, match="without a token"):
        await TokenEndpoint(Script(lambda _: answer(200, body)), clock=clock).ask(Grant.PASSWORD, {}, [])


async def test_no_message_holds_a_secret(secret: Any, clock: Clock) -> None:
    """Even an endpoint that repeats what it was sent cannot bring it into our log."""

    def repeats(request: Request) -> Answer:
        return answer(401, {"error": "bad", "error_description": " ".join(request.form.values())})

    ours = settings(username="azure", password=secret("hunter2"), oauth=oauth(secret, "password", scope="useraccount"))
    sign_in = sign_in_of(ours, Script(repeats), clock=clock)
    with pytest.raises(SignInFailed) as caught:
        await sign_in.headers()
    assert no_secret(caught.value.reason)
    assert no_secret(str(caught.value.__cause__) + str(caught.value.__context__))
    await sign_in.close()


@pytest.mark.parametrize("lost", [NotSent("no route"), AnswerLost("reset")])
async def test_network_trouble_is_told_from_a_refusal(lost: Exception, secret: Any, clock: Clock) -> None:
    """When the endpoint cannot be asked no credentials are in question."""

    def fails(_: Request) -> Answer:
        raise lost

    sign_in = sign_in_of(settings(oauth=oauth(secret, "client_credentials")), Script(fails), clock=clock)
    with pytest.raises(SignInFailed) as caught:
        await sign_in.headers()
    assert not caught.value.refused
    assert "credentials" not in caught.value.reason
    await sign_in.close()


async def test_after_a_refusal_the_endpoint_is_left_alone(secret: Any, clock: Clock) -> None:
    """Many refusals lock an account: however often alerts ask, there is a pause between two attempts."""
    script = Script(lambda _: answer(401, VAGUE))
    sign_in = sign_in_of(settings(oauth=oauth(secret, "client_credentials")), script, clock=clock)
    for _ in range(20):
        with pytest.raises(SignInFailed):
            await sign_in.headers()
    assert len(script.requests) == 1
    await sign_in.close()


async def test_a_token_is_renewed_with_its_refresh_token(secret: Any, clock: Clock) -> None:
    """The password is shown once; after that the refresh token that came with the token is enough."""
    answers = iter([given("one", refresh="r-1"), given("two", refresh="r-2"), given("three")])
    script = Script(lambda _: next(answers))
    ours = settings(username="azure", password=secret("hunter2"), oauth=oauth(secret, "password"))
    tokens = OAuthTokens(ours, TokenEndpoint(script, clock=clock), clock=clock)
    assert [(await tokens.fetch()).text for _ in range(3)] == ["one", "two", "three"]
    assert [one.form["grant_type"] for one in script.requests] == ["password", "refresh_token", "refresh_token"]
    assert [one.form.get("refresh_token") for one in script.requests] == [None, "r-1", "r-2"]


async def test_a_dead_refresh_token_falls_back_to_the_password(secret: Any, clock: Clock) -> None:
    """After 100 days a refresh token is dead: with user and password nothing stops, and it is not shown again."""

    def endpoint(request: Request) -> Answer:
        if request.form.get("refresh_token") == "refresh-0ld":
            return answer(401, VAGUE)
        return given(request.form["grant_type"])

    script = Script(endpoint)
    ours = settings(
        username="azure",
        password=secret("hunter2"),
        oauth=oauth(secret, "refresh_token", refresh_token=secret("refresh-0ld")),
    )
    tokens = OAuthTokens(ours, TokenEndpoint(script, clock=clock), clock=clock)
    assert [(await tokens.fetch()).text for _ in range(2)] == ["password", "password"]
    assert [one.form["grant_type"] for one in script.requests] == ["refresh_token", "password", "password"]


async def test_a_dead_refresh_token_without_a_way_back_is_told(secret: Any, clock: Clock) -> None:
    """A person has to put a new one in its place; that is used without a restart."""
    script = Script(lambda r: given() if r.form["refresh_token"] == "new" else answer(401, VAGUE))
    place = secret("refresh-0ld")
    ours = settings(oauth=oauth(secret, "refresh_token", refresh_token=place))
    tokens = OAuthTokens(ours, TokenEndpoint(script, clock=clock), clock=clock)
    with pytest.raises(SignInFailed, match="Refresh Token Lifespan"):
        await tokens.fetch()
    renew(place)
    assert (await tokens.fetch()).text == "token-1"


async def test_a_new_refresh_token_is_used_though_an_older_one_had_been_renewed(secret: Any, clock: Clock) -> None:
    """An instance gives a refresh token with each token: when that has died, what a person put into the file counts."""
    alive = {"refresh-0ld"}

    def endpoint(request: Request) -> Answer:
        shown = request.form["refresh_token"]
        return given(f"by-{shown}", refresh="refresh-0ld") if shown in alive else answer(401, VAGUE)

    place = secret("refresh-0ld")
    ours = settings(oauth=oauth(secret, "refresh_token", refresh_token=place))
    script = Script(endpoint)
    tokens = OAuthTokens(ours, TokenEndpoint(script, clock=clock), clock=clock)
    assert (await tokens.fetch()).text == "by-refresh-0ld"
    alive.clear()
    with pytest.raises(SignInFailed, match="Refresh Token Lifespan"):
        await tokens.fetch()
    alive.add("new")
    renew(place)
    assert (await tokens.fetch()).text == "by-new"


async def test_an_endpoint_that_is_down_kills_no_refresh_token(secret: Any, clock: Clock) -> None:
    """Only a refusal makes the password be shown."""
    script = Script(lambda _: answer(503, "<html></html>"))
    ours = settings(
        username="azure",
        password=secret("hunter2"),
        oauth=oauth(secret, "refresh_token", refresh_token=secret("refresh-0ld")),
    )
    tokens = OAuthTokens(ours, TokenEndpoint(script, clock=clock), clock=clock)
    for _ in range(2):
        with pytest.raises(SignInFailed):
            await tokens.fetch()
    assert [one.form["grant_type"] for one in script.requests] == ["refresh_token", "refresh_token"]


async def test_the_same_token_again_is_used_to_its_end(secret: Any, clock: Clock) -> None:
    """Asked before a token's end, an instance gives the same one with what is left of its time."""
    ends = NOW.timestamp() + 1800
    script = Script(lambda _: given("same", lasts=int(ends - clock.now.timestamp())))
    sign_in = sign_in_of(settings(oauth=oauth(secret, "client_credentials")), script, clock=clock)
    await sign_in.headers()
    clock.forward(1795)
    for _ in range(5):
        assert await sign_in.headers() == {"Authorization": "Bearer same"}
    assert len(script.requests) <= 2
    await sign_in.close()


@pytest.mark.parametrize("url", ["http://tokens.example.com/t", "https://user:pw@tokens.example.com/t"])
def test_tokens_come_over_an_encrypted_connection(url: str, secret: Any, clock: Clock) -> None:
    """A client secret is not sent where anybody can read it."""
    ours = settings(oauth=oauth(secret, "client_credentials", token_url=url))
    with pytest.raises(SettingsError, match="token_url"):
        sign_in_of(ours, Script(lambda _: given()), clock=clock)


async def test_a_token_endpoint_elsewhere_has_connections_of_its_own(secret: Any, clock: Clock) -> None:
    """What goes to another host does not go through the instance's connections, and ends with the sign-in."""
    body = json.dumps({"access_token": "t", "expires_in": 60}).encode()
    good = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with tool(Reply(good)) as endpoint:
        own = oauth(secret, "client_credentials", token_url=f"{endpoint.url}/tenant/token")
        script = Script(lambda _: given("wrong"))
        sign_in = sign_in_of(settings(oauth=own), script, clock=clock)
        assert await sign_in.headers() == {"Authorization": "Bearer t"}
        await sign_in.close()
    assert endpoint.requests[0].target == "/tenant/token"
    assert script.requests == []
