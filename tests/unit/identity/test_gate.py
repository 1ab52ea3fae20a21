"""The gate lets in whom it should, through the door that is theirs."""

from typing import Any

import pytest
import structlog
from tests.unit.identity.stand_in import (
    AZNS,
    CLIENT_ID,
    OBJECT_ID,
    OTHER_TENANT,
    ROLE,
    SECONDS,
    TENANT,
    URI,
    PaperEntra,
    SettableClock,
    bearer,
    claims,
    gate_with,
    good_token,
    header,
    is_let_in,
    jwk,
    refused,
    token_of,
)
from tests.unit.keys import rsa_key

from secure_export.identity.caller import Caller
from secure_export.identity.settings import IdentitySettings

VIEWER = "SecureExport.Viewer"
OTHER_APPLICATION = "55555555-5555-4555-8555-555555555555"
OTHER_CLIENT_ID = "66666666-6666-4666-8666-666666666666"


@pytest.mark.parametrize("version", ["1.0", "2.0"])
async def test_azure_monitor_is_let_in_with_either_version(version: str) -> None:
    """The caller is described by what the token says."""
    caller = await gate_with().admit(bearer(good_token(version)))
    assert caller == Caller(
        tenant_id=TENANT,
        application_id=AZNS,
        object_id=OBJECT_ID,
        roles=(ROLE,),
        token_version=version,
        token_id="some-Token_id",
        expires_at=SECONDS + 3600,
    )


async def test_each_version_is_checked_with_the_keys_of_its_own_metadata() -> None:
    """Microsoft prescribes the version 1.0 metadata for version 1.0 tokens, and 2.0 for 2.0."""
    entra = PaperEntra()
    gate = gate_with(entra)
    await gate.admit(bearer(good_token("1.0")))
    base = f"https://login.microsoftonline.com/{TENANT}"
    assert entra.asked == [f"{base}/.well-known/openid-configuration", f"{base}/discovery/keys"]
    entra.asked.clear()
    await gate.admit(bearer(good_token("2.0")))
    assert entra.asked == [f"{base}/v2.0/.well-known/openid-configuration", f"{base}/discovery/v2.0/keys"]


async def test_the_scheme_is_read_in_any_case() -> None:
    """Schemes are case-insensitive (RFC 9110, section 11.1)."""
    assert await is_let_in(gate_with(), [b"bEARER " + good_token()])


async def test_unknown_claims_and_header_members_do_no_harm() -> None:
    """Entra ID adds and drops opaque members at will."""
    token = token_of(header(x5t="first", rh="opaque"), claims(xms_rd={"a": [1]}, idtyp="app", acr="1"))
    assert await is_let_in(gate_with(), bearer(token))


async def test_a_token_id_that_is_no_plain_text_is_left_out() -> None:
    """The token id goes to log and database; anything odd in it does not."""
    for odd in ("two\nlines", "\ud800", "x" * 129, 7, None):
        assert (await gate_with().admit(bearer(good_token(uti=odd)))).token_id == ""


async def test_several_tenants_have_rules_of_their_own() -> None:
    """Audience, callers and role of one tenant count for that tenant only."""
    entra = PaperEntra({TENANT: [jwk()], OTHER_TENANT: [jwk("second")]})
    other = {"tenant_id": OTHER_TENANT, "audience": OTHER_CLIENT_ID, "callers": OTHER_APPLICATION, "role": "Alerts"}
    gate = gate_with(entra, tenant_id=None, tenants=[{"tenant_id": TENANT}, other])
    theirs = claims(tenant=OTHER_TENANT, aud=OTHER_CLIENT_ID, azp=OTHER_APPLICATION, roles=["Alerts"])
    assert (await gate.admit(bearer(good_token()))).tenant_id == TENANT
    assert (
        await gate.admit(bearer(token_of(header(kid="second"), theirs, rsa_key("second"))))
    ).tenant_id == OTHER_TENANT
    mixtures = [("aud", CLIENT_ID, 401), ("azp", AZNS, 403), ("roles", [ROLE], 403)]
    for claim, value, status in mixtures:
        token = token_of(header(kid="second"), theirs | {claim: value}, rsa_key("second"))
        assert (await refused(gate, bearer(token))).status == status


