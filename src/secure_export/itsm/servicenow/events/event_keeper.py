"""Work items as events (``em_event``) and the alerts that they become (``em_alert``), for those with Event Management.

A create, an update, a resolve and a reopening are each one event with the work item's ``message_key``. The answer to it
gives a count and no row, and events are processed by a job a little later: so what came of one is always read from the
alert, and what cannot be seen there yet is unclear, not done. An event that is sent twice says the same twice.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from secure_export.alerts.resource_id import parse
from secure_export.itsm.ended import Ended, unread, unwritten
from secure_export.itsm.key_look_ups import KeyLookUps
from secure_export.itsm.record_keeper import RecordKeeper
from secure_export.itsm.servicenow import keys
from secure_export.itsm.servicenow.api.rows import display, value
from secure_export.itsm.servicenow.api.table_api import Query
from secure_export.itsm.servicenow.api.verdict import Ok
from secure_export.itsm.servicenow.cmdb.ci_classes import places
from secure_export.itsm.servicenow.events import event
from secure_export.itsm.servicenow.events.event import ALERT_FIELDS, EmAlert, EventRecord, Origin
from secure_export.itsm.servicenow.settings import ServiceNowSettings
from secure_export.itsm.servicenow.tasks.canary import hidden
from secure_export.itsm.servicenow.tasks.record import page
from secure_export.itsm.servicenow.tasks.sightings import key_query
from secure_export.itsm.servicenow.tools import Tools
from secure_export.itsm.verdict import Method, NotThere
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.work_item import StepKind, ToolState, WorkItem

WORK_ITEMS: Final = frozenset({"event", "em_event", "em_alert"})
"""What a route calls the work items that are kept here."""
ALERTS: Final = "em_alert"
EVENTS: Final = "em_event"

_ACTIVE_INTERVAL = "evt_mgmt.active_interval"
_DOOR = "/api/global/em/jsonv2"
_KEY = "message_key"
_SHOWN = frozenset({"assigned_to", "assignment_group", "incident"})
_EVENT_FIELDS = ("sys_id", "state", "processing_notes", "additional_info", "sys_created_on")
_WAITS: Final = frozenset({"Ready", "Queued"})
_ERROR: Final = "Error"
_PROCESSED: Final = "Processed"
_MOST_KEYS = 20
_MOST_EVENTS = 50
_PAUSES_SECONDS = (0.0, 0.3, 0.7, 1.5)
_COUNT = re.compile(r"(\d+) events? ")
_GONE = "ServiceNow has no alert of this work item any more: a look decides"

Sleep = Callable[[float], Awaitable[object]]


def origin_of(connection: str, settings: ServiceNowSettings, console_url: str = "") -> Origin:
    """Say what all events of a connection have in common.

    Args:
        connection: The connection's name, which tells its events from those of others.
        settings: Its settings.
        console_url: Where people reach our console; empty when it has no known address.
    """
    base = console_url.rstrip("/")

    def link(item: WorkItem) -> str:
        return f"{base}/work-items/{item.id}" if base else ""

    def class_of(resource_id: str) -> str | None:
        resource = parse(resource_id)
        return places(resource, settings.cmdb.classes)[0].class_name if resource is not None else None

    return Origin(event_class=f"Secure Export: {connection}", link=link, class_of=class_of)


@dataclass(frozen=True, slots=True)
class _Step:
    """A step on an alert.

    Attributes:
        item: The work item.
        key: The key that its events carry.
    """

    item: WorkItem
    key: str

    def cut_short(self, outcome: Outcome) -> Outcome:
        """Say what came of it: an event is sent whole or not at all."""
        return outcome


class Events(RecordKeeper[_Step]):
    """Keeps work items as events.

    Args:
        tools: What steps share.
        origin: What all events of the connection have in common.
        sleep: Waits for seconds, while an event is processed.
    """

    def __init__(self, tools: Tools, origin: Origin, *, sleep: Sleep = asyncio.sleep) -> None:
        self._tools = tools
        self._origin = origin
        self._sleep = sleep
        self._alerts: KeyLookUps[EmAlert] = KeyLookUps(
            self._read, _key, not_heeded=_not_heeded, most=_MOST_KEYS, some_suffice=False
        )
        self._interval: tuple[timedelta | None, datetime] | None = None
        super().__init__(
            self._step,
            {
                StepKind.LOOK: self._look,
                StepKind.CREATE: self._create,
                StepKind.UPDATE: self._update,
                StepKind.RESOLVE: self._resolve,
                StepKind.REOPEN: self._reopen,
            },
        )

    def _step(self, item: WorkItem) -> _Step:
        return _Step(item, keys.correlation_id(self._tools.connection, item.key))

    async def _look(self, step: _Step) -> Done:
        alert = await self._alert(step.key)
        if alert is not None:
            return await self._done(alert)
        await self._surely_gone(step.item, step.key)
        if await self._events(f"{_KEY}={step.key}^stateIN{','.join(sorted(_WAITS))}"):
            raise Ended(TryLater("the event is in ServiceNow and waits there to be processed"))
        return Done(None)

    async def _create(self, step: _Step) -> Done:
        alert = await self._alert(step.key)
        if alert is not None:
            return await self._done(alert)
        records = event.opening(step.item, step.key, self._origin, now=self._tools.clock())
        return await self._sent(step.item, records)

    async def _update(self, step: _Step) -> Done:
        alert = await self._the_alert(step.key)
        if alert.closed or alert.revision >= step.item.desired.revision:
            return await self._done(alert)
        records = event.more(step.item, step.key, self._origin, alert, now=self._tools.clock())
        return await self._sent(step.item, records)

    async def _resolve(self, step: _Step) -> Done:
        alert = await self._the_alert(step.key)
        if alert.closed:
            return await self._done(alert)
        records = event.ending(step.item, step.key, self._origin, alert, now=self._tools.clock())
        return await self._sent(step.item, records)

    async def _reopen(self, step: _Step) -> Done:
        alert = await self._the_alert(step.key)
        done = await self._done(alert)
        if done.confirmed is not None and done.confirmed.state is ToolState.CLOSED:
            return done
        if not alert.closed:
            return await self._update(step)
        records = event.again(step.item, step.key, self._origin, alert, now=self._tools.clock())
        return await self._sent(step.item, records)

    async def _the_alert(self, key: str) -> EmAlert:
        alert = await self._alert(key)
        if alert is None:
            raise Ended(Unclear(_GONE))
        return alert

    async def _alert(self, key: str) -> EmAlert | None:
        """Give the alert of a key; None when there surely is none now.

        Raises:
            Ended: It cannot be told now.
        """
        seen = await self._alerts.get(key)
        if seen is None:
            raise Ended(TryLater(hidden(ALERTS)))
        return event.that_counts(seen)

    async def _read(self, wanted: Sequence[str], limit: int) -> tuple[Sequence[EmAlert], bool]:
        query = Query(key_query(_KEY, wanted), ALERT_FIELDS, limit=limit, display=True)
        told = await self._tools.api.rows(ALERTS, query)
        if not isinstance(told, Ok):
            raise Ended(unread(told, ALERTS))
        more = told.total is not None and told.total > len(told.result)
        return [event.alert_of(_texts(row)) for row in told.result], more

    async def _sent(self, item: WorkItem, records: Sequence[EventRecord]) -> Done:
        """Send events and read the alert back until it shows the last of them.

        Raises:
            Ended: It was not taken, or is not known to be.
        """
        told = await self._tools.api.call(Method.POST, _DOOR, json={"records": list(records)})
        if not isinstance(told, Ok):
            raise Ended(_not_taken(unwritten(told)))
        if not _inserted(told.result, len(records)):
            raise Ended(Unclear("ServiceNow took the request, but does not say that it inserted the event"))
        record = records[-1]
        closing = record["severity"] == event.CLEAR
        for pause in _PAUSES_SECONDS:
            if pause:
                await self._sleep(pause)
            alert = await self._read_back(record[_KEY])
            if alert is not None and (alert.closed if closing else alert.revision >= item.desired.revision):
                return await self._done(alert)
        return await self._late(item, record)

    async def _read_back(self, key: str) -> EmAlert | None:
        try:
            return await self._alert(key)
        except Ended as ended:
            raise Ended(Unclear(f"ServiceNow took the event, but its alert could not be read: {ended}")) from ended

    async def _late(self, item: WorkItem, record: EventRecord) -> Done:
        """Ask the event itself why the alert does not show it."""
        asked = f"{_KEY}={record[_KEY]}^time_of_event={record['time_of_event']}"
        rows = [row for row in await self._events(asked) if _revision(row) == item.desired.revision]
        newest = max(rows, key=lambda row: value(row, "sys_created_on"), default={})
        state, notes = value(newest, "state"), " ".join(value(newest, "processing_notes").split())
        alert = await self._read_back(record[_KEY])
        if state == _ERROR:
            raise Ended(Refused(f"ServiceNow could not process the event ({notes or 'it does not say why'})"))
        if state == _PROCESSED and alert is not None:
            done = await self._done(replace(alert, info={**alert.info, event.REVISION: str(item.desired.revision)}))
            return _with_remark(done, _UNSEEN)
        if state == _PROCESSED:
            raise Ended(Refused(f"ServiceNow made no alert of the event ({notes or 'it does not say why'})"))
        raise Ended(Unclear("ServiceNow has the event, and its processing is not through yet"))

    async def _events(self, query: str) -> Sequence[Mapping[str, Any]]:
        """Read events; none where they may not be read: an event that is sent again does no harm."""
        told = await self._tools.api.rows(EVENTS, Query(query, (*_EVENT_FIELDS, _KEY), limit=_MOST_EVENTS))
        if not isinstance(told, Ok):
            return ()
        return [row for row in told.result if value(row, _KEY) in query]

    async def _surely_gone(self, item: WorkItem, key: str) -> None:
        """Ask for an alert that was there by its own id, too, before it counts as deleted.

        Raises:
            Ended: It is there, or that cannot be told now.
        """
        known = item.confirmed
        if known is None or not keys.is_sys_id(known.ref):
            return
        told = await self._tools.api.row(ALERTS, known.ref, ("sys_id", _KEY))
        if isinstance(told, NotThere):
            return
        if not isinstance(told, Ok):
            raise Ended(unread(told, ALERTS))
        if value(told.result, _KEY) in {key, ""}:
            raise Ended(TryLater(f"{known.number} is there, but ServiceNow does not find it by its {_KEY}"))

    async def _done(self, alert: EmAlert) -> Done:
        now = self._tools.clock()
        interval = await self._active_interval() if alert.closed else None
        url = page(self._tools.settings.url, ALERTS, alert.sys_id)
        return Done(event.confirmed(alert, now=now, url=url, active_interval=interval))

    async def _active_interval(self) -> timedelta | None:
        """Read for how long a closed alert is opened again; None where we may not, or it says nothing."""
        now = self._tools.clock()
        if self._interval is None or now >= self._interval[1]:
            query = Query(f"name={_ACTIVE_INTERVAL}", ("name", "value"), limit=2)
            told = await self._tools.api.rows("sys_properties", query)
            rows = told.result if isinstance(told, Ok) else []
            text = next((value(row, "value") for row in rows if value(row, "name") == _ACTIVE_INTERVAL), "")
            known = timedelta(seconds=int(text)) if re.fullmatch(r"[0-9]{1,9}", text) else None
            self._interval = (known, now + timedelta(hours=1))
        return self._interval[0]


_NOT_ASKED_FOR = (
    "ServiceNow gives alerts of em_alert that were not asked for: it passes over message_key in queries. May the "
    "integration user read that column (ACL on em_alert.message_key)? Nothing is written until this is mended"
)
_UNSEEN = (
    "ServiceNow processed the event, but its alert does not take over additional_info: after a lost answer an event "
    "may be sent again. An event rule that composes additional_info has to keep secure_export_revision"
)


def _key(alert: EmAlert) -> str:
    return alert.key


def _not_heeded() -> Ended:
    return Ended(TryLater(_NOT_ASKED_FOR))


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: display(row, name) if name in _SHOWN else value(row, name) for name in ALERT_FIELDS}


def _revision(row: Mapping[str, Any]) -> int:
    text = event.info_of(value(row, "additional_info")).get(event.REVISION, "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _inserted(result: Any, count: int) -> bool:
    """Whether the answer counts the events: ``{"Default Bulk Endpoint": "1 events were inserted"}``."""
    words = " ".join(str(one) for one in result.values()) if isinstance(result, Mapping) else str(result)
    counted = _COUNT.search(words)
    return counted is not None and int(counted.group(1)) >= count


def _not_taken(outcome: TryLater | Refused | Unclear) -> TryLater | Refused | Unclear:
    if not isinstance(outcome, Refused):
        return outcome
    return Refused(f"{outcome.reason}. To send events the integration user needs the role evt_mgmt_integration")


def _with_remark(done: Done, remark: str) -> Done:
    return Done(replace(done.confirmed, remarks=(remark,)) if done.confirmed is not None else None)
