"""What is decided about rows of alerts, whichever database keeps them: pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from secure_export.delivery.contract import AlertRecord
from secure_export.delivery.facts import merged
from secure_export.store.rows import decoded
from secure_export.workitems.arrival import AlertState

MOST_OF_PROBLEM = 200
ENDED_UNREAD = "ended with later alerts of its problem"


@dataclass(frozen=True, slots=True)
class EndOfProblem:
    """The one time at which all alerts ended that were read of a problem in a work item, where there were very many."""

    at: datetime
    problem: str
    work_item: str | None


def facts_after(before: bytes, record: AlertRecord) -> tuple[str, str]:
    """Give an alert's facts after a change, as they are kept, and its id as Azure wrote it."""
    facts = merged(before, record.facts) or b"{}"
    return facts.decode(), str(decoded(facts).get("id") or record.state.alert_id)


def other_id(record: AlertRecord, told_id: str) -> str | None:
    """Give the id as Azure wrote it where it is another than ours."""
    return None if told_id.lower() == record.state.alert_id.lower() else told_id


def ends_of_problems(records: Sequence[AlertRecord]) -> list[EndOfProblem]:
    """Say which problems end with these alerts whole: as many as are read of one have ended at one time."""
    ended = Counter(
        (state.ended_at, state.problem, state.work_item)
        for state in (record.state for record in records)
        if state.ended_at is not None and state.problem != state.alert_id
    )
    return [
        EndOfProblem(at, problem, work_item)
        for (at, problem, work_item), count in ended.items()
        if count >= MOST_OF_PROBLEM
    ]


def counted_twice(item_id: str, alerts: Mapping[str, AlertState], problems: Sequence[str]) -> int:
    """Say how many of these alerts are among the firing ones of a work item that tell of none of these problems."""
    return sum(
        state.firing
        and state.work_item == item_id
        and (state.problem == state.alert_id or state.problem not in problems)
        for state in alerts.values()
    )
