"""Every way to sign in, and everything that keeps somebody out, over a real connection."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from tests.unit.keys import rsa_key
from tests.unit.sandbox.asking import Seen
from tests.unit.sandbox.servicenow.served import INCIDENTS, NOON, Client, basic, served

from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.demo_access import (
    ADMIN,
    API_KEY,
    CLIENT_ID,
    CLIENT_SECRET,
    INTEGRATION_USER,
    PASSWORD,
)
from secure_export.sandbox.servicenow.faults import Fault, FaultKind
from secure_export.sandbox.servicenow.jwt_bearer import Registration
from secure_export.sandbox.servicenow.oauth import CLIENT_CREDENTIALS_PROPERTY, JWT_BEARER, OAuthClient
from secure_export.sandbox.servicenow.sign_in.oidc import OidcProvider
from secure_export.sandbox.tls import LocalCa

TOKENS = "/oauth_token.do"
VAGUE = {"error_description": "access_denied", "error": "server_error"}
INVALID_CLIENT = {"error_description": "access_denied", "error": "invalid_client"}
PASSWORD_GRANT = {"grant_type": "password", "username": INTEGRATION_USER, "password": PASSWORD}
CLIENT_FORM = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
RSA, OTHER_RSA = (RSAKey(rsa_key(name), rsa_key(name)) for name in ("first", "second"))
EC = ECKey.generate_key("P-256", private=True)
ISSUER = "https://login.example/tenant/v2.0"


async def ask_token(client: Client, form: Mapping[str, str], **more: Any) -> Seen:
    return await client.ask("POST", TOKENS, user="", data={**CLIENT_FORM, **form}, **more)


async def with_token(client: Client, token: str, path: str = INCIDENTS) -> Seen:
    return await client.ask("GET", path, user="", headers={"Authorization": f"Bearer {token}"})


def assertion(key: RSAKey | ECKey = RSA, algorithm: str = "RS256", **claims: Any) -> str:
    now = int(NOON.timestamp())
    shown: dict[str, Any] = {
        "iss": CLIENT_ID,
        "aud": CLIENT_ID,
        "sub": INTEGRATION_USER,
        "iat": now,
        "exp": now + 300,
        "jti": secrets.token_hex(8),
        **claims,
    }
    kept = {name: value for name, value in shown.items() if value is not None}
    return jwt.encode({"alg": algorithm}, kept, key, algorithms=[algorithm])


def jwks(*keys: RSAKey | ECKey) -> dict[str, Any]:
    return dict(KeySet(list(keys)).as_dict(private=False))


def refused_as_unknown(seen: Seen) -> bool:
    return (
        seen.status == 401
        and seen.json
        == {
            "error": {"message": "User Not Authenticated", "detail": "Required to provide Auth information"},
            "status": "failure",
        }
        and seen.headers["WWW-Authenticate"].startswith("BASIC")
    )


async def test_basic_lets_in_with_the_right_password_only() -> None:
    """A wrong password, an unknown user and nothing at all look the same: 401 with the envelope."""
    async with served() as client:
        assert (await client.ask("GET", INCIDENTS)).status == 200
        assert refused_as_unknown(await client.ask("GET", INCIDENTS, password="wrong"))
        assert refused_as_unknown(await client.ask("GET", INCIDENTS, user="nobody", password="x"))
        assert refused_as_unknown(await client.ask("GET", INCIDENTS, user=""))
        assert refused_as_unknown(await client.ask("GET", INCIDENTS, user="", headers={"Authorization": "Basic !"}))
        assert refused_as_unknown(await client.ask("GET", INCIDENTS, user="", headers={"Authorization": "Digest x"}))


async def test_wrong_passwords_in_a_row_lock_out_and_time_or_an_administrator_unlocks() -> None:
    """After the property's number of failures the right password is refused too."""
    async with served() as client:
        client.app.instance.properties.set("glide.user.max_unlock_attempts", "3")
        for _ in range(2):
            await client.ask("GET", INCIDENTS, password="wrong")
        assert (await client.ask("GET", INCIDENTS)).status == 200
        for _ in range(3):
            await client.ask("GET", INCIDENTS, password="wrong")
        assert refused_as_unknown(await client.ask("GET", INCIDENTS))
        row = client.app.instance.first("sys_user", f"user_name={INTEGRATION_USER}")
        assert row is not None
        assert (row["locked_out"], row["failed_attempts"]) == ("true", "3")
        client.app.instance.clock.move(timedelta(minutes=16))
        assert (await client.ask("GET", INCIDENTS)).status == 200
        for _ in range(3):
            await client.ask("GET", INCIDENTS, password="wrong")
        unlocked = await client.control("POST", "unlock", user_name=INTEGRATION_USER)
        assert unlocked["may_sign_in"] is True
        assert (await client.ask("GET", INCIDENTS)).status == 200


