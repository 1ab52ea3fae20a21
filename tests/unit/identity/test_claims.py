"""Every line of the table of claims, at its boundaries, and the words for those who must act."""

from typing import Any

import pytest
from tests.unit.identity.stand_in import (
    AUTHORITY,
    AZNS,
    CLIENT_ID,
    OBJECT_ID,
    OTHER_TENANT,
    ROLE,
    SECONDS,
    TENANT,
    URI,
    bearer,
    claims,
    gate_with,
    good_token,
    is_let_in,
    refused,
    settings,
)

from secure_export.identity.authority import TokenVersion
from secure_export.identity.claim_checks import CHECKS, Door, Presented
from secure_export.identity.tenant_rules import rules_of

STRANGER = "99999999-9999-4999-8999-999999999999"
NIL = "00000000-0000-0000-0000-000000000000"
NO_DATES: list[Any] = [..., None, "1787000000", 1787000000.0, True, 0, -1, 2**53, [], {}]

NO_VERSIONS: list[Any] = [..., None, 2.0, 2, "2", "3.0", "2.0 ", [], {}]
NO_TENANTS: list[Any] = [..., None, 7, [TENANT], {}, OTHER_TENANT, TENANT + " ", "common"]

BAD_CLAIMS: list[tuple[str, Any, int, str]] = [
    *[("ver", ver, 401, "wrong-version") for ver in NO_VERSIONS],
    *[("tid", tid, 401, "wrong-tenant") for tid in NO_TENANTS],
    *[
        ("iss", iss, 401, "wrong-issuer")
        for iss in (
            ...,
            None,
            [f"{AUTHORITY}/{TENANT}/v2.0"],
            f"{AUTHORITY}/{TENANT}/v2.0/",
            f"{AUTHORITY}/{TENANT}",
            f"{AUTHORITY}/{TENANT}/v2",
            f"https://sts.windows.net/{TENANT}/",
            f"https://login.windows.net/{TENANT}/v2.0",
            f"{AUTHORITY}/{OTHER_TENANT}/v2.0",
            f"{AUTHORITY}/{TENANT}/v2.0".upper(),
            f"https://attacker.example/?{AUTHORITY}/{TENANT}/v2.0",
            "",
        )
    ],
    *[
        ("aud", aud, 401, "wrong-audience")
        for aud in (..., None, [CLIENT_ID], {CLIENT_ID: 1}, URI, CLIENT_ID + "/", CLIENT_ID[:-1], "", STRANGER)
    ],
    *[("exp", exp, 401, "malformed-claim") for exp in NO_DATES],
    *[("nbf", nbf, 401, "malformed-claim") for nbf in NO_DATES],
    *[("iat", iat, 401, "malformed-claim") for iat in NO_DATES],
    ("exp", SECONDS - 300, 401, "expired"),
    ("nbf", SECONDS + 301, 401, "not-yet-valid"),
    ("iat", SECONDS + 301, 401, "not-yet-valid"),
    *[("oid", oid, 401, "no-object-id") for oid in (..., None, "", NIL, 7, [OBJECT_ID], "me", OBJECT_ID + "\n")],
    *[("azp", azp, 401, "malformed-claim") for azp in (..., None, "", NIL, [AZNS], "azure", AZNS.upper())],
    *[("roles", roles, 401, "malformed-claim") for roles in (None, ROLE, {ROLE: 1}, [ROLE, 1], [None])],
    *[("scp", scp, 401, "delegated-token") for scp in ("user_impersonation", "", None)],
    *[("idtyp", idtyp, 401, "delegated-token") for idtyp in ("user", "APP", None, 1)],
    ("azp", STRANGER, 403, "wrong-caller"),
    *[
        ("roles", roles, 403, "missing-role")
        for roles in (..., [], ["Other"], [ROLE.lower()], [ROLE + " "], [f"{ROLE} x"])
    ],
]


