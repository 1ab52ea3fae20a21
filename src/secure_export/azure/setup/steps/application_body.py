"""What an app registration says and should say; pure. Lists are replaced whole, so all that is there stays in them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from secure_export.azure.setup.change import Difference

_IDTYP = {"name": "idtyp", "essential": False, "additionalProperties": []}
_VERSION = 2  # the token version that Microsoft advises for secure webhooks
Json = dict[str, Any]


def role_id_of(value: str) -> str:
    """Give the fixed id of our app role: the same in every tenant and after every crash."""
    return str(uuid5(NAMESPACE_URL, f"urn:secure-export:app-role:{value}"))


def role_of(there: Mapping[str, Any], value: str) -> Json | None:
    """Find the app role by its value; its id may be another than ours, where somebody else made it."""
    return next((role for role in there.get("appRoles") or () if role.get("value") == value), None)


def differences_of(there: Mapping[str, Any], role_value: str) -> tuple[Difference, ...]:
    """Say what of an app registration that is there has to change."""
    found: list[Difference] = []
    version = _version(there)
    if version != _VERSION:
        found.append(Difference("api.requestedAccessTokenVersion", str(version or 1), str(_VERSION)))
    role = role_of(there, role_value)
    if role is None:
        found.append(Difference("appRoles", "", f"{role_value} ({role_id_of(role_value)})"))
    elif not _is_usable(role):
        found.append(Difference(f"appRoles {role_value}", "not for applications, or disabled", "enabled, Application"))
    if not _has_idtyp(there):
        found.append(Difference("optionalClaims.accessToken", "", "idtyp"))
    return tuple(found)


def all_new(role_value: str) -> tuple[Difference, ...]:
    """Say what a new app registration has."""
    return (Difference("signInAudience", "", "AzureADMyOrg"), *differences_of({}, role_value))


def wanted_body(there: Mapping[str, Any], role_value: str) -> Json:
    """Give what is written."""
    claims = _access_claims(there)
    return {
        "api": {"requestedAccessTokenVersion": _VERSION},
        "appRoles": _roles(there.get("appRoles") or (), role_value),
        "optionalClaims": _claims_with(there, claims if _has_idtyp(there) else [*claims, _IDTYP]),
    }


def before_of(there: Mapping[str, Any], role_value: str) -> Json:
    """Give what undoing our changes needs to know."""
    return {
        "role": role_value,
        "token_version": _version(there),
        "had_role": role_of(there, role_value),
        "had_idtyp": _has_idtyp(there),
    }


def bodies_back(there: Mapping[str, Any], before: Mapping[str, Any]) -> list[Json]:
    """Give what undoes our changes, one write after the other: a role is disabled before it is deleted."""
    bodies = _roles_back(there, before)
    if not before.get("had_idtyp") and _has_idtyp(there):
        claims = [claim for claim in _access_claims(there) if claim.get("name") != "idtyp"]
        bodies.append({"optionalClaims": _claims_with(there, claims)})
    if _version(there) == _VERSION != before.get("token_version"):
        bodies.append({"api": {"requestedAccessTokenVersion": before.get("token_version")}})
    return bodies


def _roles_back(there: Mapping[str, Any], before: Mapping[str, Any]) -> list[Json]:
    value, had = before.get("role"), before.get("had_role")
    roles = [dict(role) for role in there.get("appRoles") or ()]
    others = [role for role in roles if role["value"] != value]
    if len(others) == len(roles):
        return []
    if had is None:
        disabled = [role | {"isEnabled": False} if role["value"] == value else role for role in roles]
        return [{"appRoles": disabled}, {"appRoles": others}]
    if _is_usable(had):
        return []
    kept = {name: had[name] for name in ("isEnabled", "allowedMemberTypes") if name in had}
    was = [role | kept if role["value"] == value else role for role in roles]
    disabled = [role | {"isEnabled": False} if role["value"] == value else role for role in roles]
    return [{"appRoles": disabled}, {"appRoles": was}]


def _roles(there: Sequence[Mapping[str, Any]], value: str) -> list[Json]:
    roles = [dict(role) for role in there]
    for role in roles:
        if role.get("value") == value:
            role["isEnabled"] = True
            role["allowedMemberTypes"] = _with_application(role.get("allowedMemberTypes") or ())
            return roles
    return [*roles, _new_role(value)]


def _new_role(value: str) -> Json:
    return {
        "id": role_id_of(value),
        "allowedMemberTypes": ["Application"],
        "displayName": "Send alerts",
        "description": "Lets an application, such as Azure Monitor's action groups, send alerts to Secure Export.",
        "value": value,
        "isEnabled": True,
    }


def _with_application(types: Sequence[str]) -> list[str]:
    return list(types) if "Application" in types else [*types, "Application"]


def _is_usable(role: Mapping[str, Any]) -> bool:
    return bool(role.get("isEnabled")) and "Application" in (role.get("allowedMemberTypes") or ())


def _version(there: Mapping[str, Any]) -> int | None:
    version: int | None = (there.get("api") or {}).get("requestedAccessTokenVersion")
    return version


def _has_idtyp(there: Mapping[str, Any]) -> bool:
    return any(claim.get("name") == "idtyp" for claim in _access_claims(there))


def _access_claims(there: Mapping[str, Any]) -> list[Json]:
    return list((there.get("optionalClaims") or {}).get("accessToken") or ())


def _claims_with(there: Mapping[str, Any], access: Sequence[Json]) -> Json:
    kept = {k: v for k, v in (there.get("optionalClaims") or {}).items() if not k.startswith("@")}
    return kept | {"accessToken": list(access)}
