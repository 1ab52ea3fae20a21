"""Tries signing in, and says who we are in ServiceNow: a part of ``secure-export check``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from secure_export.clock import Clock
from secure_export.itsm.answer import Answer, NotJson
from secure_export.itsm.clock_check import clock_result
from secure_export.itsm.contract import CheckResult
from secure_export.itsm.http_errors import AnswerLost, NotSent
from secure_export.itsm.requests import Requests
from secure_export.itsm.servicenow.api.refusals import Cause
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.api.table_api import Query, TableApi
from secure_export.itsm.servicenow.api.verdict import Ok, Refused, judge
from secure_export.itsm.servicenow.cmdb.tables import can_be_asked
from secure_export.itsm.servicenow.settings import Grant, ServiceNowSettings
from secure_export.itsm.sign_in import SignIn, SignInFailed
from secure_export.itsm.verdict import Later, Method

_UNAUTHORIZED = 401
_RESTRICTION = "glide.authenticate.basic_auth.restriction"
_RESTRICTION_ROLE = "snc_basic_auth_api_access"
_WSAO = "Web service access only"
_USER_FIELDS = ("sys_id", "user_name", "active", "web_service_access_only", "time_zone")
_MOST_NAMED = 25
_WHO_AM_I = "sys_id=javascript:gs.getUserID()"

_BASIC = (
    "user name or password are wrong; or the user is inactive or locked out (sys_user: Active, Locked out); or the "
    f"basic authentication restriction turns it away (system properties {_RESTRICTION}.*; log source "
    f"SNCRestrictBasicAuthUserAuthenticationGate): tick {_WSAO} on the user, or give it the role {_RESTRICTION_ROLE}"
)
_API_KEY = (
    "the REST API Key is wrong or inactive; or its user is; or there is no Inbound Authentication Profile of the type "
    "API Key (x-sn-apikey) with a REST API Access Policy for the Table API (System Web Services > API Access Policies)"
)
_OAUTH = (
    "the instance gave a token and does not take it: is the token's user active, and has the client the auth scope "
    "useraccount (System OAuth > Application Registry)?"
)
_OIDC = (
    "the token of oauth.token_url is not taken: its issuer has to be registered as OIDC provider (System OAuth > "
    "Application Registry) with the token's audience as client id, and the user claim (azp, or appid of version 1 "
    "tokens) has to stand in sys_user.source of an active user"
)
_CERTIFICATE = (
    "no user belongs to the client certificate: enter it in sys_user_certificate and import its authority; the plugin "
    "com.glide.auth.mutual has to be active, and the instance on ADCv2"
)


@dataclass(frozen=True, slots=True)
class Me:
    """Who we are in ServiceNow.

    Attributes:
        name: The user name; empty when it cannot be read.
        row: The row of ``sys_user``; None when it cannot be read.
        roles: The roles; None when they cannot be read.
    """

    name: str = ""
    row: Row | None = None
    roles: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What came of signing in.

    Attributes:
        results: The lines of the check.
        me: Who we are; None when we were not let in, so that nothing else can be tried.
    """

    results: Sequence[CheckResult]
    me: Me | None = field(default=None)


class CheckSignIn:
    """Tries signing in.

    Args:
        settings: The connection's settings.
        http: Makes requests.
        sign_in: The way to sign in.
        api: Calls the instance.
        clock: The time.
    """

    def __init__(
        self, settings: ServiceNowSettings, http: Requests, sign_in: SignIn, api: TableApi, *, clock: Clock
    ) -> None:
        self._settings = settings
        self._http = http
        self._sign_in = sign_in
        self._api = api
        self._clock = clock

    async def run(self) -> SignedIn:
        """Sign in, and read what can be read about ourselves."""
        try:
            headers = await self._sign_in.headers()
            answer = await self._http.request(
                "GET",
                "/api/now/table/incident",
                query={"sysparm_limit": "1", "sysparm_fields": "sys_id"},
                headers=headers,
            )
        except SignInFailed as error:
            return _failed(error.reason)
        except (NotSent, AnswerLost) as error:
            return _failed(f"the instance could not be asked: {error.reason}")
        if answer.status == _UNAUTHORIZED:
            self._sign_in.rejected(headers)
            return _failed(f"401 User Not Authenticated: {refusal_causes(self._settings)}")
        if not _is_servicenow(answer):
            return _failed(f"the answer ({answer.status}) is not ServiceNow's: is url the address of the instance?")
        told = judge(answer, Method.GET, now=self._clock())
        if isinstance(told, Later) or (isinstance(told, Refused) and told.cause is Cause.ADDRESS):
            return _failed(told.reason)
        me = await self._me()
        results = [
            CheckResult("sign in", passed=True, detail=f"{way(self._settings)}{f' as {me.name}' if me.name else ''}"),
            user_result(me),
            *((await self._restriction(me),) if self._shows_password else ()),
            clock_result(answer.server_time, self._clock(), whose="the instance"),
            rate_result(answer),
        ]
        return SignedIn(results, me)

    @property
    def _shows_password(self) -> bool:
        """Whether the password is sent with every request."""
        return self._settings.password is not None and self._settings.oauth is None

    async def _me(self) -> Me:
        row = await self._user()
        if row is None:
            return Me(self._known_user_name)
        return Me(value(row, "user_name"), row, await self._roles(value(row, "sys_id")))

    @property
    def _known_user_name(self) -> str:
        oauth = self._settings.oauth
        by_user = oauth is None or oauth.grant is Grant.PASSWORD
        return (self._settings.username or "") if by_user else ""

    async def _user(self) -> Row | None:
        known = self._known_user_name
        query = f"user_name={known}" if can_be_asked(known) else _WHO_AM_I
        told = await self._api.rows("sys_user", Query(query, _USER_FIELDS, limit=2))
        if not isinstance(told, Ok) or len(told.result) != 1 or (told.total or 1) != 1:
            return None
        row: Row = told.result[0]
        return row if not known or value(row, "user_name").lower() == known.lower() else None

    async def _roles(self, user: str) -> frozenset[str] | None:
        told = await self._api.rows("sys_user_has_role", Query(f"user={user}", ("user", "role.name"), limit=1000))
        if not isinstance(told, Ok) or (told.total or 0) > len(told.result):
            return None
        return frozenset(value(row, "role.name") for row in told.result if value(row, "user") == user) - {""}

    async def _restriction(self, me: Me) -> CheckResult:
        names = [f"{_RESTRICTION}.{part}" for part in ("active", "enforcement_date", "allowed_roles", "allow_wsao")]
        told = await self._api.rows("sys_properties", Query(f"nameIN{','.join(names)}", ("name", "value"), limit=20))
        rows = told.result if isinstance(told, Ok) else ()
        properties = {value(row, "name"): value(row, "value") for row in rows if value(row, "name") in names}
        return restriction_result(properties, me)


