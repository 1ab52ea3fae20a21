"""Who is signed in."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from secure_export.sandbox.bmc_helix.tokens import Tokens
from secure_export.sandbox.control import Doors
from secure_export.sandbox.control.orders import plain, read


@dataclass(frozen=True)
class _RevokeOrder:
    login: str | None = None


def token_doors(tokens: Tokens) -> Doors:
    """Give the doors that tell who is signed in, and that end sessions."""

    def told(*_: object) -> dict[str, Any]:
        """Tell also why others were not let in; the real thing tells nobody."""
        return {"given": tokens.given, "sessions": plain(tokens.sessions()), "refusals": tokens.refusals}

    def revoke(_: Request, body: bytes) -> dict[str, int]:
        """End all sessions, or those of one user."""
        return {"revoked": tokens.revoke(read(body, _RevokeOrder).login)}

    return {"/tokens": {"GET": told}, "/tokens/revoke": {"POST": revoke}}
