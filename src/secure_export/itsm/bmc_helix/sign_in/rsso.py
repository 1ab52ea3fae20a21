"""Gets OAuth tokens of Helix Single Sign-On by a signed assertion (RFC 7523).

Known from published clients alone: the token endpoint takes the grant ``jwt-bearer`` with the client's id and secret as
HTTP Basic, an ``assertion``, and the realm's application domain as ``audience``.
"""

import base64
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from secure_export.clock import Clock
from secure_export.itsm.answer import Answer, NotJson
from secure_export.itsm.bmc_helix.sign_in.settings import RssoSettings
from secure_export.itsm.requests import Requests
from secure_export.itsm.sign_in import SignInFailed, Token
from secure_export.secrets import SecretMissing

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
"""RFC 7523, section 2.1."""

_ASSERTION_LASTS = timedelta(seconds=300)
_LONGEST_WORDS = 200
_LONGEST_TOKEN = 16_000
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_CAUSES = (
    "(1) client_id or client_secret differ from the OAuth client in Helix SSO (OAuth2 > Clients); or (2) that client "
    "is not allowed the grant JWT bearer; or (3) it does not know the public key of private_key; or (4) issuer, "
    "subject or assertion_audience are not what it expects; or (5) audience is not the application domain of the "
    "realm; or (6) the clocks differ"
)


class RssoTokens:
    """Asks for tokens, one at a time; ``KeptToken`` keeps them and makes the pauses.

    Args:
        http: Makes requests to the host of the token endpoint.
        path: Where the token endpoint is, below the address of ``http``.
        settings: What is asked with.
        clock: The time.
    """

    def __init__(self, http: Requests, path: str, settings: RssoSettings, *, clock: Clock) -> None:
        self._http = http
        self._path = path
        self._settings = settings
        self._clock = clock

    async def fetch(self) -> Token:
        """Get a token.

        Raises:
            SignInFailed: The endpoint gives none, or a secret cannot be read.
            NotSent: The endpoint could not be asked.
            AnswerLost: Its answer did not arrive.
        """
        try:
            assertion, basic = self._assertion(), self._basic()
        except SecretMissing as error:
            raise SignInFailed(str(error), refused=False) from None
        form = {"grant_type": JWT_BEARER, "assertion": assertion}
        if self._settings.audience is not None:
            form["audience"] = self._settings.audience
        answer = await self._http.request("POST", self._path, form=form, headers={"Authorization": basic})
        if answer.status == 200 and (given := _given(answer)) is not None:  # noqa: PLR2004 - HTTP's own names
            return given
        raise self._failure(answer)

    def _failure(self, answer: Answer) -> SignInFailed:
        words = _words(_body(answer))
        if not words and answer.status in _BUSY:
            reason = f"the token endpoint of Helix SSO is not able to answer now ({answer.status})"
            return SignInFailed(reason, answer.asked_until(self._clock()), refused=False)
        said = f"{answer.status}: {words}" if words else f"{answer.status}, no words"
        return SignInFailed(f"Helix SSO gave no token ({said}). It may be that {_CAUSES}")

    def _basic(self) -> str:
        pair = f"{self._settings.client_id}:{self._settings.client_secret.read()}"
        return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"

    def _assertion(self) -> str:
        """Sign who we are; each with a ``jti`` of its own, because they count once only."""
        settings = self._settings
        now = self._clock()
        claims = {
            "iss": settings.issuer or settings.client_id,
            "sub": settings.subject,
            "aud": settings.assertion_audience or settings.token_url,
            "iat": int(now.timestamp()),
            "exp": int((now + _ASSERTION_LASTS).timestamp()),
            "jti": secrets.token_hex(16),
        }
        header = {"alg": settings.algorithm, "typ": "JWT", **({"kid": settings.key_id} if settings.key_id else {})}
        try:
            return jwt.encode(header, claims, _key(settings), algorithms=[settings.algorithm])
        except (JoseError, ValueError, TypeError) as error:
            raise SignInFailed(
                f"the private key in {settings.private_key} cannot sign with {settings.algorithm} "
                f"({type(error).__name__}): RS256 to RS512 need an RSA key, ES256 to ES512 one of their own curve",
                refused=False,
            ) from None


def _key(settings: RssoSettings) -> RSAKey | ECKey:
    place, pem = settings.private_key, settings.private_key.read()
    try:
        key = RSAKey.import_key(pem) if settings.algorithm.startswith("RS") else ECKey.import_key(pem)
    except (JoseError, ValueError, TypeError) as error:
        raise SignInFailed(
            f"the private key in {place} cannot be used for {settings.algorithm} ({type(error).__name__}): it has to "
            "be a PEM file without a password",
            refused=False,
        ) from None
    if not key.is_private:
        raise SignInFailed(f"the key in {place} is a public one: assertions need the private key", refused=False)
    return key


def _given(answer: Answer) -> Token | None:
    body = _body(answer)
    text, lasts = body.get("access_token"), body.get("expires_in")
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_TOKEN or not text.isascii() or " " in text:
        return None
    return Token(text, _seconds(lasts))


def _seconds(told: Any) -> float | None:
    """For how long a token is good; numbers come as text, too."""
    if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) < 10:  # noqa: PLR2004 - 30 years
        return float(told)
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) and told >= 0 else None


def _body(answer: Answer) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except NotJson:
        return {}
    return body if isinstance(body, dict) else {}


def _words(body: Mapping[str, Any]) -> str:
    parts = (body.get(name) for name in ("error", "error_description"))
    return ", ".join(" ".join(part.split()) for part in parts if isinstance(part, str) and part.strip())[
        :_LONGEST_WORDS
    ]