@pytest.mark.parametrize(
    ("user", "properties", "status"),
    [
        ("plain", {}, 401),
        ("plain", {"default_decision": "allow"}, 200),
        ("plain", {"enforce": "false"}, 200),
        ("plain", {"enforcement_date": "2027-01-01 00:00:00"}, 200),
        ("plain", {"enforcement_date": "2026-01-01 00:00:00"}, 401),
        ("plain", {"allowed_roles": "snc_basic_auth_api_access,itil"}, 200),
        ("holder", {}, 200),
        (INTEGRATION_USER, {}, 200),
        ("program", {}, 200),
        ("program", {"allow_wsao": "false"}, 401),
        (ADMIN, {}, 401),
    ],
)
async def test_the_basic_restriction_lets_in_role_holders_and_web_service_users(
    user: str, properties: dict[str, str], status: int
) -> None:
    """With the gate active an otherwise right password is refused, with the same 401 (KB3025707)."""
    async with served() as client:
        instance = client.app.instance
        set_account(instance, Account("plain", "pw", frozenset({"itil"})))
        set_account(instance, Account("program", "pw", frozenset({"itil"}), {"web_service_access_only": "true"}))
        set_account(instance, Account("holder", "pw", frozenset({"itil", "snc_basic_auth_api_access"})))
        gate = "glide.authenticate.basic_auth.restriction."
        instance.properties.set(f"{gate}active", "true")
        for name, value in properties.items():
            instance.properties.set(gate + name, value)
        password = {"plain": "pw", "holder": "pw", "program": "pw"}.get(user, PASSWORD)
        seen = await client.ask("GET", INCIDENTS, user=user, password=password)
        assert seen.status == status
        if status == 401:
            assert refused_as_unknown(seen)
            refusals = (await client.control("GET", "refusals"))["sign_in"]
            assert "SNCRestrictBasicAuthUserAuthenticationGate" in refusals[-1]


async def test_the_password_grant_gives_the_same_token_with_the_remaining_lifetime() -> None:
    """Who asks again before the end gets the token they have; after it a new one."""
    async with served() as client:
        first = (await ask_token(client, PASSWORD_GRANT)).json
        assert first["expires_in"] == 1799
        assert (first["scope"], first["token_type"]) == ("useraccount", "Bearer")
        client.app.instance.clock.move(timedelta(seconds=1000))
        second = (await ask_token(client, PASSWORD_GRANT)).json
        assert second["access_token"] == first["access_token"]
        assert second["refresh_token"] == first["refresh_token"]
        assert second["expires_in"] == 799
        assert (await with_token(client, first["access_token"])).status == 200
        client.app.instance.clock.move(timedelta(seconds=800))
        assert refused_as_unknown(await with_token(client, first["access_token"]))
        third = (await ask_token(client, PASSWORD_GRANT)).json
        assert third["access_token"] != first["access_token"]
        assert third["expires_in"] == 1799


