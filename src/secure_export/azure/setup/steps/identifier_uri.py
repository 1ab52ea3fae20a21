"""The Application ID URI: what version 1 tokens are meant for, and what the action group asks a token with."""

from typing import Any, ClassVar

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import UNKNOWN, Action, Change, Difference, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import WRITE_APPLICATION, Permission
from secure_export.azure.setup.record import Made

_TAKEN = "Request_MultipleObjectsWithSameKeyValue"
_BY_CLIENT_ID = "api://<client id>"


class IdentifierUri:
    """The Application ID URI; the registration's others stay.

    Args:
        given: The one that is wanted; None: the one that every tenant's policy allows.
    """

    side: ClassVar = Side.ENTRA
    kind: ClassVar = "identifier URI"
    needs: ClassVar[tuple[Permission, ...]] = (WRITE_APPLICATION,)
    scope: ClassVar = ""

    def __init__(self, given: str | None) -> None:
        self.name = given or _BY_CLIENT_ID

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        wanted = wanted_uri(context)
        try:
            there = await _read(context, context.found.application_id)
        except AzureRefused as error:
            if not error.is_missing:
                raise
            there = []
        if wanted in there:
            context.found.identifier_uri = wanted
            return Change(self.side, self.kind, self.name, Action.KEEP)
        before = {"application_id": context.found.application_id, "identifier_uri": wanted}
        difference = Difference("identifierUris", "", wanted)
        return Change(self.side, self.kind, self.name, Action.CREATE, (difference,), before=before)

    async def make(self, context: Context, change: Change) -> None:
        """See ``Step.make``."""
        wanted, application_id = wanted_uri(context), context.found.application_id

        async def write() -> None:
            uris = await _read(context, application_id)
            if wanted not in uris:
                await context.graph.call("PATCH", _path(application_id), json={"identifierUris": [*uris, wanted]})

        async def shows() -> bool:
            return wanted in await _read(context, application_id)

        try:
            await context.patiently(change.address, write, while_=lambda error: error.status in {404, 409})
        except AzureRefused as error:
            raise await _explained(context, wanted, error) from None
        await context.until(change.address, shows)
        context.found.identifier_uri = wanted

    def ids(self, context: Context) -> dict[str, str]:
        """See ``Step.ids``."""
        return {"identifier_uri": context.found.identifier_uri or ""}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Take the one URI away again."""
        application_id, uri = made.before["application_id"], made.before["identifier_uri"]
        try:
            uris = await _read(context, application_id)
            if uri not in uris:
                return False
            left = [one for one in uris if one != uri]
            await context.graph.call("PATCH", _path(application_id), json={"identifierUris": left})
        except AzureRefused as error:
            if error.is_missing:
                return False
            raise
        return True


def wanted_uri(context: Context) -> str:
    """Give the URI that is wanted; before the registration is there it may not be known."""
    given = context.wanted.application.identifier_uri
    return given or (f"api://{context.found.client_id}" if context.found.client_id else f"api://{UNKNOWN}")


async def _read(context: Context, application_id: str | None) -> list[str]:
    if application_id is None:
        return []
    answer = await context.graph.call("GET", _path(application_id), query={"$select": "id,identifierUris"})
    return list(answer.body.get("identifierUris") or ())


def _path(application_id: str | None) -> str:
    return f"v1.0/applications/{application_id}"


async def _explained(context: Context, uri: str, error: AzureRefused) -> AzureRefused:
    """Say why a URI was refused, and what to write instead."""
    if "failed to add identifier uri" in error.said.lower():
        why = (
            f"the tenant's policy does not allow {uri} as Application ID URI: leave azure.application.identifier_uri "
            "out, so that it is api://<client id>, or name one with the tenant's id or a verified domain"
        )
        return AzureRefused(error.status, error.code, why, request_id=error.request_id)
    if "identifieruris already exists" not in error.said.lower() and error.code != _TAKEN:
        return error
    return AzureRefused(error.status, error.code, await _holder(context, uri), request_id=error.request_id)


async def _holder(context: Context, uri: str) -> str:
    """Say who has the URI already: it is never taken from another, nor from one that was deleted lately."""
    quoted = uri.replace("'", "''")
    query = {"$filter": f"identifierUris/any(x:x eq '{quoted}')", "$select": "id,displayName"}
    holders: list[dict[str, Any]] = [item async for item in context.graph.items("v1.0/applications", query=query)]
    who = f"the app registration '{holders[0]['displayName']}' has it" if holders else "a deleted one may still have it"
    return (
        f"{uri} is taken: {who}; choose another azure.application.identifier_uri, or delete that one for good "
        "(Entra ID, App registrations, Deleted applications)"
    )
