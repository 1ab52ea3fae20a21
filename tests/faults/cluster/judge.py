"""Compares what senders were promised with what there is: pure, and itself tested (``test_judge.py``)."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from urllib.parse import unquote

from tests.faults.cluster.evidence import Evidence, Item, Step
from tests.faults.cluster.load import Said, Told
from tests.faults.cluster.requests_seen import Request
from tests.faults.cluster.tool import Row

from secure_export.itsm.record_keys import PREFIX

_NAMES = re.compile(r"[0-9A-Za-z]{12,}")
_KEYS = re.compile(rf"{PREFIX}:[0-9a-f]{{8}}:([0-9a-z]+)")
# A busy machine: the proxy reads a request later than it was sent, and nodes know the database's time only so well.
_LATE_SECONDS = 1.0


def violations(evidence: Evidence) -> list[str]:
    """Say what is wrong, one sentence each; nothing: every promise is kept."""
    return [
        *_of_alerts(evidence),
        *_of_items(evidence),
        *_of_rows(evidence),
        *_at_rest(evidence),
        *_of_owners(evidence),
        *_of_processes(evidence),
    ]


def doubles(evidence: Evidence) -> int:
    """Count the records that were made twice and set aside: the tool had no way to refuse the second."""
    numbers = {(item.connection, item.number) for item in evidence.items}
    keys = {(item.connection, item.key) for item in evidence.items}
    return sum((row.connection, row.key) in keys and not _is_main(row, numbers) for row in evidence.rows)


def _is_main(row: Row, numbers: set[tuple[str, str | None]]) -> bool:
    return (row.connection, row.number) in numbers


def _of_alerts(evidence: Evidence) -> Iterator[str]:
    """Every alert that got a 202 is in exactly one work item, and in the tool once, in the right final state."""
    items: dict[str, list[Item]] = defaultdict(list)
    for item in evidence.items:
        for alert in item.alerts:
            items[alert].append(item)
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in evidence.rows:
        for name in re.findall(r"rule-[0-9a-f]{12}", row.title):
            rows[name].append(row)
    for told in evidence.told:
        yield from _of_alert(told, items[told.alert_id], rows[told.name])


def _of_alert(told: Told, items: list[Item], rows: list[Row]) -> Iterator[str]:
    if told.fired is Said.TAKEN and not items:
        yield f"{told} was taken and is in no work item"
    if told.fired is Said.NEVER and items:
        yield f"{told} never fired and is in a work item"
    if len(items) > 1:
        yield f"{told} is in {len(items)} work items"
    for item in items:
        if item.connection != told.connection:
            yield f"{told} is in a work item of {item.connection}"
        if told.ended is Said.TAKEN and item.state != "resolved":
            yield f"{told} is over, and its work item is {item.state}"
        if told.ended is Said.NEVER and item.state != "open":
            yield f"{told} still fires, and its work item is {item.state}"
    yield from _in_tool(told, rows)


def _in_tool(told: Told, rows: list[Row]) -> Iterator[str]:
    """The tool's own records say the same: found by the alert's name, not by any key of ours."""
    if told.fired is Said.TAKEN and not rows:
        yield f"{told} was taken, and no record of the tool tells of it"
    is_open = [row for row in rows if row.is_open]
    if told.ended is Said.TAKEN and is_open:
        yield f"{told} is over, and {is_open[0].number} is open in the tool"
    if told.fired is Said.TAKEN and told.ended is Said.NEVER and len(is_open) != 1:
        yield f"{told} still fires, and {len(is_open)} records of the tool are open for it"


def _of_items(evidence: Evidence) -> Iterator[str]:
    """No work item is there without an alert, none is owed, and each has one record that is as it says."""
    known = {told.alert_id for told in evidence.told}
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in evidence.rows:
        rows[row.connection, row.key].append(row)
    for item in evidence.items:
        if not item.alerts:
            yield f"{item} has no alert"
        if unknown := set(item.alerts) - known:
            yield f"{item} has alerts that nobody sent: {unknown}"
        if item.owed:
            yield f"{item} is still owed"
        yield from _of_records(item, rows[item.connection, item.key])


def _of_records(item: Item, rows: list[Row]) -> Iterator[str]:
    main = [row for row in rows if row.number == item.number]
    if len(main) != 1:
        yield f"{item} has {len(main)} records of its number in the tool: {rows}"
    for row in main:
        if row.is_open is not (item.state == "open"):
            yield f"{item} is {item.state}, and its record is not: {row}"
    for row in rows:
        if row not in main and row.is_open:
            yield f"{item} has a second open record in the tool: {row}"


def _of_rows(evidence: Evidence) -> Iterator[str]:
    """No record is there that no work item knows of."""
    keys = {(item.connection, item.key) for item in evidence.items}
    for row in evidence.rows:
        if (row.connection, row.key) not in keys:
            yield f"{row} belongs to no work item"
    counts = Counter((row.connection, row.number) for row in evidence.rows)
    for (connection, number), count in counts.items():
        if count > 1:
            yield f"{count} records of {connection} have the number {number}"


def _at_rest(evidence: Evidence) -> Iterator[str]:
    """No lane waits without a reason, and nothing is left in flight."""
    for lane in evidence.snapshot.lanes:
        if lane.state in {"waiting", "parked"} and not lane.reason:
            yield f"{lane} waits without a reason"
        else:
            yield f"{lane} has not come to rest"
    if evidence.snapshot.pending:
        yield f"{evidence.snapshot.pending} notifications are not folded"
    if evidence.snapshot.quarantined:
        yield f"{evidence.snapshot.quarantined} notifications were not understood"
    for step in evidence.snapshot.steps:
        if step.finished_at is None:
            yield f"{step} is still under way"


def _of_owners(evidence: Evidence) -> Iterator[str]:
    """No step was done by an owner who was fenced off.

    In the service's records the fencing tokens of a lane's steps never go back. In the tool every write happened while
    a step of its work item was under way that its own node had begun: a node that acts on a lane which another took
    over would write beside the steps, or in the middle of those of the other.
    """
    lanes: dict[bytes, list[Step]] = defaultdict(list)
    items: dict[int, list[Step]] = defaultdict(list)
    for step in sorted(evidence.snapshot.steps, key=lambda step: step.id):
        lanes[step.lane].append(step)
        items[step.item].append(step)
    for steps in lanes.values():
        for before, after in pairwise(steps):
            if after.token < before.token:
                yield f"{after} was begun with an older token than {before}"
    writes: dict[int, list[Request]] = defaultdict(list)
    known = _items_by_name(evidence)
    for request in evidence.requests:
        if request.writes and (item := _item_of(request, known)) is not None:
            writes[item].append(request)
    owners = _owners(writes, items)
    for item, requests in writes.items():
        for request in requests:
            yield from _of_write(request, items[item], owners)


def _owners(writes: Mapping[int, list[Request]], items: Mapping[int, list[Step]]) -> Mapping[int, str]:
    """Say which node each fencing token belongs to, as far as writes show it: one claim of one node gives one token.

    Most writes happen while only one step of their work item can be meant; those decide.
    """
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    for item, requests in writes.items():
        for request in requests:
            tokens = {step.token for step in items[item] if _during(request, step)}
            if len(tokens) == 1:
                votes[tokens.pop()][request.link] += 1
    return {token: counts.most_common(1)[0][0] for token, counts in votes.items()}


def _of_write(request: Request, steps: list[Step], owners: Mapping[int, str]) -> Iterator[str]:
    during = [step for step in steps if _during(request, step)]
    shown = f"{request.method} {request.path[:120]} of {request.link} at {request.at:.3f}"
    if not during:
        yield f"a write beside every step of its work item: {shown}; steps: {steps}"
    elif all(owners.get(step.token, request.link) != request.link for step in during):
        yield f"a write in the middle of another node's step: {shown}; steps: {during}, of {owners[during[0].token]}"


def _during(request: Request, step: Step) -> bool:
    begun = step.started_at - _LATE_SECONDS <= request.at
    return begun and (step.finished_at is None or request.at <= step.finished_at + _LATE_SECONDS)


def _items_by_name(evidence: Evidence) -> Mapping[str, int]:
    """Give the work items by their keys, and by what the paths of requests name their records by."""
    by_key = {(item.connection, item.key): item.seq for item in evidence.items}
    names = {key: seq for (_, key), seq in by_key.items()}
    for row in evidence.rows:
        if (seq := by_key.get((row.connection, row.key))) is not None:
            names |= dict.fromkeys(row.ids, seq)
    return names


def _item_of(request: Request, known: Mapping[str, int]) -> int | None:
    path, body = unquote(request.path), request.body.decode("utf-8", "replace")
    names = (*_KEYS.findall(path), *_NAMES.findall(path), *_KEYS.findall(body))
    return next((known[name] for name in names if name in known), None)


def _of_processes(evidence: Evidence) -> Iterator[str]:
    """No process ended by itself, and those that were asked to ended well."""
    for node, code in evidence.died:
        yield f"{node} ended by itself with {code}"
    for code in evidence.exit_codes:
        if code:
            yield f"a node that was asked to end ended with {code}"
