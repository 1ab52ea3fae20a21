"""Assertions of the JWT bearer grant: what is asked of one before it stands for a user (servicenow-facts 8.1)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")


@dataclass(frozen=True, slots=True)
class Registration:
    """What is registered for a client that may show assertions.

    Attributes:
        keys: Its public keys, as a JWKS.
        issuer: What ``iss`` must be; empty: the client id.
        subject_column: The column of ``sys_user`` that ``sub`` is looked for in.
        skew_seconds: How far clocks may be apart.
        needs_jti: Whether each assertion must have an id that was not shown before.
    """

    keys: dict[str, Any]
    issuer: str = ""
    subject_column: str = "user_name"
    skew_seconds: int = 300
    needs_jti: bool = True


class BadAssertionError(Exception):
    """An assertion does not stand for anyone; the text says why, for the sandbox's log only."""


@dataclass(slots=True)
class Assertions:
    """Judges assertions, and remembers which were shown."""

    _shown: dict[tuple[str, str], float] = field(default_factory=dict)

    def subject(
        self, text: str, registered: Registration, *, client_id: str, audiences: tuple[str, ...], now: datetime
    ) -> str:
        """Say for whom an assertion stands.

        Args:
            text: The assertion.
            registered: What is registered for the client.
            client_id: Who shows it.
            audiences: What ``aud`` may be.
            now: The instance's time.

        Returns:
            Its ``sub``.

        Raises:
            BadAssertionError: It stands for nobody.
        """
        claims = _claims(text, registered)
        _judge(claims, registered, registered.issuer or client_id, audiences, now.timestamp())
        self._once(claims, registered, client_id, now.timestamp())
        return str(claims["sub"])

    def _once(self, claims: dict[str, Any], registered: Registration, client_id: str, now: float) -> None:
        self._shown = {one: ends for one, ends in self._shown.items() if ends > now}
        jti = claims.get("jti")
        if jti is None and not registered.needs_jti:
            return
        if not isinstance(jti, str) or not jti:
            raise BadAssertionError("The assertion has no jti.")
        if (client_id, jti) in self._shown:
            raise BadAssertionError("The assertion was shown before: its jti is known.")
        self._shown[client_id, jti] = claims["exp"] + registered.skew_seconds


def _claims(text: str, registered: Registration) -> dict[str, Any]:
    try:
        keys = KeySet.import_key_set(registered.keys)  # type: ignore[arg-type]
        return dict(jwt.decode(text, keys, algorithms=list(ALGORITHMS)).claims)
    except (JoseError, ValueError) as problem:
        raise BadAssertionError(
            f"The assertion is no JWT signed by a registered key: {type(problem).__name__}."
        ) from None


def _judge(
    claims: dict[str, Any], registered: Registration, issuer: str, audiences: tuple[str, ...], now: float
) -> None:
    shown = claims.get("aud")
    named = shown if isinstance(shown, list) else [shown]
    if not any(one in audiences for one in named):
        raise BadAssertionError(f"aud is {shown!r}, not one of {audiences!r}.")
    if claims.get("iss") != issuer:
        raise BadAssertionError(f"iss is {claims.get('iss')!r}, not {issuer!r}.")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise BadAssertionError("sub is missing.")
    _judge_times(claims, registered.skew_seconds, now)


def _judge_times(claims: dict[str, Any], skew: int, now: float) -> None:
    for name in ("exp", "iat"):
        if not isinstance(claims.get(name), int | float) or isinstance(claims.get(name), bool):
            raise BadAssertionError(f"{name} is missing, or no number.")
    if claims["exp"] + skew <= now:
        raise BadAssertionError("The assertion is over.")
    if claims["iat"] - skew > now:
        raise BadAssertionError("The assertion is of the future.")
    nbf = claims.get("nbf")
    if isinstance(nbf, int | float) and nbf - skew > now:
        raise BadAssertionError("The assertion is not valid yet.")
