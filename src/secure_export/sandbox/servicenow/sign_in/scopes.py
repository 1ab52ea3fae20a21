"""What the scope of a token allows (servicenow-facts sections 5 and 8.1, from Zurich on)."""

from collections.abc import Mapping
from typing import Final

from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.oauth import USERACCOUNT, OAuthClient, Token

NOT_AUTHORIZED: Final = "User Not Authorized"


class ApiScopes:
    """Which scope belongs to which API.

    Attributes:
        scopes: The scope that an API asks for, by the beginning of its path.
    """

    def __init__(self, scopes: Mapping[str, str] | None = None) -> None:
        self.scopes = dict(scopes or {})

    def check(self, path: str, token: Token, client: OAuthClient) -> None:
        """Refuse a token of a securely scoped client that has no scope for the API.

        Raises:
            SnowError: 403.
        """
        held = set(token.scope.split())
        if not client.securely_scoped or USERACCOUNT in held:
            return
        wanted = next((scope for start, scope in self.scopes.items() if path.startswith(start)), None)
        if wanted is None:
            raise SnowError(403, NOT_AUTHORIZED, "Access to unscoped api is not allowed")
        if wanted not in held:
            raise SnowError(403, NOT_AUTHORIZED, "Missing required api access scope")
