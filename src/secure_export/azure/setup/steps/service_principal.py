"""Service principals: our own, which lets only assigned callers have tokens, and that of Azure's action groups."""

from typing import Any, ClassVar

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import Action, Change, Difference, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import ADD_CALLER, READ_DIRECTORY, WRITE_APPLICATION, Permission
from secure_export.azure.setup.record import Made

_REQUIRED = "appRoleAssignmentRequired"
_CONFLICT = 409
_THERE_ALREADY = "Request_MultipleObjectsWithSameKeyValue"
_SHOWN = f"id,appId,displayName,{_REQUIRED}"


class OwnServicePrincipal:
    """Our registration's service principal: without an assignment nobody gets a token for it."""

    side: ClassVar = Side.ENTRA
    kind: ClassVar = "service principal"
    needs: ClassVar[tuple[Permission, ...]] = (WRITE_APPLICATION,)
    scope: ClassVar = ""

    def __init__(self, of: str) -> None:
        self.name = of

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        there = await read_principal(context, context.found.client_id)
        before = {"client_id": context.found.client_id}
        if there is None:
            new = (Difference(_REQUIRED, "", "true"),)
            return Change(self.side, self.kind, self.name, Action.CREATE, new, before=before)
        context.found.service_principal_id = there["id"]
        if there.get(_REQUIRED):
            return Change(self.side, self.kind, self.name, Action.KEEP)
        closed = (Difference(_REQUIRED, "false", "true"),)
        reason = "applications without a role get no token for it any more"
        return Change(self.side, self.kind, self.name, Action.CHANGE, closed, reason=reason, before=before)

    async def make(self, context: Context, change: Change) -> None:
        """See ``Step.make``."""

        async def write() -> None:
            body: dict[str, Any] = {_REQUIRED: True}
            if change.action is Action.CREATE:
                body["tags"] = ["HideApp"]
            path = f"v1.0/servicePrincipals(appId='{context.found.client_id}')"
            await context.graph.call("PATCH", path, json=body, headers={"Prefer": "create-if-missing"})

        async def shows() -> bool:
            there = await read_principal(context, context.found.client_id)
            context.found.service_principal_id = there["id"] if there is not None else None
            return there is not None and bool(there.get(_REQUIRED))

        await context.patiently(change.address, write, while_=_is_not_replicated)
        await context.until(change.address, shows)

    def ids(self, context: Context) -> dict[str, str]:
        """See ``Step.ids``."""
        return {"service_principal_id": context.found.service_principal_id or ""}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Delete it if it is ours; otherwise let it be as open as it was."""
        there = await context.found_again(lambda: read_principal(context, made.before["client_id"]))
        if there is None:
            return False
        path = f"v1.0/servicePrincipals/{there['id']}"
        if made.created:
            return await context.delete(context.graph, path)
        await context.graph.call("PATCH", path, json={_REQUIRED: False})
        return True


class Caller:
    """The service principal by which action groups call: Microsoft's own, let into the tenant."""

    side: ClassVar = Side.ENTRA
    kind: ClassVar = "action groups' service principal"
    needs: ClassVar[tuple[Permission, ...]] = (READ_DIRECTORY, ADD_CALLER)
    scope: ClassVar = ""

    def __init__(self, client_id: str) -> None:
        self.name = client_id

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        there = await read_principal(context, self.name)
        if there is None:
            before = {"own": context.found.service_principal_id}
            return Change(self.side, self.kind, self.name, Action.CREATE, before=before)
        context.found.caller_id = there["id"]
        return Change(self.side, self.kind, self.name, Action.KEEP)

    async def make(self, context: Context, change: Change) -> None:
        """See ``Step.make``. Nothing but the id is sent: other properties are Microsoft's."""

        async def write() -> None:
            if await read_principal(context, self.name) is None:
                try:
                    await context.graph.call("POST", "v1.0/servicePrincipals", json={"appId": self.name})
                except AzureRefused as error:
                    if error.code != _THERE_ALREADY and "already in use" not in error.said:
                        raise

        async def shows() -> bool:
            there = await read_principal(context, self.name)
            context.found.caller_id = there["id"] if there is not None else None
            return there is not None

        await context.patiently(change.address, write, while_=lambda error: error.status == _CONFLICT)
        await context.until(change.address, shows)

    def ids(self, context: Context) -> dict[str, str]:
        """See ``Step.ids``."""
        return {"caller_id": context.found.caller_id or ""}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Delete it, as it was not there before; not while others have given it roles of theirs."""
        there = await context.found_again(lambda: read_principal(context, made.name))
        if there is None:
            return False
        path = f"v1.0/servicePrincipals/{there['id']}"
        async for assignment in context.graph.items(f"{path}/appRoleAssignments"):
            if assignment.get("resourceId") != made.before["own"]:
                return False
        return await context.delete(context.graph, path)


async def read_principal(context: Context, client_id: str | None) -> dict[str, Any] | None:
    """Read a service principal by its application's id; None when there is none."""
    if client_id is None:
        return None
    try:
        path = f"v1.0/servicePrincipals(appId='{client_id}')"
        answer = await context.graph.call("GET", path, query={"$select": _SHOWN})
    except AzureRefused as error:
        if error.is_missing:
            return None
        raise
    there: dict[str, Any] = answer.body
    return there


def _is_not_replicated(error: AzureRefused) -> bool:
    """Tell whether the new application is not known everywhere yet (azuread provider, service principals)."""
    said = error.said.lower()
    return (
        error.status in {404, 409}
        or "does not reference a valid application object" in said
        or "must in the local tenant" in said
    )
