"""Assertions of the JWT bearer grant: what is asked of one before it stands for a user (servicenow-facts 8.1)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from secure_export.sandbox.servicenow.jwts import NotSignedError, claims


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
        shown = _claims(text, registered)
        _judge(shown, registered, registered.issuer or client_id, audiences, now.timestamp())
        self._once(shown, registered, client_id, now.timestamp())
        return str(shown["sub"])

    def _once(self, shown: dict[str, Any], registered: Registration, client_id: str, now: float) -> None:
        self._shown = {one: ends for one, ends in self._shown.items() if ends > now}
        jti = shown.get("jti")
        if jti is None and not registered.needs_jti:
            return
        if not isinstance(jti, str) or not jti:
            raise BadAssertionError("The assertion has no jti.")
        if (client_id, jti) in self._shown:
            raise BadAssertionError("The assertion was shown before: its jti is known.")
        self._shown[client_id, jti] = shown["exp"] + registered.skew_seconds


def _claims(text: str, registered: Registration) -> dict[str, Any]:
    try:
        return claims(text, registered.keys)
    except NotSignedError as problem:
        raise BadAssertionError(str(problem)) from None


def _judge(
    shown: dict[str, Any], registered: Registration, issuer: str, audiences: tuple[str, ...], now: float
) -> None:
    audience = shown.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(one in audiences for one in named):
        raise BadAssertionError(f"aud is {audience!r}, not one of {audiences!r}.")
    if shown.get("iss") != issuer:
        raise BadAssertionError(f"iss is {shown.get('iss')!r}, not {issuer!r}.")
    if not isinstance(shown.get("sub"), str) or not shown["sub"]:
        raise BadAssertionError("sub is missing.")
    _judge_times(shown, registered.skew_seconds, now)


def _judge_times(shown: dict[str, Any], skew: int, now: float) -> None:
    for name in ("exp", "iat"):
        if not isinstance(shown.get(name), int | float) or isinstance(shown.get(name), bool):
            raise BadAssertionError(f"{name} is missing, or no number.")
    if shown["exp"] + skew <= now:
        raise BadAssertionError("The assertion is over.")
    if shown["iat"] - skew > now:
        raise BadAssertionError("The assertion is of the future.")
    nbf = shown.get("nbf")
    if isinstance(nbf, int | float) and nbf - skew > now:
        raise BadAssertionError("The assertion is not valid yet.")
