"""The app registration: token version 2, the app role that callers need, and the claim that tells apps from people."""

import asyncio
from typing import Any, ClassVar

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import Action, Change, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import READ_APPLICATION, WRITE_APPLICATION, Permission
from secure_export.azure.setup.record import Made
from secure_export.azure.setup.steps.application_body import (
    all_new,
    before_of,
    bodies_back,
    differences_of,
    role_id_of,
    role_of,
    wanted_body,
)

__all__ = ["Application", "role_id_of", "role_of", "wanted_body"]

_SHOWN = "id,appId,displayName,identifierUris,api,appRoles,optionalClaims"
_CONFLICT = 409
_LOOKS = 3


class Application:
    """The app registration, found by its unique name (Microsoft Graph, "Upsert application")."""

    side: ClassVar = Side.ENTRA
    kind: ClassVar = "app registration"
    needs: ClassVar[tuple[Permission, ...]] = (READ_APPLICATION, WRITE_APPLICATION)
    scope: ClassVar = ""

    def __init__(self, unique_name: str) -> None:
        self.name = unique_name

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        there, role = await _read(context, self.name), context.wanted.role
        if there is None:
            return Change(self.side, self.kind, self.name, Action.CREATE, all_new(role), before={"role": role})
        _note(context, there)
        differences = differences_of(there, role)
        action = Action.CHANGE if differences else Action.KEEP
        return Change(self.side, self.kind, self.name, action, differences, before=before_of(there, role))

    async def make(self, context: Context, change: Change) -> None:
        """See ``Step.make``. Lists are read right before each attempt: a write replaces them whole."""

        async def write() -> None:
            there = await _read(context, self.name)
            body = wanted_body(there or {}, context.wanted.role)
            if there is None:
                body |= {"displayName": context.wanted.application.display_name, "signInAudience": "AzureADMyOrg"}
            headers = {"Prefer": "create-if-missing"} if there is None else None
            await context.graph.call("PATCH", _path(self.name), json=body, headers=headers)

        async def shows() -> bool:
            seen = await _read(context, self.name)
            if seen is None or differences_of(seen, context.wanted.role):
                return False
            _note(context, seen)
            return True

        try:
            await context.patiently(change.address, write, while_=lambda error: error.status == _CONFLICT or (
                change.action is Action.CHANGE and error.is_missing
            ))  # fmt: skip
        except AzureRefused as error:
            raise _explained(self.name, error) from None
        await context.until(change.address, shows)

    def ids(self, context: Context) -> dict[str, str]:
        """See ``Step.ids``."""
        return {"application_id": context.found.application_id or "", "client_id": context.found.client_id or ""}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Delete what we made, for good: a deleted one keeps its names for 30 days, so that none could be made again.

        Where it was there before, our changes alone are undone.
        """
        there = await context.found_again(lambda: _read(context, made.name))
        known = made.ids.get("application_id")
        if there is None or known not in {None, there["id"]}:
            return made.created and known is not None and await _purge(context, known)
        path = f"v1.0/applications/{there['id']}"
        if made.created:
            await context.delete(context.graph, path)
            await _purge(context, there["id"])
            return True
        for body in bodies_back(there, made.before):
            await context.graph.call("PATCH", path, json=body)
        return True


async def _purge(context: Context, object_id: str) -> bool:
    """Delete a deleted registration for good; whether there was one. It may take a moment to get there."""
    path = f"v1.0/directory/deletedItems/{object_id}"
    for turn in range(_LOOKS):
        if await context.delete(context.graph, path):
            return True
        if turn < _LOOKS - 1:
            await asyncio.sleep(context.first_pause_seconds)
    return False


def _explained(name: str, error: AzureRefused) -> AzureRefused:
    if "uniquename already exists" not in error.said.lower():
        return error
    said = (
        f"a deleted app registration still has the unique name '{name}': delete it for good (Entra ID, App "
        "registrations, Deleted applications), or choose another azure.application.unique_name"
    )
    return AzureRefused(error.status, error.code, said, request_id=error.request_id)


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


def _note(context: Context, there: dict[str, Any]) -> None:
    role = role_of(there, context.wanted.role)
    context.found.application_id = there["id"]
    context.found.client_id = there["appId"]
    context.found.role_id = role["id"] if role is not None else None
