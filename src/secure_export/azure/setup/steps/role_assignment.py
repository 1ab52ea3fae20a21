"""The role assignment: only with it do tokens of action groups carry the app role."""

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

    def __init__(self, role: str) -> None:
        self.name = role

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        if await _read(context) is not None:
            return Change(self.side, self.kind, self.name, Action.KEEP)
        to = Difference("principalId", "", f"action groups ({context.wanted.caller})")
        return Change(self.side, self.kind, self.name, Action.CREATE, (to,))

    async def make(self, context: Context, change: Change) -> dict[str, str]:
        """See ``Step.make``."""
        found = context.found
        body = {
            "principalId": found.caller_id,
            "resourceId": found.service_principal_id,
            "appRoleId": found.role_id,
        }

        async def write() -> None:
            if await _read(context) is None:
                try:
                    await context.graph.call("POST", _path(context), json=body)
                except AzureRefused as error:
                    if not _is_there_already(error):
                        raise

        async def shows() -> bool:
            return await _read(context) is not None

        await context.patiently(change.address, write, while_=_is_not_replicated)
        await context.until(change.address, shows)
        there = await _read(context)
        return {"assignment_id": there["id"] if there is not None else ""}

    @staticmethod
    async def take_back(context: Context, _: Made) -> bool:
        """Take the role away from action groups."""
        there = await _read(context)
        if there is None:
            return False
        await context.graph.call("DELETE", f"{_path(context)}/{there['id']}")
        return True


async def _read(context: Context) -> dict[str, Any] | None:
    found = context.found
    if found.service_principal_id is None or found.caller_id is None or found.role_id is None:
        return None
    async for one in context.graph.items(_path(context)):
        if (one.get("principalId"), one.get("appRoleId")) == (found.caller_id, found.role_id):
            return one
    return None


def _path(context: Context) -> str:
    return f"v1.0/servicePrincipals/{context.found.service_principal_id}/appRoleAssignedTo"


def _is_there_already(error: AzureRefused) -> bool:
    said = error.said.lower()
    return "already exists" in said and ("permission being assigned" in said or "entitlementgrant" in said)


def _is_not_replicated(error: AzureRefused) -> bool:
    """Tell whether principal or role may not be known everywhere yet (azuread provider, role assignments)."""
    return error.status in {404, 409} or "not a valid reference update" in error.said.lower()
