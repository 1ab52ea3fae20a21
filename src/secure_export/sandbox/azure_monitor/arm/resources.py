"""PUT, GET, PATCH, DELETE and lists of resources, as ARM does them for every type."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from secure_export.sandbox.azure_monitor.arm.errors import bad_request, refused, resource_not_found
from secure_export.sandbox.azure_monitor.arm.resource_types import ResourceType
from secure_export.sandbox.azure_monitor.arm.visit import Visit
from secure_export.sandbox.azure_monitor.arm.world import Row, merged
from secure_export.sandbox.reply import Reply, json_reply

Handler = Callable[[Visit], Awaitable[Reply]]
LONGEST_NAME: Final = 260
_BAD_NAME: Final = re.compile(r"[:@/#{}%&+*<>?|\\]")
_TOP: Final = ("location", "tags", "kind", "identity", "properties")


class Resources:
    """One method a way to ask.

    Args:
        kind: The type of the resources.
    """

    def __init__(self, kind: ResourceType) -> None:
        self._kind = kind

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Give what answers: method, path, handler."""
        one = f"subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{self._kind.name}/{{name}}"
        listed = [
            ("GET", f"subscriptions/{{subscription}}/providers/{self._kind.name}", self._listed),
            (
                "GET",
                f"subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{self._kind.name}",
                self._listed,
            ),
        ]
        single = [
            ("GET", one, self._got),
            ("PUT", one, self._written),
            ("PATCH", one, self._patched),
            ("DELETE", one, self._deleted),
        ]
        return [*listed, *single]

    async def _listed(self, visit: Visit) -> Reply:
        self._enter(visit, "read", visit.scope)
        if "group" in visit.named:
            visit.world.group(visit.named["subscription"], visit.named["group"])
        return json_reply(200, {"value": [_shown(row) for row in visit.world.of_type(self._kind.name, visit.scope)]})

    async def _got(self, visit: Visit) -> Reply:
        key = self._enter(visit, "read")
        return json_reply(200, _shown(self._found(visit, key)))

    async def _written(self, visit: Visit) -> Reply:
        key = self._enter(visit, "write")
        group = self._group(visit)
        name = visit.named["name"]
        if len(name) > LONGEST_NAME or _BAD_NAME.search(name) or name.endswith((".", " ")):
            raise bad_request(f"The resource name '{name}' is not valid.", "InvalidResourceName")
        body = visit.body()
        _check_top(body)
        before = visit.world.resources.get(key.lower())
        _check_location(before, body)
        row: Row = {
            "id": before["id"] if before else f"{group['id']}/providers/{self._kind.name}/{name}",
            "name": before["name"] if before else name,
            "type": self._kind.shown or self._kind.name,
            **{one: body[one] for one in _TOP if one in body},
        }
        await self._keep(visit, {"tags": {}, **row})
        status = 200 if before else self._kind.creates_with
        return json_reply(status, _shown(visit.world.resources[key.lower()]))

    async def _patched(self, visit: Visit) -> Reply:
        key = self._enter(visit, "write")
        self._group(visit)
        before, body = self._found(visit, key), visit.body()
        asked = body.get("properties") or {}
        row = merged(before, body, ("tags",))
        row["properties"] = merged(before["properties"], asked, self._kind.patched or tuple(asked))
        await self._keep(visit, row, is_whole=not self._kind.patched)
        return json_reply(200, _shown(visit.world.resources[key.lower()]))

    async def _deleted(self, visit: Visit) -> Reply:
        key = self._enter(visit, "delete")
        gone = visit.world.resources.pop(key.lower(), None)
        if gone is None:
            return Reply(204)
        if self._kind.changed is not None:
            self._kind.changed(visit, gone["id"], None)
        return Reply(200)

    async def _keep(self, visit: Visit, row: Row, *, is_whole: bool = True) -> None:
        """Keep a resource; what can change but its tags and a switch or two is checked whole again."""
        kept = await self._kind.check(visit, row) if is_whole else row
        if not isinstance(kept["properties"].get("enabled", True), bool | str):
            raise bad_request("The property enabled must be true or false.")
        visit.world.put(kept)
        if self._kind.changed is not None:
            self._kind.changed(visit, kept["id"], kept)

    def _enter(self, visit: Visit, verb: str, scope: str | None = None) -> str:
        """Let the caller in; gives the id that the path names."""
        visit.subscription()
        visit.must_be_version(self._kind.name, self._kind.versions)
        key = scope or f"{visit.scope}/providers/{self._kind.name}/{visit.named['name']}"
        visit.must(f"{self._kind.name}/{verb}", key)
        return key

    def _group(self, visit: Visit) -> Row:
        group = visit.world.group(visit.named["subscription"], visit.named["group"])
        namespace = self._kind.name.partition("/")[0]
        state = visit.subscription().providers.get(namespace, "NotRegistered")
        if state != "Registered":
            raise refused(
                409,
                "MissingSubscriptionRegistration",
                f"The subscription is not registered to use namespace '{namespace}'. See "
                "https://aka.ms/rps-not-found for how to register subscriptions.",
            )
        return group

    def _found(self, visit: Visit, key: str) -> Row:
        found = visit.world.resources.get(key.lower())
        if found is None:
            visit.world.group(visit.named["subscription"], visit.named["group"])
            raise resource_not_found(self._kind.name, visit.named["name"], visit.named["group"])
        return found


def _check_top(body: Row) -> None:
    if not isinstance(body.get("location"), str) or not body["location"]:
        raise bad_request("The location property is required for this definition.", "LocationRequired")
    tags = body.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(one, str) for one in tags.values()):
        raise bad_request("The tags must be a map of texts.", "InvalidRequestContent")
    if not isinstance(body.get("properties"), dict):
        raise bad_request("The request content has no properties.", "InvalidRequestContent")


def _check_location(before: Row | None, body: Row) -> None:
    if before is not None and before["location"].lower() != body["location"].lower():
        raise refused(
            409,
            "InvalidResourceLocation",
            f"The resource '{before['name']}' already exists in location '{before['location']}' and cannot be created "
            f"in location '{body['location']}'. Please select a new resource name.",
        )


def _shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "tags" or value}