@pytest.mark.parametrize(("claim", "value", "status", "code"), BAD_CLAIMS)
async def test_a_claim_that_is_not_as_it_must_be_is_refused(claim: str, value: Any, status: int, code: str) -> None:
    """Signed by the tenant itself, and still no entry."""
    refusal = await refused(gate_with(), bearer(good_token(**{claim: value})))
    assert (refusal.status, refusal.code) == (status, code)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": SECONDS - 299},
        {"nbf": SECONDS + 300},
        {"iat": SECONDS + 300},
        {"exp": 2**53 - 1},
        {"nbf": 1, "iat": 1},
        {"idtyp": "app"},
        {"roles": ["Other", ROLE]},
    ],
)
async def test_a_claim_at_its_boundary_is_let_in(changes: dict[str, Any]) -> None:
    """Leeway is five minutes on either side."""
    assert await is_let_in(gate_with(), bearer(good_token(**changes)))


@pytest.mark.parametrize(
    ("claim", "value", "status", "code"),
    [
        ("azp", AZNS, 401, "malformed-claim"),
        ("appid", STRANGER, 403, "wrong-caller"),
        ("iss", f"{AUTHORITY}/{TENANT}/v2.0", 401, "wrong-issuer"),
        ("aud", URI + "/", 401, "wrong-audience"),
        ("aud", URI.upper(), 401, "wrong-audience"),
    ],
)
async def test_version_1_has_its_own_issuer_audience_and_caller(claim: str, value: Any, status: int, code: str) -> None:
    """``azp`` in a version 1.0 token stands for nothing."""
    changes = {claim: value} | ({"appid": ...} if claim == "azp" else {})
    refusal = await refused(gate_with(), bearer(good_token("1.0", **changes)))
    assert (refusal.status, refusal.code) == (status, code)


async def test_appid_does_not_stand_for_azp() -> None:
    """The claim of the other version is not read."""
    assert (await refused(gate_with(), bearer(good_token(azp=STRANGER, appid=AZNS)))).code == "wrong-caller"


async def test_version_1_may_be_for_the_client_id_too() -> None:
    """With the optional claim ``use_guid`` it is."""
    assert await is_let_in(gate_with(), bearer(good_token("1.0", aud=CLIENT_ID)))


@pytest.mark.parametrize(("configured", "refused_version"), [("2.0", "1.0"), ("1.0", "2.0")])
async def test_a_version_that_is_not_configured_is_refused(configured: str, refused_version: str) -> None:
    """And said by name, with both ways out."""
    gate = gate_with(versions=configured)
    assert await is_let_in(gate, bearer(good_token(configured)))
    refusal = await refused(gate, bearer(good_token(refused_version)))
    assert refusal.code == "wrong-version"
    assert f"version {refused_version}" in refusal.detail
    assert "requestedAccessTokenVersion" in refusal.detail


@pytest.mark.parametrize("listed", [AZNS, OBJECT_ID, OBJECT_ID.upper()])
async def test_the_deny_list_stops_applications_and_service_principals(listed: str) -> None:
    """Whatever the token says, because a revoked role shows only when the token has ended."""
    refusal = await refused(gate_with(denied=[STRANGER, listed]), bearer(good_token()))
    assert (refusal.status, refusal.code) == (403, "denied")


@pytest.mark.parametrize("claim", ["ver", "tid"])
def test_the_table_does_not_rely_on_how_the_keys_were_picked(claim: str) -> None:
    """Version and tenant pick the keys before the signature is checked, and are compared again after it."""
    rules = rules_of(settings())[0]
    door = Door(callers=rules.callers, roles=frozenset({ROLE}), for_operators=False)
    said = claims(**{claim: "other"})
    token = Presented(said, TokenVersion.V2, said["iss"], rules, door, SECONDS)
    refusals = [check.refusal(token) for check in CHECKS if check.claim == claim]
    assert refusals[0] is not None
    assert refusals[0].status == 401


