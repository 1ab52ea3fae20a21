"""Reads resources of Azure Resource Manager so that writing them back loses nothing.

A write replaces a resource whole. What only newer API versions know is hidden by older ones, and writing with such a
one deletes it. So what is there is read with the newer ones too, and written with the oldest that hides nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from secure_export.azure.errors import AzureRefused
from secure_export.azure.setup.context import Context

READ_ONLY = frozenset({"id", "name", "type", "systemData", "etag"})
_UNKNOWN_VERSION = 400
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as one API version shows it.

    Attributes:
        body: What it is, without what cannot be written.
        version: The API version that it was read with, and is written with.
    """

    body: Json
    version: str

    @property
    def properties(self) -> Json:
        """Its properties."""
        properties: Json = self.body.get("properties") or {}
        return properties


async def read(context: Context, path: str, version: str) -> Json | None:
    """Read a resource; None when it is not there, nor its resource group."""
    try:
        answer = await context.manager.call("GET", path, query={"api-version": version})
    except AzureRefused as error:
        if error.is_missing:
            return None
        raise
    there: Json = answer.body
    return there


async def read_whole(context: Context, path: str, version: str, newer: Sequence[str]) -> Resource | None:
    """Read a resource with the oldest version that hides nothing of it; None when it is not there.

    Args:
        context: The tenant.
        path: Its id.
        version: The version that is described officially.
        newer: Further ones, oldest first; those that a cloud does not have are passed over.
    """
    there = await read(context, path, version)
    if there is None:
        return None
    best = Resource(_writable(there), version)
    for one in newer:
        try:
            wider = await read(context, path, one)
        except AzureRefused as error:
            if error.status != _UNKNOWN_VERSION:
                raise
            continue
        if wider is not None and shows_more(_writable(wider), best.body):
            best = Resource(_writable(wider), one)
    return best


async def write(context: Context, path: str, resource: Resource, properties: Mapping[str, Any]) -> None:
    """Write a resource back with other properties."""
    body = {**resource.body, "properties": dict(properties)}
    await context.manager.call("PUT", path, query={"api-version": resource.version}, json=body)


def shows_more(wide: Any, narrow: Any) -> bool:
    """Tell whether a reading shows anything that another does not; what is empty does not count, nor do defaults."""
    if isinstance(wide, Mapping):
        known = narrow if isinstance(narrow, Mapping) else {}
        return any(
            shows_more(value, known[name]) if name in known else value not in (None, "", "None", [], {})
            for name, value in wide.items()
        )
    if isinstance(wide, list):
        known_items = narrow if isinstance(narrow, list) else []
        return len(wide) > len(known_items) or any(
            shows_more(one, other) for one, other in zip(wide, known_items, strict=False)
        )
    return False


def _writable(there: Mapping[str, Any]) -> Json:
    return {key: value for key, value in there.items() if key not in READ_ONLY}
