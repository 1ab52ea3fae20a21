"""The app registration: token version 2, the app role that callers need, and the claim that tells apps from people."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import Action, Change, Difference, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import READ_DIRECTORY, WRITE_APPLICATION, Permission
from secure_export.azure.setup.record import Made

_SHOWN = "id,appId,displayName,identifierUris,api,appRoles,optionalClaims"
_CONFLICT = 409
_IDTYP = {"name": "idtyp", "essential": False, "additionalProperties": []}


def role_id_of(value: str) -> str:
    """Give the fixed id of our app role: the same in every tenant and after every crash."""
    return str(uuid5(NAMESPACE_URL, f"urn:secure-export:app-role:{value}"))


class Application:
    """The app registration, found by its unique name (Microsoft Graph, "Upsert application")."""

    side: ClassVar = Side.ENTRA
    kind: ClassVar = "app registration"
    needs: ClassVar[tuple[Permission, ...]] = (READ_DIRECTORY, WRITE_APPLICATION)

    def __init__(self, unique_name: str) -> None:
        self.name = unique_name

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        there = await _read(context, self.name)
        if there is None:
            return Change(self.side, self.kind, self.name, Action.CREATE, _all_new(context.wanted.role))
        role = role_of(there, context.wanted.role)
        _note(context, there, role)
        differences = differences_of(there, context.wanted.role)
        action = Action.CHANGE if differences else Action.KEEP
        return Change(self.side, self.kind, self.name, action, differences, before=_before(there, context.wanted.role))

    async def make(self, context: Context, change: Change) -> dict[str, str]:
        """See ``Step.make``."""
        there = await _read(context, self.name)
        body = wanted_body(there or {}, context.wanted.role)
        if there is None:
            body |= {"displayName": context.wanted.application.display_name, "signInAudience": "AzureADMyOrg"}

        async def write() -> None:
            await context.graph.call(
                "PATCH", _path(self.name), json=body, headers={"Prefer": "create-if-missing"} if there is None else None
            )

        async def shows() -> bool:
            seen = await _read(context, self.name)
            if seen is None or differences_of(seen, context.wanted.role):
                return False
            _note(context, seen, role_of(seen, context.wanted.role))
            return True

        await context.patiently(change.address, write, while_=lambda error: error.status == _CONFLICT or (
            there is not None and error.is_missing
        ))  # fmt: skip
        await context.until(change.address, shows)
        found = context.found
        return {"application_id": found.application_id or "", "client_id": found.client_id or ""}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Delete what we made; where it was there before, undo our changes alone."""
        there = await _read(context, made.name)
        if there is None:
            return False
        path = f"v1.0/applications/{there['id']}"
        if made.created:
            await context.graph.call("DELETE", path)
            return True
        for body in bodies_back(there, made.before, context.wanted.role):
            await context.graph.call("PATCH", path, json=body)
        return True


async def _read(context: Context, unique_name: str) -> dict[str, Any] | None:
    try:
        answer = await context.graph.call("GET", _path(unique_name), query={"$select": _SHOWN})
    except AzureRefused as error:
        if error.is_missing:
            return None
        raise
    there: dict[str, Any] = answer.body
    return there


def _path(unique_name: str) -> str:
    return f"v1.0/applications(uniqueName='{unique_name}')"


def role_of(there: Mapping[str, Any], value: str) -> dict[str, Any] | None:
    """Find the app role by its value; its id may be another than ours, where somebody else made it."""
    return next((role for role in there.get("appRoles", ()) if role.get("value") == value), None)


