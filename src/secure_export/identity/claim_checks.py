"""What a token whose signature is good must say: the table below, and what it does not allow is refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

from secure_export.identity import mistakes
from secure_export.identity.authority import TokenVersion
from secure_export.identity.caller import Caller, Refusal
from secure_export.identity.mistakes import looks_like_id, malformed_claim
from secure_export.identity.tenant_rules import TenantRules

# ClockSkew of IdentityModel's TokenValidationParameters, which is what Entra ID's issue times are made for.
CLOCK_SKEW_SECONDS = 300
_LATEST_DATE = 2**53
_LONGEST_TOKEN_ID = 128
_CALLER_CLAIM = {TokenVersion.V1: "appid", TokenVersion.V2: "azp"}


@dataclass(frozen=True, slots=True)
class Door:
    """Whom a door of the service lets in.

    Attributes:
        callers: The applications that may come through; None: any application.
        roles: The app roles of which the token must carry at least one; empty: nobody comes through.
        for_operators: Whether it is a door for looking and acting. Through such a door an application may come on
            behalf of a signed-in user (a delegated token), but only from a tenant whose people may operate.
    """

    callers: frozenset[str] | None
    roles: frozenset[str]
    for_operators: bool


@dataclass(frozen=True, slots=True)
class Presented:
    """A token with a good signature, and what it is measured by.

    Attributes:
        claims: What the token says.
        version: The version whose keys checked the signature.
        issuer: The issuer those keys belong to.
        rules: The rules of the tenant those keys belong to.
        door: Where the caller wants in.
        now: Seconds since 1970.
    """

    claims: Mapping[str, Any]
    version: TokenVersion
    issuer: str
    rules: TenantRules
    door: Door
    now: float

    @property
    def application(self) -> Any:
        """The calling application: ``azp`` in version 2.0, ``appid`` in 1.0."""
        return self.claims.get(_CALLER_CLAIM[self.version])

    @property
    def is_delegated(self) -> bool:
        """Whether it speaks for a signed-in user: only such tokens have ``scp``, or an ``idtyp`` other than ``app``."""
        return "scp" in self.claims or self.claims.get("idtyp", "app") != "app"

    @property
    def roles(self) -> tuple[str, ...]:
        """The app roles; none when the claim is absent, which is how Entra ID writes that none is assigned."""
        return tuple(self.claims.get("roles", ()))


def _version(token: Presented) -> Refusal | None:
    ver = token.claims.get("ver")
    return None if ver == token.version.value else mistakes.wrong_version(ver, (token.version,))


def _issuer(token: Presented) -> Refusal | None:
    iss = token.claims.get("iss")
    return None if iss == token.issuer else mistakes.wrong_issuer(iss, token.issuer)


def _tenant(token: Presented) -> Refusal | None:
    tid = token.claims.get("tid")
    return None if tid == token.rules.tenant_id else mistakes.wrong_tenant(tid, (token.rules.tenant_id,))


def _audience(token: Presented) -> Refusal | None:
    aud = token.claims.get("aud")
    accepted = token.rules.audiences.get(token.version, frozenset())
    if isinstance(aud, str) and aud in accepted:
        return None
    return mistakes.wrong_audience(aud, accepted, token.version)


def _expiry(token: Presented) -> Refusal | None:
    exp = token.claims.get("exp")
    if not _is_date(exp):
        return malformed_claim("exp")
    return mistakes.expired(int(token.now - exp)) if token.now >= exp + CLOCK_SKEW_SECONDS else None


def _beginning(token: Presented) -> Refusal | None:
    nbf = token.claims.get("nbf")
    if not _is_date(nbf):
        return malformed_claim("nbf")
    return mistakes.not_yet_valid(int(nbf - token.now)) if token.now < nbf - CLOCK_SKEW_SECONDS else None


def _issued(token: Presented) -> Refusal | None:
    iat = token.claims.get("iat")
    if not _is_date(iat):
        return malformed_claim("iat")
    return mistakes.not_yet_valid(int(iat - token.now)) if token.now < iat - CLOCK_SKEW_SECONDS else None


def _object(token: Presented) -> Refusal | None:
    return None if looks_like_id(token.claims.get("oid")) else mistakes.no_object_id()


def _application(token: Presented) -> Refusal | None:
    return None if looks_like_id(token.application) else malformed_claim(_CALLER_CLAIM[token.version])


def _roles_form(token: Presented) -> Refusal | None:
    roles = token.claims.get("roles", [])
    well_formed = isinstance(roles, list) and all(isinstance(role, str) for role in roles)
    return None if well_formed else malformed_claim("roles")


def _delegation(token: Presented) -> Refusal | None:
    return mistakes.delegated_token() if token.is_delegated and not token.door.for_operators else None


def _deny_list(token: Presented) -> Refusal | None:
    for identity in (token.application, token.claims["oid"]):
        if identity in token.rules.denied:
            return mistakes.denied(identity)
    return None


def _operators(token: Presented) -> Refusal | None:
    if token.door.for_operators and not token.rules.operators:
        return mistakes.tenant_does_not_operate(token.rules.tenant_id)
    return None


def _caller(token: Presented) -> Refusal | None:
    callers = token.door.callers
    if callers is None or token.application in callers:
        return None
    return mistakes.wrong_caller(token.application, callers)


def _role(token: Presented) -> Refusal | None:
    if token.door.roles.isdisjoint(token.roles):
        return mistakes.missing_role(token.roles, token.door.roles, token.application)
    return None


class Check(NamedTuple):
    """One line of the table.

    Attributes:
        claim: The claim it is about.
        rule: What is demanded.
        status: The answer when it is not so.
        refusal: Gives the refusal, or None when it is so. Lines further down rely on those above.
    """

    claim: str
    rule: str
    status: int
    refusal: Callable[[Presented], Refusal | None]


# Before this table: the form of the token (``token_text``), the keys by exactly (tid, ver, kid), and the signature
# (``signature``). A key whose own issuer is not this tenant's is never loaded (``signing_keys``).
# Claims that are not named are not read: Entra ID adds and drops them at will (access token claims reference).
CHECKS: tuple[Check, ...] = (
    Check("ver", "equals the version whose keys checked the signature, which is one that is let in", 401, _version),
    Check("iss", "equals the issuer of that tenant and version, character by character", 401, _issuer),
    Check("tid", "equals the tenant whose keys checked the signature", 401, _tenant),
    Check("aud", "is one text, and equals a configured audience that fits the version", 401, _audience),
    Check("exp", "is a whole number of seconds; the token ends then, with 300 s of leeway", 401, _expiry),
    Check("nbf", "is a whole number of seconds; the token begins then, with 300 s of leeway", 401, _beginning),
    Check("iat", "is a whole number of seconds, and not in the future by more than 300 s", 401, _issued),
    Check("oid", "is the id of a service principal (or user) that exists in the tenant", 401, _object),
    Check("azp / appid", "is the id of the calling application (azp in version 2.0, appid in 1.0)", 401, _application),
    Check("roles", "is absent, or a list of texts", 401, _roles_form),
    Check(
        "scp, idtyp",
        "say that an application calls by itself, unless the door is for operators",
        401,
        _delegation,
    ),
    Check("azp / appid, oid", "are not on the deny-list", 403, _deny_list),
    Check("tid", "is a tenant whose people may operate, where the door is for operators", 403, _operators),
    Check("azp / appid", "is one of the door's callers, where it names some", 403, _caller),
    Check("roles", "has one of the roles of the door", 403, _role),
)


def check_claims(token: Presented) -> Caller:
    """Go through the table.

    Raises:
        Refusal: The first line that is not fulfilled.
    """
    for check in CHECKS:
        refusal = check.refusal(token)
        if refusal is not None:
            raise refusal
    return _as_caller(token)


def _as_caller(token: Presented) -> Caller:
    claims = token.claims
    return Caller(
        tenant_id=claims["tid"],
        application_id=token.application,
        object_id=claims["oid"],
        roles=token.roles,
        token_version=token.version.value,
        token_id=_token_id(claims.get("uti")),
        expires_at=claims["exp"],
    )


def _token_id(uti: Any) -> str:
    fits = isinstance(uti, str) and len(uti) <= _LONGEST_TOKEN_ID and uti.isascii() and uti.isprintable()
    return uti if fits else ""


def _is_date(value: Any) -> TypeGuard[int]:
    """Tell whether a claim is a whole number of seconds since 1970 (a float, a text or a boolean is not)."""
    return type(value) is int and 0 < value < _LATEST_DATE
