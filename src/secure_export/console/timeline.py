"""One alert from token to ticket, in order, with times: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

from secure_export.console.present import SEVERITIES, instant, short_name

Row = Mapping[str, Any]


class Tone(StrEnum):
    """How a moment is to be taken."""

    PLAIN = "plain"
    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to an alert.

    Attributes:
        at: When; moments that have no time of their own have that of the one they belong to.
        where: Who did it: Azure, this service, or the ITSM tool.
        title: What happened, in a few words.
        facts: Names and values.
        texts: Reasons and warnings, in sentences.
        tone: How it is to be taken.
        took_seconds: How long it took; None where that has no meaning.
        since_seconds: How long after the moment before; None when it is the first, or has no time of its own.
        timed: Whether ``at`` is its own time.
        link: Text and address of something outside.
    """

    at: datetime
    where: str
    title: str
    facts: tuple[tuple[str, str], ...] = ()
    texts: tuple[str, ...] = ()
    tone: Tone = Tone.PLAIN
    took_seconds: float | None = None
    since_seconds: float | None = None
    timed: bool = True
    link: tuple[str, str] | None = None


AZURE, SERVICE, TOOL = "Azure Monitor", "Secure Export", "ITSM tool"
_STEPS = {
    "look": "Read back in the tool",
    "create": "Created in the tool",
    "update": "Updated in the tool",
    "resolve": "Resolved in the tool and read back",
    "reopen": "Opened again in the tool",
}
_TRIED = {
    "look": "Look in the tool",
    "create": "Create in the tool",
    "update": "Update in the tool",
    "resolve": "Resolve in the tool",
    "reopen": "Open again in the tool",
}
_OUTCOMES = {
    "done": ("done", Tone.GOOD),
    "try-later": ("not now", Tone.WAITING),
    "refused": ("refused", Tone.BAD),
    "unclear": ("unclear: looked again before anything else", Tone.WAITING),
}


def alert_timeline(alert: Row, item: Row | None) -> list[Moment]:
    """Tell what happened to an alert.

    Args:
        alert: The alert with its notifications (``Records.alert``).
        item: The work item it went into (``Records.work_item``); None when it went into none.
    """
    posts = sorted(alert.get("notifications") or (), key=lambda post: (_time(post["received_at"]), post["id"]))
    moments = [*_by_azure(alert), *(moment for post in posts for moment in _posted(alert, post))]
    if posts:
        first = _time(posts[0]["received_at"])
        moments += [_read(alert, first), *_placed(alert, item, first), *_bound(alert, first)]
        if item is not None:
            moments += _made(item, first)
            moments += _steps(item, since=first)
            moments += _settled(alert, item)
    return _with_gaps(sorted(moments, key=lambda moment: moment.at))


def seconds_to_ticket(alert: Row, item: Row | None) -> float | None:
    """Say how long it took from the first notification to the work item in the tool; None: it is not there yet."""
    received = [_time(post["received_at"]) for post in alert.get("notifications") or ()]
    created = [at for step in _done_steps(item) if step["kind"] == "create" and (at := instant(step["finished_at"]))]
    if not received or not created or created[0] < min(received):
        return None
    return (created[0] - min(received)).total_seconds()


def _by_azure(alert: Row) -> list[Moment]:
    fired, resolved = instant(alert.get("fired_at")), instant(alert.get("resolved_at"))
    severity = alert.get("severity")
    facts = _facts(("severity", f"{severity} ({SEVERITIES[severity]})" if severity in SEVERITIES else severity))
    moments = []
    if fired is not None:
        moments.append(Moment(fired, AZURE, "The alert fired", facts))
    if resolved is not None:
        moments.append(Moment(resolved, AZURE, "The problem ended"))
    return moments


def _posted(alert: Row, post: Row) -> list[Moment]:
    at = _time(post["received_at"])
    caller = post.get("caller") or {}
    facts = _facts(
        ("tenant", caller.get("tenant")),
        ("application", caller.get("application")),
        ("token version", caller.get("version")),
        ("token id", caller.get("token_id")),
    )
    status = str(post.get("status") or "accepted")
    tone = Tone.BAD if status == "quarantined" else Tone.PLAIN
    condition = post.get("condition")
    said = f"On disk before Azure was answered 202{f': {condition}' if condition else ''}."
    return [
        Moment(at, SERVICE, "The token was accepted", facts, tone=Tone.GOOD),
        Moment(
            at,
            SERVICE,
            f"Recorded as notification {post['id']}",
            _facts(("connection", alert.get("connection")), ("status", status)),
            (said,),
            tone,
        ),
    ]


def _read(alert: Row, at: datetime) -> Moment:
    warnings = tuple(alert.get("warnings") or ())
    facts = _facts(
        ("kind", alert.get("kind")),
        ("monitoring service", alert.get("monitoring_service")),
        ("rule", alert.get("rule")),
        ("test", "a test of the action group" if alert.get("is_test") else None),
        ("schema", "legacy: the common alert schema is off" if alert.get("is_legacy_schema") else "common"),
    )
    tone = Tone.WAITING if warnings or alert.get("is_legacy_schema") else Tone.PLAIN
    return Moment(at, SERVICE, "Read", facts, warnings, tone, timed=False)


