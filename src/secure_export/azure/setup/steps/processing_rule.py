"""One alert processing rule that brings every alert of a subscription to the action group."""

from typing import Any, ClassVar

from secure_export.azure.setup.change import Action, Change, Difference, Side, digest_of
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import WRITE_PROCESSING_RULE, Permission
from secure_export.azure.setup.record import Made
from secure_export.azure.setup.wanted import WantedGroup
from secure_export.azure.setup.whole import Resource, read, read_whole, write

API_VERSION = "2021-08-08"
NEWER = ("2024-03-01-preview",)


class ProcessingRule:
    """The rule (Azure Monitor REST API, ``Microsoft.AlertsManagement/actionRules``). Not for Service Health alerts."""

    side: ClassVar = Side.AZURE
    kind: ClassVar = "alert processing rule"
    needs: ClassVar[tuple[Permission, ...]] = (WRITE_PROCESSING_RULE,)

    def __init__(self, group: WantedGroup) -> None:
        self._group = group
        self.group_path = group.path
        self.scope = f"/subscriptions/{group.subscription}/resourceGroups/{group.resource_group}"
        self.name = f"{self.scope}/providers/Microsoft.AlertsManagement/actionRules/{group.name}-all-alerts"

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        there = await read(context, self.name, API_VERSION)
        wanted = wanted_body(self._group)["properties"]
        if there is None:
            new = tuple(Difference(name, "", _text(wanted[name])) for name in ("scopes", "actions"))
            return Change(self.side, self.kind, self.name, Action.CREATE, new)
        has = there.get("properties") or {}
        if self._group.path.lower() not in _text(has.get("actions")).lower():
            reason = "a rule of this name is there that does something else; name the action group otherwise"
            return Change(self.side, self.kind, self.name, Action.BLOCKED, reason=reason)
        differences = tuple(
            Difference(name, _text(has.get(name)), _text(wanted[name]))
            for name in ("scopes", "enabled")
            if _text(has.get(name)).lower() != _text(wanted[name]).lower()
        )
        before = {name: has.get(name) for name in ("scopes", "enabled")}
        action = Action.CHANGE if differences else Action.KEEP
        seen = digest_of(has)
        return Change(self.side, self.kind, self.name, action, differences, before=before, seen=seen)

    async def make(self, context: Context, change: Change) -> None:
        """See ``Step.make``."""
        wanted = wanted_body(self._group)["properties"]
        if change.action is Action.CHANGE:
            wanted = {name: wanted[name] for name in change.before}
        await _put(context, self.name, wanted)

        async def shows() -> bool:
            return (await self.compare(context)).action is Action.KEEP

        await context.until(change.address, shows)

    def ids(self, _: Context) -> dict[str, str]:
        """See ``Step.ids``."""
        return {}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Delete it if it is ours; otherwise let it be as it was."""
        if await read(context, made.name, API_VERSION) is None:
            return False
        if made.created:
            return await context.delete(context.manager, made.name, version=API_VERSION)
        await _put(context, made.name, {key: value for key, value in made.before.items() if value is not None})
        return True


def wanted_body(group: WantedGroup) -> dict[str, Any]:
    """Give the whole rule as Azure Resource Manager has it."""
    return {
        "location": "Global",
        "properties": {
            "scopes": [f"/subscriptions/{group.subscription}"],
            "actions": [{"actionType": "AddActionGroups", "actionGroupIds": [group.path]}],
            "enabled": True,
            "description": f"Sends every alert of the subscription to Secure Export ({group.connection}).",
        },
    }


async def _put(context: Context, path: str, properties: dict[str, Any]) -> None:
    there = await read_whole(context, path, API_VERSION, NEWER) or Resource({"location": "Global"}, API_VERSION)
    await write(context, path, there, there.properties | properties)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(_text(value[key]) for key in sorted(value, reverse=True))
    return "" if value is None else str(value)
