"""Takes an ITSM action out of an action group once the webhook beside it does its work; and puts it back."""

from collections.abc import Mapping
from typing import Any, ClassVar

from secure_export.azure.setup.change import Action, Change, Difference, Side, digest_of
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import READ_ACTION_GROUP, WRITE_ACTION_GROUP, Permission
from secure_export.azure.setup.record import Made
from secure_export.azure.setup.steps.action_group import API_VERSION
from secure_export.azure.setup.steps.action_group_body import find_receiver, receivers_of
from secure_export.azure.setup.whole import read_whole, write
from secure_export.errors import SecureExportError

NEWER = ("2024-10-01-preview", "2026-09-01")
Json = dict[str, Any]


class GroupChanged(SecureExportError):  # noqa: N818 - reads as what it says
    """An action group is no longer as it was when a person agreed; nothing was written over it."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"concurrent change detected: somebody changed {path} meanwhile; it was left as it is. "
            "Look at 'itsmc plan' again, and run this again"
        )


class RemovedAction:
    """One ITSM action that is to go; see ``Step``.

    Args:
        path: The action group's resource id.
        receiver: The ITSM action as it is there.
        webhook: Our webhook's name in the action group; it has to be there.
    """

    side: ClassVar = Side.AZURE
    kind: ClassVar = "ITSM action"
    needs: ClassVar[tuple[Permission, ...]] = (READ_ACTION_GROUP, WRITE_ACTION_GROUP)

    def __init__(self, path: str, receiver: Mapping[str, Any], webhook: str) -> None:
        self.path = path
        self.receiver = dict(receiver)
        self.webhook = webhook
        self.name = name_of(path, str(receiver.get("name", "")))
        self.scope = path[: path.lower().find("/providers/")]

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        there = await read_whole(context, self.path, API_VERSION, NEWER)
        if there is None:
            return self._change(Action.KEEP, "the action group is gone")
        found = find_itsm(there.body, str(self.receiver["name"]))
        if found is None:
            return self._change(Action.KEEP, "it is gone already")
        if find_receiver(there.body, self.webhook) is None:
            return self._change(Action.BLOCKED, "our webhook is not in the action group; run 'itsmc apply' first")
        if digest_of({name: found.get(name) for name in self.receiver}) != digest_of(self.receiver):
            return self._change(Action.BLOCKED, "somebody changed it meanwhile; look at 'itsmc plan' again")
        gone = (Difference("itsmReceivers", str(found.get("name", "")), ""),)
        before = {"action_group": self.path, "receiver": found, "position": _position(there.body, str(found["name"]))}
        seen = digest_of(without_itsm(there.body, str(found["name"])))
        return Change(self.side, self.kind, self.name, Action.TAKE_BACK, gone, before=before, seen=seen)

    async def make(self, context: Context, change: Change) -> None:
        """See ``Step.make``. There is no ETag: it is read right before it is written, and again after."""
        name = str(self.receiver["name"])

        async def settle() -> bool:
            there = await read_whole(context, self.path, API_VERSION, NEWER)
            if there is None or find_itsm(there.body, name) is None:
                return True
            left = without_itsm(there.body, name)
            if change.seen and digest_of(left) != change.seen:
                raise GroupChanged(self.path)
            await write(context, self.path, there, left["properties"])
            return False

        await settle()
        await context.until(change.address, settle)

    def ids(self, _: Context) -> dict[str, str]:
        """See ``Step.ids``."""
        return {}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Put the ITSM action back as it was; an action group that is gone, or has one of that name, is left."""
        path, receiver = str(made.before["action_group"]), dict(made.before["receiver"])
        there = await read_whole(context, path, API_VERSION, NEWER)
        if there is None or _is_taken(there.body, str(receiver["name"])):
            return False
        actions = [*(there.properties.get("itsmReceivers") or ())]
        actions.insert(int(made.before["position"]), receiver)
        await write(context, path, there, {**there.properties, "itsmReceivers": actions})
        return True

    def _change(self, action: Action, reason: str) -> Change:
        return Change(self.side, self.kind, self.name, action, reason=reason)


def name_of(path: str, receiver: str) -> str:
    """Name an ITSM action so that no other has the name."""
    return f"{path} → {receiver}"


def find_itsm(there: Mapping[str, Any], name: str) -> Json | None:
    """Find an ITSM action by its name, in any case."""
    actions = (there.get("properties") or {}).get("itsmReceivers") or ()
    return next((dict(one) for one in actions if str(one.get("name", "")).lower() == name.lower()), None)


def _position(there: Mapping[str, Any], name: str) -> int:
    names = [str(one.get("name", "")).lower() for one in (there.get("properties") or {}).get("itsmReceivers") or ()]
    return names.index(name.lower())


def without_itsm(there: Mapping[str, Any], name: str) -> Json:
    """Give an action group without an ITSM action; all else as it is."""
    properties = dict(there.get("properties") or {})
    actions = properties.get("itsmReceivers") or ()
    properties["itsmReceivers"] = [one for one in actions if str(one.get("name", "")).lower() != name.lower()]
    return {**there, "properties": properties}


def _is_taken(there: Mapping[str, Any], name: str) -> bool:
    return any(str(one.get("name", "")).lower() == name.lower() for _, one in receivers_of(there))
