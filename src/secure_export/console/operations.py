"""The API's addresses, told once: the routes and the API's description are both made from this list."""

from dataclasses import dataclass
from typing import Any

from secure_export.console import shapes
from secure_export.console.access import Right
from secure_export.console.api import Api
from secure_export.console.desk_json import (
    FORMS,
    ConfigurationItemDetail,
    ConfigurationItemPage,
    IncidentDetail,
    IncidentPageObject,
)
from secure_export.console.guarded import Handler
from secure_export.console.parameters import ALERT, ALERTS, CIS, INCIDENTS, LANES, QUARANTINE, WORK_ITEMS
from secure_export.console.query import Parameter

API = "/api/v1"
_ONE, _DO = (404,), (404, 409)


@dataclass(frozen=True, slots=True)
class Operation:
    """One address with one method.

    Attributes:
        method: ``GET`` or ``POST``.
        path: The address below ``API``, with Starlette's convertors.
        right: Whether it looks or acts.
        handler: What answers.
        about: A sentence.
        answer: The type of what is answered.
        parameters: What may follow the question mark.
        body: The type of what is sent.
        troubles: The statuses of errors, besides those that every operation can have.
    """

    method: str
    path: str
    right: Right
    handler: Handler
    about: str
    answer: Any
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    troubles: tuple[int, ...] = ()


def operations(api: Api) -> list[Operation]:
    """List everything the API does."""
    look, act = Right.LOOK, Right.ACT
    return [
        Operation("GET", "/alerts", look, api.alerts, "List alerts, newest first.", shapes.AlertPage, ALERTS),
        Operation(
            "GET",
            "/alerts/{id:path}",
            look,
            api.alert,
            "Give one alert. The id is Azure's `alertId`; its slashes may be percent-encoded or not.",
            shapes.AlertDetail,
            ALERT,
            troubles=_ONE,
        ),
        Operation(
            "GET",
            "/work-items",
            look,
            api.work_items,
            "List work items, newest first.",
            shapes.WorkItemPage,
            WORK_ITEMS,
        ),
        Operation(
            "GET",
            "/work-items/{id}",
            look,
            api.work_item,
            "Give one work item with its content and its steps. The id may be the number that the ITSM tool shows.",
            shapes.WorkItemDetail,
            troubles=_ONE,
        ),
        Operation("GET", "/lanes", look, api.lanes, "List lanes with something owed.", shapes.LanePage, LANES),
        Operation(
            "POST",
            "/lanes/{key:path}/retry",
            act,
            api.retry,
            "Try a parked or waiting lane again at once.",
            shapes.Retried,
            troubles=_ONE,
        ),
        Operation(
            "GET",
            "/quarantine",
            look,
            api.quarantine,
            "List notifications that were kept but not understood, newest first.",
            shapes.QuarantinePage,
            QUARANTINE,
        ),
        Operation(
            "GET",
            "/quarantine/{id}",
            look,
            api.quarantined,
            "Give one quarantined notification with its body.",
            shapes.QuarantinedDetail,
            troubles=_ONE,
        ),
        Operation(
            "POST",
            "/quarantine/{id}/replay",
            act,
            api.replay,
            "Read a quarantined notification again and send it on its way.",
            shapes.Replayed,
            troubles=_DO,
        ),
        Operation("GET", "/cis", look, api.cis, "List the desk's configuration items.", ConfigurationItemPage, CIS),
        Operation(
            "GET",
            "/cis/{id:path}",
            look,
            api.ci,
            "Give one configuration item with its relations.",
            ConfigurationItemDetail,
            troubles=_ONE,
        ),
        Operation(
            "GET",
            "/desk/incidents",
            look,
            api.incidents,
            "List the desk's incidents, newest first.",
            IncidentPageObject,
            INCIDENTS,
        ),
        Operation(
            "GET",
            "/desk/incidents/{number}",
            look,
            api.incident,
            "Give one incident with its configuration items and its timeline.",
            IncidentDetail,
            troubles=_ONE,
        ),
        *(_incident_operation(api, what) for what in FORMS),
    ]


_ABOUT = {
    "comment": "Say something about an incident.",
    "assign": "Say who is to work on an incident.",
    "state": "Take an incident up, put it on hold, resolve, reopen or close it.",
    "rate": "Change an incident's impact or urgency; its priority follows.",
}


def _incident_operation(api: Api, what: str) -> Operation:
    return Operation(
        "POST",
        f"/desk/incidents/{{number}}/{what}",
        Right.ACT,
        api.acting(what),
        _ABOUT[what],
        IncidentDetail,
        body=FORMS[what],
        troubles=_DO,
    )
