"""Tokens as the AR System gives them: signed with HS256, with the documented claims (bmc-facts section 3)."""

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from secure_export.sandbox.bmc_helix.errors import not_signed_in
from secure_export.sandbox.bmc_helix.people import GUEST, Account

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer

ISSUER: Final = "sandbox-arserver"
SCHEME: Final = "AR-JWT "
_SKEW_SECONDS: Final = 120
_ALGORITHM: Final = "HS256"
_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """What a token stands for.

    Attributes:
        login: Whose it is.
        cache_id: Its number.
        issued_at: Since when, in seconds since 1970.
        expires_at: Until when.
        guest: Whether they did not really sign in.
    """

    login: str
    cache_id: int
    issued_at: int
    expires_at: int
    guest: bool = False


class Tokens:
    """Gives out tokens and knows them again.

    Args:
        server: Whose accounts, clock and secret.

    Attributes:
        given: How many were given out.
        refusals: Why somebody was not let in, the last first; the real thing tells nobody.
    """

    def __init__(self, server: "ArServer") -> None:
        self._server = server
        self._key = OctKey.import_key(server.secret)
        self._ids = itertools.count(13)
        self._sessions: dict[str, Session] = {}
        self.given = 0
        self.refusals: list[str] = []

    def login(self, username: str, password: str) -> tuple[str, bool]:
        """Sign somebody in.

        Returns:
            The token, and whether it is a guest's.

        Raises:
            ArError: The password is wrong, or there is no such user, and guests are not allowed.
        """
        account = self._server.accounts.get(username)
        blank = not password and self._server.site.blank_password_allowed
        known = account is not None and (blank or (bool(account.password) and account.password == password))
        if not known and not self._server.site.guests_allowed:
            self._refuse(f"{username!r}: no such user, or another password")
            raise not_signed_in(username)
        return self._give(username, guest=not known), not known

    def guest(self, username: str) -> str:
        """Give a guest's token, whatever the password was."""
        return self._give(username, guest=True)

    def who(self, authorization: str) -> Account:
        """Tell whose token an ``Authorization`` header shows.

        Raises:
            ArError: It shows none, or none that is still good.
        """
        if not authorization.startswith(SCHEME):
            self._refuse(f"the scheme of the Authorization header is not {SCHEME.strip()}")
            raise not_signed_in()
        session = self._session(authorization.removeprefix(SCHEME).strip())
        if session.guest:
            return GUEST
        account = self._server.accounts.get(session.login)
        if account is None:
            self._refuse(f"{session.login!r} is gone")
            raise not_signed_in()
        return account

    def logout(self, authorization: str) -> None:
        """End the session of a token."""
        self._sessions.pop(authorization.removeprefix(SCHEME).strip(), None)

    def revoke(self, login: str | None = None) -> int:
        """End all sessions, or those of one user.

        Returns:
            How many.
        """
        gone = [token for token, one in self._sessions.items() if login in (None, one.login)]
        for token in gone:
            del self._sessions[token]
        return len(gone)

    def sessions(self) -> list[Session]:
        """Give the sessions that have not been ended, the oldest first."""
        return list(self._sessions.values())

    def _session(self, token: str) -> Session:
        session = self._sessions.get(token)
        if session is None:
            self._refuse("it is no token, or its session was ended" if self._reads(token) else "its signature is wrong")
            raise not_signed_in()
        now = self._server.now
        if not session.issued_at - _SKEW_SECONDS <= now < session.expires_at:
            self._refuse(f"the token of {session.login!r} has expired, or is not good yet")
            raise not_signed_in()
        return session

    def _reads(self, token: str) -> bool:
        try:
            jwt.decode(token, self._key, algorithms=[_ALGORITHM])
        except (JoseError, ValueError):
            return False
        return True

    def _give(self, username: str, *, guest: bool) -> str:
        now = self._server.now
        session = Session(username, next(self._ids), now, now + self._server.site.token_seconds, guest)
        claims: dict[str, Any] = {
            "sub": username,
            "iss": ISSUER,
            "iat": now,
            "nbf": now - _SKEW_SECONDS,
            "exp": session.expires_at,
            "_cacheId": session.cache_id,
        }
        token = jwt.encode({"alg": _ALGORITHM}, claims, self._key)
        while len(self._sessions) >= _KEPT:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[token] = session
        self.given += 1
        return token

    def _refuse(self, reason: str) -> None:
        self.refusals = [reason, *self.refusals[:99]]
