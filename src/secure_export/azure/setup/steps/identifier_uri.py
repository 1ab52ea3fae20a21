"""The Application ID URI: what version 1 tokens are meant for, and what the action group asks a token with."""

from typing import Any, ClassVar

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import UNKNOWN, Action, Change, Difference, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import WRITE_APPLICATION, Permission
from secure_export.azure.setup.record import Made


class IdentifierUri:
    """The Application ID URI; the registration's others stay."""

    side: ClassVar = Side.ENTRA
    kind: ClassVar = "identifier URI"
    needs: ClassVar[tuple[Permission, ...]] = (WRITE_APPLICATION,)

    def __init__(self, of: str) -> None:
        self.name = of

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        wanted = _wanted(context)
        there = await _read(context)
        if wanted in there:
            context.found.identifier_uri = wanted
            return Change(self.side, self.kind, self.name, Action.KEEP)
        difference = Difference("identifierUris", "", wanted)
        return Change(self.side, self.kind, self.name, Action.CREATE, (difference,))

    async def make(self, context: Context, change: Change) -> dict[str, str]:
        """See ``Step.make``."""
        wanted = _wanted(context)

        async def write() -> None:
            uris = await _read(context)
            if wanted not in uris:
                await context.graph.call("PATCH", _path(context), json={"identifierUris": [*uris, wanted]})

        async def shows() -> bool:
            return wanted in await _read(context)

        try:
            await context.patiently(change.address, write, while_=lambda error: error.status in {404, 409})
        except AzureRefused as error:
            raise await _explained(context, wanted, error) from None
        await context.until(change.address, shows)
        context.found.identifier_uri = wanted
        return {"identifier_uri": wanted}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Take the one URI away again."""
        uri = made.ids.get("identifier_uri") or _wanted(context)
        uris = await _read(context)
        if uri not in uris:
            return False
        await context.graph.call("PATCH", _path(context), json={"identifierUris": [one for one in uris if one != uri]})
        return True


async def _read(context: Context) -> list[str]:
    if context.found.application_id is None:
        return []
    answer = await context.graph.call("GET", _path(context), query={"$select": "id,identifierUris"})
    return list(answer.body.get("identifierUris", ()))


def _path(context: Context) -> str:
    return f"v1.0/applications/{context.found.application_id}"


def _wanted(context: Context) -> str:
    given = context.wanted.application.identifier_uri
    return given or f"api://{context.found.client_id or UNKNOWN}"


async def _explained(context: Context, uri: str, error: AzureRefused) -> AzureRefused:
    """Say who has the URI already: it is never taken from another, nor from one that was deleted lately."""
    if "identifierUris already exists" not in error.said and error.code != "Request_MultipleObjectsWithSameKeyValue":
        return error
    query = {
        "$filter": f"identifierUris/any(x:x eq '{uri.replace(chr(39), chr(39) * 2)}')",
        "$select": "id,displayName",
    }
    holders: list[dict[str, Any]] = [item async for item in context.graph.items("v1.0/applications", query=query)]
    who = f"the app registration {holders[0]['displayName']} has it" if holders else "a deleted one may still have it"
    mend = "choose another azure.application.identifier_uri, or delete that one for good (Deleted applications)"
    return AzureRefused(error.status, error.code, f"{uri} is taken: {who}; {mend}", request_id=error.request_id)
