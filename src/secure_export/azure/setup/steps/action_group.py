"""The action group with our secure webhook; everything else in one that exists stays as it is."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import UNKNOWN, Action, Change, Difference, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import WRITE_ACTION_GROUP, Permission
from secure_export.azure.setup.record import Made
from secure_export.azure.setup.wanted import WantedGroup

API_VERSION = "2023-01-01"
# Knows receivers and members that the stable one hides: writing with that one would delete them.
_WIDEST_API_VERSION = "2024-10-01-preview"
_READ_ONLY = {"id", "name", "type", "systemData", "etag", "kind"}
_MOST_WEBHOOKS = 10
_MENDS = {
    "AadWebhookResourceNotOwnedByCaller": "whoever makes the action group must be an owner of the app registration: "
    "add the object id under azure.application.owners and run 'azure apply --only entra' first",
    "AadWebhookApplicationUriNotFound": "the app registration has no identifier URI: "
    "run 'azure apply --only entra' first",
}


class ActionGroup:
    """One action group."""

    side: ClassVar = Side.AZURE
    kind: ClassVar = "action group"
    needs: ClassVar[tuple[Permission, ...]] = (WRITE_ACTION_GROUP,)

    def __init__(self, group: WantedGroup) -> None:
        self.group = group
        self.name = group.path

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        there = await read(context, self.group.path)
        before: dict[str, Any] = {"name": self.group.receiver}
        if there is None:
            new = _all_new(receiver_of(context, self.group))
            return Change(self.side, self.kind, self.name, Action.CREATE, new, before=before)
        if (why := why_not(there, self.group)) is not None:
            return Change(self.side, self.kind, self.name, Action.BLOCKED, reason=why)
        differences = differences_of(there, receiver_of(context, self.group))
        action = Action.CHANGE if differences else Action.KEEP
        before["receiver"] = find_receiver(there, self.group.receiver)
        return Change(self.side, self.kind, self.name, action, differences, before=before)

    async def make(self, context: Context, change: Change) -> dict[str, str]:
        """See ``Step.make``. There is no ETag: what is there is read right before it is written, and again after."""
        there = await read(context, self.group.path)
        body = merged(there, receiver_of(context, self.group), self.group.short_name)
        version = await _version_for(context, self.group.path, there)
        try:
            await context.patiently(
                change.address,
                lambda: _put(context, self.group.path, body, version),
                while_=lambda error: error.code in _MENDS and change.action is Action.CREATE,
            )
        except AzureRefused as error:
            if error.code in _MENDS:
                said = f"{error.said or error.code}: {_MENDS[error.code]}"
                raise AzureRefused(error.status, error.code, said, request_id=error.request_id) from None
            raise

        async def shows() -> bool:
            seen = await read(context, self.group.path)
            return seen is not None and not differences_of(seen, receiver_of(context, self.group))

        await context.until(change.address, shows)
        return {}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Delete the action group if it is ours and holds nothing else; otherwise take our webhook out of it."""
        path, receiver = made.name, str(made.before["name"])
        there = await read(context, path)
        if there is None:
            return False
        others = _without(there, receiver)
        if made.created and not _receivers(others):
            await context.manager.call("DELETE", path, query={"api-version": API_VERSION})
            return True
        if find_receiver(there, receiver) is None:
            return False
        previous = made.before.get("receiver")
        webhooks = [*others["properties"].get("webhookReceivers", ()), *([previous] if previous else [])]
        others["properties"]["webhookReceivers"] = webhooks
        await _put(context, path, others, await _version_for(context, path, there))
        return True


async def read(context: Context, path: str, version: str = API_VERSION) -> dict[str, Any] | None:
    """Read an action group; None when there is none, or no such resource group."""
    try:
        answer = await context.manager.call("GET", path, query={"api-version": version})
    except AzureRefused as error:
        if error.is_missing:
            return None
        raise
    there: dict[str, Any] = answer.body
    return there


def receiver_of(context: Context, group: WantedGroup) -> dict[str, Any]:
    """Give our webhook as Azure Resource Manager has it (actionGroups, ``AzureWebhookReceiver``)."""
    return {
        "name": group.receiver,
        "serviceUri": group.service_uri,
        "useCommonAlertSchema": True,
        "useAadAuth": True,
        "objectId": context.found.application_id or UNKNOWN,
        "identifierUri": context.found.identifier_uri or UNKNOWN,
        "tenantId": context.wanted.tenant_id,
    }