async def test_a_refresh_token_gives_access_until_it_ends() -> None:
    """After a hundred days the refresh token is dead, and the answer is vague."""
    async with served() as client:
        refresh = (await ask_token(client, PASSWORD_GRANT)).json["refresh_token"]
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        client.app.instance.clock.move(timedelta(days=99))
        answer = (await ask_token(client, form)).json
        assert (await with_token(client, answer["access_token"])).status == 200
        assert answer["refresh_token"] == refresh
        client.app.instance.clock.move(timedelta(days=2))
        dead = await ask_token(client, form)
        assert (dead.status, dead.json) == (401, VAGUE)


async def test_client_credentials_need_property_and_application_user() -> None:
    """Without the property, or without the user, the answer is the vague one; with both there is no refresh token."""
    async with served() as client:
        form = {"grant_type": "client_credentials"}
        missing = await ask_token(client, form)
        assert (missing.status, missing.json) == (401, VAGUE)
        client.app.instance.properties.set(CLIENT_CREDENTIALS_PROPERTY, "true")
        good = (await ask_token(client, form)).json
        assert "refresh_token" not in good
        assert (await with_token(client, good["access_token"])).status == 200
        client.app.sign_in.oauth.register(OAuthClient("no-user", "s"))
        seen = await ask_token(client, {**form, "client_id": "no-user", "client_secret": "s"})
        assert (seen.status, seen.json) == (401, VAGUE)


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ({**PASSWORD_GRANT, "password": "wrong"}, VAGUE),
        ({**PASSWORD_GRANT, "username": "nobody"}, VAGUE),
        ({**PASSWORD_GRANT, "scope": "something.else"}, VAGUE),
        ({"grant_type": "sorcery"}, VAGUE),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, VAGUE),
        ({"grant_type": JWT_BEARER, "assertion": "a.b.c"}, VAGUE),
        ({**PASSWORD_GRANT, "client_id": "nobody"}, INVALID_CLIENT),
        ({**PASSWORD_GRANT, "client_secret": "wrong"}, INVALID_CLIENT),
    ],
)
async def test_the_token_endpoint_says_what_is_wrong_in_two_vague_ways_only(
    form: dict[str, str], body: dict[str, str]
) -> None:
    """401 with access_denied whatever it was; only the sandbox's control tells the reason."""
    async with served() as client:
        seen = await ask_token(client, form)
        assert (seen.status, seen.json) == (401, body)
        assert len((await client.control("GET", "refusals"))["token_endpoint"]) == 1


async def test_the_token_endpoint_takes_forms_only_and_the_client_by_basic_too() -> None:
    """JSON is not understood; a client may prove itself by the Authorization header."""
    async with served() as client:
        as_json = await client.ask("POST", TOKENS, user="", json={**CLIENT_FORM, **PASSWORD_GRANT})
        assert (as_json.status, as_json.json) == (401, INVALID_CLIENT)
        header = {"Authorization": basic(CLIENT_ID, CLIENT_SECRET)}
        assert (await client.ask("POST", TOKENS, user="", data=PASSWORD_GRANT, headers=header)).status == 200
        in_query = await client.ask("POST", TOKENS, user="", params={**CLIENT_FORM, **PASSWORD_GRANT})
        assert in_query.status == 401
        client.app.instance.properties.set("glide.oauth.allow.parameters.in.post.body.only", "false")
        assert (await client.ask("POST", TOKENS, user="", params={**CLIENT_FORM, **PASSWORD_GRANT})).status == 200


async def test_the_password_grant_can_be_off_and_locks_out_like_basic() -> None:
    """The property switches it off; wrong passwords count."""
    async with served() as client:
        client.app.instance.properties.set("glide.user.max_unlock_attempts", "2")
        for _ in range(2):
            await ask_token(client, {**PASSWORD_GRANT, "password": "wrong"})
        assert (await ask_token(client, PASSWORD_GRANT)).status == 401
        client.app.sign_in.passwords.unlock(INTEGRATION_USER)
        assert (await ask_token(client, PASSWORD_GRANT)).status == 200
        client.app.instance.properties.set("glide.oauth.inbound.ropc.grant_type.disabled", "true")
        seen = await ask_token(client, PASSWORD_GRANT)
        assert (seen.status, seen.json) == (401, VAGUE)


