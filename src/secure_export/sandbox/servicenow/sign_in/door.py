"""Says who sent a request: by Basic, a token, an API key, a certificate, or a session of before."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode

from secure_export.sandbox.servicenow.call import Call
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.limits import Session
from secure_export.sandbox.servicenow.oauth import OAuthServer, Order, People
from secure_export.sandbox.servicenow.sign_in import api_key, basic
from secure_export.sandbox.servicenow.sign_in.api_key import ApiKeys
from secure_export.sandbox.servicenow.sign_in.basic import Passwords
from secure_export.sandbox.servicenow.sign_in.oidc import BadTokenError, OidcProviders
from secure_export.sandbox.servicenow.sign_in.scopes import ApiScopes
from secure_export.sandbox.servicenow.sign_in.ways import NotSignedInError, SignedIn, Way
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User
from secure_export.sandbox.tls import fingerprint

_MOST_REASONS: Final = 100
_CERTIFICATES: Final = "sys_user_certificate"


class SignIn:
    """All ways to sign in.

    Args:
        instance: Whose users.

    Attributes:
        passwords: Checks passwords, and locks out.
        oauth: The instance's own OAuth server.
        api_keys: API keys with their profiles and policies.
        oidc: The providers whose tokens are taken.
        scopes: Which scope belongs to which API.
        refusals: Why somebody was not let in, newest last, the last hundred: for the control API only.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.passwords = Passwords(instance)
        self.oauth = OAuthServer(instance.clock, instance.properties, People(self._has_password, self._user_name_with))
        self.api_keys = ApiKeys()
        self.oidc = OidcProviders()
        self._certificates: dict[str, str] = {}
        self._certificates_read_at = -1
        self.scopes = ApiScopes()
        self.refusals: list[str] = []

    def map_certificate(self, certificate: bytes, user_name: str) -> None:
        """Let a client certificate, in PEM, speak for a user: a row of ``sys_user_certificate``.

        Raises:
            ValueError: It is no certificate.
            LookupError: There is no such user.
        """
        fingerprint(certificate)
        row = {"certificate": certificate.decode("ascii"), "user": self._instance.user(user_name).sys_id}
        self._instance.tables.put(_CERTIFICATES, {"sys_id": self._instance.new_sys_id(), **row})

    async def who(self, call: Call, certificate: bytes | None, session: Session | None) -> SignedIn:
        """Say who sent a request.

        A token goes before anything else, and a certificate that is mapped before a password: servicenow.itsm sends
        an empty one with its certificate, and gets in.

        Raises:
            NotSignedInError: Nobody who may.
        """
        header = call.headers.get("authorization", "")
        if header.lower().startswith("bearer "):
            return await self._by_token(header.partition(" ")[2].strip())
        shower = None if certificate is None else self._by_certificate(certificate)
        if shower is not None:
            return SignedIn(shower, Way.CERTIFICATE)
        if header:
            return self._by_password(header)
        if self.api_keys.shown(call):
            return SignedIn(self._user(self.api_keys.user(call), "API key"), Way.API_KEY)
        if certificate is not None:
            raise NotSignedInError("Nobody belongs to the certificate.")
        if session is not None:
            return SignedIn(self._user(session.user, "session"), Way.SESSION)
        raise NotSignedInError("The request shows nothing to sign in with.")

    def refused(self, refusal: NotSignedInError) -> None:
        """Take note that somebody was told 401."""
        self.refusals = [*self.refusals, str(refusal)][-_MOST_REASONS:]
        if refusal.wrong_password_of:
            self.passwords.failed(refusal.wrong_password_of)

    def revoke(self, signed_in: SignedIn | None) -> None:
        """Kill the token that somebody signed in with, if it was one of the instance's own."""
        if signed_in is not None and signed_in.token is not None:
            self.oauth.revoke(signed_in.token.value)

    def check_scope(self, path: str, signed_in: SignedIn) -> None:
        """Refuse a token without a scope for an API.

        Raises:
            SnowError: 403.
        """
        if signed_in.token is not None and signed_in.client is not None:
            self.scopes.check(path, signed_in.token, signed_in.client)

    def without_keys(self, query: str) -> str:
        """Give a query string without the API key that it may hold."""
        if api_key.NAME not in query:
            return query
        return urlencode([one for one in parse_qsl(query, keep_blank_values=True) if one[0] != api_key.NAME])

    def token_order(self, form: Mapping[str, str], authorization: str) -> Order:
        """Make an order to the token endpoint out of a form and a header."""
        shown = basic.parse(authorization)
        name, secret = shown or (form.get("client_id", ""), form.get("client_secret", ""))
        return Order(form, name, secret)

    def _by_password(self, header: str) -> SignedIn:
        shown = basic.parse(header)
        if shown is None:
            raise NotSignedInError("The Authorization header is neither Basic nor Bearer.")
        user = self.passwords.check(*shown)
        if user is None:
            raise NotSignedInError(
                f"User {shown[0]!r}: wrong password, not active, or locked out.", wrong_password_of=shown[0]
            )
        if not basic.gate_opens(self._instance, user):
            raise NotSignedInError(f"SNCRestrictBasicAuthUserAuthenticationGate: {shown[0]!r} may not use Basic.")
        return SignedIn(user, Way.BASIC)

    async def _by_token(self, value: str) -> SignedIn:
        token = self.oauth.find(value)
        if token is not None:
            return SignedIn(self._user(token.user, "token"), Way.OAUTH, token, self.oauth.clients.get(token.client_id))
        if not self.oidc.looks_like_one(value):
            raise NotSignedInError("The token is unknown, over, or revoked.")
        try:
            column, subject = await self.oidc.subject(value, self._instance.clock.now())
        except BadTokenError as problem:
            raise NotSignedInError(str(problem)) from None
        return SignedIn(self._user(self._user_name_with(column, subject), f"{column} {subject!r}"), Way.OIDC)

    def _by_certificate(self, shown: bytes) -> User | None:
        if (version := self._instance.tables.version(_CERTIFICATES)) != self._certificates_read_at:
            self._certificates_read_at = version
            rows = self._instance.tables.rows(_CERTIFICATES)
            self._certificates = {_fingerprint(row): row.get("user", "") for row in rows}
        return self._instance.people.with_id(self._certificates.get(fingerprint(shown), ""))

    def _user(self, user_name: str | None, shown: str) -> User:
        if user_name is None:
            raise NotSignedInError(f"Nobody belongs to the {shown}.")
        try:
            return self._instance.user(user_name)
        except LookupError as problem:
            raise NotSignedInError(str(problem)) from None

    def _has_password(self, user_name: str, password: str) -> bool:
        if self.passwords.check(user_name, password) is not None:
            return True
        self.passwords.failed(user_name)
        return False

    def _user_name_with(self, column: str, value: str) -> str | None:
        """Find the active user whose column holds a value; of several none, as nobody could say which is meant."""
        if not value:
            return None
        found = [row for row in self._instance.tables.rows("sys_user") if row.get(column) == value]
        if len(found) != 1:
            return None
        user = self._instance.people.with_id(found[0]["sys_id"])
        return None if user is None else user.user_name


def _fingerprint(row: Row) -> str:
    """Give the fingerprint of a mapped certificate; of what is none, text that nobody can show."""
    try:
        return fingerprint(row.get("certificate", "").encode())
    except ValueError:
        return f"no certificate: {row['sys_id']}"
