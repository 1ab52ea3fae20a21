"""Ownership: Azure lets only owners of the app registration name it in an action group."""

from typing import ClassVar

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import Action, Change, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import ADD_OWNER, READ_APPLICATION, Permission
from secure_export.azure.setup.record import Made


class Owner:
    """One owner: a person or a service principal (Azure Monitor docs, action groups, "Secure webhook")."""

    side: ClassVar = Side.ENTRA
    kind: ClassVar = "owner"
    needs: ClassVar[tuple[Permission, ...]] = (READ_APPLICATION, ADD_OWNER)
    scope: ClassVar = ""

    def __init__(self, object_id: str) -> None:
        self.name = object_id

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        application_id = context.found.application_id
        if await _is_there(context, application_id, self.name):
            return Change(self.side, self.kind, self.name, Action.KEEP)
        you = "you: " if self.name == context.me else ""
        reason = f"{you}it may then name the app registration in action groups"
        before = {"application_id": application_id}
        return Change(self.side, self.kind, self.name, Action.CREATE, reason=reason, before=before)

    async def make(self, context: Context, change: Change) -> None:
        """See ``Step.make``."""
        application_id = context.found.application_id
        reference = {"@odata.id": f"{context.graph.url}/v1.0/directoryObjects/{self.name}"}

        async def write() -> None:
            if not await _is_there(context, application_id, self.name):
                try:
                    await context.graph.call("POST", f"{_path(application_id)}/$ref", json=reference)
                except AzureRefused as error:
                    if "already exist" not in error.said:
                        raise

        async def shows() -> bool:
            return await _is_there(context, application_id, self.name)

        try:
            await context.patiently(change.address, write, while_=lambda error: error.status in {404, 409})
        except AzureRefused as error:
            if error.is_missing:
                said = (
                    f"{error.said}: there is no user or service principal with the object id {self.name}; a client id, "
                    "a group, or the object id of an app registration cannot be an owner"
                )
                raise AzureRefused(error.status, error.code, said, request_id=error.request_id) from None
            raise
        await context.until(change.address, shows)

    def ids(self, _: Context) -> dict[str, str]:
        """See ``Step.ids``."""
        return {}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Take the owner away again."""
        application_id = made.before["application_id"]
        if not await _is_there(context, application_id, made.name):
            return False
        return await context.delete(context.graph, f"{_path(application_id)}/{made.name}/$ref")


async def _is_there(context: Context, application_id: str | None, object_id: str) -> bool:
    if application_id is None:
        return False
    try:
        owners = [owner["id"] async for owner in context.graph.items(_path(application_id), query={"$select": "id"})]
    except AzureRefused as error:
        if error.is_missing:
            return False
        raise
    return object_id in owners


def _path(application_id: str | None) -> str:
    return f"v1.0/applications/{application_id}/owners"
