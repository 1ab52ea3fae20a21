"""Signs who we are, for token endpoints that give tokens for that (RFC 7523)."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from secure_export.itsm.sign_in import SignInFailed
from secure_export.secrets import Secret

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
"""RFC 7523, section 2.1."""

_LASTS = timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class Signer:
    """What signs assertions.

    Attributes:
        private_key: Where the private key is kept, in PEM.
        algorithm: How it signs.
        key_id: The ``kid`` of assertions; None: none.
    """

    private_key: Secret
    algorithm: str
    key_id: str | None = None

    def assertion(self, issuer: str, subject: str, audience: str, *, now: datetime) -> str:
        """Sign who we are (RFC 7523, section 3); each with a ``jti`` of its own, because they count once only.

        Raises:
            SignInFailed: The key cannot sign.
            SecretMissing: It cannot be read.
        """
        claims = {
            "iss": issuer,
            "sub": subject,
            "aud": audience,
            "iat": int(now.timestamp()),
            "exp": int((now + _LASTS).timestamp()),
            "jti": secrets.token_hex(16),
        }
        header = {"alg": self.algorithm, "typ": "JWT", **({"kid": self.key_id} if self.key_id is not None else {})}
        key = self._key()
        try:
            return jwt.encode(header, claims, key, algorithms=[self.algorithm])
        except (JoseError, ValueError, TypeError) as error:
            raise SignInFailed(
                f"the private key in {self.private_key} cannot sign with {self.algorithm} "
                f"({type(error).__name__}): RS256 to RS512 need an RSA key, ES256 to ES512 one of their own curve",
                refused=False,
            ) from None

    def _key(self) -> RSAKey | ECKey:
        place, pem = self.private_key, self.private_key.read()
        try:
            key = RSAKey.import_key(pem) if self.algorithm.startswith("RS") else ECKey.import_key(pem)
        except (JoseError, ValueError, TypeError) as error:
            raise SignInFailed(
                f"the private key in {place} cannot be used for {self.algorithm} ({type(error).__name__}): it has to "
                "be a PEM file without a password",
                refused=False,
            ) from None
        if not key.is_private:
            raise SignInFailed(f"the key in {place} is a public one: assertions need the private key", refused=False)
        return key
