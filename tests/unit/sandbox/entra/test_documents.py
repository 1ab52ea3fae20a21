"""Metadata and key lists (entra-facts 2.1)."""

import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from secure_export.sandbox.entra import DEFAULT_TENANT_ID, SandboxEntra

BASE = "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("version", "issuer", "keys", "token"),
    [
        (1, f"{BASE}/{DEFAULT_TENANT_ID}/", "discovery/keys", "oauth2/token"),
        (2, f"{BASE}/{DEFAULT_TENANT_ID}/v2.0", "discovery/v2.0/keys", "oauth2/v2.0/token"),
    ],
)
def test_metadata_names_issuer_keys_and_token_end_point(
    entra: SandboxEntra, version: int, issuer: str, keys: str, token: str
) -> None:
    """Each version has its own issuer and end points, and RS256 alone."""
    document = entra.configuration(DEFAULT_TENANT_ID, version)
    assert document["issuer"] == issuer
    assert document["jwks_uri"] == f"{BASE}/{DEFAULT_TENANT_ID}/{keys}"
    assert document["token_endpoint"] == f"{BASE}/{DEFAULT_TENANT_ID}/{token}"
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]
    assert document["cloud_instance_name"] == "microsoftonline.com"


@pytest.mark.parametrize("tenant", ["common", "organizations"])
def test_the_tenant_independent_issuer_is_a_template(entra: SandboxEntra, tenant: str) -> None:
    """``common`` has a placeholder in the issuer."""
    assert entra.configuration(tenant, 2)["issuer"] == BASE + "/{tenantid}/v2.0"


@pytest.mark.parametrize("version", [1, 2])
def test_keys_have_entras_members(entra: SandboxEntra, version: int) -> None:
    """Several keys, RSA of 2048 bits, x5t equal to kid, no ``alg``; ``issuer`` in version 2 only."""
    keys = entra.keys(DEFAULT_TENANT_ID, version)["keys"]
    expected = {"kty", "use", "kid", "x5t", "n", "e", "x5c"} | ({"issuer"} if version == 2 else set())
    assert len(keys) >= 2
    for key in keys:
        assert key.keys() == expected
        assert (key["kty"], key["use"], key["e"], key["x5t"]) == ("RSA", "sig", "AQAB", key["kid"])
        assert len(base64.urlsafe_b64decode(key["n"] + "==")) == 256


def test_each_key_has_one_self_signed_certificate(entra: SandboxEntra) -> None:
    """The certificate carries the listed key, signs itself, and its thumbprint is the kid."""
    key = entra.keys(DEFAULT_TENANT_ID, 1)["keys"][0]
    (encoded,) = key["x5c"]
    der = base64.b64decode(encoded)
    certificate = x509.load_der_x509_certificate(der)
    public = certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    assert certificate.signature_hash_algorithm is not None
    public.verify(
        certificate.signature,
        certificate.tbs_certificate_bytes,
        padding.PKCS1v15(),
        certificate.signature_hash_algorithm,
    )
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "accounts.accesscontrol.windows.net"
    thumbprint = base64.urlsafe_b64encode(hashlib.sha1(der, usedforsecurity=False).digest()).rstrip(b"=").decode()
    assert key["kid"] == thumbprint


def test_version_2_lists_a_key_of_another_tenant_too(entra: SandboxEntra) -> None:
    """Shared keys have the issuer's template, and one key signs for somebody else alone."""
    issuers = [key["issuer"] for key in entra.keys(DEFAULT_TENANT_ID, 2)["keys"]]
    assert issuers.count(BASE + "/{tenantid}/v2.0") == 2
    assert issuers.count(f"{BASE}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0") == 1


def test_a_tenant_can_have_keys_of_its_own(entra: SandboxEntra) -> None:
    """A key common today can become distinct: then its issuer names the tenant, and others do not list it."""
    shared = {key["kid"] for key in entra.keys(DEFAULT_TENANT_ID, 1)["keys"]}
    entra.give_own_keys(DEFAULT_TENANT_ID)
    own = entra.keys(DEFAULT_TENANT_ID, 2)["keys"]
    assert f"{BASE}/{DEFAULT_TENANT_ID}/v2.0" in {key["issuer"] for key in own}
    assert not shared & {key["kid"] for key in own}
    assert {key["kid"] for key in entra.keys("11111111-2222-3333-4444-555555555555", 1)["keys"]} == shared
