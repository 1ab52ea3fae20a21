"""Tries signing in, and says who we are in BMC Helix: a part of ``secure-export check``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from secure_export.clock import Clock
from secure_export.itsm.bmc_helix.api import qualification
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi, Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Ok, Verdict
from secure_export.itsm.bmc_helix.forms import INCIDENT, NUMBER, PEOPLE
from secure_export.itsm.bmc_helix.rows import value
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.bmc_helix.sign_in.ar_token import claims_of, is_token
from secure_export.itsm.clock_check import clock_result
from secure_export.itsm.contract import CheckResult
from secure_export.itsm.sign_in import SignIn, SignInFailed
from secure_export.itsm.verdict import Later, NotSignedIn, Unclear

LOGIN_ID = "Remedy Login ID"
_NOBODYS = "-"
_SHORT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What came of signing in.

    Attributes:
        results: The lines of the check.
        let_in: Whether we were let in, so that the rest can be tried.
    """

    results: Sequence[CheckResult]
    let_in: bool = False


class CheckSignIn:
    """Tries signing in.

    Args:
        settings: The connection's settings.
        sign_in: The way to sign in.
        api: Calls the server.
        clock: The time.
    """

    def __init__(self, settings: BmcHelixSettings, sign_in: SignIn, api: EntryApi, *, clock: Clock) -> None:
        self._settings = settings
        self._sign_in = sign_in
        self._api = api
        self._clock = clock

    async def run(self) -> SignedIn:
        """Sign in, make one call, and read what can be read about ourselves."""
        try:
            headers = await self._sign_in.headers()
        except SignInFailed as error:
            return _failed(error.reason)
        told = await self._api.entries(INCIDENT, Query(qualification.equal(NUMBER, _NOBODYS), (NUMBER,), limit=1))
        if isinstance(told, Later | NotSignedIn | Unclear):
            return _failed(self._why(told))
        results = [
            CheckResult("sign in", passed=True, detail=f"{way(self._settings)}{_life(headers)}"),
            await self._me(),
            *([clock_result(told.server_time, self._clock(), whose="the server")] if isinstance(told, Ok) else []),
        ]
        return SignedIn(results, let_in=True)

    def _why(self, told: Later | NotSignedIn | Unclear) -> str:
        if self._settings.rsso is None:
            return told.reason
        other = "AR-JWT" if self._settings.rsso.presented_as == "Bearer" else "Bearer"
        return f"{told.reason}. Helix SSO gave a token: if the AR server does not take it, try presented_as = '{other}'"

    async def _me(self) -> CheckResult:
        """Read the integration user's own record, which it need not be able to read."""
        subject = "who we are"
        login = self._settings.username or (self._settings.rsso.subject if self._settings.rsso else "")
        fields = (LOGIN_ID, "Full Name", "Company", "Support Staff", "Profile Status")
        told = await self._api.entries(PEOPLE, Query(qualification.equal(LOGIN_ID, login), fields, limit=2))
        if not isinstance(told, Ok) or not isinstance(told.body, Page):
            return CheckResult(subject, passed=True, detail=f"{login}; {PEOPLE} cannot be read ({_reason(told)})")
        if len(told.body.rows) != 1:
            detail = f"{login}; {PEOPLE} shows no record of its own for it, which is no harm"
            return CheckResult(subject, passed=True, detail=detail)
        row = told.body.rows[0]
        parts = (value(row, "Full Name"), value(row, "Company"))
        staff = "is support staff" if value(row, "Support Staff") == "Yes" else "is no support staff"
        return CheckResult(subject, passed=True, detail=f"{login} ({', '.join(p for p in parts if p)}), {staff}")


def way(settings: BmcHelixSettings) -> str:
    """Name the way to sign in."""
    if settings.rsso is not None:
        return f"OAuth token of Helix SSO, shown as {settings.rsso.presented_as}"
    return f"AR-JWT as {settings.username}"


def _life(headers: Mapping[str, str]) -> str:
    """For how long the token is good; servers set it by Rest-Authentication-Token-Timeout."""
    _, _, token = headers.get("Authorization", "").partition(" ")
    lasts = claims_of(token).lasts_seconds(None) if is_token(token) else None
    if lasts is None:
        return ""
    more = ": short; see Rest-Authentication-Token-Timeout" if lasts < _SHORT.total_seconds() else ""
    return f"; a token lasts {round(lasts)} s{more}"


def _reason(told: Verdict) -> str:
    return "no list of records" if isinstance(told, Ok) else told.reason


def _failed(reason: str) -> SignedIn:
    return SignedIn([CheckResult("sign in", passed=False, detail=reason)])
