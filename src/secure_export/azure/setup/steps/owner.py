"""Ownership: Azure lets only owners of the app registration name it in an action group."""

from typing import ClassVar

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import Action, Change, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import ADD_OWNER, READ_DIRECTORY, Permission
from secure_export.azure.setup.record import Made


class Owner:
    """One owner: a person or a service principal (Azure Monitor docs, action groups, "Secure webhook")."""

    side: ClassVar = Side.ENTRA
    kind: ClassVar = "owner"
    needs: ClassVar[tuple[Permission, ...]] = (READ_DIRECTORY, ADD_OWNER)

    def __init__(self, object_id: str) -> None:
        self.name = object_id

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        there = await _is_there(context, self.name)
        reason = "it may then name the app registration in action groups" if not there else ""
        return Change(self.side, self.kind, self.name, Action.KEEP if there else Action.CREATE, reason=reason)

    async def make(self, context: Context, change: Change) -> dict[str, str]:
        """See ``Step.make``."""
        reference = {"@odata.id": f"{context.graph.url}/v1.0/directoryObjects/{self.name}"}

        async def write() -> None:
            if not await _is_there(context, self.name):
                try:
                    await context.graph.call("POST", f"{_path(context)}/$ref", json=reference)
                except AzureRefused as error:
                    if "already exist" not in error.said:
                        raise

        async def shows() -> bool:
            return await _is_there(context, self.name)

        await context.patiently(change.address, write, while_=lambda error: error.status in {404, 409})
        await context.until(change.address, shows)
        return {}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Take the owner away again."""
        if not await _is_there(context, made.name):
            return False
        await context.graph.call("DELETE", f"{_path(context)}/{made.name}/$ref")
        return True


async def _is_there(context: Context, object_id: str) -> bool:
    if context.found.application_id is None:
        return False
    async for owner in context.graph.items(_path(context), query={"$select": "id"}):
        if owner["id"] == object_id:
            return True
    return False


def _path(context: Context) -> str:
    return f"v1.0/applications/{context.found.application_id}/owners"
