"""What a plan consists of: for each thing in Azure, what would be made, changed, left, or taken back, and why."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

UNKNOWN = "(known after apply)"


class Side(StrEnum):
    """Whose work a step is: two people may share it."""

    ENTRA = "entra"
    AZURE = "azure"


class Action(StrEnum):
    """What happens to one thing."""

    CREATE = "create"
    CHANGE = "change"
    KEEP = "keep"
    TAKE_BACK = "take back"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that is not as it should be.

    Attributes:
        name: Which, by Azure's own name.
        before: What it is, as text; empty: it is not there.
        after: What it will be, as text; empty: it will not be there.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one thing.

    Attributes:
        side: Whose work it is.
        kind: What it is, in a few words, such as ``app registration``.
        name: Which one.
        action: What happens.
        differences: Property by property; of what is kept there are none.
        reason: Why, as a sentence part.
        before: What ``take_back`` needs to know of where it is and how it was; plain JSON values.
        seen: A digest of everything of others that a write would replace; empty where a write replaces nothing.
    """

    side: Side
    kind: str
    name: str
    action: Action
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    seen: str = ""

    @property
    def address(self) -> str:
        """What tells it from every other thing of the tenant."""
        return f"{self.kind} {self.name}"

    @property
    def is_due(self) -> bool:
        """Whether anything has to be done."""
        return self.action in {Action.CREATE, Action.CHANGE, Action.TAKE_BACK}


def digest_of(value: Any) -> str:
    """Give a short text that is another one whenever the value is; what is empty or None counts as not there."""
    return hashlib.sha256(json.dumps(_tidy(value), sort_keys=True).encode()).hexdigest()[:16]


def _tidy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _tidy(one) for key, one in value.items() if one not in (None, [], {}, "")}
    return [_tidy(one) for one in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done in one tenant, in order.

    Attributes:
        tenant_id: Which tenant.
        changes: What happens to each thing.
    """

    tenant_id: str
    changes: tuple[Change, ...]

    def count(self, action: Action) -> int:
        """Say to how many things something happens."""
        return sum(change.action is action for change in self.changes)

    @property
    def is_empty(self) -> bool:
        """Whether everything is as it should be."""
        return all(change.action is Action.KEEP for change in self.changes)
