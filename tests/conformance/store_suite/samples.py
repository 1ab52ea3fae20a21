"""Entries, work items and changes that the store's tests speak of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from secure_export.delivery.contract import AlertRecord, Change, ClaimedLane, Lanes, Release
from secure_export.ids import new_id
from secure_export.intake.contract import Entry
from secure_export.workitems.arrival import AlertState
from secure_export.workitems.work_item import Binding, Confirmed, Content, Desired, State, ToolState, WorkItem

NOW = datetime(2026, 3, 2, 9, 19, 5, 117_123, tzinfo=UTC)
LEASE = timedelta(seconds=150)
CALLER = b'{"tenant":"t","application":"a","version":"2.0","token_id":"u"}'


def at(seconds: float) -> datetime:
    """Give a time so many seconds after ``NOW``."""
    return NOW + timedelta(seconds=seconds)


def entry(
    lane: str = "alert:a",
    *,
    connection: str = "desk",
    body: bytes = b'{"schemaId": "x"}',
    key: bytes | None = None,
    received_at: datetime = NOW,
    alert_id: str | None = None,
) -> Entry:
    """Give an entry that goes to a lane."""
    return Entry(
        connection=connection,
        body=body,
        received_at=received_at,
        caller=CALLER,
        dedupe_key=key,
        correlation_key=lane,
        alert_id=alert_id or lane.removeprefix("alert:"),
    )


def unreadable(reason: str = "not JSON", *, connection: str = "desk", body: bytes = b"{") -> Entry:
    """Give an entry that goes to quarantine."""
    return Entry(connection=connection, body=body, received_at=NOW, caller=CALLER, quarantine_reason=reason)


def item(lane: str = "alert:a", *, connection: str = "desk", generation: int = 1, **changes: object) -> WorkItem:
    """Give an open work item that the tool does not know yet."""
    made = WorkItem(
        id=new_id(NOW),
        connection=connection,
        correlation_key=lane,
        generation=generation,
        desired=Desired(State.OPEN, Content("CPU is high", "It is", 2, 2, 3, severity="Sev2")),
        confirmed=None,
        created_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type] # the caller names members of WorkItem


def resolved(one: WorkItem, when: datetime = NOW) -> WorkItem:
    """Give a work item as it is when everything about it is done."""
    desired = replace(one.desired, state=State.RESOLVED, revision=2, resolution="over")
    confirmed = Confirmed("ref", "INC1", "", ToolState.RESOLVED, 2, when)
    return replace(one, desired=desired, confirmed=confirmed, resolved_at=when)


def open_in_tool(one: WorkItem, number: str = "INC1") -> WorkItem:
    """Give a work item as it is when the tool has it."""
    return replace(one, confirmed=Confirmed("ref", number, f"https://desk/{number}", ToolState.OPEN, 1, NOW))


def lacking(one: WorkItem, *names: str, rule: str = "not-in-cmdb") -> WorkItem:
    """Give a work item whose CIs were not found."""
    bindings = tuple(Binding(None, name, rule, f"{name} is not in the CMDB") for name in names)
    return replace(one, desired=replace(one.desired, content=replace(one.desired.content, bindings=bindings)))


def alert(
    alert_id: str = "a",
    *,
    problem: str | None = None,
    work_item: str | None = None,
    fired_at: datetime | None = NOW,
    ended_at: datetime | None = None,
    facts: bytes = b"",
    seen_at: datetime | None = NOW,
) -> AlertRecord:
    """Give an alert as delivery keeps it."""
    state = AlertState(alert_id, problem or alert_id, fired_at, ended_at, work_item, ("it fired",))
    return AlertRecord(state, facts, seen_at)


async def claim(
    lanes: Lanes, *, connection: str = "desk", now: datetime = NOW, limit: int = 100, pending_limit: int = 200
) -> list[ClaimedLane]:
    """Claim what is due."""
    return list(await lanes.claim(connection, limit=limit, pending_limit=pending_limit, now=now, lease=LEASE))


async def claim_one(lanes: Lanes, *, connection: str = "desk", now: datetime = NOW) -> ClaimedLane:
    """Claim the only lane that is due."""
    (lane,) = await claim(lanes, connection=connection, now=now)
    return lane


def folded(lane: ClaimedLane, **parts: object) -> Change:
    """Give the change that folds all that was pending and gives the lane back."""
    numbers = [one.notification for one in lane.pending]
    change = Change(folded=numbers, release=Release(seen=max(numbers, default=0)))
    return replace(change, **parts)  # type: ignore[arg-type] # the caller names members of Change
