"""Logs in to an AR server, and out again."""

from secure_export.clock import Clock
from secure_export.itsm.bmc_helix.sign_in.login_answers import token_in
from secure_export.itsm.requests import Requests
from secure_export.itsm.sign_in import SignInFailed, Token
from secure_export.secrets import Secret, SecretMissing

LOGIN_PATH = "/api/jwt/login"
LOGOUT_PATH = "/api/jwt/logout"
SCHEME = "AR-JWT"
_PLAIN = {"accept": "text/plain, */*;q=0.5"}


class ArLogin:
    """Gets tokens of an AR server with user and password.

    Args:
        http: Makes requests.
        user: The login name.
        password: Where the password is kept; it is read anew each time.
        auth_string: The authentication string; None: none.
        clock: The time.
    """

    def __init__(
        self, http: Requests, user: str, password: Secret, *, auth_string: str | None = None, clock: Clock
    ) -> None:
        self._http = http
        self._user = user
        self._password = password
        self._auth_string = auth_string
        self._clock = clock

    async def fetch(self) -> Token:
        """Log in, once.

        Raises:
            SignInFailed: The server gave no token of ours.
            NotSent: It could not be asked.
            AnswerLost: Its answer did not arrive.
        """
        try:
            secret = self._password.read()
        except SecretMissing as error:
            raise SignInFailed(str(error), refused=False) from None
        form = {"username": self._user, "password": secret}
        if self._auth_string is not None:
            form["authString"] = self._auth_string
        answer = await self._http.request("POST", LOGIN_PATH, form=form, headers=_PLAIN)
        try:
            return token_in(answer, self._user, now=self._clock())
        except SignInFailed as failure:
            raise SignInFailed(
                failure.reason.replace(secret, "…"), failure.not_before, refused=failure.refused
            ) from None

    async def sign_out(self, token: str) -> None:
        """End a session; the server answers 204, and it does not matter if it does not."""
        await self._http.request("POST", LOGOUT_PATH, headers={"Authorization": f"{SCHEME} {token}"})
