"""Events become alerts, and alerts keep incidents company (servicenow-facts section 2).

The real system's jobs do this a few seconds after the answer; here it is done at once, unless the property
``sandbox.event_processing`` is ``manual``: then the job ``event processing`` does it when it is told to.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from secure_export.sandbox.servicenow.alert_decision import CLOSED, Decision, Effect, decide
from secure_export.sandbox.servicenow.event_binding import bind
from secure_export.sandbox.servicenow.event_fields import message_key
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.rules import Change, Operation
from secure_export.sandbox.servicenow.tables import Row

JOB: Final = "event processing"
PROCESSING: Final = "sandbox.event_processing"
_ACTIVE_INTERVAL: Final = "evt_mgmt.active_interval"
_FOUR_HOURS: Final = 14_400
_READY: Final = "Ready"


def install(instance: Instance) -> None:
    """Have events processed that come by the Table API, and the job that processes the others."""

    def arrived(change: Change) -> None:
        process_arrived(instance, [change.current["sys_id"]])

    instance.after("em_event", arrived, operations=[Operation.INSERT])
    instance.add_job(JOB, process_ready)


def process_arrived(instance: Instance, sys_ids: Iterable[str]) -> None:
    """Process these events, unless events are processed by hand."""
    if instance.properties.get(PROCESSING) == "manual":
        return
    for sys_id in sys_ids:
        event = instance.tables.get("em_event", sys_id)
        if event is not None and event.get("state") == _READY:
            _process(instance, event)


def process_ready(instance: Instance) -> None:
    """Process every event that waits, in the order of their time."""
    for event in instance.find("em_event", f"state={_READY}^ORDERBYtime_of_event"):
        _process(instance, event)


def _process(instance: Instance, event: Row) -> None:
    alert = newest_alert(instance, event)
    decision = decide(event, alert, now=instance.clock.now(), active_interval=_active_interval(instance))
    notes = [decision.note]
    fields: dict[str, str] = {"message_key": message_key(event)}
    if decision.effect is Effect.ERROR:
        fields["state"] = "Error"
    else:
        fields["state"] = "Processed"
        sys_id, ci, note = _applied(instance, event, alert, decision)
        fields |= {"alert": sys_id, "cmdb_ci": ci}
        notes += [note] if note else []
    fields |= {"processing_notes": "\n".join(notes), "processed": instance.clock.stamp()}
    instance.update("em_event", event["sys_id"], fields, run_rules=False)


def newest_alert(instance: Instance, event: Mapping[str, str]) -> Row | None:
    """Find the alert with an event's message key; of several the one made last."""
    key = message_key(event)
    rows = instance.tables.having("em_alert", "message_key", [key])
    return max(
        (row for row in rows or instance.tables.rows("em_alert") if row.get("message_key") == key),
        key=lambda row: (row.get("state") != CLOSED, row.get("sys_created_on", ""), row.get("number", "")),
        default=None,
    )


def _applied(instance: Instance, event: Row, alert: Row | None, decision: Decision) -> tuple[str, str, str]:
    """Write what was decided; give the alert's id, its CI, and what is to be said about the binding."""
    if decision.effect is Effect.OPENED:
        bound = bind(instance, event)
        written = instance.insert("em_alert", {**decision.fields, "cmdb_ci": bound.ci})
        return written["sys_id"], bound.ci, bound.note
    if alert is None:
        return "", "", ""
    fields, note = dict(decision.fields), ""
    if fields and not alert.get("cmdb_ci"):
        bound = bind(instance, event)
        fields["cmdb_ci"], note = bound.ci, bound.note
    if fields:
        alert = instance.update("em_alert", alert["sys_id"], fields)
    return alert["sys_id"], alert.get("cmdb_ci", ""), note


def _active_interval(instance: Instance) -> timedelta:
    return timedelta(seconds=instance.properties.number(_ACTIVE_INTERVAL, _FOUR_HOURS))
