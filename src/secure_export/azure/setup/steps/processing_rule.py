"""One alert processing rule that brings every alert of a subscription to the action group."""

from typing import Any, ClassVar

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.change import Action, Change, Difference, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import WRITE_PROCESSING_RULE, Permission
from secure_export.azure.setup.record import Made
from secure_export.azure.setup.wanted import WantedGroup

API_VERSION = "2021-08-08"


class ProcessingRule:
    """The rule (Azure Monitor REST API, ``Microsoft.AlertsManagement/actionRules``). Not for Service Health alerts."""

    side: ClassVar = Side.AZURE
    kind: ClassVar = "alert processing rule"
    needs: ClassVar[tuple[Permission, ...]] = (WRITE_PROCESSING_RULE,)

    def __init__(self, group: WantedGroup) -> None:
        self._group = group
        scope = f"/subscriptions/{group.subscription}/resourceGroups/{group.resource_group}"
        self.name = f"{scope}/providers/Microsoft.AlertsManagement/actionRules/{group.name}-all-alerts"

    async def compare(self, context: Context) -> Change:
        """See ``Step.compare``."""
        there = await _read(context, self.name)
        wanted = self._wanted()["properties"]
        if there is None:
            new = tuple(Difference(name, "", _text(wanted[name])) for name in ("scopes", "actions"))
            return Change(self.side, self.kind, self.name, Action.CREATE, new)
        has = there.get("properties", {})
        differences = tuple(
            Difference(name, _text(has.get(name)), _text(wanted[name]))
            for name in ("scopes", "actions", "enabled")
            if _text(has.get(name)).lower() != _text(wanted[name]).lower()
        )
        before = {name: has.get(name) for name in ("scopes", "actions", "enabled")}
        action = Action.CHANGE if differences else Action.KEEP
        return Change(self.side, self.kind, self.name, action, differences, before=before)

    async def make(self, context: Context, change: Change) -> dict[str, str]:
        """See ``Step.make``."""
        await _put(context, self.name, self._wanted()["properties"])

        async def shows() -> bool:
            return (await self.compare(context)).action is Action.KEEP

        await context.until(change.address, shows)
        return {}

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Delete it if it is ours; otherwise let it be as it was."""
        if await _read(context, made.name) is None:
            return False
        if made.created:
            await context.manager.call("DELETE", made.name, query={"api-version": API_VERSION})
        else:
            await _put(context, made.name, dict(made.before))
        return True

    def _wanted(self) -> dict[str, Any]:
        return {
            "location": "Global",
            "properties": {
                "scopes": [f"/subscriptions/{self._group.subscription}"],
                "actions": [{"actionType": "AddActionGroups", "actionGroupIds": [self._group.path]}],
                "enabled": True,
                "description": f"Sends every alert of the subscription to Secure Export ({self._group.connection}).",
            },
        }


async def _put(context: Context, path: str, properties: dict[str, Any]) -> None:
    there = await _read(context, path) or {"location": "Global"}
    body = {key: there[key] for key in ("location", "tags") if there.get(key)}
    body["properties"] = there.get("properties", {}) | properties
    await context.manager.call("PUT", path, query={"api-version": API_VERSION}, json=body)


async def _read(context: Context, path: str) -> dict[str, Any] | None:
    try:
        answer = await context.manager.call("GET", path, query={"api-version": API_VERSION})
    except AzureRefused as error:
        if error.is_missing:
            return None
        raise
    there: dict[str, Any] = answer.body
    return there


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(_text(value[key]) for key in sorted(value, reverse=True))
    return "" if value is None else str(value)