def _with_keys(client: Client, **more: Any) -> None:
    registration = Registration(jwks(RSA, EC), **more)
    client.app.sign_in.oauth.register(OAuthClient(CLIENT_ID, CLIENT_SECRET, jwt=registration))


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (RSA, "RS512"), (EC, "ES256")])
async def test_jwt_bearer_takes_what_a_registered_key_signed(key: RSAKey | ECKey, algorithm: str) -> None:
    """RS and ES keys; no refresh token; the endpoint's URL is an audience too."""
    async with served() as client:
        _with_keys(client)
        for audience in (CLIENT_ID, client.url + TOKENS):
            form = {"grant_type": JWT_BEARER, "assertion": assertion(key, algorithm, aud=audience)}
            answer = (await ask_token(client, form)).json
            assert "refresh_token" not in answer
            assert (await with_token(client, answer["access_token"])).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"iss": "somebody-else"},
        {"sub": "nobody"},
        {"sub": None},
        {"exp": None},
        {"iat": None},
        {"jti": None},
        {"exp": int(NOON.timestamp()) - 300},
        {"iat": int(NOON.timestamp()) + 301},
        {"nbf": int(NOON.timestamp()) + 301},
        {"aud": [{}]},
    ],
    ids=str,
)
async def test_jwt_bearer_refuses_every_wrong_claim_vaguely(claims: dict[str, Any]) -> None:
    """One wrong claim is enough."""
    async with served() as client:
        _with_keys(client)
        seen = await ask_token(client, {"grant_type": JWT_BEARER, "assertion": assertion(**claims)})
        assert (seen.status, seen.json) == (401, VAGUE)


async def test_jwt_bearer_allows_clocks_five_minutes_apart_and_no_replay() -> None:
    """A skew of 300 seconds; the same assertion is good once."""
    async with served() as client:
        _with_keys(client)
        ended = assertion(exp=int(NOON.timestamp()) - 299)
        assert (await ask_token(client, {"grant_type": JWT_BEARER, "assertion": ended})).status == 200
        again = await ask_token(client, {"grant_type": JWT_BEARER, "assertion": ended})
        assert (again.status, again.json) == (401, VAGUE)
        foreign = {"grant_type": JWT_BEARER, "assertion": assertion(OTHER_RSA)}
        assert (await ask_token(client, foreign)).json == VAGUE


async def test_jwt_bearer_may_name_people_by_another_column() -> None:
    """The registration says which column of sys_user the subject stands in, and who the issuer is."""
    async with served() as client:
        set_account(client.app.instance, Account("jane", "pw", frozenset({"itil"}), {"email": "jane@example.com"}))
        _with_keys(client, subject_column="email", issuer="https://issuer.example")
        shown = assertion(sub="jane@example.com", iss="https://issuer.example")
        seen = await ask_token(client, {"grant_type": JWT_BEARER, "assertion": shown})
        assert client.app.sign_in.oauth.find(seen.json["access_token"]).user == "jane"  # type: ignore[union-attr]


async def test_tokens_die_by_control_and_by_fault() -> None:
    """A revoked token is 401 from then on; the refresh token lives unless it is killed too."""
    async with served() as client:
        answer = (await ask_token(client, PASSWORD_GRANT)).json
        client.app.faults.set(Fault(FaultKind.TOKEN_REVOKED, path=INCIDENTS))
        assert refused_as_unknown(await with_token(client, answer["access_token"]))
        assert refused_as_unknown(await with_token(client, answer["access_token"]))
        refreshed = await ask_token(client, {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]})
        assert (await with_token(client, refreshed.json["access_token"])).status == 200
        assert await client.control("POST", "tokens/revoke", refresh_too=True) == {"revoked": 1}
        assert refused_as_unknown(await with_token(client, refreshed.json["access_token"]))
        dead = await ask_token(client, {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]})
        assert dead.json == VAGUE


