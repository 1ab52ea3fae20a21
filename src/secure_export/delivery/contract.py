"""What delivery needs of a store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from secure_export.alerts.alert import Condition
from secure_export.errors import SecureExportError
from secure_export.workitems.arrival import AlertState
from secure_export.workitems.outcome import Outcome
from secure_export.workitems.peoples_act import PeoplesAct
from secure_export.workitems.work_item import StepKind, WorkItem


@dataclass(frozen=True, slots=True)
class Pending:
    """A notification that its lane has not folded yet."""

    notification: int
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of the alerts that pending notifications speak about.

    Alert ids are compared without regard to case, and told as they were first written.

    Attributes:
        alerts: By alert id: those asked for, and those that share one of the problems asked for.
        others_firing: How many further alerts of the work item still fire.
        lanes: The correlation keys of the other work items that these alerts are in, by work item.
    """

    alerts: dict[str, AlertState]
    others_firing: int
    lanes: Mapping[str, str] = field(default_factory=dict)


class Outdated(SecureExportError):  # noqa: N818 - reads as what it says
    """What folding went by is not so any more; nothing was written. Claim the lane again and fold anew."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What folding went by: it must still be so when the result is written.

    Two lanes may speak of one alert or of one problem (the grouping was changed, or an end names another CI first).
    If both wrote what they made of an earlier state, one would undo the other, and an end would be lost.

    Attributes:
        item_id: The work item that was asked with, or None.
        alert_ids: The alerts that were asked for.
        problems: The problems that were asked for.
        alerts: What was known (``Known.alerts``).
    """

    item_id: str | None
    alert_ids: Sequence[str]
    problems: Sequence[str]
    alerts: Mapping[str, AlertState]


@dataclass(frozen=True, slots=True)
class ClaimedLane:
    """A lane that is ours until ``lease_until``.

    Attributes:
        connection: Which connection.
        correlation_key: Which lane of it.
        token: The fencing token: every write names it, and a write with a token of the past writes nothing.
        lease_until: When others may take it over.
        look: Whether somebody asked to read the work item back.
        pending: What is to be folded, oldest first, at most the number asked for.
        item: The latest work item of the correlation key, or None.
        known: What ``Lanes.known`` would say of ``known_of``, where the store read it along with the rest.
        known_of: The alert ids, as intake read them, that ``known`` tells of.
        wary: Whether the tool may have work items that the store knows nothing of, because the store was restored from
            an older copy: new ones are looked for before they are made.
    """

    connection: str
    correlation_key: str
    token: int
    lease_until: datetime
    look: bool
    pending: tuple[Pending, ...]
    item: WorkItem | None
    known: Known | None = None
    known_of: frozenset[str] = frozenset()
    wary: bool = False


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """An alert as it is kept: its state, and what console and command line show of it.

    Attributes:
        state: What fold decides on.
        facts: Compact JSON of the alert's facts for display (``secure_export.delivery.facts``), to be merged over
            what is there with ``merged``; empty: what is there stays.
        seen_at: When the latest of its notifications was received; None: as it was.
    """

    state: AlertState
    facts: bytes
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a begun step ended."""

    outcome: Outcome
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class Release:
    """Giving the lane back. It stays ready when notifications came in the meantime, whatever is asked here.

    Attributes:
        seen: The newest notification that the owner read: only newer ones keep the lane ready, so that one
            that has to wait (see ``workitems.fold``) does not.
        wake_at: When it is due again; None: not by time.
        parked: Why a person is needed; None: not parked. A lane that is neither due nor parked is idle.
        waiting: Why it waits until ``wake_at``.
    """

    seen: int = 0
    wake_at: datetime | None = None
    parked: str | None = None
    waiting: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Everything that one transaction writes for a lane; empty parts write nothing.

    Attributes:
        folded: Notifications that need not be folded again.
        moved: Notifications that another lane has to fold, with its correlation key; that lane becomes ready.
        quarantined: Notifications that turned out unreadable, with the reason.
        alerts: Alerts as they now are.
        basis: What they were folded by; None: nothing was asked.
        item: The lane's work item as it now is (inserted or updated by its id).
        begin: A step that is about to be tried; there is at most one begun and unfinished step per lane.
        finish: How the lane's begun step ended.
        look_done: The work item was read back; nobody needs to look any more.
        release: Gives the lane back.
    """

    folded: Sequence[int] = ()
    moved: Sequence[tuple[int, str]] = ()
    quarantined: Sequence[tuple[int, str]] = ()
    alerts: Sequence[AlertRecord] = ()
    basis: Basis | None = None
    item: WorkItem | None = None
    begin: StepKind | None = None
    finish: StepResult | None = None
    look_done: bool = False
    release: Release | None = None


