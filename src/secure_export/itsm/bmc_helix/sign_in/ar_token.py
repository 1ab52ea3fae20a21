"""What an AR-JWT says about itself. Pure.

The claims are documented with the AR REST API ("Access and authentication for the REST API"). The signature is the
server's own business (HS256 with a key that only it has), so that it is not checked: the token came from the server.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_LONGEST = 16_000
_SEALED = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a token says.

    Attributes:
        user: The claim ``sub``; empty when there is none, or when the server keeps it sealed (recorded tokens have
            some 130 characters of Base64 there).
        issued_at: ``iat``, seconds since 1970 by the server's clock; None when it is not told.
        ends_at: ``exp``, likewise.
    """

    user: str
    issued_at: float | None
    ends_at: float | None

    def lasts_seconds(self, server_time: datetime | None) -> float | None:
        """Say for how long the token is good, counted from the answer that brought it.

        Args:
            server_time: The server's clock at that answer; a token that was made earlier and is given again lasts
                shorter than its life.

        Returns:
            The seconds; None when the token does not tell its end.
        """
        if self.ends_at is None:
            return None
        bounds = [self.ends_at - self.issued_at] if self.issued_at is not None else []
        if server_time is not None:
            bounds.append(self.ends_at - server_time.timestamp())
        return max(0.0, min(bounds)) if bounds else None


def is_token(text: str) -> bool:
    """Whether a text has the form of a token."""
    return len(text) <= _LONGEST and _TOKEN.fullmatch(text) is not None


def claims_of(token: str) -> TokenClaims:
    """Read a token's claims; those that cannot be read are missing."""
    claims = _payload(token)
    user = claims.get("sub")
    plain = user.strip() if isinstance(user, str) and not _SEALED.fullmatch(user.strip()) else ""
    return TokenClaims(plain, _seconds(claims.get("iat")), _seconds(claims.get("exp")))


def _payload(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _seconds(told: Any) -> float | None:
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) else None