async def test_a_scope_limits_a_securely_scoped_client() -> None:
    """Zurich: 403 for an API without a scope, 403 for a missing scope, and in with the right one."""
    async with served() as client:
        scoped = OAuthClient("scoped", "s", scopes=("incidents", "other"), securely_scoped=True)
        client.app.sign_in.oauth.register(scoped)
        form = {**PASSWORD_GRANT, "client_id": "scoped", "client_secret": "s"}
        token = (await ask_token(client, form)).json["access_token"]
        seen = await with_token(client, token)
        assert (seen.status, seen.json["error"]) == (
            403,
            {"message": "User Not Authorized", "detail": "Access to unscoped api is not allowed"},
        )
        client.app.sign_in.scopes.scopes = {"/api/now/table/": "incidents"}
        assert (await with_token(client, token)).status == 200
        other = (await ask_token(client, {**form, "scope": "other"})).json["access_token"]
        assert (await with_token(client, other)).json["error"]["detail"] == "Missing required api access scope"


@pytest.mark.parametrize("place", ["header", "query"])
async def test_an_api_key_needs_a_profile_and_a_policy(place: str) -> None:
    """The key alone is worth nothing: without a policy for the API, or with a global one only, it is 401."""
    async with served() as client:
        shown: dict[str, Any] = {"headers": {"x-sn-apikey": API_KEY}}
        if place == "query":
            shown = {"params": {"x-sn-apikey": API_KEY}}
        assert (await client.ask("GET", INCIDENTS, user="", **shown)).status == 200
        last = (await client.control("GET", "counters?limit=1"))["last"][0]
        assert (last["user"], API_KEY in last["query"]) == (INTEGRATION_USER, False)
        keys = client.app.sign_in.api_keys
        keys.policies[:] = [policy for policy in keys.policies if policy.api != "/api/now/"]
        keys.allow("")
        assert refused_as_unknown(await client.ask("GET", INCIDENTS, user="", **shown))
        keys.allow("/api/now/table")
        assert (await client.ask("GET", INCIDENTS, user="", **shown)).status == 200
        await client.control("DELETE", "api-keys/policies")
        assert refused_as_unknown(await client.ask("GET", INCIDENTS, user="", **shown))


async def test_a_wrong_api_key_is_refused() -> None:
    """A key that does not exist speaks for nobody."""
    async with served() as client:
        assert refused_as_unknown(await client.ask("GET", INCIDENTS, user="", headers={"x-sn-apikey": "wrong"}))


def id_token(key: RSAKey = RSA, **claims: Any) -> str:
    now = int(NOON.timestamp())
    shown = {"iss": ISSUER, "aud": "our-app", "azp": "caller-app", "exp": now + 600, "nbf": now, **claims}
    return jwt.encode({"alg": "RS256", "kid": key.kid}, shown, key)


def _with_caller(client: Client) -> None:
    set_account(client.app.instance, Account("azure", None, frozenset({"itil"}), {"source": "caller-app"}))


async def test_a_token_of_a_registered_provider_lets_in_who_its_claim_names() -> None:
    """The claim is looked for in sys_user.source; issuer, audience, time and signature must be right."""
    async with served() as client:
        _with_caller(client)
        RSA.ensure_kid()
        assert refused_as_unknown(await with_token(client, id_token()))
        client.app.sign_in.oidc.register(OidcProvider(ISSUER, ("our-app",), jwks(RSA)))
        assert (await with_token(client, id_token())).status == 200
        now = int(NOON.timestamp())
        OTHER_RSA.ensure_kid()
        for wrong in (
            id_token(aud="another"),
            id_token(iss="https://other.example"),
            id_token(azp="unknown-app"),
            id_token(azp=7),
            id_token(exp=now - 300),
            id_token(exp="soon"),
            id_token(nbf=now + 301),
            id_token(OTHER_RSA),
            "not.a.jwt",
            "e30.e30.x",
        ):
            assert refused_as_unknown(await with_token(client, wrong)), wrong