async def test_a_key_of_one_tenant_signs_for_no_other() -> None:
    """Keys are looked up by tenant and id: the id alone would let one tenant speak for another."""
    entra = PaperEntra({TENANT: [jwk()], OTHER_TENANT: [jwk("second")]})
    gate = gate_with(entra, tenant_id=None, tenants=[{"tenant_id": TENANT}, {"tenant_id": OTHER_TENANT}])
    token = token_of(header(kid="second"), claims(), rsa_key("second"))
    assert (await refused(gate, bearer(token))).code == "unknown-key"


async def test_a_tenant_elsewhere_has_its_own_authority() -> None:
    """Other clouds sign in on other hosts, and their issuers follow from that."""
    tenants = [{"tenant_id": TENANT, "authority": "https://login.microsoftonline.us"}]
    gate = gate_with(tenant_id=None, tenants=tenants)
    assert await is_let_in(gate, bearer(good_token(iss=f"https://login.microsoftonline.us/{TENANT}/v2.0")))
    assert (await refused(gate, bearer(good_token()))).code == "wrong-issuer"


class TestOtherDoors:
    """A door with roles of its own lets in whoever carries one of them, from a tenant that may operate."""

    async def test_an_application_with_the_role_comes_in(self) -> None:
        """The list of callers is for the webhook only."""
        token = good_token(azp=OTHER_APPLICATION, roles=[VIEWER])
        assert (await gate_with().admit(bearer(token), roles={VIEWER, "SecureExport.Admin"})).roles == (VIEWER,)

    async def test_a_signed_in_user_with_the_role_comes_in(self) -> None:
        """App roles are assigned to users by name, so that a delegated token may carry one."""
        token = good_token(azp=OTHER_APPLICATION, roles=[VIEWER], scp="user_impersonation", idtyp="user")
        assert await is_let_in(gate_with(), bearer(token), roles={VIEWER})
        assert (await refused(gate_with(), bearer(token))).code == "delegated-token"

    @pytest.mark.parametrize("roles", [[], [ROLE], ["secureexport.viewer"], ...])
    async def test_without_the_role_nobody_comes_in(self, roles: Any) -> None:
        """Azure Monitor itself, too, may only send alerts."""
        refusal = await refused(gate_with(), bearer(good_token(roles=roles)), roles={VIEWER})
        assert (refusal.status, refusal.code) == (403, "missing-role")

    async def test_a_door_without_roles_lets_nobody_in(self) -> None:
        """A missing rule means no."""
        assert (await refused(gate_with(), bearer(good_token()), roles=())).code == "missing-role"

    async def test_tenants_that_only_send_alerts_do_not_operate(self) -> None:
        """Their administrators assign roles in their own tenant and would let themselves in."""
        token = bearer(good_token(roles=[ROLE, VIEWER]))
        sends = gate_with(tenant_id=None, tenants=[{"tenant_id": TENANT}])
        assert await is_let_in(sends, token)
        assert (await refused(sends, token, roles={VIEWER})).code == "tenant-does-not-operate"
        operates = gate_with(tenant_id=None, tenants=[{"tenant_id": TENANT, "operators": True}])
        assert await is_let_in(operates, token, roles={VIEWER})

    async def test_the_deny_list_holds_at_every_door(self) -> None:
        """It is the instant stop."""
        gate = gate_with(denied=AZNS)
        assert (await refused(gate, bearer(good_token(roles=[VIEWER])), roles={VIEWER})).code == "denied"


