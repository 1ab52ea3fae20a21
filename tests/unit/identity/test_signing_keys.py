"""What a tenant publishes is read strictly: only its own documents, only keys that are fit."""

import json
from typing import Any

import pytest
from tests.unit.identity.stand_in import (
    AUTHORITY,
    METADATA_V1,
    METADATA_V2,
    OTHER_TENANT,
    TENANT,
    V1,
    V2,
    b64,
    jwk,
    number,
)
from tests.unit.keys import rsa_key

from secure_export.identity.authority import KeySource, TokenVersion
from secure_export.identity.signing_keys import KeysNotUsable, Metadata, read_keys, read_metadata

SANDBOX = KeySource("http://127.0.0.1:8081", TENANT, TokenVersion.V1)
ISSUER_V1 = METADATA_V1.issuer
ISSUER_V2 = METADATA_V2.issuer
KEYS_URL = METADATA_V2.keys_url


def read(*keys: Any, source: KeySource = V2, issuer: str = ISSUER_V2) -> set[str]:
    """Give the ids of the keys that are taken."""
    return set(read_keys(json.dumps({"keys": keys}).encode(), source, Metadata(issuer, KEYS_URL)).by_id)


def published(**members: Any) -> bytes:
    """Write a discovery document."""
    return json.dumps({"issuer": ISSUER_V2, "jwks_uri": KEYS_URL, "cloud_instance_name": "x"} | members).encode()


def test_a_key_as_entra_id_writes_it_is_taken() -> None:
    """Without ``alg``, with or without ``issuer``, with a certificate that nobody checks."""
    assert read(jwk(x5c=["MIIB"]), jwk("second", issuer=ISSUER_V2), jwk("third", use=None, alg="RS256")) == {
        "first",
        "second",
        "third",
    }


def test_a_key_for_any_tenant_is_taken() -> None:
    """Its issuer has a placeholder where the tenant would stand."""
    assert read(jwk(issuer=AUTHORITY + "/{tenantid}/v2.0")) == {"first"}


def test_a_version_1_key_may_name_the_version_2_issuer() -> None:
    """IdentityModel compares it in that form."""
    assert read(jwk(issuer=ISSUER_V2), source=V1, issuer=ISSUER_V1) == {"first"}
    assert read(jwk(issuer=AUTHORITY + "/{tenantid}/v2.0"), source=V1, issuer=ISSUER_V1) == {"first"}


UNFIT: dict[str, Any] = {
    "symmetric": {"kty": "oct", "k": "c2VjcmV0", "kid": "bad"},
    "a curve": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "bad"},
    "for encryption": jwk("bad", rsa_key(), use="enc"),
    "for other operations": jwk("bad", rsa_key(), key_ops=["encrypt"]),
    "operations that are a text": jwk("bad", rsa_key(), key_ops="verify"),
    "for another algorithm": jwk("bad", rsa_key(), alg="PS256"),
    "no id": {name: value for name, value in jwk().items() if name != "kid"},
    "an id that is a number": jwk() | {"kid": 7},
    "1024 bits": jwk("bad", rsa_key("weak", 1024)),
    "2047 bits": jwk("bad", rsa_key(), n=number(2**2046 + 1)),
    "more bits than anybody needs": jwk("bad", rsa_key(), n=number(2**4096 + 1)),
    "an even modulus": jwk("bad", rsa_key(), n=number(2**2047)),
    "e = 3": jwk("bad", rsa_key("three", 2048, 3)),
    "e = 1": jwk("bad", rsa_key(), e="AQ"),
    "e even": jwk("bad", rsa_key(), e=number(65538)),
    "e huge, slow to verify": jwk("bad", rsa_key(), e=number(2**2000 + 1)),
    "no modulus": jwk("bad", rsa_key(), n=None),
    "a modulus with padding": jwk("bad", rsa_key(), n=number(rsa_key().public_key().public_numbers().n) + "=="),
    "a modulus of another type": jwk("bad", rsa_key(), n=[1]),
    "of another tenant": jwk("bad", rsa_key(), issuer=f"{AUTHORITY}/{OTHER_TENANT}/v2.0"),
    "of another cloud": jwk("bad", rsa_key(), issuer="https://login.microsoftonline.us/{tenantid}/v2.0"),
    "an issuer of another type": jwk("bad", rsa_key(), issuer=[ISSUER_V2]),
    "no object": "bad",
    "null": None,
}


@pytest.mark.parametrize("key", UNFIT.values(), ids=UNFIT.keys())
def test_a_key_that_is_unfit_is_left_out(key: Any) -> None:
    """The others still serve; with nothing else the whole set is refused."""
    assert read(key, jwk()) == {"first"}
    with pytest.raises(KeysNotUsable, match="no key that can be used"):
        read(key)


def test_an_id_that_stands_for_two_keys_stands_for_none() -> None:
    """Which one counts would be a matter of order."""
    assert read(jwk("twice", rsa_key()), jwk("twice", rsa_key("second")), jwk()) == {"first"}


