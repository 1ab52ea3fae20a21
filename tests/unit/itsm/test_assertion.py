"""Signing who we are for a token endpoint."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from tests.unit.itsm.scripted import NOW
from tests.unit.keys import private_pem, rsa_key

from secure_export.itsm.assertion import Signer
from secure_export.itsm.sign_in import SignInFailed
from secure_export.secrets import Secret, SecretMissing

RSA = rsa_key()
P256 = ec.generate_private_key(ec.SECP256R1())


def public(key: Any) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))


def signer(folder: Path, pem: bytes, algorithm: str, key_id: str | None = None) -> Signer:
    (folder / "key.pem").write_bytes(pem)
    return Signer(Secret.model_validate({"file": str(folder / "key.pem")}), algorithm, key_id)


@pytest.mark.parametrize(("algorithm", "key"), [("RS256", RSA), ("ES256", P256)])
def test_an_assertion_says_who_we_are_once(algorithm: str, key: Any, tmp_path: Path) -> None:
    """Issuer, subject, audience and times (RFC 7523, section 3); servers take one ``jti`` once."""
    ours = signer(tmp_path, private_pem(key), algorithm, "kid-1")
    verifier = RSAKey.import_key(public(key)) if algorithm == "RS256" else ECKey.import_key(public(key))
    first, second = (
        jwt.decode(ours.assertion("us", "azure", "tool", now=NOW), verifier, algorithms=[algorithm]) for _ in range(2)
    )
    assert first.header == {"alg": algorithm, "typ": "JWT", "kid": "kid-1"}
    assert first.claims.pop("jti") != second.claims.pop("jti")
    now = int(NOW.timestamp())
    assert first.claims == {"iss": "us", "sub": "azure", "aud": "tool", "iat": now, "exp": now + 300}


@pytest.mark.parametrize(
    ("pem", "algorithm", "words"),
    [
        (b"no key", "RS256", "PEM file without a password"),
        (private_pem(P256), "RS256", "cannot be used for RS256"),
        (private_pem(RSA), "ES256", "cannot be used for ES256"),
        (private_pem(P256), "ES512", "cannot sign with ES512"),
        (public(RSA), "RS256", "public one"),
    ],
)
def test_a_key_that_cannot_sign_is_told(pem: bytes, algorithm: str, words: str, tmp_path: Path) -> None:
    """The reason names the file. Nobody was asked, so that nobody has refused anything."""
    with pytest.raises(SignInFailed, match=words) as failed:
        signer(tmp_path, pem, algorithm).assertion("us", "azure", "tool", now=NOW)
    assert "key.pem" in failed.value.reason
    assert not failed.value.refused


def test_an_empty_file_is_a_missing_secret(tmp_path: Path) -> None:
    """It may be on its way."""
    with pytest.raises(SecretMissing, match="empty"):
        signer(tmp_path, b"", "RS256").assertion("us", "azure", "tool", now=NOW)
