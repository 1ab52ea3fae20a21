"""Tokens as Entra ID makes them (entra-facts 1)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet, RSAKey

from secure_export.sandbox.entra import (
    AZNS_APP_ID,
    AZNS_SANDBOX_SECRET,
    DEFAULT_TENANT_ID,
    RESOURCE_APP_ID,
    ROLE,
    ClientApplication,
    Directory,
    ResourceApplication,
    SandboxEntra,
)
from secure_export.sandbox.entra.errors import EntraError
from secure_export.sandbox.entra.keys import SigningKey
from secure_export.sandbox.entra.token_endpoint import answer

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
URI = f"api://{RESOURCE_APP_ID}"
OPAQUE = {"aio", "rh", "uti", "xms_ftd"}


def _decode(entra: SandboxEntra, token: str, version: int, tenant: str = DEFAULT_TENANT_ID) -> jwt.Token:
    keys = entra.keys(tenant, version)
    return jwt.decode(token, KeySet([RSAKey.import_key(key) for key in keys["keys"]]), algorithms=["RS256"])


def _issue(entra: SandboxEntra, asked: str = URI, tenant: str = DEFAULT_TENANT_ID) -> str:
    return entra.issue(tenant, AZNS_APP_ID, AZNS_SANDBOX_SECRET, asked).token


def _with(entra: SandboxEntra, **changes: Any) -> SandboxEntra:
    wanted: dict[str, Any] = {"token_version": 2, "roles": {AZNS_APP_ID: (ROLE,)}, **changes}
    entra.directory.register_resource(ResourceApplication(RESOURCE_APP_ID, (URI,), **wanted))
    return entra


def test_a_version_2_token_says_exactly_this(entra: SandboxEntra) -> None:
    """Version 2: azp and azpacr, the client id as audience, the v2.0 issuer, and a header without x5t."""
    token = _decode(entra, _issue(entra), 2)
    principal = ClientApplication(AZNS_APP_ID, "").principal_in(DEFAULT_TENANT_ID)
    assert token.header == {"typ": "JWT", "alg": "RS256", "kid": entra.ring().current.kid}
    assert {name: value for name, value in token.claims.items() if name not in OPAQUE | {"exp"}} == {
        "aud": RESOURCE_APP_ID,
        "iss": f"http://127.0.0.1:9000/{DEFAULT_TENANT_ID}/v2.0",
        "iat": int(NOW.timestamp()) - 300,
        "nbf": int(NOW.timestamp()) - 300,
        "azp": AZNS_APP_ID,
        "azpacr": "2",
        "oid": principal,
        "sub": principal,
        "roles": [ROLE],
        "tid": DEFAULT_TENANT_ID,
        "ver": "2.0",
    }


def test_a_version_1_token_says_exactly_this(entra: SandboxEntra) -> None:
    """Version 1: appid and appidacr, the audience as asked for, an issuer with a trailing slash, x5t in the header."""
    token = _decode(_with(entra, token_version=1), _issue(entra), 1)
    claims = {name: value for name, value in token.claims.items() if name not in OPAQUE | {"exp"}}
    kid = entra.ring().current.kid
    assert token.header == {"typ": "JWT", "alg": "RS256", "kid": kid, "x5t": kid}
    assert claims["aud"] == URI
    assert claims["iss"] == f"http://127.0.0.1:9000/{DEFAULT_TENANT_ID}/"
    assert (claims["appid"], claims["appidacr"], claims["ver"]) == (AZNS_APP_ID, "2", "1.0")
    assert not {"azp", "azpacr", "scp", "idtyp", "jti"} & claims.keys()


def test_tokens_last_60_to_90_minutes_and_not_all_the_same(entra: SandboxEntra) -> None:
    """The lifetime is drawn anew for each token."""
    lifetimes = {_decode(entra, _issue(entra), 2).claims["exp"] - int(NOW.timestamp()) for _ in range(30)}
    assert min(lifetimes) >= 3600
    assert max(lifetimes) <= 5400
    assert len(lifetimes) > 10


def test_opaque_claims_come_and_go(entra: SandboxEntra) -> None:
    """A verifier must not lean on claims that are not promised."""
    assert {"xms_ftd" in _decode(entra, _issue(entra), 2).claims for _ in range(30)} == {True, False}


@pytest.mark.parametrize("end_point", [1, 2])
@pytest.mark.parametrize("wanted", [1, 2])
def test_the_version_is_the_resources_choice(entra: SandboxEntra, end_point: int, wanted: int) -> None:
    """Whatever end point the client uses, the token has the version that the resource asks for (1.4)."""
    _with(entra, token_version=wanted)
    form = {"grant_type": "client_credentials", "client_id": AZNS_APP_ID, "client_secret": AZNS_SANDBOX_SECRET}
    form |= {"scope": f"{URI}/.default"} if end_point == 2 else {"resource": URI}
    body = answer(entra, DEFAULT_TENANT_ID, end_point, form, "")
    assert _decode(entra, body["access_token"], wanted).claims["ver"] == f"{wanted}.0"


@pytest.mark.parametrize(
    ("scope", "audience"),
    [(f"{URI}/.default", URI), (f"{URI}//.default", f"{URI}/"), (f"{RESOURCE_APP_ID}/.default", RESOURCE_APP_ID)],
)
def test_version_1_audiences_are_whatever_was_asked_for(entra: SandboxEntra, scope: str, audience: str) -> None:
    """Any name of the resource, with or without a trailing slash, ends up in ``aud`` (entra-facts 0.3)."""
    _with(entra, token_version=1)
    form = {"grant_type": "client_credentials", "client_id": AZNS_APP_ID, "client_secret": AZNS_SANDBOX_SECRET}
    body = answer(entra, DEFAULT_TENANT_ID, 2, {**form, "scope": scope}, "")
    assert _decode(entra, body["access_token"], 1).claims["aud"] == audience


def test_use_guid_makes_version_1_audiences_the_client_id(entra: SandboxEntra) -> None:
    """The optional claim ``aud`` with ``use_guid`` settles the audience."""
    assert (
        _decode(_with(entra, token_version=1, audience_is_guid=True), _issue(entra), 1).claims["aud"] == RESOURCE_APP_ID
    )


def test_idtyp_appears_only_where_the_resource_asked_for_it(entra: SandboxEntra) -> None:
    """``idtyp`` is an optional claim."""
    assert _decode(_with(entra, wants_idtyp=True), _issue(entra), 2).claims["idtyp"] == "app"


def test_a_client_without_a_role_gets_a_token_without_roles(entra: SandboxEntra) -> None:
    """Entra gives any application of the tenant a token, just without ``roles`` (entra-facts 0.2)."""
    entra.directory.register_client(ClientApplication("0b0e1a9e-3f5c-4cf8-9d18-5f3f6a2f3c11", "s3"))
    token = entra.issue(DEFAULT_TENANT_ID, "0b0e1a9e-3f5c-4cf8-9d18-5f3f6a2f3c11", "s3", URI).token
    assert "roles" not in _decode(entra, token, 2).claims


def test_each_tenant_has_its_own_issuer_and_principal(entra: SandboxEntra) -> None:
    """Any GUID is a tenant by default; issuer, tid and object id follow it."""
    other = "11111111-2222-3333-4444-555555555555"
    one, two = (_decode(entra, _issue(entra, tenant=tenant), 2, tenant).claims for tenant in (DEFAULT_TENANT_ID, other))
    assert two["tid"] == other
    assert other in two["iss"]
    assert one["oid"] != two["oid"]


@pytest.mark.parametrize(
    ("changes", "error", "code", "status"),
    [
        ({"grant_type": ""}, "invalid_request", 900144, 400),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type", 70003, 400),
        ({"client_id": ""}, "invalid_request", 900144, 400),
        ({"client_id": "99999999-9999-9999-9999-999999999999"}, "unauthorized_client", 700016, 400),
        ({"client_secret": ""}, "invalid_client", 7000216, 401),
        ({"client_secret": "hunter-2"}, "invalid_client", 7000215, 401),
        ({"scope": ""}, "invalid_request", 900144, 400),
        ({"scope": URI}, "invalid_scope", 1002012, 400),
        ({"scope": "api://nobody/.default"}, "invalid_resource", 500011, 400),
    ],
)
def test_refusals_have_entras_form(
    entra: SandboxEntra, changes: dict[str, str], error: str, code: int, status: int
) -> None:
    """A refusal is JSON with error, AADSTS number, trace and correlation id."""
    form = {"grant_type": "client_credentials", "client_id": AZNS_APP_ID, "client_secret": AZNS_SANDBOX_SECRET}
    form |= {"scope": f"{URI}/.default", **changes}
    with pytest.raises(EntraError) as refusal:
        answer(entra, DEFAULT_TENANT_ID, 2, form, "")
    body = refusal.value.as_json(NOW)
    assert (body["error"], body["error_codes"], refusal.value.status) == (error, [code], status)
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert {"timestamp", "trace_id", "correlation_id", "error_uri"} <= body.keys()
    assert "hunter-2" not in json.dumps(body)


def test_a_client_without_a_role_is_refused_where_assignment_is_required(entra: SandboxEntra) -> None:
    """With ``appRoleAssignmentRequired`` there is no token without a role."""
    _with(entra, roles={}, assignment_required=True)
    with pytest.raises(EntraError, match="501051"):
        _issue(entra)


def test_tenants_can_be_a_closed_list(next_key: Callable[[], SigningKey]) -> None:
    """With a list of tenants every other one does not exist."""
    entra = SandboxEntra(Directory(tenants=[DEFAULT_TENANT_ID.upper()]), base_url="http://x", make_key=next_key)
    assert entra.configuration(DEFAULT_TENANT_ID, 2)["issuer"].endswith(f"{DEFAULT_TENANT_ID}/v2.0")
    with pytest.raises(EntraError, match="90002"):
        entra.keys("11111111-2222-3333-4444-555555555555", 2)


def test_secrets_do_not_show_in_a_clients_text() -> None:
    """A client may be logged."""
    assert "s3cret" not in repr(ClientApplication("id", "s3cret"))


def test_old_tokens_outlive_a_planned_rotation_but_not_an_emergency_roll(entra: SandboxEntra) -> None:
    """A rotation keeps the old key listed and signs with the announced one; an emergency roll keeps nothing."""
    announced, token = entra.ring().next.kid, _issue(entra)
    entra.ring().rotate()
    fresh = _issue(entra)
    assert _decode(entra, token, 2).claims["ver"] == "2.0"
    assert _decode(entra, fresh, 2).header["kid"] == announced
    entra.ring().emergency_roll()
    listed = {key["kid"] for key in entra.keys(DEFAULT_TENANT_ID, 2)["keys"]}
    assert not listed & {announced, entra.ring().unlisted.kid}
    with pytest.raises(InvalidKeyIdError):
        _decode(entra, fresh, 2)


def test_only_a_part_that_is_played_can_sign(entra: SandboxEntra) -> None:
    """Asking for the previous key before any rotation names the keys there are."""
    with pytest.raises(LookupError, match="current, next"):
        entra.ring().named("previous")
