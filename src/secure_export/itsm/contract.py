"""What an ITSM tool has to be able to do for us: the contract of every connector, built in or not.

A connector is found through the entry point group ``secure_export.itsm``; the entry point names a ``ConnectorType``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from secure_export.cmdb.contract import Cmdb
from secure_export.workitems.outcome import Outcome
from secure_export.workitems.work_item import WorkItem


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of ``secure-export check``.

    Attributes:
        subject: What was tried, such as ``create incident``.
        passed: Whether it works.
        detail: What was found and, when it does not work, what an administrator must change.
    """

    subject: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What people changed in the tool since the last time we asked.

    Attributes:
        keys: The keys (``WorkItem.key``) of the work items that changed.
        cursor: Opaque text to ask with the next time.
        more: Whether there is more to ask for at once.
    """

    keys: tuple[str, ...]
    cursor: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """The record that ``create`` would make, for the dry run.

    Attributes:
        table: What kind of record it is, in the tool's own word.
        fields: Its fields by the tool's own names, in the tool's own values.
        remarks: What would be left out or done differently, as ``Confirmed.remarks``.
    """

    table: str
    fields: Mapping[str, str]
    remarks: tuple[str, ...] = ()


@runtime_checkable
class ShowsRecords(Protocol):
    """What a connector may be able to do besides: show the record that it would make, without making it."""

    async def preview(self, item: WorkItem) -> Preview:
        """Say what ``create`` would write; changes nothing, and raises nothing for what the tool or the network does.

        What cannot be looked up now is left out and told in the remarks.
        """
        ...


class Connector(Protocol):
    """One ITSM tool, reached with one set of credentials.

    The rules that the conformance suite (``tests/conformance/connector_suite.py``) holds every connector to:

    - ``create`` writes ``item.key`` into the new record; ``look`` finds it by that key and by nothing else.
    - ``create`` never makes a second record for a key that the tool already has: it answers with the one that is there.
    - ``resolve`` answers ``Done`` only with a state that was *read back* from the tool.
    - ``reopen`` opens a record that is resolved, and never one that is closed; it answers with the state that was read
      back, whatever it is.
    - ``Done.confirmed.revision`` is the revision of ``item.desired`` that the tool now has; 0 where a look cannot tell.
    - An answer that leaves any doubt is ``Unclear``; ``TryLater`` and ``Refused`` promise that nothing was changed.
    - No method raises for what the tool or the network does; secrets appear in no reason.
    - What the tool did not take, or did differently, is told in ``Done.confirmed.remarks``: it fails no step by itself.
    - What people changed in the tool is never overwritten: an update adds notes and CIs, and changes what we own.
    """

    @property
    def cmdb(self) -> Cmdb:
        """Where this tool's configuration items are looked up."""
        ...

    async def look(self, item: WorkItem) -> Outcome:
        """Find the record by ``item.key``; ``Done(None)`` when the tool surely has none."""
        ...

    async def create(self, item: WorkItem) -> Outcome:
        """Make the record as ``item.desired.content`` says, open, whatever ``item.desired.state`` is."""
        ...

    async def update(self, item: WorkItem) -> Outcome:
        """Bring the notes and the CIs of ``item.desired`` into the record that exists."""
        ...

    async def resolve(self, item: WorkItem) -> Outcome:
        """Bring notes and CIs in, resolve the record with ``item.desired.resolution``, and read it back."""
        ...

    async def reopen(self, item: WorkItem) -> Outcome:
        """Open a resolved record again, bring notes and CIs in, and read it back.

        A record that is closed stays as it is, and so does the state of one that is open: the answer says what is
        there.
        ``Refused`` says that this record cannot be opened again, so that the problem gets a new one.
        """
        ...

    async def changes(self, cursor: str) -> Changes:
        """Say which work items changed in the tool since ``cursor`` (empty: from now on); raises nothing."""
        ...

    async def check(self) -> Sequence[CheckResult]:
        """Try, without leaving a trace, everything that the configuration needs to be able to do."""
        ...

    async def close(self) -> None:
        """Let go of connections and sign out."""
        ...


class ConnectorType(Protocol):
    """What an entry point in ``secure_export.itsm`` names: how to configure and make one kind of connector."""

    @property
    def settings(self) -> type[BaseModel]:
        """The settings of a connection of this type, besides those every connection has."""
        ...

    @property
    def concurrency(self) -> int:
        """How many lanes are worked on at a time where the configuration does not say."""
        ...

    @property
    def poll_seconds(self) -> float:
        """How often the tool is asked what people changed where the configuration does not say."""
        ...

    @property
    def in_process(self) -> bool:
        """Whether a step ends with the process that takes it; in a tool elsewhere it may go on for a while."""
        ...

    def why_not_settable(self, field: str) -> str | None:
        """Say why a route cannot set a field of the tool, as a sentence; None: it can, or only the tool knows."""
        ...

    def make(self, name: str, settings: Any, resources: Any) -> Connector:
        """Make a connector for the connection ``name``; ``resources`` is ``secure_export.itsm.resources.Resources``."""
        ...