class Lanes(Protocol):
    """Lanes, claimed by one owner at a time. Every method raises ``StoreUnavailable`` when the store cannot."""

    async def claim(
        self, connection: str, *, limit: int, pending_limit: int, now: datetime, lease: timedelta
    ) -> Sequence[ClaimedLane]:
        """Take up to ``limit`` due lanes, longest due first; lanes whose lease ended count as due.

        A step that an earlier owner began and did not finish is closed as unclear; its work item carries ``doubt``.
        """
        ...

    async def take_over(self, connection: str, *, now: datetime, patience: timedelta = timedelta(0)) -> int:
        """Make those claimed lanes due at once whose owner is known to be gone; how many were made due.

        Asked before anything is claimed, and every few seconds from then on. Where a store cannot tell, it does
        nothing: leases end by themselves. Lanes of this process, and of any other that lives, stay theirs.

        Args:
            connection: Which connection.
            now: The time now.
            patience: For how long after its beginning a step of a process that is gone may still go on in the tool: a
                look before that could miss what it brings about.
        """
        ...

    async def known(self, lane: ClaimedLane, *, alert_ids: Sequence[str], problems: Sequence[str]) -> Known:
        """Read what is known of these alerts, and of every alert of these problems."""
        ...

    async def save(self, lane: ClaimedLane, change: Change, *, now: datetime) -> None:
        """Write a change in one transaction.

        Raises:
            LostLane: The lane has another owner by now; nothing was written.
            Outdated: ``change.basis`` is not so any more; nothing was written.
        """
        ...

    async def renew(self, lane: ClaimedLane, *, until: datetime) -> None:
        """Keep the lane longer; raises ``LostLane`` like ``save``."""
        ...

    async def next_due(self, connection: str) -> datetime | None:
        """Say when the next lane of a connection becomes due; None when none will by time."""
        ...

    async def wait(self, *, timeout_seconds: float) -> None:
        """Return when a lane may have become ready, or after the time-out."""
        ...


@dataclass(frozen=True, slots=True)
class PlacesAsked:
    """What a process asks for when it renews.

    Attributes:
        places: How many places the connection has.
        keep: How many of those that it holds it keeps at most; it has stopped to use the others.
        lease: How long after this question was sent its last call has surely ended, if it renews no more.
    """

    places: int
    keep: int
    lease: timedelta


@dataclass(frozen=True, slots=True)
class Allotment:
    """What a process has of a connection's places.

    Attributes:
        held: How many places it holds; others do not use them before the lease is over.
        fair: How many it should hold: what it holds beyond that it gives back when it can.
        lasts: Whether it holds them until it leaves or ends, without a lease.
    """

    held: int
    fair: int
    lasts: bool = False


