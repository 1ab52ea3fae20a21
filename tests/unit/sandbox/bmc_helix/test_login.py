"""Signing in and tokens (bmc-facts section 10, lines 1 to 3)."""

import json
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.unit.sandbox.bmc_helix.served import BASE, NOON, new_server, path_of, served

from secure_export.sandbox.bmc_helix.demo_data import INTEGRATION_USER
from secure_export.sandbox.bmc_helix.people import PASSWORD
from secure_export.sandbox.tls import LocalCa

LOGIN = "/api/jwt/login"


async def test_a_login_gives_the_token_as_plain_text() -> None:
    """Not JSON: the body is the token and nothing else."""
    async with served() as client:
        seen = await client.login()
        assert (seen.status, seen.headers["Content-Type"]) == (200, "text/plain;charset=UTF-8")
        assert seen.text.count(".") == 2
        assert "X-AR-Messages" not in seen.headers


async def test_name_and_password_may_stand_in_the_query_string() -> None:
    """As remedy-client sends them, with an empty body."""
    async with served() as client:
        seen = await client.ask("POST", f"{LOGIN}?username={INTEGRATION_USER}&password={PASSWORD}", user="")
        assert (seen.status, seen.text.count(".")) == (200, 2)
        (call,) = client.app.counters.last()
        assert PASSWORD not in call.query


@pytest.mark.parametrize(("user", "password"), [(INTEGRATION_USER, "wrong"), ("nobody", PASSWORD), ("", "")])
async def test_a_wrong_login_is_401_with_623(user: str, password: str) -> None:
    """In the array of AR messages."""
    async with served() as client:
        assert (await client.login(user, password)).error == (401, 623, user)


async def test_a_login_as_json_is_refused() -> None:
    """Nothing documents it."""
    async with served() as client:
        seen = await client.ask("POST", LOGIN, user="", json={"username": INTEGRATION_USER, "password": PASSWORD})
        assert seen.status == 415


async def test_a_login_by_get_is_refused() -> None:
    """It is a POST."""
    async with served() as client:
        assert (await client.ask("GET", LOGIN, user="")).status == 405


async def test_where_guests_are_allowed_a_wrong_password_is_200_and_a_header_says_so() -> None:
    """The trap: the token is there, and opens nothing."""
    async with served(new_server(guests_allowed=True)) as client:
        seen = await client.login(INTEGRATION_USER, "wrong")
        assert seen.status == 200
        (message,) = json.loads(seen.headers["X-AR-Messages"])
        assert (message["messageType"], message["messageNumber"]) == ("WARNING", 59)
        assert "login failed" in message["messageText"]
        headers = {"Authorization": f"AR-JWT {seen.text}"}
        assert (await client.ask("GET", path_of(BASE), user="", headers=headers)).error == (403, 353, BASE)


async def test_a_blank_password_is_checked_unless_told_otherwise() -> None:
    """And then only for users that there are."""
    async with served() as client:
        assert (await client.login(password="")).status == 401
        client.server.site.blank_password_allowed = True
        assert (await client.login(password="")).status == 200
        assert (await client.login("nobody", "")).status == 401


async def test_the_token_has_the_documented_claims() -> None:
    """HS256; ``nbf`` is two minutes before ``iat``; ``exp`` an hour after it."""
    async with served() as client:
        token = jwt.decode(await client.token(), OctKey.import_key(client.server.secret), algorithms=["HS256"])
        now = int(NOON.timestamp())
        assert token.header["alg"] == "HS256"
        assert token.claims.pop("_cacheId") > 0
        assert token.claims == {
            "sub": INTEGRATION_USER,
            "iss": "sandbox-arserver",
            "iat": now,
            "nbf": now - 120,
            "exp": now + 3600,
        }


async def test_a_token_ends_after_its_lifetime_no_matter_what() -> None:
    """Which the site sets; using it does not make it live longer."""
    async with served(new_server(token_seconds=300)) as client:
        assert (await client.ask("GET", path_of(BASE))).status == 200
        client.server.clock.move(timedelta(seconds=299))
        assert (await client.ask("GET", path_of(BASE))).status == 200
        client.server.clock.move(timedelta(seconds=1))
        assert (await client.ask("GET", path_of(BASE))).error == (401, 623, "")


async def test_after_logout_the_token_is_worth_nothing() -> None:
    """204, and then 401."""
    async with served() as client:
        await client.token()
        assert (await client.ask("POST", "/api/jwt/logout")).status == 204
        assert (await client.ask("GET", path_of(BASE))).status == 401
        assert (await client.ask("POST", "/api/jwt/logout")).status == 401


async def test_a_revoked_token_is_worth_nothing_and_another_login_works() -> None:
    """One user's tokens, or all."""
    async with served() as client:
        other = await client.token("ada.lovelace")
        await client.token()
        assert client.app.tokens.revoke(INTEGRATION_USER) == 1
        assert (await client.ask("GET", path_of(BASE))).status == 401
        assert (await client.ask("GET", path_of(BASE), headers={"Authorization": f"AR-JWT {other}"})).status == 200
        assert (await client.login()).status == 200


@pytest.mark.parametrize("scheme", ["Bearer ", "", "ar-jwt ", "Basic "])
async def test_only_the_scheme_ar_jwt_is_taken(scheme: str) -> None:
    """``Bearer`` is another product's."""
    async with served() as client:
        headers = {"Authorization": scheme + await client.token()}
        assert (await client.ask("GET", path_of(BASE), user="", headers=headers)).status == 401


async def test_a_token_of_another_server_is_refused() -> None:
    """Its signature is another's."""
    async with served() as other:
        token = await other.token()
    async with served() as client:
        headers = {"Authorization": f"AR-JWT {token}"}
        assert (await client.ask("GET", path_of(BASE), user="", headers=headers)).status == 401
        assert client.app.tokens.refusals[0] == "its signature is wrong"


async def test_without_tls_a_careful_site_answers_403_with_an_object() -> None:
    """Not the array of AR messages; only what is open to all is answered."""
    async with served(new_server(plain_http_refused=True)) as client:
        for path in (LOGIN, path_of(BASE)):
            seen = await client.ask("POST", path, user="")
            assert (seen.status, seen.json) == (403, {"message": "Access forbidden", "code": 403, "transient": False})
        for path in ("/api/about", "/api/version"):
            assert (await client.ask("GET", path, user="")).status == 200


async def test_with_tls_a_careful_site_works() -> None:
    """And its links say https."""
    ca = LocalCa.made()
    server = new_server(plain_http_refused=True)
    async with served(server, tls=ca.server_context(), client_tls=ca.client_context()) as client:
        seen = await client.ask("GET", path_of(BASE))
        assert seen.status == 200
        assert seen.json["_links"]["self"][0]["href"].startswith("https://127.0.0.1:")
