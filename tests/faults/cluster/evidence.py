"""What is looked at when a run is over."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.cluster.load import Told
from tests.faults.cluster.requests_seen import Request
from tests.faults.cluster.tool import Row


@dataclass(frozen=True, slots=True)
class Item:
    """A work item as the service has it.

    Attributes:
        id: Its id.
        seq: Its number in the store.
        connection: Whose.
        key: What is written into the tool.
        number: The number of its record; None: there is none.
        state: ``open`` or ``resolved``.
        owed: Whether something of it is owed.
        alerts: The ids of its alerts.
    """

    id: str
    seq: int
    connection: str
    key: str
    number: str | None
    state: str
    owed: bool
    alerts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A step as the service wrote it down; times in seconds since 1970."""

    id: int
    lane: bytes
    item: int
    kind: str
    token: int
    started_at: float
    finished_at: float | None


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane for which something is to be done."""

    connection: str
    key: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the store has.

    Attributes:
        lanes: The lanes with something to do.
        pending: How many notifications are not folded yet.
        quarantined: How many were not understood.
        steps: All steps, as they were begun.
        items: The key and the number in the store of every work item, by id.
    """

    lanes: tuple[Lane, ...]
    pending: int
    quarantined: int
    steps: tuple[Step, ...]
    items: dict[str, tuple[int, str]]

    @property
    def at_rest(self) -> bool:
        """Whether nothing is left to do."""
        return not self.lanes and not self.pending


@dataclass(frozen=True)
class Evidence:
    """All that is judged by.

    Attributes:
        told: What senders were promised.
        items: The work items.
        rows: The records of all tools.
        snapshot: What the store has.
        requests: The requests that reached the tools, or were on their way when they were lost.
        died: Nodes that ended though nobody ended them, with the exit code.
        exit_codes: How nodes ended that were asked to.
    """

    told: Sequence[Told]
    items: Sequence[Item]
    rows: Sequence[Row]
    snapshot: Snapshot
    requests: Sequence[Request] = ()
    died: Sequence[tuple[str, int]] = ()
    exit_codes: Sequence[int] = field(default=())