class Allotments(Protocol):
    """Hands the places of connections out to the processes that deliver.

    All that processes hold of one connection is never more than its places, whatever dies, stalls or joins. Each store
    object counts as a process.
    """

    async def renew(self, connection: str, asked: PlacesAsked) -> Allotment:
        """Keep places for the length of a new lease, give back, and take what is free up to the fair share.

        Raises:
            StoreUnavailable: It is not known whether anything of it was kept.
        """
        ...

    async def leave(self, connection: str) -> None:
        """Give everything back; a process that has held nothing may leave, too. Raises as ``renew`` does."""
        ...


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is finished is kept."""

    notifications: timedelta = field(default=timedelta(days=90))
    work_items: timedelta = field(default=timedelta(days=400))
    quarantine: timedelta = field(default=timedelta(days=180))


@dataclass(frozen=True, slots=True)
class UntoldAct:
    """What people did with a work item, of which Azure is to be told.

    Attributes:
        place: Where it stands in the list.
        work_item: Its id.
        connection: Its connection.
        number: What people call it in the tool.
        act: What they did.
        alert_ids: Its alerts that still fire, as Azure wrote them, at most ``MOST_ALERTS_TOLD``.
    """

    place: int
    work_item: str
    connection: str
    number: str
    act: PeoplesAct
    alert_ids: tuple[str, ...]


MOST_ALERTS_TOLD = 1000


class Upkeep(Protocol):
    """What is done by timer."""

    async def wake_expired(self, *, now: datetime, limit: int) -> int:
        """Make the lanes ready whose open work item has a ``close_at`` that is past; how many were woken."""
        ...

    async def wake_for_look(self, connection: str, keys: Sequence[str], *, now: datetime) -> int:
        """Ask the lanes of these work items (``WorkItem.key``, latest generation) to read them back."""
        ...

    async def open_keys(self, connection: str, *, after: str, limit: int) -> Sequence[str]:
        """List the keys of work items that are open in the tool, in key order, after a key."""
        ...

    async def ended_keys(
        self, connection: str, *, since: datetime, after: str, limit: int
    ) -> tuple[Sequence[str], str]:
        """List the keys of work items that ended since a time, a part at a time.

        Args:
            connection: Which connection.
            since: The earliest end.
            after: Where this part begins: what the call before gave; empty at first.
            limit: How many at most.

        Returns:
            The keys, and where the next part begins; empty when there is none.
        """
        ...

    async def retry_parked(self, connection: str, *, after: str, limit: int, now: datetime) -> tuple[int, str]:
        """Have one further attempt made for parked lanes whose work item is not open in the tool, a part at a time.

        A lane whose work item is open there is tried again when that is read back.

        Args:
            connection: Which connection.
            after: Where this part begins: what the call before gave; empty at first.
            limit: How many parked lanes are considered.
            now: The time now.

        Returns:
            How many were made ready, and where the next part begins; empty when there is none.
        """
        ...

    async def wake_unbound(self, connection: str, names: Sequence[str], *, now: datetime, limit: int) -> int:
        """Make the lanes ready whose open work item lacks a CI of one of these names or resource ids (lower case)."""
        ...

    async def unbound_names(self, connection: str, *, limit: int) -> Sequence[str]:
        """List what open work items name but the CMDB did not have (names and resource ids, lower case)."""
        ...

    async def recorded(self, connection: str, alert_ids: Sequence[str]) -> Mapping[str, frozenset[Condition]]:
        """Say of which conditions of alerts notifications were folded, by alert id in lower case.

        Alerts that are not known are left out; alert ids are compared without regard to case.
        """
        ...

    async def untold_acts(self, *, after: int, limit: int) -> Sequence[UntoldAct]:
        """List work items with which people did something that Azure was not told yet, oldest first.

        Args:
            after: The ``place`` of the last that was listed before; 0 at first.
            limit: How many at most.
        """
        ...

    async def act_told(self, work_item: str, act: PeoplesAct) -> None:
        """Write down that Azure was told of an act, or needs not be."""
        ...

    async def cursor(self, name: str) -> str:
        """Read a named cursor; empty when it was never kept."""
        ...

    async def keep_cursor(self, name: str, value: str) -> None:
        """Keep a named cursor."""
        ...

    async def forget(self, retention: Retention, *, now: datetime, limit: int) -> int:
        """Delete up to ``limit`` rows of each kind that are older than retention allows; how many were deleted.

        The embedded desk's incidents that are over go by the same age as work items.
        """
        ...
