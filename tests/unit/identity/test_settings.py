"""The ``[identity]`` section: short forms, and messages that say what to write instead."""

from typing import Any

import pytest
from pydantic import ValidationError
from tests.unit.identity.stand_in import AZNS, CLIENT_ID, OTHER_TENANT, ROLE, TENANT, URI, settings

from secure_export.identity.authority import KeySource, TokenVersion
from secure_export.identity.settings import IdentitySettings, TenantSettings
from secure_export.identity.tenant_rules import rules_of


def test_ids_are_kept_in_lower_case() -> None:
    """Entra ID shows and writes them in either case; tokens have lower case."""
    one = settings(tenant_id=TENANT.upper(), audience=CLIENT_ID.upper(), callers=[AZNS.upper()], denied=AZNS.upper())
    assert (one.tenant_id, one.audience, one.callers, one.denied) == (TENANT, (CLIENT_ID,), (AZNS,), (AZNS,))


def test_a_uri_keeps_its_case() -> None:
    """Application id URIs are compared as they are."""
    assert settings(audience=[CLIENT_ID, "api://Secure-Export"]).audience == (CLIENT_ID, "api://Secure-Export")


def test_audience_may_be_a_text_or_a_list() -> None:
    """As the contract says."""
    assert settings(audience=CLIENT_ID).audience == settings(audience=[CLIENT_ID]).audience == (CLIENT_ID,)


def test_lists_may_be_written_with_commas() -> None:
    """So that they can come from the environment as one text."""
    said = {
        "tenant_id": TENANT,
        "audience": f"{CLIENT_ID}, {URI}",
        "callers": f"{AZNS},{OTHER_TENANT}",
        "versions": "2.0",
        "authority": "http://127.0.0.1:8081/",
        "key_refresh_seconds": "600",
    }
    assert IdentitySettings.model_validate(said) == IdentitySettings(
        tenant_id=TENANT,
        audience=(CLIENT_ID, URI),
        callers=(AZNS, OTHER_TENANT),
        versions=("2.0",),
        authority="http://127.0.0.1:8081",
        key_refresh_seconds=600,
    )


def test_what_a_tenant_leaves_out_is_taken_from_the_section() -> None:
    """And what it says counts for it alone."""
    own = {"tenant_id": OTHER_TENANT, "audience": OTHER_TENANT, "callers": TENANT, "role": "Alerts", "operators": True}
    own["authority"] = "https://login.microsoftonline.us"
    first, second = rules_of(settings(tenant_id=None, tenants=[{"tenant_id": TENANT}, own]))
    assert (first.authority, first.role, first.callers) == (
        "https://login.microsoftonline.com",
        ROLE,
        frozenset({AZNS}),
    )
    assert (second.authority, second.role, second.callers) == (own["authority"], "Alerts", frozenset({TENANT}))
    assert (first.operators, second.operators) == (False, True)
    assert second.audiences == dict.fromkeys(TokenVersion, frozenset({OTHER_TENANT}))


def test_version_2_tokens_are_for_the_client_id_only() -> None:
    """A URI in the list is for version 1.0 (access token claims reference, ``aud``)."""
    rules = rules_of(settings())[0]
    assert rules.audiences == {TokenVersion.V1: {CLIENT_ID, URI}, TokenVersion.V2: {CLIENT_ID}}


