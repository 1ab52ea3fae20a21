"""A tool as the rules of connectors see it: what it can do, what it can do to us, and what people do in it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from secure_export.itsm.contract import Connector
from secure_export.workitems.work_item import (
    ToolState,
)

CONNECTION = "tool"


OTHER_CONNECTION = "other-tool"


PERSON = "Ada Lovelace"


PERSONS_WORDS = "I am on it"


PERSONS_RESOLUTION = "Restarted by hand"


class Fault(StrEnum):
    """What a tool can do to us."""

    UNREACHABLE = "unreachable"
    """No request reaches it: nothing is changed."""
    BUSY = "busy"
    """It asks to come back later, and changes nothing."""
    REFUSES = "refuses"
    """It refuses the change for a reason that will not go away, and changes nothing."""
    ANSWER_LOST = "answer-lost"
    """It does what it was asked, but its answer does not reach us."""
    GARBAGE = "garbage"
    """It does what it was asked, and answers with something that no one understands."""
    RESOLVE_IGNORED = "resolve-ignored"
    """It takes a resolve without complaint and leaves the record open, as a business rule might."""
    REOPEN_IGNORED = "reopen-ignored"
    """It takes a reopening without complaint and leaves the record resolved."""


NOTHING_CHANGED = (Fault.UNREACHABLE, Fault.BUSY, Fault.REFUSES)


IN_DOUBT = (Fault.ANSWER_LOST, Fault.GARBAGE)


class Ability(StrEnum):
    """What most tools have means for, and some do not."""

    ASSIGN = "assign"
    """Records have somebody who works on them."""
    GROUP = "group"
    """Records have a group that looks at them."""
    HOLD = "hold"
    """People put records on hold."""
    PRIORITY = "priority"
    """People change a record's priority."""
    COMMENT = "comment"
    """People write into a record's history, and that counts as a change."""
    DELETE = "delete"
    """Records can be deleted."""
    CLOSE = "close"
    """Closed is another state than resolved, and final."""
    REOPEN = "reopen"
    """A resolved record can be opened again, by people and by us."""
    SEVERAL_CIS = "several-cis"
    """A record can be about several CIs."""
    RESOLUTION = "resolution"
    """It says how a record was resolved."""
    OWN_STATES = "own-states"
    """Its states have words of its own, which tell more than open, resolved and closed."""
    CHANGED_AT = "changed-at"
    """It says when a record was last changed."""
    CHANGES_ONCE = "changes-once"
    """It can be asked what people changed so that each change is told once, and our own are not."""


class Act(StrEnum):
    """What a person does with a record in the tool."""

    COMMENT = "comment"
    ASSIGN = "assign"
    HOLD = "hold"
    LOWER_PRIORITY = "lower-priority"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Record:
    """A record as a person sees it in the tool.

    Attributes:
        number: What people call it.
        title: One line.
        description: Several lines.
        state: Its state.
        on_hold: Whether a person put it on hold.
        priority: 1 to 5.
        group: Who is to look at it; empty when nobody.
        assignee: Who works on it; empty when nobody.
        notes: The texts that we wrote into its history, oldest first.
        cis: The CMDB's ids of the CIs it is about, each once, the primary one first: in a tool with one CI field and a
            table of further ones that field, then the table's others.
        resolution: Why it is resolved; empty while open.
    """

    number: str
    title: str
    description: str
    state: ToolState
    on_hold: bool
    priority: int
    group: str
    assignee: str
    notes: tuple[str, ...]
    cis: tuple[str, ...]
    resolution: str


class Tool(Protocol):
    """A tool that tests look into, behind the connector that is tested.

    Attributes:
        connector: What is tested, for the connection ``CONNECTION``.
        other_connector: The same tool reached for another connection, ``OTHER_CONNECTION``.
        faults: The faults that it knows.
        lacks: What it has no means for, each with a sentence that says why; an adapter that lacks nothing need not
            have it.
        secrets: Texts that must not appear in any reason.
    """

    connector: Connector
    other_connector: Connector
    faults: frozenset[Fault]
    lacks: Mapping[Ability, str]
    secrets: Sequence[str]

    async def records(self, key: str) -> Sequence[Record]:
        """Give every record that carries this key."""
        ...

    async def count(self) -> int:
        """Count all records."""
        ...

    async def act(self, key: str, act: Act) -> None:
        """Do what a person does; comments, assignees and resolutions are those of this module."""
        ...

    async def delete(self, key: str) -> None:
        """Delete the record as a person with enough rights may."""
        ...

    async def add_ci(self, name: str, resource_id: str) -> str:
        """Put a CI into the CMDB; its id."""
        ...

    def failing(self, fault: Fault) -> AbstractContextManager[None]:
        """Have every request meet a fault."""
        ...