def test_the_same_key_twice_is_one_key() -> None:
    """And an unfit one of the same id does not matter: it is never used."""
    assert read(jwk(), jwk(), jwk("first", rsa_key("second"), use="enc")) == {"first"}


def test_private_members_are_not_read() -> None:
    """A set that leaks its private key verifies all the same, and the key held is a public one."""
    numbers = rsa_key().private_numbers()
    document = json.dumps({"keys": [jwk(d=number(numbers.d), p=number(numbers.p))]}).encode()
    keys = read_keys(document, V2, METADATA_V2)
    assert not keys.by_id["first"].is_private


@pytest.mark.parametrize(
    "document",
    [b"", b"null", b"[]", b"{}", b'{"keys": {}}', b'{"keys": null}', b'{"keys": [], "keys": []}', b"\xff", b"<html>"],
)
def test_what_is_no_set_of_keys_is_refused(document: bytes) -> None:
    """With the address in the message."""
    with pytest.raises(KeysNotUsable, match=r"discovery/v2\.0/keys"):
        read_keys(document, V2, METADATA_V2)


def test_metadata_as_entra_id_writes_it_is_taken() -> None:
    """Issuer and address of the keys are all that matters."""
    assert read_metadata(published(), V2) == METADATA_V2
    shared = f"{AUTHORITY}/common/discovery/keys"
    assert read_metadata(published(issuer=ISSUER_V1, jwks_uri=shared), V1) == Metadata(ISSUER_V1, shared)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"issuer": None}, "issuer or jwks_uri is missing"),
        ({"jwks_uri": 7}, "issuer or jwks_uri is missing"),
        ({"issuer": ISSUER_V1}, "another issuer"),
        ({"issuer": ISSUER_V2 + "/"}, "another issuer"),
        ({"issuer": AUTHORITY + "/{tenantid}/v2.0"}, "another issuer"),
        ({"issuer": ISSUER_V2.replace(TENANT, OTHER_TENANT)}, "another issuer"),
        ({"jwks_uri": "https://attacker.example/keys"}, "elsewhere"),
        ({"jwks_uri": "https://login.microsoftonline.com.attacker.example/keys"}, "elsewhere"),
        ({"jwks_uri": "https://login.microsoftonline.com@attacker.example/keys"}, "elsewhere"),
        ({"jwks_uri": "https://login.microsoftonline.com:444/keys"}, "elsewhere"),
        ({"jwks_uri": "http://login.microsoftonline.com/keys"}, "elsewhere"),
        ({"jwks_uri": "http://127.0.0.1/keys"}, "elsewhere"),
        ({"jwks_uri": "file:///etc/keys"}, "elsewhere"),
        ({"jwks_uri": "https://[::1"}, "elsewhere"),
        ({"jwks_uri": ""}, "elsewhere"),
    ],
)
def test_metadata_of_somebody_else_is_refused(members: dict[str, Any], words: str) -> None:
    """Neither another issuer nor another host is believed."""
    with pytest.raises(KeysNotUsable, match=words):
        read_metadata(published(**members), V2)


@pytest.mark.parametrize("document", [b"", b"[]", b"<html>", b'{"issuer": "a", "issuer": "b"}', b"{" * 200_000])
def test_what_is_no_metadata_is_refused(document: bytes) -> None:
    """As strict JSON it must be one object."""
    with pytest.raises(KeysNotUsable, match="openid-configuration"):
        read_metadata(document, V2)


def test_elsewhere_the_metadata_says_which_issuer() -> None:
    """A sandbox has an address of its own, but speaks for the configured tenant only."""
    keys = "http://127.0.0.1:8081/keys"
    issuer = f"http://127.0.0.1:8081/{TENANT}/"
    assert read_metadata(published(issuer=issuer, jwks_uri=keys), SANDBOX) == Metadata(issuer, keys)
    known = f"https://sts.windows.net/{TENANT}/"
    assert read_metadata(published(issuer=known, jwks_uri=keys), SANDBOX) == Metadata(known, keys)
    others = [issuer.replace(TENANT, OTHER_TENANT), f"http://attacker.example/{TENANT}", TENANT, issuer + "x" * 300]
    for other in others:
        with pytest.raises(KeysNotUsable, match="not tenant"):
            read_metadata(published(issuer=other, jwks_uri=keys), SANDBOX)


def test_a_sandbox_key_may_name_either_issuer() -> None:
    """The one of the metadata, or the version 2.0 form on the same authority."""
    issuer = f"{SANDBOX.authority}/{TENANT}/"
    fitting = [jwk(issuer=issuer), jwk("second", issuer=f"{SANDBOX.authority}/{TENANT}/v2.0")]
    assert read(*fitting, jwk("third", issuer=ISSUER_V2), source=SANDBOX, issuer=issuer) == {"first", "second"}


def test_numbers_are_read_as_published() -> None:
    """A leading zero byte makes another text of the same number; the key is the same."""
    n = rsa_key().public_key().public_numbers().n
    assert read(jwk(n=b64(b"\0" + n.to_bytes(256, "big")))) == {"first"}