def way(settings: ServiceNowSettings) -> str:
    """Name the way to sign in."""
    if settings.oauth is not None:
        return f"OAuth ({settings.oauth.grant.value})"
    if settings.api_key is not None:
        return "REST API key"
    return "basic authentication" if settings.password is not None else "mutual TLS"


def refusal_causes(settings: ServiceNowSettings) -> str:
    """Say what may be the cause of a 401, by ServiceNow's names."""
    if settings.oauth is not None:
        return _OIDC if settings.oauth.token_url else _OAUTH
    if settings.api_key is not None:
        return _API_KEY
    return _BASIC if settings.password is not None else _CERTIFICATE


def user_result(me: Me) -> CheckResult:
    """Say what is known of the integration user."""
    if me.row is None:
        detail = "not known: the user may not read its own row of sys_user, which is no harm"
        return CheckResult("user and roles", passed=True, detail=detail)
    wsao = "is" if value(me.row, "web_service_access_only") == "true" else "is not"
    detail = f"{me.name} {wsao} limited to {_WSAO}; {_roles_told(me.roles)}"
    if me.roles is not None and not me.roles:
        detail = f"{me.name} has no roles: give it sn_incident_write, cmdb_read and personalize_choices, or itil"
        return CheckResult("user and roles", passed=False, detail=detail)
    if me.roles is not None and "admin" in me.roles:
        detail += "; admin is far more than it needs"
    return CheckResult("user and roles", passed=True, detail=detail)


def restriction_result(properties: Mapping[str, str], me: Me) -> CheckResult:
    """Say whether the basic authentication restriction does, or will, turn the user away.

    Args:
        properties: What could be read of the restriction's system properties.
        me: Who we are.
    """
    subject = "basic authentication restriction"
    if not properties:
        detail = f"it lets us in now; whether it will can be seen by an admin only (sys_properties, {_RESTRICTION}.*)"
        return CheckResult(subject, passed=True, detail=detail)
    if properties.get(f"{_RESTRICTION}.active") != "true":
        return CheckResult(subject, passed=True, detail=f"not active ({_RESTRICTION}.active)")
    allowed = {role.strip() for role in properties.get(f"{_RESTRICTION}.allowed_roles", _RESTRICTION_ROLE).split(",")}
    is_wsao = me.row is not None and value(me.row, "web_service_access_only") == "true"
    if is_wsao and properties.get(f"{_RESTRICTION}.allow_wsao", "true") != "false":
        return CheckResult(subject, passed=True, detail=f"active; the user is exempt, because it is {_WSAO}")
    if me.roles is not None and allowed & me.roles:
        return CheckResult(subject, passed=True, detail=f"active; the user is exempt by role {min(allowed & me.roles)}")
    date = properties.get(f"{_RESTRICTION}.enforcement_date", "").strip()
    when = f"from {date} on" if date else "as soon as it is enforced"
    detail = f"active: {when} the user is turned away. Tick {_WSAO} on it, or give it the role {_RESTRICTION_ROLE}"
    return CheckResult(subject, passed=False, detail=detail)


def rate_result(answer: Answer) -> CheckResult:
    """Say which rate limit counted the call."""
    limit = answer.headers.get("x-ratelimit-limit", "")
    if not limit:
        detail = "no rule of sys_rate_limit_rules counts our calls"
    else:
        rule = answer.headers.get("x-ratelimit-rule", "not told")
        detail = f"{limit[:20]} calls an hour (sys_rate_limit_rules, sys_id {rule[:40]})"
    return CheckResult("rate limit", passed=True, detail=detail)


def _roles_told(roles: frozenset[str] | None) -> str:
    if roles is None:
        return "its roles cannot be read (sys_user_has_role)"
    named = sorted(roles)
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return f"roles {', '.join(named[:_MOST_NAMED])}{more}"


def _is_servicenow(answer: Answer) -> bool:
    """Whether an answer has one of the two forms of the REST API."""
    try:
        body = answer.json()
    except NotJson:
        return False
    return isinstance(body, dict) and bool({"result", "error"} & body.keys())


def _failed(reason: str) -> SignedIn:
    return SignedIn([CheckResult("sign in", passed=False, detail=reason)])