def _placed(alert: Row, item: Row | None, at: datetime) -> list[Moment]:
    key = alert.get("correlation_key") or (item or {}).get("correlation_key")
    if not key:
        return []
    return [Moment(at, SERVICE, "Put into its lane", _facts(("correlation key", key)), timed=False)]


def _bound(alert: Row, at: datetime) -> list[Moment]:
    bindings = alert.get("configuration_items") or ()
    if not bindings:
        return [
            Moment(
                at,
                SERVICE,
                "No configuration item",
                (),
                ("The alert names nothing that a CMDB could have.",),
                Tone.WAITING,
                timed=False,
            )
        ]
    return [_binding(binding, at) for binding in bindings]


def _binding(binding: Row, at: datetime) -> Moment:
    found = binding.get("id") is not None
    name = str(binding.get("name") or "nothing")
    short = short_name(name)
    title = f"Bound to {short}" if found else f"Not bound: {short}"
    facts = _facts(("rule", binding.get("rule")), ("CI", binding.get("id")), ("named", name if name != short else None))
    tone = Tone.GOOD if found else Tone.WAITING
    return Moment(at, SERVICE, title, facts, _texts(binding.get("reason")), tone, timed=False)


def _made(item: Row, first: datetime) -> list[Moment]:
    """Tell when the work item was decided on, or that it was there before the alert's first notification."""
    created, resolved = instant(item.get("created_at")), instant(item.get("resolved_at"))
    facts = _facts(("work item", item.get("id")))
    moments = []
    if created is not None and created < first:
        moments.append(Moment(first, SERVICE, "Joined the work item of an earlier alert", facts, timed=False))
    elif created is not None:
        moments.append(Moment(created, SERVICE, "The work item was decided on", facts))
    if resolved is not None and resolved >= first:
        moments.append(Moment(resolved, SERVICE, "The work item is to be resolved"))
    return moments


def _steps(item: Row, *, since: datetime) -> list[Moment]:
    """Tell of the steps that were not over before the alert came; several readings in a row are told once."""
    steps = [s for s in item.get("steps") or () if (instant(s.get("finished_at")) or _time(s["started_at"])) >= since]
    moments = []
    for is_reading, group in groupby(steps, key=_is_reading):
        row = list(group)
        if is_reading and len(row) > 1:
            last = _step(item, row[-1])
            moments.append(replace(last, title=f"Read back in the tool {len(row)} times, here for the last time"))
        else:
            moments += [_step(item, step) for step in row]
    return moments


def _is_reading(step: Row) -> bool:
    return step["kind"] == "look" and step.get("outcome") == "done"


def _step(item: Row, step: Row) -> Moment:
    started, finished = _time(step["started_at"]), instant(step.get("finished_at"))
    kind, outcome = str(step["kind"]), step.get("outcome")
    if outcome is None or finished is None:
        return Moment(started, TOOL, f"{_TRIED.get(kind, kind)}: under way", tone=Tone.WAITING)
    words, tone = _OUTCOMES.get(str(outcome), (str(outcome), Tone.WAITING))
    done = outcome == "done"
    return Moment(
        finished,
        TOOL,
        _STEPS.get(kind, kind) if done else f"{_TRIED.get(kind, kind)}: {words}",
        texts=_texts(step.get("reason")),
        tone=tone,
        took_seconds=(finished - started).total_seconds(),
        link=_ticket(item) if done and kind == "create" else None,
    )


def _ticket(item: Row) -> tuple[str, str] | None:
    return (str(item["number"]), str(item.get("url") or "")) if item.get("number") else None


def _settled(alert: Row, item: Row) -> list[Moment]:
    """Tell the end, once the tool has confirmed it."""
    resolved = item.get("state") == "resolved"
    telling = {"resolve", "look"} if resolved else {"create", "update", "reopen", "look"}
    since = instant(item.get("resolved_at")) if resolved else None
    ends = [
        at
        for step in _done_steps(item)
        if step["kind"] in telling and (at := instant(step["finished_at"])) and (since is None or at >= since)
    ]
    if item.get("owed") or not ends:
        return []
    text = "" if resolved or alert.get("condition") == "resolved" else "Nothing is owed until the alert resolves."
    title = "Confirmed: the tool says it is resolved" if resolved else "Confirmed: the tool has it as it should be"
    at = ends[0] if resolved else ends[-1]
    return [Moment(at, TOOL, title, texts=_texts(text, item.get("hands_off")), tone=Tone.GOOD, link=_ticket(item))]


def _done_steps(item: Row | None) -> list[Row]:
    steps: Sequence[Row] = (item or {}).get("steps") or ()
    return [step for step in steps if step.get("outcome") == "done" and step.get("finished_at")]


def _with_gaps(moments: Sequence[Moment]) -> list[Moment]:
    told: list[Moment] = []
    before: datetime | None = None
    for moment in moments:
        gap = (moment.at - before).total_seconds() if before is not None and moment.timed else None
        told.append(replace(moment, since_seconds=gap))
        before = moment.at
    return told


def _facts(*pairs: tuple[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in pairs if value)


def _texts(*texts: Any) -> tuple[str, ...]:
    return tuple(str(text) for text in texts if text)


def _time(value: Any) -> datetime:
    at = instant(value)
    if at is None:
        raise ValueError(f"the store gave {value!r} where a time belongs")
    return at
