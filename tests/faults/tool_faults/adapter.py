"""What the shared fault suite needs of a tool: its sandbox, looked into and troubled from outside the connector.

An adapter is written once for each remote tool; the suite (``suite.py``) is the same for all of them. Nothing here
supposes that a tool helps: no idempotency key, no conditional write, no transaction over several calls.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from secure_export.itsm.contract import Connector
from secure_export.workitems.work_item import ToolState


class Trouble(StrEnum):
    """What can happen to one call of the tool."""

    ANSWER_LOST = "answer-lost"
    """It is done, then the connection breaks."""
    REQUEST_LOST = "request-lost"
    """The connection breaks and nothing is done."""
    ERROR_AFTER = "error-after"
    """It is done, and the answer is 500."""
    ERROR_BEFORE = "error-before"
    """Nothing is done, and the answer is 500."""
    GARBAGE = "garbage"
    """It is done, and the answer is something that nobody understands."""
    CUT = "cut"
    """It is done, and the answer ends in the middle."""
    ACCEPTED = "accepted"
    """Nothing is done, and the answer sounds as if it were going to be."""
    BUSY = "busy"
    """Nothing is done: too many requests, with the time to come back, which is in ``BUSY_SECONDS``."""
    BUSY_SILENT = "busy-silent"
    """Nothing is done: too many requests, and not a word of when to come back."""
    UNAVAILABLE = "unavailable"
    """Nothing is done, and the answer is 503."""
    ABORTED = "aborted"
    """Nothing is done: a rule of the tool's own aborts what was asked."""
    RESOLVE_IGNORED = "resolve-ignored"
    """A resolve is answered as if it were done, and the record stays open."""


BUSY_SECONDS = 30
DONE_ALL_THE_SAME = frozenset({Trouble.ANSWER_LOST, Trouble.ERROR_AFTER, Trouble.GARBAGE, Trouble.CUT})
NOT_DONE = frozenset(Trouble) - DONE_ALL_THE_SAME


class Deed(StrEnum):
    """What a person does with a record."""

    RESOLVE = "resolve"
    CLOSE = "close"
    REOPEN = "reopen"
    DELETE = "delete"
    MERGE = "merge"
    """Makes it a duplicate, or a child, of another record of theirs; it is over then."""


class Ability(StrEnum):
    """What not every tool has; a tool without it leaves out the tests that need it, and says why in its adapter."""

    TOKENS = "tokens"
    """Signing in gives a token that the tool can revoke."""
    RESOLVE_VALUE = "resolve-value"
    """A resolve needs a value from a list that an administrator can change."""
    ROW_RIGHTS = "row-rights"
    """Rights can hide our own records from us."""
    COPIES = "copies"
    """The tool can be put back to an old copy of its data."""
    CMDB_APART = "cmdb-apart"
    """The CMDB can fail while records can be read and written."""
    SLOW_WRITES = "slow-writes"
    """A write can take long, so that two overlap."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record as an administrator of the tool sees it.

    Attributes:
        number: What people call it.
        title: One line.
        state: Its state.
        aside: Whether it was put aside as the double of another: it is no work item any more.
        notes: The texts of ours in its history, oldest first, each as often as it is there.
        resolution: Why it is resolved.
    """

    number: str
    title: str
    state: ToolState
    aside: bool = False
    notes: tuple[str, ...] = ()
    resolution: str = ""


class ToolUnderFault(Protocol):
    """A tool's sandbox while a test has it."""

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it has."""
        ...

    @property
    def troubles(self) -> frozenset[Trouble]:
        """What can happen to its calls."""
        ...

    @property
    def deeds(self) -> frozenset[Deed]:
        """What people can do in it."""
        ...

    @property
    def concurrency(self) -> int:
        """How many lanes are worked on at a time."""
        ...

    @property
    def work_item(self) -> str:
        """What the route calls the kind of work item."""
        ...

    async def connector(self, name: str) -> Connector:
        """Make a connector of its own for the connection ``name``, as another process would."""
        ...

    async def found(self) -> Sequence[Found]:
        """Give every record that we or a person made, the oldest first."""
        ...

    def next_writes(self, trouble: Trouble, times: int = 1) -> None:
        """Let the next writes of records meet a trouble."""
        ...

    def next_reads(self, trouble: Trouble, times: int = 1) -> None:
        """Let the next reads of records meet a trouble."""
        ...

    def all_calls(self, trouble: Trouble) -> None:
        """Let all calls meet a trouble, signing in too, until ``calm``."""
        ...

    def cmdb_meets(self, trouble: Trouble) -> None:
        """Let all look-ups of CIs meet a trouble, until ``calm``."""
        ...

    def slow_write(self, seconds: float) -> None:
        """Let the next write wait in the tool before it is done; seconds of real time."""
        ...

    def calm(self) -> None:
        """Take away all troubles."""
        ...

    def met(self) -> int:
        """Count the calls that met a trouble so far."""
        ...

    async def act(self, number: str, deed: Deed) -> None:
        """Do what a person does."""
        ...

    async def revoke_tokens(self) -> None:
        """Let every token that was given out be worth nothing."""
        ...

    async def take_resolve_value(self) -> None:
        """Remove the value that a resolve needs, and put another of the same meaning in its place."""
        ...

    async def hide(self) -> None:
        """Let rights hide all records of ours from us."""
        ...

    async def show(self) -> None:
        """Take those rights away again."""
        ...

    async def add_ci(self, name: str, resource_id: str) -> str:
        """Put a CI into the CMDB; its key."""
        ...

    async def retire_ci(self, key: str) -> None:
        """Take a CI out of use."""
        ...

    async def copied(self) -> object:
        """Make a copy of the tool's records."""
        ...

    async def put_back(self, copy: object) -> None:
        """Put the tool's records back to a copy: what came later is gone."""
        ...


OpenTool = Callable[[Callable[[], datetime], Path], AbstractAsyncContextManager[ToolUnderFault]]
"""Starts a tool's sandbox by a clock, with a folder for its files, for as long as the block lasts."""
