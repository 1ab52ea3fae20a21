"""One request to Graph while it is answered: who asks, of which tenant, about what."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from secure_export.sandbox.entra.directory import is_guid
from secure_export.sandbox.entra.graph.caller import Caller
from secure_export.sandbox.entra.graph.errors import bad_request, not_found
from secure_export.sandbox.entra.graph.replication import Replicated
from secure_export.sandbox.entra.graph.tenant import Row, Tenant
from secure_export.sandbox.rest_call import Call

_KEY: Final = re.compile(r"(?P<name>\w+)='(?P<value>(?:[^']|'')+)'")
_ALTERNATE: Final = frozenset({"appId", "uniqueName"})


@dataclass(frozen=True, slots=True)
class Visit:
    """A request on its way.

    Attributes:
        call: It.
        tenant: Whose directory.
        caller: Who asks.
        named: What its path names.
        page_size: How many objects are on a page if the client does not say.
    """

    call: Call
    tenant: Tenant
    caller: Caller
    named: Mapping[str, str] = field(default_factory=dict)
    page_size: int = 100

    def body(self) -> Row:
        """Read the body.

        Raises:
            RestError: It is no JSON object.
        """
        document: Any = self.call.document()
        if not isinstance(document, dict):
            raise bad_request("The request body must be a JSON object.", "BadRequest")
        return document

    @property
    def creates_if_missing(self) -> bool:
        """Whether the client wants an object made that is not there (``Prefer: create-if-missing``)."""
        return "create-if-missing" in self.call.headers.get("prefer", "").lower()

    def find(self, table: Replicated[Row]) -> Row:
        """Find the object that the path names, as a read sees it.

        Raises:
            RestError: There is none, or this replica has not heard of it.
        """
        key = self.named["id"]
        if (row := self.look(table)) is None:
            raise not_found(key)
        return row

    def written(self, table: Replicated[Row]) -> Row | None:
        """Find the object that a patch changes, as it is.

        A patch that would make it where it is missing is decided where nothing is stale; any other may meet a replica
        that has not heard of the object.
        """
        found = _key(table.all(), self.named["id"])
        return found if self.creates_if_missing or self.look(table) is not None else None

    def look(self, table: Replicated[Row]) -> Row | None:
        """Find the object that the path names by its id or an alternate key; None: this replica knows none."""
        key = self.named["id"]
        return table.seen(key.lower()) if is_guid(key) else _key(table.listed(), key)


def _key(rows: Iterator[Row], key: str) -> Row | None:
    name, value = ("id", key) if is_guid(key) else alternate(key)
    return next((one for one in rows if str(one.get(name) or "").lower() == value.lower()), None)


def alternate(key: str) -> tuple[str, str]:
    """Read an alternate key, such as ``appId='…'``.

    Raises:
        RestError: It is none.
    """
    found = _KEY.fullmatch(key)
    if found is None or found["name"] not in _ALTERNATE:
        raise bad_request(f"Invalid object identifier '{key}'.")
    return found["name"], found["value"].replace("''", "'")
