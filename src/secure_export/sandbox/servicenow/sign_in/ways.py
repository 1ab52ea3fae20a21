"""The ways to sign in, and what comes of it."""

from dataclasses import dataclass
from enum import StrEnum

from secure_export.sandbox.servicenow.oauth import OAuthClient, Token
from secure_export.sandbox.servicenow.users import User


class Way(StrEnum):
    """How somebody signed in."""

    BASIC = "basic"
    OAUTH = "oauth"
    OIDC = "oidc"
    API_KEY = "api-key"
    CERTIFICATE = "certificate"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who signed in.

    Attributes:
        user: Who.
        way: How.
        token: The access token, if it is one of the instance's own.
        client: Whose token it is.
    """

    user: User
    way: Way
    token: Token | None = None
    client: OAuthClient | None = None


class NotSignedInError(Exception):
    """Nobody signed in: 401. The text says why, for the sandbox's log only; the answer does not tell.

    Attributes:
        wrong_password_of: Whose password was wrong, by ``user_name``; that counts towards a lock-out.
    """

    def __init__(self, reason: str, *, wrong_password_of: str = "") -> None:
        super().__init__(reason)
        self.wrong_password_of = wrong_password_of
