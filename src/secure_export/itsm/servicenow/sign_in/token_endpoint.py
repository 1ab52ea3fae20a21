"""ServiceNow's token endpoint: asks for a token, and says what may be wrong when none comes.

The endpoint's errors are vague: a wrong password, a missing system property and a missing application user all give
the same words (ServiceNow docs, "client-credentials", "create-cc-sys-prop"). So every refusal names all that may be the
cause.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from secure_export.clock import Clock
from secure_export.itsm.answer import Answer
from secure_export.itsm.requests import Requests
from secure_export.itsm.servicenow.settings import Grant
from secure_export.itsm.sign_in import SignInFailed, Token
from secure_export.itsm.token_answer import refresh_token_in, token_in, words_in

TOKEN_PATH = "/oauth_token.do"  # noqa: S105 - an address
_OK = 200
_AWAY = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses of what stands before the instance, and of its limits: they say nothing about credentials."""
_BUSY = _AWAY | {500}

_CLIENT = (
    "Client ID and Client Secret of the record in System OAuth > Application Registry differ from the configuration, "
    "or the record is not active"
)
_SCOPE = "the scope that is asked for is not one of the record's Auth Scopes (useraccount)"
_USER = "is inactive, locked out (sys_user: Active, Locked out) or has to renew its password"
_NO_PROPERTY = (
    "the system property glide.oauth.inbound.client.credential.grant_type.enabled is not there or not true: it has to "
    "be created in sys_properties.list"
)
_DEAD = (
    "the refresh token has ended (Refresh Token Lifespan, 100 days unless changed) or was revoked (System OAuth > "
    "Manage Tokens): put a new one in its place, or set username and password for a way back"
)
_CLAIMS = (
    "aud, iss or sub of the assertion are not what the record expects: see audience, issuer and subject, and the "
    "record's User field"
)
_CAUSES: Mapping[Grant, tuple[str, ...]] = {
    Grant.CLIENT_CREDENTIALS: (
        _NO_PROPERTY,
        "the record has no OAuth Application User (add the field to its form), or that user " + _USER,
        _CLIENT,
        _SCOPE,
    ),
    Grant.PASSWORD: (
        "user name or password are wrong, or the user " + _USER,
        "the password grant is switched off by the system property glide.oauth.inbound.ropc.grant_type.disabled",
        "the user has to give a second factor (MFA): exempt the integration user",
        _CLIENT,
        _SCOPE,
    ),
    Grant.REFRESH_TOKEN: (_DEAD, "its user " + _USER, _CLIENT),
    Grant.JWT_BEARER: (
        "the JWT provider's verifier map (JWT Verifier Maps) has no certificate for this key, or another Key Id (kid)",
        _CLAIMS,
        "the clocks differ by more than the record's Clock Skew (300 s)",
        "the user " + _USER,
        _CLIENT,
    ),
}


@dataclass(frozen=True, slots=True)
class Given:
    """What the endpoint gave.

    Attributes:
        token: The access token.
        refresh: The refresh token; None when there is none.
    """

    token: Token
    refresh: str | None = field(default=None, repr=False)


class TokenEndpoint:
    """Asks one token endpoint.

    Args:
        http: Makes requests.
        clock: The time.
        path: Where it is, below the address of ``http``.
    """

    def __init__(self, http: Requests, *, clock: Clock, path: str = TOKEN_PATH) -> None:
        self._http = http
        self._clock = clock
        self._path = path

    async def ask(self, grant: Grant, form: Mapping[str, str], secrets: Iterable[str]) -> Given:
        """Ask for a token, once.

        Args:
            grant: What is asked with; its possible mistakes are named.
            form: The parameters, which go into the body alone.
            secrets: What must stand in no message, whatever the endpoint says.

        Raises:
            SignInFailed: The endpoint gave none.
            NotSent: It could not be asked.
            AnswerLost: Its answer did not arrive.
        """
        answer = await self._http.request("POST", self._path, form=form)
        if answer.status == _OK:
            return _given(answer)
        raise self._failure(answer, grant, secrets)

    def _failure(self, answer: Answer, grant: Grant, secrets: Iterable[str]) -> SignInFailed:
        words = words_in(answer, secrets)
        if answer.status in _AWAY or (not words and answer.status in _BUSY):
            reason = f"the token endpoint is not able to answer now ({answer.status})"
            return SignInFailed(reason, answer.asked_until(self._clock()), refused=False)
        return SignInFailed(
            f"the token endpoint refused ({answer.status}{words and f': {words}'}): credentials or configuration are "
            f"wrong. It does not say which; with the grant {grant.value} it may be that {causes(grant, words)}"
        )


def causes(grant: Grant, words: str = "") -> str:
    """List what may be the cause of a refusal, by ServiceNow's names.

    Args:
        grant: What was asked with.
        words: What the endpoint said; ``invalid_client`` leaves one cause only.
    """
    named = (_CLIENT,) if "invalid_client" in words else _CAUSES[grant]
    return "; or ".join(f"({number}) {cause}" for number, cause in enumerate(named, 1))


def _given(answer: Answer) -> Given:
    token = token_in(answer)
    if token is None:
        raise SignInFailed("the token endpoint answered 200 without a token: is the URL that of the instance?")
    return Given(token, refresh_token_in(answer))