def differences_of(there: Mapping[str, Any], role_value: str) -> tuple[Difference, ...]:
    """Say what of an app registration that is there has to change."""
    found: list[Difference] = []
    version = (there.get("api") or {}).get("requestedAccessTokenVersion")
    if version != 2:  # noqa: PLR2004 - the token version that secure webhooks are advised to use
        found.append(Difference("api.requestedAccessTokenVersion", str(version or 1), "2"))
    role = role_of(there, role_value)
    if role is None:
        found.append(Difference("appRoles", "", f"{role_value} ({role_id_of(role_value)})"))
    elif not role.get("isEnabled") or "Application" not in role.get("allowedMemberTypes", ()):
        found.append(Difference(f"appRoles {role_value}", "not for applications, or disabled", "enabled, Application"))
    if not any(claim.get("name") == "idtyp" for claim in _access_claims(there)):
        found.append(Difference("optionalClaims.accessToken", "", "idtyp"))
    return tuple(found)


def wanted_body(there: Mapping[str, Any], role_value: str) -> dict[str, Any]:
    """Give what is written: lists are replaced as a whole, so everything that is there stays in them."""
    claims = [*_access_claims(there)]
    if not any(claim.get("name") == "idtyp" for claim in claims):
        claims.append(_IDTYP)
    optional = {k: v for k, v in (there.get("optionalClaims") or {}).items() if not k.startswith("@")}
    return {
        "api": {"requestedAccessTokenVersion": 2},
        "appRoles": _roles(there.get("appRoles", ()), role_value),
        "optionalClaims": optional | {"accessToken": claims},
    }


def bodies_back(there: Mapping[str, Any], before: Mapping[str, Any], role_value: str) -> list[dict[str, Any]]:
    """Give what undoes our changes, one write after the other: a role is disabled before it is deleted."""
    bodies: list[dict[str, Any]] = []
    roles = [dict(role) for role in there.get("appRoles", ())]
    if not before.get("had_role") and any(role["value"] == role_value for role in roles):
        bodies.append({"appRoles": [role | {"isEnabled": role["value"] != role_value} for role in roles]})
        bodies.append({"appRoles": [role for role in roles if role["value"] != role_value]})
    if not before.get("had_idtyp"):
        claims = [claim for claim in _access_claims(there) if claim.get("name") != "idtyp"]
        optional = {k: v for k, v in (there.get("optionalClaims") or {}).items() if not k.startswith("@")}
        bodies.append({"optionalClaims": optional | {"accessToken": claims}})
    if (there.get("api") or {}).get("requestedAccessTokenVersion") != before.get("token_version"):
        bodies.append({"api": {"requestedAccessTokenVersion": before.get("token_version")}})
    return bodies


def _before(there: Mapping[str, Any], role_value: str) -> dict[str, Any]:
    return {
        "token_version": (there.get("api") or {}).get("requestedAccessTokenVersion"),
        "had_role": role_of(there, role_value) is not None,
        "had_idtyp": any(claim.get("name") == "idtyp" for claim in _access_claims(there)),
    }


def _roles(there: Sequence[Mapping[str, Any]], value: str) -> list[dict[str, Any]]:
    roles = [dict(role) for role in there]
    for role in roles:
        if role.get("value") == value:
            role["isEnabled"] = True
            role["allowedMemberTypes"] = sorted({*role.get("allowedMemberTypes", ()), "Application"})
            return roles
    return [
        *roles,
        {
            "id": role_id_of(value),
            "allowedMemberTypes": ["Application"],
            "displayName": "Send alerts",
            "description": "Lets an application, such as Azure Monitor's action groups, send alerts to Secure Export.",
            "value": value,
            "isEnabled": True,
        },
    ]


def _access_claims(there: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list((there.get("optionalClaims") or {}).get("accessToken") or ())


def _all_new(role_value: str) -> tuple[Difference, ...]:
    return (
        Difference("signInAudience", "", "AzureADMyOrg"),
        Difference("api.requestedAccessTokenVersion", "", "2"),
        Difference("appRoles", "", f"{role_value} ({role_id_of(role_value)})"),
        Difference("optionalClaims.accessToken", "", "idtyp"),
    )


def _note(context: Context, there: Mapping[str, Any], role: Mapping[str, Any] | None) -> None:
    context.found.application_id = there["id"]
    context.found.client_id = there["appId"]
    context.found.role_id = role["id"] if role is not None else None
