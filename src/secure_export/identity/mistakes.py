"""Set-up mistakes, named in words an administrator can act on. For the log only.

Values out of a token are shown when they have the form of an id, and never otherwise: until the signature is checked
they are whatever a stranger wrote.
"""

import re
from collections.abc import Iterable
from typing import Any

from secure_export.identity.authority import TokenVersion
from secure_export.identity.caller import Refusal
from secure_export.identity.refusals import Why, not_allowed, not_authenticated
from secure_export.identity.settings import AZNS_APPLICATION_ID, is_guid

_SHOWABLE = re.compile(r"[A-Za-z0-9:/._~-]{1,150}")
_NOT_SHOWN = "(something that does not look like an id)"
_MOST_SHOWN = 5
_GRAPH_AUDIENCES = ("00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com")


def shown(value: Any) -> str:
    """Give an id for the log, or words in its place."""
    return value if isinstance(value, str) and _SHOWABLE.fullmatch(value) else _NOT_SHOWN


def shown_all(values: Iterable[Any]) -> str:
    """Give some ids for the log, in a stable order and not too many of them."""
    texts = sorted({shown(value) for value in values})
    more = f" and {len(texts) - _MOST_SHOWN} more" if len(texts) > _MOST_SHOWN else ""
    return ", ".join(texts[:_MOST_SHOWN]) + more


def graph_token() -> Refusal:
    """Name a token made for Microsoft Graph: its header has a nonce, and nobody else can check its signature."""
    return not_authenticated(
        Why.GRAPH_TOKEN,
        "The token is for a Microsoft API such as Graph, not for this service. Ask for a token with this service's own "
        "application id URI as resource or scope (api://<client id>/.default).",
    )


def wrong_tenant(tid: Any, configured: Iterable[str]) -> Refusal:
    """Name a tenant that is not configured. There are no keys to check such a token with, so it proves nothing."""
    return not_authenticated(
        Why.WRONG_TENANT,
        f"The token says it is of tenant {shown(tid)}; configured: {shown_all(configured)}. If that tenant belongs "
        "here, add it under [[identity.tenants]]; otherwise somebody else's action group points here.",
    )


def wrong_version(version: Any, accepted: Iterable[TokenVersion]) -> Refusal:
    """Name a token version that is not let in."""
    return not_authenticated(
        Why.WRONG_VERSION,
        f"The token says it is of version {shown(version)}; [identity] versions lets in "
        f"{shown_all(one.value for one in accepted)}. Add it there, or set requestedAccessTokenVersion of this "
        "service's app registration (Manifest) to a version that is let in.",
    )


def wrong_issuer(issuer: Any, expected: str) -> Refusal:
    """Name an issuer that is not the tenant's."""
    return not_authenticated(
        Why.WRONG_ISSUER,
        f"The token names {shown(issuer)} as its issuer, but {expected} was expected. Check authority and tenant_id "
        "in [identity]: each cloud has its own.",
    )


def wrong_audience(aud: Any, accepted: frozenset[str], version: TokenVersion) -> Refusal:
    """Name an audience that is not configured, and what comes close to it."""
    if isinstance(aud, str) and aud.rstrip("/") in _GRAPH_AUDIENCES:
        return graph_token()
    return not_authenticated(
        Why.WRONG_AUDIENCE,
        f"The token (version {version.value}) is for {shown(aud)}; [identity] audience lets in {shown_all(accepted)} "
        f"for this version. {_audience_advice(aud, accepted)}",
    )


def _audience_advice(aud: Any, accepted: frozenset[str]) -> str:
    if isinstance(aud, list):
        return "A list is never let in: Entra ID writes a single text."
    if isinstance(aud, str) and _bare(aud) in map(_bare, accepted):
        return "They belong to the same application: add the value of the token to audience, exactly as it is."
    return (
        "If that is this service's app registration, add it to audience; otherwise correct the application (object id) "
        "in the action group's secure webhook."
    )


def _bare(audience: str) -> str:
    return audience.lower().removeprefix("api://").rstrip("/")


def no_object_id() -> Refusal:
    """Name a token without a service principal behind it; such tokens carry no consent of the tenant."""
    return not_authenticated(
        Why.NO_OBJECT_ID,
        "The token names no service principal (oid). The calling application has none in this tenant: create it "
        f"(for Azure Monitor: New-MgServicePrincipal -AppId {AZNS_APPLICATION_ID}), then assign the role.",
    )


def delegated_token() -> Refusal:
    """Name a token of a signed-in user where only applications may call."""
    return not_authenticated(
        Why.DELEGATED_TOKEN,
        "The token is one of a signed-in user (scp, or idtyp other than app); alerts are sent by applications. Use "
        "the client credentials flow, or send a test from the action group itself.",
    )


def denied(identity: str) -> Refusal:
    """Name a caller on the deny-list."""
    return not_allowed(Why.DENIED, f"{identity} is listed under [identity] denied. Remove it there to let it in.")


def tenant_does_not_operate(tenant_id: str) -> Refusal:
    """Name a tenant that sends alerts but does not run the service."""
    return not_allowed(
        Why.TENANT_DOES_NOT_OPERATE,
        f"Tenant {tenant_id} may send alerts, but not look or act. Write operators = true under its "
        "[[identity.tenants]] if its people run this service.",
    )


def wrong_caller(application: str, callers: Iterable[str]) -> Refusal:
    """Name an application that may not send alerts."""
    return not_allowed(
        Why.WRONG_CALLER,
        f"Application {application} is not listed under [identity] callers ({shown_all(callers)}). Add it there if it "
        f"may send alerts. Azure Monitor's own is {AZNS_APPLICATION_ID} in the global cloud.",
    )


def missing_role(roles: tuple[str, ...], wanted: frozenset[str], application: str) -> Refusal:
    """Name a role that the token lacks, and whether it has any."""
    has = f"only {shown_all(roles)}" if roles else "no app role at all"
    return not_allowed(
        Why.MISSING_ROLE,
        f"The token of application {application} carries {has}; needed: {shown_all(wanted)}. Add that role to this "
        "service's app registration (App roles, allowed for applications) and assign it to the service principal of "
        "the caller. A new assignment shows in tokens once the caller's present one has ended, within 90 minutes.",
    )


def expired(ago_seconds: int) -> Refusal:
    """Name a token that has ended; from Azure Monitor itself that is a clock that is wrong."""
    return not_authenticated(
        Why.EXPIRED,
        f"The token ended {ago_seconds} s before this machine's time. If Azure Monitor sent it just now, this "
        "machine's clock is fast: check its time synchronisation.",
    )


def not_yet_valid(ahead_seconds: int) -> Refusal:
    """Name a token that is not valid yet: a clock that is wrong."""
    return not_authenticated(
        Why.NOT_YET_VALID,
        f"The token begins {ahead_seconds} s after this machine's time. This machine's clock is slow: check its time "
        "synchronisation.",
    )


def malformed_claim(claim: str) -> Refusal:
    """Name a claim that is absent or has not the form that Entra ID gives it."""
    return not_authenticated(
        Why.MALFORMED_CLAIM,
        f"The token's claim {claim} is absent or not of the form that Entra ID writes. No set-up of this service "
        "changes that; find out who made the token.",
    )


def looks_like_id(value: Any) -> bool:
    """Tell whether a claim is the GUID of something that exists."""
    return isinstance(value, str) and is_guid(value)
