"""The action group with our secure webhook; everything else in one that exists stays as it is."""

from typing import Any, ClassVar

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import UNKNOWN, Action, Change, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import READ_ACTION_GROUP, READ_APPLICATION, WRITE_ACTION_GROUP, Permission
from secure_export.azure.setup.record import Made
from secure_export.azure.setup.steps.action_group_body import (
    all_new,
    differences_of,
    digest_of_others,
    find_receiver,
    merged,
    receiver,
    receivers_of,
    why_not,
    without,
)
from secure_export.azure.setup.steps.identifier_uri import wanted_uri
from secure_export.azure.setup.wanted import WantedGroup
from secure_export.azure.setup.whole import Resource, read_whole, write
from secure_export.azure.setup.whole import read as read_version

__all__ = ["API_VERSION", "ActionGroup", "differences_of", "find_receiver", "merged", "read", "receiver_of", "why_not"]

API_VERSION = "2023-01-01"
# These know receivers and members that the official description does not have (entra-facts 6).
NEWER = ("2024-10-01-preview", "2026-09-01")
NOT_OWNED = "AadWebhookResourceNotOwnedByCaller"
_NO_URI = "AadWebhookApplicationUriNotFound"
_NO_GROUP = "ResourceGroupNotFound"
_NO_SUBSCRIPTION = {"SubscriptionNotFound", "InvalidSubscriptionId"}


class ActionGroup:
    """One action group."""

    side: ClassVar = Side.AZURE
    kind: ClassVar = "action group"
    needs: ClassVar[tuple[Permission, ...]] = (READ_APPLICATION, READ_ACTION_GROUP, WRITE_ACTION_GROUP)

    def __init__(self, group: WantedGroup) -> None:
        self.group = group
        self.path = group.path
        self.name = f"{group.path} ({group.receiver})"  # a group may hold the webhooks of several connections
        self.scope = f"/subscriptions/{group.subscription}/resourceGroups/{group.resource_group}"

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        try:
            there = (await context.manager.call("GET", self.path, query={"api-version": API_VERSION})).body
        except AzureRefused as error:
            if not error.is_missing:
                raise
            return self._missing(context, error)
        if (why := why_not(there, self.group.receiver)) is not None:
            return Change(self.side, self.kind, self.name, Action.BLOCKED, reason=why)
        differences = differences_of(there, receiver_of(context, self.group))
        action = Action.CHANGE if differences else Action.KEEP
        before = {**self._before(), "receiver": find_receiver(there, self.group.receiver)}
        seen = digest_of_others(there, self._own_names(context))
        return Change(self.side, self.kind, self.name, action, differences, before=before, seen=seen)

    async def make(self, context: Context, change: Change) -> None:
        """See ``Step.make``. There is no ETag: what is there is read right before it is written, and again after.

        Somebody who writes at the same moment, and so drops our webhook, is answered with another write on top.
        """
        wanted = receiver_of(context, self.group)
        if UNKNOWN in str(wanted):
            raise AzureRefused(0, "", "the app registration is not there; run 'azure apply --only entra' first")

        async def settle() -> bool:
            there = await read_whole(context, self.path, API_VERSION, NEWER)
            if there is not None and not differences_of(there.body, wanted):
                return True
            await _put(context, change, there, merged(there.body if there else None, wanted, self.group.short_name))
            return False

        await settle()
        await context.until(change.address, settle)

    def ids(self, _: Context) -> dict[str, str]:
        """See ``Step.ids``."""
        return {}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Delete the action group if it is ours and holds nothing else; otherwise take our webhook out of it."""
        path, name = str(made.before["path"]), str(made.before["name"])
        there = await read_whole(context, path, API_VERSION, NEWER)
        own = find_receiver(there.body, name) if there is not None else None
        if there is None:
            return False
        previous = made.before.get("receiver")
        left = without(there.body, name, instead=previous)
        if made.created and not receivers_of(left):
            return await context.delete(context.manager, path, version=API_VERSION)
        if own is None or own.get("serviceUri") != made.before["service_uri"]:
            return False
        await write(context, path, there, left["properties"])
        return True

    def _before(self) -> dict[str, Any]:
        return {"path": self.path, "name": self.group.receiver, "service_uri": self.group.service_uri}

    def _own_names(self, context: Context) -> list[str]:
        return [one.receiver for one in context.wanted.groups if one.path.lower() == self.path.lower()]

    def _missing(self, context: Context, error: AzureRefused) -> Change:
        if error.code in _NO_SUBSCRIPTION:
            reason = f"there is no subscription {self.group.subscription} for who signed in"
            return Change(self.side, self.kind, self.name, Action.BLOCKED, reason=reason)
        if error.code == _NO_GROUP:
            reason = f"there is no resource group '{self.group.resource_group}' in the subscription; make it first"
            return Change(self.side, self.kind, self.name, Action.BLOCKED, reason=reason)
        new = all_new(receiver_of(context, self.group))
        return Change(self.side, self.kind, self.name, Action.CREATE, new, before=self._before())


async def read(context: Context, path: str, version: str = API_VERSION) -> dict[str, Any] | None:
    """Read an action group; None when there is none, or no such resource group."""
    return await read_version(context, path, version)


def receiver_of(context: Context, group: WantedGroup) -> dict[str, Any]:
    """Give our webhook with the ids of a tenant."""
    return receiver(
        group,
        tenant_id=context.wanted.tenant_id,
        application_id=context.found.application_id or UNKNOWN,
        identifier_uri=context.found.identifier_uri or wanted_uri(context),
    )


async def _put(context: Context, change: Change, there: Resource | None, body: dict[str, Any]) -> None:
    """Write, patiently where Azure Resource Manager may not have heard yet what Entra ID knows."""
    at = Resource({"location": "Global"}, API_VERSION) if there is None else there
    try:
        await context.patiently(
            change.address,
            lambda: write(context, str(change.before["path"]), at, body["properties"]),
            while_=lambda error: error.code in {NOT_OWNED, _NO_URI},
        )
    except AzureRefused as error:
        mend = _mend(context, error)
        if mend is None:
            raise
        said = f"{error.said or error.code}: {mend}"
        raise AzureRefused(error.status, error.code, said, request_id=error.request_id) from None


def _mend(context: Context, error: AzureRefused) -> str | None:
    if error.code == NOT_OWNED:
        return (
            "whoever makes the action group must be an owner of the app registration: have 'azure apply --only entra' "
            f'run with "{context.me or "<object id of who makes it>"}" under azure.application.owners'
        )
    if error.code == _NO_URI:
        return "the app registration has no such identifier URI: have 'azure apply --only entra' run first"
    if error.code == "MissingSubscriptionRegistration":
        return "run 'az provider register --namespace Microsoft.Insights' in that subscription, and wait a minute"
    return None
