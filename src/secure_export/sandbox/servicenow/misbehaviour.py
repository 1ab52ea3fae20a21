"""What a fault does to a request: before it is done, while it is done, and to the answer."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from secure_export.sandbox import happening as happening_
from secure_export.sandbox.ending import Ending, ending_after, ending_instead
from secure_export.sandbox.happening import Present
from secure_export.sandbox.reply import Reply, html_reply, json_reply
from secure_export.sandbox.servicenow.call import Call, error_reply
from secure_export.sandbox.servicenow.errors import no_record
from secure_export.sandbox.servicenow.faults import Fault, FaultKind
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.limits import HOUR, RateRule, queue_full, rate_headers, too_many
from secure_export.sandbox.servicenow.rules import ANY_TABLE, Change, Operation
from secure_export.sandbox.servicenow.tables import Row

HIBERNATING_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>Hibernating Instance</title></head><body>"
    "<h1>Hibernating Instance</h1><p>Your instance is hibernating. Sign in to the developer site to wake it.</p>"
    "</body></html>"
)
_CANCELLED: Final = {
    "detail": "Transaction cancelled: maximum execution time exceeded. Check logs for error trace or enable "
    "glide.rest.debug property to verify REST request processing",
    "message": "Transaction cancelled: maximum execution time exceeded",
}
_STATE_COLUMNS: Final = ("state", "incident_state", "problem_state")
_EVERY_OPERATION: Final = frozenset(Operation)
_FIRST: Final = -1_000_000
_JOURNALS: Final = "sys_journal_field"
_RULE_TOKEN: Final = "fault-set-by-control"  # noqa: S105 - the id of a rate rule


@dataclass(frozen=True, slots=True)
class _Touched:
    table: str
    sys_id: str
    previous: Row | None
    journals: frozenset[str]


@dataclass(slots=True)
class Happening(happening_.Happening[Fault]):
    """A request while it is done, for the business rules.

    Attributes:
        touched: The rows that it wrote.
    """

    touched: list[_Touched] = field(default_factory=list)


_PRESENT: Final[Present[Happening]] = Present()


def happening(faults: tuple[Fault, ...]) -> AbstractContextManager[Happening]:
    """Let business rules see the faults of a request, and remember which rows it writes."""
    return _PRESENT.during(Happening(faults))


def watch(instance: Instance) -> None:
    """Add the business rules that obey faults, to all tables."""
    instance.before(ANY_TABLE, _remember, operations=_EVERY_OPERATION, order=_FIRST)
    instance.before(ANY_TABLE, _abort, operations=_EVERY_OPERATION, order=_FIRST)
    instance.before(ANY_TABLE, _put_state_back, operations=[Operation.UPDATE], order=_FIRST)


def instead(fault: Fault, call: Call, instance: Instance) -> Ending | None:
    """Give the ending of a request that is not done at all; None: it goes on."""
    if fault.kind is FaultKind.HIDDEN and not call.sys_id:
        return None
    make = _INSTEAD.get(fault.kind)
    return ending_instead(fault) if make is None else make(fault, instance)


def afterwards(fault: Fault, reply: Reply, happened: Happening, instance: Instance) -> Ending:
    """Give the ending of a request that was done."""
    if fault.kind is FaultKind.RESTORED:
        _restore(happened, instance)
    if fault.kind is FaultKind.DELETED:
        _delete(happened, instance)
    make = _AFTERWARDS.get(fault.kind)
    return ending_after(fault, reply) if make is None else make(fault, reply)


def remove_choice(fault: Fault, instance: Instance) -> None:
    """Take a choice out of its list, as an administrator would."""
    for row in instance.find("sys_choice", f"name={fault.table}^element={fault.element}^value={fault.value}"):
        instance.update("sys_choice", row["sys_id"], {"inactive": "true"})


def _too_many(fault: Fault, instance: Instance) -> Reply:
    now = instance.clock.now()
    wait = min(timedelta(seconds=fault.seconds), HOUR)
    rule = RateRule(per_hour=100, sys_id=_RULE_TOKEN)
    return too_many(rule, rate_headers(rule.per_hour, now + wait, rule.sys_id), wait)


def _error(fault: Fault, status: int) -> Reply:
    phrase = HTTPStatus(status).phrase
    if fault.html:
        page = (
            f"<!DOCTYPE html><html><head><title>{status} {phrase}</title></head><body><h1>{phrase}</h1></body></html>"
        )
        return html_reply(status, page).with_headers(fault.headers)
    return error_reply(status, phrase, "Sandbox fault set by the control API", fault.headers)


def _hidden() -> Reply:
    refusal = no_record()
    return error_reply(refusal.status, refusal.message, refusal.detail)


def _garbage(reply: Reply) -> Reply:
    """Keep the first half of the body, and say that it is the whole."""
    return Reply(200, reply.headers).with_body(reply.body[: len(reply.body) // 2] or b'{"result":')


def _cancelled(reply: Reply) -> Reply:
    document = reply.document()
    result: Any = document.get("result", []) if isinstance(document, dict) else []
    cut = result[: len(result) // 2] if isinstance(result, list) else {}
    return json_reply(200, {"result": cut, "error": _CANCELLED, "status": "failure"})


def _emptied(reply: Reply) -> Reply:
    """Leave the rows out of a list; what counts them is counted before access rules, and stays."""
    document = reply.document()
    if not isinstance(document, dict) or not isinstance(document.get("result"), list):
        return reply
    return reply.with_body(b'{"result":[]}')


def _remember(change: Change) -> None:
    if (now := _PRESENT.get()) is None or not now.faults:
        return
    sys_id = change.current["sys_id"] if change.previous is None else change.previous["sys_id"]
    journals = frozenset(row["sys_id"] for row in _journals(change.instance, sys_id))
    now.touched.append(_Touched(change.table, sys_id, change.previous and dict(change.previous), journals))


def _abort(change: Change) -> None:
    now = _PRESENT.get()
    if now is not None and (fault := now.has(FaultKind.ABORTED)):
        change.abort(fault.rule)


def _put_state_back(change: Change) -> None:
    now = _PRESENT.get()
    if now is None or now.has(FaultKind.RESOLVE_IGNORED) is None or change.previous is None:
        return
    for column in _STATE_COLUMNS:
        if column in change.current:
            change.current[column] = change.previous.get(column, "")


def _restore(happened: Happening, instance: Instance) -> None:
    for one in reversed(happened.touched):
        if one.previous is None:
            instance.tables.remove(one.table, one.sys_id)
        else:
            instance.tables.put(one.table, one.previous)
        for row in _journals(instance, one.sys_id):
            if row["sys_id"] not in one.journals:
                instance.tables.remove(_JOURNALS, row["sys_id"])


def _delete(happened: Happening, instance: Instance) -> None:
    for one in happened.touched:
        if instance.tables.get(one.table, one.sys_id) is not None:
            instance.delete(one.table, one.sys_id)


def _journals(instance: Instance, sys_id: str) -> list[Row]:
    return list(instance.tables.having(_JOURNALS, "element_id", [sys_id]) or ())


_INSTEAD: Final[dict[FaultKind, Callable[[Fault, Instance], Ending]]] = {
    FaultKind.TOO_MANY: lambda fault, instance: Ending(_too_many(fault, instance).with_headers(fault.headers)),
    FaultKind.QUEUE_FULL: lambda _fault, _instance: Ending(queue_full()),
    FaultKind.ACCEPTED: lambda fault, _instance: Ending(Reply(202).with_headers(fault.headers).with_body(b"")),
    FaultKind.ERROR_BEFORE: lambda fault, _instance: Ending(_error(fault, fault.status or 503)),
    FaultKind.HIBERNATING: lambda _fault, _instance: Ending(html_reply(200, HIBERNATING_PAGE)),
    FaultKind.HIDDEN: lambda _fault, _instance: Ending(_hidden()),
}
_AFTERWARDS: Final[dict[FaultKind, Callable[[Fault, Reply], Ending]]] = {
    FaultKind.ERROR_AFTER: lambda fault, _reply: Ending(_error(fault, fault.status or 500)),
    FaultKind.GARBAGE: lambda _fault, reply: Ending(_garbage(reply)),
    FaultKind.CANCELLED: lambda _fault, reply: Ending(_cancelled(reply)),
    FaultKind.HIDDEN: lambda _fault, reply: Ending(_emptied(reply)),
}