def find_receiver(there: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """Find a webhook by its name, in any case."""
    webhooks = there.get("properties", {}).get("webhookReceivers") or ()
    return next((one for one in webhooks if str(one.get("name", "")).lower() == name.lower()), None)


def why_not(there: Mapping[str, Any], group: WantedGroup) -> str | None:
    """Say why our webhook cannot be put into an action group; None: it can."""
    named = [
        kind
        for kind, one in _receivers(there)
        if str(one.get("name", "")).lower() == group.receiver.lower() and kind != "webhookReceivers"
    ]
    if named:
        return (
            f"another receiver ({named[0]}) is called '{group.receiver}' already; "
            "give ours another name as azure.action_groups.….receiver"
        )
    webhooks = there.get("properties", {}).get("webhookReceivers") or ()
    secure = sum(bool(one.get("useAadAuth")) for one in webhooks)
    if secure >= _MOST_WEBHOOKS and find_receiver(there, group.receiver) is None:
        return f"it has {_MOST_WEBHOOKS} secure webhooks already, which is the most; name another action group"
    return None


def differences_of(there: Mapping[str, Any], receiver: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Say what of our webhook has to change in an action group that is there."""
    found: list[Difference] = []
    if not there.get("properties", {}).get("enabled", True):
        found.append(Difference("enabled", "false", "true"))
    own = find_receiver(there, str(receiver["name"]))
    if own is None:
        return (*found, *(_prefixed(difference) for difference in _all_new(receiver)))
    found += [
        Difference(f"webhookReceivers.{name}", _text(own.get(name)), _text(value))
        for name, value in receiver.items()
        if name != "name" and _text(own.get(name)).lower() != _text(value).lower()
    ]
    return tuple(found)


def merged(there: Mapping[str, Any] | None, receiver: Mapping[str, Any], short_name: str) -> dict[str, Any]:
    """Give the whole action group with our webhook in it: a write replaces everything."""
    if there is None:
        properties = {"groupShortName": short_name, "enabled": True, "webhookReceivers": [dict(receiver)]}
        return {"location": "Global", "properties": properties}
    body = _without(there, str(receiver["name"]))
    own = find_receiver(there, str(receiver["name"])) or {}
    body["properties"]["webhookReceivers"] = [*body["properties"].get("webhookReceivers", ()), own | dict(receiver)]
    body["properties"]["enabled"] = True
    return body


def _without(there: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give an action group as it is written, without our webhook."""
    body = {key: value for key, value in there.items() if key not in _READ_ONLY}
    properties = dict(body.get("properties", {}))
    webhooks = properties.get("webhookReceivers") or ()
    properties["webhookReceivers"] = [one for one in webhooks if str(one.get("name", "")).lower() != name.lower()]
    return body | {"properties": properties}


def _receivers(there: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    properties = there.get("properties", {})
    return [
        (kind, one)
        for kind, ones in properties.items()
        if kind.endswith("Receivers") and isinstance(ones, Sequence)
        for one in ones
    ]


async def _version_for(context: Context, path: str, there: Mapping[str, Any] | None) -> str:
    """Choose the API version to write with: one that hides nothing of what is there."""
    if there is None:
        return API_VERSION
    try:
        all_of_it = await read(context, path, _WIDEST_API_VERSION)
    except AzureRefused:
        return API_VERSION  # this cloud does not have the wider one, so nothing was written with it
    return _WIDEST_API_VERSION if all_of_it is not None and _holds_more(all_of_it, there) else API_VERSION


def _holds_more(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    """Tell whether a reading shows anything that another does not; empty members do not count."""
    return any(
        bool(value) and (name not in narrow or (isinstance(value, Mapping) and _holds_more(value, narrow[name])))
        for name, value in wide.items()
        if name not in _READ_ONLY
    )


async def _put(context: Context, path: str, body: Mapping[str, Any], version: str) -> None:
    if version != API_VERSION:
        wide = await read(context, path, version) or {}
        known = {key: value for key, value in wide.get("properties", {}).items() if key not in body["properties"]}
        hidden = {key: value for key, value in wide.items() if key not in body and key not in _READ_ONLY}
        body = {**hidden, **body, "properties": {**known, **body["properties"]}}
    await context.manager.call("PUT", path, query={"api-version": version}, json=body)


def _all_new(receiver: Mapping[str, Any]) -> tuple[Difference, ...]:
    return tuple(Difference(name, "", _text(value)) for name, value in receiver.items())


def _prefixed(difference: Difference) -> Difference:
    return Difference(f"webhookReceivers.{difference.name}", difference.before, difference.after)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
