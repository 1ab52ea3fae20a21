"""What an application may look like: its properties, identifier URIs and app roles (entra-facts 0.6 and 5)."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from secure_export.sandbox.entra.directory import is_guid
from secure_export.sandbox.entra.graph.errors import (
    bad_request,
    bad_value,
    not_unique,
    policy,
    still_enabled,
    unverified_domain,
)
from secure_export.sandbox.entra.graph.tenant import APPLICATION, Row, Tenant

KIND: Final = "Application"
LONGEST_ROLE: Final = 120
_AUDIENCES: Final = frozenset(
    {"AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"}
)
_MEMBERS: Final = frozenset({"User", "Application"})
_ROLE: Final = frozenset({"id", "allowedMemberTypes", "description", "displayName", "isEnabled", "value", "origin"})
_TOKENS: Final = frozenset({"accessToken", "idToken", "saml2Token"})
_CLAIM: Final = frozenset({"name", "source", "essential", "additionalProperties"})
_VALUE: Final = re.compile(r"[\w!#$%&'()*+,\-./:;<=>?@\[\]^`{|}~]+")
_READ_ONLY: Final = frozenset({"id", "appId", "createdDateTime", "deletedDateTime", "publisherDomain"})
_TYPES: Final[Mapping[str, type]] = {
    "displayName": str,
    "description": str,
    "notes": str,
    "uniqueName": str,
    "signInAudience": str,
    "identifierUris": list,
    "appRoles": list,
    "tags": list,
    "api": dict,
    "web": dict,
    "spa": dict,
    "publicClient": dict,
    "optionalClaims": dict,
    "info": dict,
    "requiredResourceAccess": list,
    "groupMembershipClaims": str,
    "serviceManagementReference": str,
    "isFallbackPublicClient": bool,
    "keyCredentials": list,
    "passwordCredentials": list,
}
NAMES: Final = frozenset({*_TYPES, *_READ_ONLY})
WRITTEN: Final = frozenset(_TYPES)


def blank(tenant: Tenant) -> Row:
    """Give what every new application has."""
    return {
        "id": tenant.guid(),
        "deletedDateTime": None,
        "appId": tenant.guid(),
        "uniqueName": None,
        "createdDateTime": tenant.stamp(),
        "displayName": None,
        "description": None,
        "notes": None,
        "groupMembershipClaims": None,
        "identifierUris": [],
        "isFallbackPublicClient": None,
        "publisherDomain": next(iter(tenant.verified_domains), None),
        "serviceManagementReference": None,
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "optionalClaims": None,
        "api": {
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": None,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "appRoles": [],
        "info": {"termsOfServiceUrl": None, "supportUrl": None, "privacyStatementUrl": None, "marketingUrl": None},
        "keyCredentials": [],
        "passwordCredentials": [],
        "publicClient": {"redirectUris": []},
        "requiredResourceAccess": [],
        "spa": {"redirectUris": []},
        "web": {"redirectUris": [], "homePageUrl": None, "logoutUrl": None},
    }


def changed(tenant: Tenant, row: Row, changes: Row) -> Row:
    """Give an application with changes: lists are replaced, ``api`` and its like are merged.

    Raises:
        RestError: The changes cannot be made.
    """
    for name, value in changes.items():
        _check_type(name, value)
    after = {**row, **{name: _merged(row.get(name), value) for name, value in changes.items()}}
    _check_name(row, after)
    _check_audience(after)
    _check_roles(row["appRoles"], after)
    _check_claims(after)
    for uri in after["identifierUris"]:
        if uri not in row["identifierUris"]:
            _check_uri(tenant, after, uri)
    if len({uri.lower() for uri in after["identifierUris"]}) < len(after["identifierUris"]):
        raise bad_value("identifierUris", KIND)
    return after


def _merged(old: Any, new: Any) -> Any:
    return {**old, **new} if isinstance(old, dict) and isinstance(new, dict) else new


def _check_type(name: str, value: Any) -> None:
    if name in _READ_ONLY:
        raise bad_request(f"Property '{name}' is read-only and cannot be set.")
    if name not in _TYPES:
        raise bad_request(f"Invalid property '{name}'.")
    if value is not None and not isinstance(value, _TYPES[name]):
        raise bad_request(
            f"A value without a type name was found and no expected type is available for property '{name}'."
        )


def _check_name(row: Row, after: Row) -> None:
    if not after["displayName"]:
        raise bad_request("A value is required for property 'displayName' of resource 'Application'.")
    if row["uniqueName"] is not None and after["uniqueName"] != row["uniqueName"]:
        raise bad_request("Property 'uniqueName' is read-only and cannot be changed.")


def _check_audience(after: Row) -> None:
    version = after["api"].get("requestedAccessTokenVersion")
    if after["signInAudience"] not in _AUDIENCES:
        raise bad_value("signInAudience", KIND)
    if version not in {None, 1, 2} or isinstance(version, bool):
        raise bad_value("api.requestedAccessTokenVersion", KIND)
    if "Personal" in after["signInAudience"] and version != 2:  # noqa: PLR2004 - version 2
        raise bad_request(f"Property api.requestedAccessTokenVersion is invalid for {after['signInAudience']}.")


def _check_claims(after: Row) -> None:
    claims = after["optionalClaims"] or {}
    if set(claims) - _TOKENS:
        raise bad_value("optionalClaims", KIND)
    for one in (claim for kind in claims.values() for claim in kind or ()):
        if not isinstance(one, dict) or set(one) - _CLAIM or not one.get("name"):
            raise bad_value("optionalClaims", KIND)


def _check_roles(before: list[Row], after: Row) -> None:
    after["appRoles"] = roles = [_role(one) for one in after["appRoles"]]
    for name in ("id", "value"):
        if len({one[name].lower() for one in roles if one[name]}) < sum(bool(one[name]) for one in roles):
            raise bad_request(f"Property '{name}' of appRoles has the same value twice: it must be unique.")
    now = {one["id"]: one for one in roles}
    for one in before:
        if one["isEnabled"] and _is_gone_or_other(one, now.get(one["id"])):
            raise still_enabled()


def _is_gone_or_other(before: Row, after: Row | None) -> bool:
    if after is None:
        return True
    return any(before[name] != after[name] for name in ("value", "allowedMemberTypes"))


def _role(role: Any) -> Row:
    if not isinstance(role, dict) or set(role) - _ROLE:
        raise bad_value("appRoles", KIND)
    members, value = role.get("allowedMemberTypes"), role.get("value")
    sound = (
        is_guid(str(role.get("id")))
        and isinstance(members, list)
        and members
        and set(members) <= _MEMBERS
        and role.get("displayName")
        and role.get("description")
    )
    if not sound or (value and (len(value) > LONGEST_ROLE or not _VALUE.fullmatch(value))):
        raise bad_value("appRoles", KIND)
    return {"isEnabled": True, "origin": "Application", "value": None, **role, "id": role["id"].lower()}


def _check_uri(tenant: Tenant, after: Row, uri: Any) -> None:
    parts = urlsplit(uri) if isinstance(uri, str) else None
    if parts is None or parts.scheme not in {"api", "https"} or not parts.netloc or uri.endswith("/"):
        raise bad_value("identifierUris", KIND)
    if _is_taken(tenant, after, uri):
        raise not_unique("identifierUris")
    on_domain = _is_verified(tenant, parts.netloc)
    if parts.scheme == "https" and not on_domain:
        raise unverified_domain(uri)
    allowed = on_domain or {tenant.id.lower(), after["appId"].lower()} & set(uri.lower().split("/"))
    if tenant.uri_policy and after["api"].get("requestedAccessTokenVersion") != 2 and not allowed:  # noqa: PLR2004
        raise policy(uri)


def _is_verified(tenant: Tenant, host: str) -> bool:
    return any(host.lower() == one or host.lower().endswith(f".{one}") for one in tenant.verified_domains)


def _is_taken(tenant: Tenant, after: Row, uri: str) -> bool:
    others = [*tenant.applications.all(), *tenant.still_deleted(APPLICATION)]
    return any(
        uri.lower() in {name.lower() for name in one["identifierUris"]} for one in others if one["id"] != after["id"]
    )
