"""The role assignment: only with it do tokens of action groups carry the app role."""

from collections.abc import Mapping
from typing import Any, ClassVar

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import Action, Change, Difference, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import ASSIGN_ROLE, READ_DIRECTORY, Permission
from secure_export.azure.setup.record import Made


class RoleAssignment:
    """Our app role, by its id, given to the action groups' service principal."""

    side: ClassVar = Side.ENTRA
    kind: ClassVar = "role assignment"
    needs: ClassVar[tuple[Permission, ...]] = (READ_DIRECTORY, ASSIGN_ROLE)
    scope: ClassVar = ""

    def __init__(self, role: str) -> None:
        self.name = role

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        parts = _parts(context)
        if await _read(context, parts) is not None:
            return Change(self.side, self.kind, self.name, Action.KEEP)
        to = Difference("principalId", "", f"action groups ({context.wanted.caller})")
        return Change(self.side, self.kind, self.name, Action.CREATE, (to,), before=parts)

    async def make(self, context: Context, change: Change) -> None:
        """See ``Step.make``."""
        parts = _parts(context)

        async def write() -> None:
            if await _read(context, parts) is None:
                try:
                    await context.graph.call("POST", _path(parts), json=parts)
                except AzureRefused as error:
                    if not _is_there_already(error):
                        raise

        async def shows() -> bool:
            return await _read(context, parts) is not None

        await context.patiently(change.address, write, while_=_is_not_replicated)
        await context.until(change.address, shows)

    def ids(self, _: Context) -> dict[str, str]:
        """See ``Step.ids``."""
        return {}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Take the role away from action groups."""
        there = await context.found_again(lambda: _read(context, made.before))
        if there is None:
            return False
        return await context.delete(context.graph, f"{_path(made.before)}/{there['id']}")


def _parts(context: Context) -> dict[str, str | None]:
    found = context.found
    return {"principalId": found.caller_id, "resourceId": found.service_principal_id, "appRoleId": found.role_id}


async def _read(context: Context, parts: Mapping[str, str | None]) -> dict[str, Any] | None:
    if None in parts.values():
        return None
    try:
        async for one in context.graph.items(_path(parts)):
            if (one.get("principalId"), one.get("appRoleId")) == (parts["principalId"], parts["appRoleId"]):
                return one
    except AzureRefused as error:
        if not error.is_missing:
            raise
    return None


def _path(parts: Mapping[str, str | None]) -> str:
    return f"v1.0/servicePrincipals/{parts['resourceId']}/appRoleAssignedTo"


def _is_there_already(error: AzureRefused) -> bool:
    said = error.said.lower()
    return "already exists" in said and ("permission being assigned" in said or "entitlementgrant" in said)


def _is_not_replicated(error: AzureRefused) -> bool:
    """Tell whether principal or role may not be known everywhere yet (azuread provider, role assignments)."""
    return error.status in {404, 409} or "not a valid reference update" in error.said.lower()
