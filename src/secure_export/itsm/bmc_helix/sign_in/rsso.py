"""Gets OAuth tokens of Helix Single Sign-On by a signed assertion (RFC 7523).

Known from published clients alone: the token endpoint takes the grant ``jwt-bearer`` with the client's id and secret as
HTTP Basic, an ``assertion``, and the realm's application domain as ``audience``.
"""

import base64

from secure_export.clock import Clock
from secure_export.itsm.answer import Answer
from secure_export.itsm.assertion import JWT_BEARER, Signer
from secure_export.itsm.bmc_helix.sign_in.settings import RssoSettings
from secure_export.itsm.requests import Requests
from secure_export.itsm.sign_in import SignInFailed, Token
from secure_export.itsm.token_answer import token_in, words_in
from secure_export.secrets import SecretMissing

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
        if answer.status == 200 and (given := token_in(answer)) is not None:  # noqa: PLR2004 - HTTP's own names
            return given
        raise self._failure(answer)

    def _failure(self, answer: Answer) -> SignInFailed:
        words = words_in(answer)
        if not words and answer.status in _BUSY:
            reason = f"the token endpoint of Helix SSO is not able to answer now ({answer.status})"
            return SignInFailed(reason, answer.asked_until(self._clock()), refused=False)
        said = f"{answer.status}: {words}" if words else f"{answer.status}, no words"
        return SignInFailed(f"Helix SSO gave no token ({said}). It may be that {_CAUSES}")

    def _basic(self) -> str:
        pair = f"{self._settings.client_id}:{self._settings.client_secret.read()}"
        return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"

    def _assertion(self) -> str:
        settings = self._settings
        return Signer(settings.private_key, settings.algorithm, settings.key_id or None).assertion(
            settings.issuer or settings.client_id,
            settings.subject,
            settings.assertion_audience or settings.token_url,
            now=self._clock(),
        )