async def test_a_provider_s_keys_are_fetched_and_fetched_again_for_an_unknown_kid() -> None:
    """The metadata name the keys; a new key is found without registering anything anew."""
    RSA.ensure_kid()
    OTHER_RSA.ensure_kid()
    published = [jwks(RSA)]
    asked: list[str] = []

    async def fetch(url: str) -> Any:
        asked.append(url)
        return {"jwks_uri": "https://keys.example"} if url.endswith("openid-configuration") else published[0]

    async with served() as client:
        _with_caller(client)
        client.app.sign_in.oidc.fetch = fetch
        where = "https://login.example/.well-known/openid-configuration"
        client.app.sign_in.oidc.register(OidcProvider(ISSUER, ("our-app",), metadata_url=where))
        assert (await with_token(client, id_token())).status == 200
        assert (await with_token(client, id_token())).status == 200
        assert asked == [where, "https://keys.example"]
        published[0] = jwks(RSA, OTHER_RSA)
        assert (await with_token(client, id_token(OTHER_RSA))).status == 200
        assert len(asked) == 4


async def test_a_client_certificate_speaks_for_the_user_it_is_mapped_to() -> None:
    """Mutual TLS: the mapped certificate lets in, another of the same authority does not, and none asks for one."""
    ca = LocalCa.made()
    mine, other = ca.client("integration"), ca.client("somebody")
    async with served(tls=ca.server_context(), client_tls=ca.client_context(mine)) as client:
        assert refused_as_unknown(await client.ask("GET", INCIDENTS, user=""))
        client.app.sign_in.map_certificate(mine.certificate, INTEGRATION_USER)
        assert (await client.ask("GET", INCIDENTS, user="")).status == 200
        stranger = await client.ask("GET", INCIDENTS, user="", ssl=ca.client_context(other))
        assert refused_as_unknown(stranger)
        without = await client.ask("GET", INCIDENTS, user="", ssl=ca.client_context())
        assert refused_as_unknown(without)
        assert (await client.ask("GET", INCIDENTS, ssl=ca.client_context())).status == 200


async def test_a_mapped_certificate_goes_before_a_password() -> None:
    """A wrong password beside it does no harm, nor counts; beside one that nobody owns the password decides."""
    ca = LocalCa.made()
    mine = ca.client("integration")
    async with served(tls=ca.server_context(), client_tls=ca.client_context(mine)) as client:
        assert (await client.ask("GET", INCIDENTS)).status == 200
        assert refused_as_unknown(await client.ask("GET", INCIDENTS, user="None", password="None"))
        client.app.sign_in.map_certificate(mine.certificate, INTEGRATION_USER)
        assert (await client.ask("GET", INCIDENTS, user="None", password="None")).status == 200
        assert client.app.counters.last(1)[0].user == INTEGRATION_USER


async def test_a_session_cookie_is_set_and_signs_in_by_itself() -> None:
    """As in the real system, the first answer sets JSESSIONID, and a request with it needs no password."""
    async with served() as client:
        first = await client.ask("GET", INCIDENTS)
        cookie = first.headers["Set-Cookie"].partition(";")[0]
        assert cookie.startswith("JSESSIONID=")
        second = await client.ask("GET", INCIDENTS, user="", headers={"Cookie": cookie})
        assert second.status == 200
        assert "Set-Cookie" not in second.headers
        unknown = await client.ask("GET", INCIDENTS, user="", headers={"Cookie": "JSESSIONID=00"})
        assert refused_as_unknown(unknown)
        assert "Set-Cookie" not in unknown.headers


async def test_an_inactive_user_stays_outside_whatever_they_show() -> None:
    """A password, a token of before, and an API key are of no use to somebody who left."""
    async with served() as client:
        token = (await ask_token(client, PASSWORD_GRANT)).json["access_token"]
        set_account(client.app.instance, Account(INTEGRATION_USER, columns={"active": "false"}))
        assert refused_as_unknown(await client.ask("GET", INCIDENTS))
        assert refused_as_unknown(await with_token(client, token))
        assert refused_as_unknown(await client.ask("GET", INCIDENTS, user="", headers={"x-sn-apikey": API_KEY}))