def test_a_version_that_is_left_out_has_no_audience_and_no_keys() -> None:
    """A missing rule means no."""
    rules = rules_of(settings(versions=["1.0"], audience=URI))[0]
    assert rules.audiences == {TokenVersion.V1: {URI}}
    assert [source.version for source in rules.key_sources] == [TokenVersion.V1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tenant_id": None}, "no tenant is named"),
        ({"tenants": [{"tenant_id": OTHER_TENANT}]}, "both there"),
        ({"tenant_id": "contoso.onmicrosoft.com"}, "not a domain name"),
        ({"tenant_id": "common"}, "not 'common'"),
        ({"tenant_id": "00000000-0000-0000-0000-000000000000"}, "is no tenant id"),
        ({"tenant_id": None, "tenants": [{"tenant_id": TENANT}, {"tenant_id": TENANT.upper()}]}, "listed twice"),
        ({"tenant_id": None, "tenants": [{"tenant_id": TENANT, "audiences": "x"}]}, "Extra inputs are not permitted"),
        ({"audience": []}, "no audience for tenant"),
        ({"audience": ""}, "is empty or contains blanks"),
        ({"audience": "api://my app"}, "is empty or contains blanks"),
        ({"audience": URI, "versions": ["2.0"]}, 'write versions = ["1.0"]'),
        ({"callers": []}, "at least 1 item"),
        ({"callers": ["AzNS AAD Webhook"]}, "is no GUID"),
        ({"denied": ["everybody"]}, "is no GUID"),
        ({"role": ""}, "is empty or contains blanks"),
        ({"versions": []}, "at least 1 item"),
        ({"versions": ["v2"]}, "'1.0' or '2.0'"),
        ({"authority": "login.microsoftonline.com"}, "Write https:// and a host"),
        ({"authority": "ftp://login.microsoftonline.com"}, "Write https:// and a host"),
        ({"authority": "https://user@login.microsoftonline.com"}, "Write https:// and a host"),
        ({"authority": f"https://login.microsoftonline.com/{TENANT}"}, "the tenant goes into tenant_id"),
        ({"authority": "https://login.microsoftonline.com?x=1"}, "more than a host"),
        ({"authority": "http://login.microsoftonline.com"}, "http:// is for loopback hosts only"),
        ({"authority": "http://127.0.0.1.attacker.example"}, "http:// is for loopback hosts only"),
        ({"key_refresh_seconds": 1}, "greater than or equal to 60"),
        ({"key_refresh_seconds": 7200, "key_ttl_seconds": 7200}, "must be more than key_refresh_seconds"),
        ({"leeway": 5}, "Extra inputs are not permitted"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_advice(changes: dict[str, Any], words: str) -> None:
    """The message says what to write."""
    with pytest.raises(ValidationError) as caught:
        settings(**changes)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "authority", ["http://localhost:1", "http://127.0.0.1:8081", "http://[::1]:1", "http://127.9.9.9"]
)
def test_loopback_needs_no_encryption(authority: str) -> None:
    """The sandbox runs there."""
    assert settings(authority=authority + "/").authority == authority


@pytest.mark.parametrize("model", [IdentitySettings, TenantSettings])
def test_every_setting_is_described(model: type[IdentitySettings | TenantSettings]) -> None:
    """The reference is made from the descriptions."""
    for name, field in model.model_fields.items():
        assert field.description, name
        assert len(field.description) > 20, name


@pytest.mark.parametrize(
    ("authority", "version", "issuer", "url"),
    [
        ("login.microsoftonline.com", "1.0", "https://sts.windows.net/{}/", "/{}/.well-known/openid-configuration"),
        (
            "login.microsoftonline.com",
            "2.0",
            "https://login.microsoftonline.com/{}/v2.0",
            "/{}/v2.0/.well-known/openid-configuration",
        ),
        ("login.microsoftonline.us", "1.0", "https://sts.windows.net/{}/", "/{}/.well-known/openid-configuration"),
        (
            "login.microsoftonline.us",
            "2.0",
            "https://login.microsoftonline.us/{}/v2.0",
            "/{}/v2.0/.well-known/openid-configuration",
        ),
        (
            "login.partner.microsoftonline.cn",
            "1.0",
            "https://sts.chinacloudapi.cn/{}/",
            "/{}/.well-known/openid-configuration",
        ),
        (
            "login.partner.microsoftonline.cn",
            "2.0",
            "https://login.partner.microsoftonline.cn/{}/v2.0",
            "/{}/v2.0/.well-known/openid-configuration",
        ),
    ],
)
def test_each_cloud_has_its_issuers(authority: str, version: str, issuer: str, url: str) -> None:
    """Microsoft identity platform docs, "National clouds"."""
    source = KeySource(f"https://{authority}", TENANT, TokenVersion(version))
    assert source.issuer == issuer.format(TENANT)
    assert source.metadata_url == f"https://{authority}" + url.format(TENANT)


def test_only_the_host_itself_is_a_cloud() -> None:
    """A host that only resembles one, or has a port, gets no issuer from the table."""
    for authority in (
        "https://login.microsoftonline.com:8443",
        "https://login.microsoftonline.com.example",
        "http://localhost",
    ):
        assert KeySource(authority, TENANT, TokenVersion.V2).issuer is None


def test_bmcs_names_for_tenant_and_application_are_taken() -> None:
    """What people noted for BMC's own Azure integration goes in under the names it has there."""
    ids = {"azure_tenant_id": TENANT.upper(), "azure_application_id": CLIENT_ID.upper()}
    one = IdentitySettings.model_validate(ids)
    assert (one.tenant_id, one.audience) == (TENANT, (CLIENT_ID, f"api://{CLIENT_ID}"))
    assert rules_of(IdentitySettings.model_validate({"tenants": [ids]})) == rules_of(
        IdentitySettings(tenants=(TenantSettings(tenant_id=TENANT, audience=(CLIENT_ID, f"api://{CLIENT_ID}")),))
    )


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"azure_tenant_id": TENANT, "tenant_id": TENANT}, "azure_tenant_id and tenant_id say the same"),
        ({"azure_application_id": CLIENT_ID, "audience": URI}, "azure_application_id and audience say the same"),
        ({"azure_tenant_id": TENANT, "azure_application_id": "webhook"}, "is no GUID"),
    ],
)
def test_two_names_for_one_thing_are_refused(said: dict[str, Any], complaint: str) -> None:
    """Which of two values counts must not be a guess."""
    with pytest.raises(ValidationError, match=complaint):
        IdentitySettings.model_validate(said)