async def test_every_line_of_the_table_tells_the_status_it_answers() -> None:
    """The table is what people read: it must not lie."""
    told = {(check.claim.partition(" ")[0].rstrip(","), check.status) for check in CHECKS}
    for claim, value, _, _ in BAD_CLAIMS:
        refusal = await refused(gate_with(), bearer(good_token(**{claim: value})))
        assert ({"idtyp": "scp"}.get(claim, claim), refusal.status) in told


MISTAKES: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    (
        "the application id URI is in the token, only the client id is configured",
        {"version": "1.0"},
        {"audience": CLIENT_ID},
        [f"is for {URI}", f"lets in {CLIENT_ID}", "same application", "add the value of the token to audience"],
    ),
    (
        "the URI ends with a slash in the token",
        {"version": "1.0", "aud": URI + "/"},
        {},
        [f"is for {URI}/", "same application", "exactly as it is"],
    ),
    (
        "the token is for another application",
        {"aud": STRANGER},
        {},
        [f"is for {STRANGER}", "object id", "action group"],
    ),
    ("the audience is a list", {"aud": [CLIENT_ID]}, {}, ["list"]),
    (
        "no role is assigned",
        {"roles": ...},
        {},
        ["no app role at all", ROLE, "assign it to the service principal", "90 minutes"],
    ),
    ("another role is assigned", {"roles": ["Reader"]}, {}, ["only Reader", f"needed: {ROLE}"]),
    ("another application calls", {"azp": STRANGER}, {}, [STRANGER, "[identity] callers", AZNS]),
    ("another tenant calls", {"tenant": OTHER_TENANT}, {}, [OTHER_TENANT, TENANT, "[[identity.tenants]]"]),
    (
        "the caller has no service principal",
        {"oid": ..., "roles": ...},
        {},
        ["no service principal", f"New-MgServicePrincipal -AppId {AZNS}"],
    ),
    ("a person tries it out", {"scp": "user_impersonation"}, {}, ["signed-in user", "client credentials"]),
    ("the token is for Graph", {"aud": "https://graph.microsoft.com/"}, {}, ["Graph", "api://<client id>/.default"]),
    ("the clock is fast", {"exp": SECONDS - 720}, {}, ["ended 720 s before", "clock is fast"]),
    ("the clock is slow", {"nbf": SECONDS + 900}, {}, ["begins 900 s after", "clock is slow"]),
    (
        "the authority is of another cloud",
        {},
        {"authority": "https://login.microsoftonline.us"},
        ["issuer", "authority"],
    ),
    ("the caller is denied", {}, {"denied": AZNS}, [AZNS, "[identity] denied"]),
]


@pytest.mark.parametrize(("changes", "configured", "words"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
async def test_a_mistake_in_the_set_up_is_named(
    changes: dict[str, Any], configured: dict[str, Any], words: list[str]
) -> None:
    """The administrator reads what is wrong and what to change, because Azure drops the alert."""
    refusal = await refused(gate_with(**configured), bearer(good_token(**changes)))
    for word in words:
        assert word in refusal.detail
    assert len(refusal.detail) < 1000


@pytest.mark.parametrize("claim", ["ver", "tid", "iss", "aud", "roles"])
@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "two\nlines", "\x1b[31m", "\u202e", "a" * 151, "'; --"])
async def test_odd_texts_of_a_token_do_not_reach_the_log(claim: str, text: str) -> None:
    """Ids are shown; whatever does not look like one is not."""
    value: Any = [text] if claim == "roles" else text
    refusal = await refused(gate_with(), bearer(good_token(**{claim: value})))
    assert text not in refusal.detail
    assert "does not look like an id" in refusal.detail


async def test_many_roles_do_not_fill_the_log() -> None:
    """Five are shown, the rest counted."""
    refusal = await refused(gate_with(), bearer(good_token(roles=[f"Role{number}" for number in range(300)])))
    assert "and 295 more" in refusal.detail
    assert len(refusal.detail) < 1000
