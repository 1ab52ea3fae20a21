"""Signing keys: made, announced, rolled."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

CERTIFICATE_NAME = "accounts.accesscontrol.windows.net"
# The tenant of personal Microsoft accounts: its keys stand in the same lists and sign for nobody else.
FOREIGN_TENANT_ID = "9188040d-6c67-4c5b-b112-36a304b66dad"
_CERTIFICATE_YEARS = 5
_KEY_BITS = 2048
_PUBLIC_EXPONENT = 65537


def base64url(data: bytes) -> str:
    """Encode as JOSE wants it: URL-safe alphabet, no padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An RSA key with the self-signed certificate that Entra lists beside it.

    Attributes:
        kid: The certificate's thumbprint, as in Entra (also ``x5t``).
        certificate: DER.
    """

    kid: str
    private: rsa.RSAPrivateKey
    certificate: bytes

    def sign(self, message: bytes) -> bytes:
        """Sign as RS256 does."""
        return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def as_jwk(self, issuer: str | None) -> dict[str, Any]:
        """Give the public half with Entra's members: no ``alg``, and ``issuer`` in version 2 lists only."""
        numbers = self.private.public_key().public_numbers()
        jwk: dict[str, Any] = {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
            "e": base64url(numbers.e.to_bytes(3, "big")),
            "x5c": [base64.b64encode(self.certificate).decode("ascii")],
        }
        return jwk if issuer is None else {**jwk, "issuer": issuer}

    def public_pem(self) -> bytes:
        """Give the public key as PEM: what a confused verifier might take for a shared secret."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def make_key(now: datetime) -> SigningKey:
    """Make a key with a certificate that is valid for five years from the day before ``now``."""
    private = rsa.generate_private_key(_PUBLIC_EXPONENT, _KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CERTIFICATE_NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _CERTIFICATE_YEARS))
        .sign(private, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    thumbprint = hashlib.sha1(certificate, usedforsecurity=False).digest()
    return SigningKey(kid=base64url(thumbprint), private=private, certificate=certificate)


class KeyRing:
    """The keys of one issuer: what signs now, what will sign next, what signed before.

    Attributes:
        current: Signs tokens.
        next: Announced already, signs after the next rotation.
        previous: Signed before the last rotation and is still listed; None at first and after an emergency roll.
        foreign: Listed with another tenant's issuer; a token it signs for anyone else must be refused.
        unlisted: Never listed.
    """

    def __init__(self, make: Callable[[], SigningKey]) -> None:
        self._make = make
        self.current = make()
        self.next = make()
        self.previous: SigningKey | None = None
        self.foreign = make()
        self.unlisted = make()

    def rotate(self) -> None:
        """Roll as planned: the announced key signs from now on, the old one stays listed, another is announced."""
        self.previous, self.current, self.next = self.current, self.next, self._make()

    def emergency_roll(self) -> None:
        """Replace every key at once, unannounced; tokens signed before can no longer be checked."""
        self.current, self.next, self.previous = self._make(), self._make(), None

    def named(self, name: str) -> SigningKey:
        """Find a key by its part: current, next, previous, foreign or unlisted.

        Raises:
            LookupError: There is no such part, or no key plays it now.
        """
        parts = {one: getattr(self, one) for one in ("current", "next", "previous", "foreign", "unlisted")}
        if (key := parts.get(name)) is None:
            raise LookupError(f"No key is {name!r} now; choose one of {', '.join(k for k, v in parts.items() if v)}.")
        assert isinstance(key, SigningKey)  # noqa: S101 - tells the type checker what getattr gave
        return key

    def listed(self) -> Iterator[SigningKey]:
        """Give the keys that tokens may be signed with, in no helpful order: the next one comes first."""
        yield self.next
        yield self.current
        if self.previous is not None:
            yield self.previous