class TestRemembered:
    """A token that was let in a moment ago costs next to nothing, and gains nothing."""

    async def test_it_gives_the_same_caller(self) -> None:
        """Only after the whole check."""
        gate, authorization = gate_with(), bearer(good_token())
        assert gate.remembered(authorization[0]) is None
        caller = await gate.admit(authorization)
        assert gate.remembered(authorization[0]) is caller

    async def test_a_refused_token_is_not_remembered(self) -> None:
        """Neither as good nor as bad."""
        gate, authorization = gate_with(), bearer(good_token(roles=[]))
        await refused(gate, authorization)
        assert gate.remembered(authorization[0]) is None

    async def test_another_door_is_not_the_webhook(self) -> None:
        """A token that came in through another door must pass the webhook's own check."""
        gate, authorization = gate_with(), bearer(good_token(roles=[VIEWER]))
        await gate.admit(authorization, roles={VIEWER})
        assert gate.remembered(authorization[0]) is None

    async def test_the_webhook_is_not_another_door(self) -> None:
        """Being remembered at the webhook opens no other door."""
        gate, authorization = gate_with(), bearer(good_token())
        await gate.admit(authorization)
        assert (await refused(gate, authorization, roles={VIEWER})).status == 403

    async def test_other_bytes_are_another_token(self) -> None:
        """Even where they mean the same."""
        gate, token = gate_with(), good_token()
        await gate.admit([b"Bearer " + token])
        for other in (b"bearer " + token, b"Bearer " + token + b"=", token, b""):
            assert gate.remembered(other) is None

    async def test_it_lasts_five_minutes(self) -> None:
        """So that a change of rules elsewhere shows soon."""
        clock = SettableClock()
        gate, authorization = gate_with(clock=clock), bearer(good_token())
        await gate.admit(authorization)
        clock.pass_time(seconds=299.9)
        assert gate.remembered(authorization[0])
        clock.pass_time(seconds=0.1)
        assert gate.remembered(authorization[0]) is None

    async def test_it_does_not_outlive_the_token(self) -> None:
        """The end is that of the full check: exp and the leeway, to the moment."""
        clock = SettableClock()
        gate, authorization = gate_with(clock=clock), bearer(good_token(exp=SECONDS - 200))
        await gate.admit(authorization)
        clock.pass_time(seconds=99.9)
        assert gate.remembered(authorization[0])
        assert await is_let_in(gate, authorization)
        clock.pass_time(seconds=0.1)
        assert gate.remembered(authorization[0]) is None
        assert (await refused(gate, authorization)).code == "expired"

    async def test_a_token_for_the_end_of_time_is_remembered_for_five_minutes(self) -> None:
        """Dates up to 2^53 pass the check; the calendar ends earlier."""
        gate, authorization = gate_with(), bearer(good_token(exp=2**53 - 1))
        await gate.admit(authorization)
        assert gate.remembered(authorization[0])

    async def test_it_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The oldest makes room."""
        monkeypatch.setattr("secure_export.identity.remembered._MOST_TOKENS", 2)
        gate = gate_with()
        three = [bearer(good_token(uti=str(number))) for number in range(3)]
        for authorization in three:
            await gate.admit(authorization)
        assert [gate.remembered(authorization[0]) is not None for authorization in three] == [False, True, True]


async def test_the_answer_never_says_why() -> None:
    """RFC 6750 has an error code; whoever is refused learns no more than that."""
    gate = gate_with()
    bare = 'Bearer realm="secure-export"'
    assert (await refused(gate, [])).authenticate == bare
    assert (await refused(gate, [b"Basic dXNlcjpwYXNz"])).authenticate == bare
    for token in (b"x", good_token(aud="api://other"), good_token(exp=1)):
        assert (await refused(gate, bearer(token))).authenticate == f'{bare}, error="invalid_token"'
    assert (await refused(gate, bearer(good_token(roles=[])))).authenticate == f'{bare}, error="insufficient_scope"'


async def test_nothing_of_a_token_is_logged() -> None:
    """Neither when keys are fetched for it, nor when it is refused."""
    gate = gate_with()
    with structlog.testing.capture_logs() as lines:
        token = good_token()
        await gate.admit(bearer(token))
        refusal = await refused(gate, bearer(token[:-4]))
    told = repr(lines) + str(refusal)
    assert lines
    assert not any(part.decode() in told for part in token.split(b"."))


async def test_settings_are_those_of_the_documentation() -> None:
    """The short form is enough."""
    short = IdentitySettings(tenant_id=TENANT, audience=(CLIENT_ID, URI))
    assert (short.callers, short.role, short.versions) == ((AZNS,), ROLE, ("1.0", "2.0"))
