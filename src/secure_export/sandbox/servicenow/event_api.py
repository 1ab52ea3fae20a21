"""The ways events come in: ``/api/global/em/jsonv2``, ``/em_event.do?JSONv2``, and the connectors' listener."""

import gzip
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.servicenow import alert_links, event_processing
from secure_export.sandbox.servicenow.azure_events import NotCommonSchemaError, event_of
from secure_export.sandbox.servicenow.caller import caller
from secure_export.sandbox.servicenow.errors import SnowError, bad_body
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.presenting import Presenter
from secure_export.sandbox.servicenow.rest import answer, as_admin, guarded, json_of, result, versioned
from secure_export.sandbox.servicenow.users import User

ROLE: Final = "evt_mgmt_integration"
_MEGABYTE: Final = 1024 * 1024
_MOST_BODY: Final = "glide.rest.max_content_length"
_MOST_GZIP: Final = "glide.rest.scripted.max_inbound_gzip_content_length_mb"
_SOURCES: Final = frozenset({"azuremonitor"})


def routes(instance: Instance) -> list[Route]:
    """Give the routes of the event APIs, and have events processed."""
    event_processing.install(instance)
    alert_links.install(instance)
    api = _EventApi(instance)
    return [
        *versioned("global", "em/jsonv2", api.jsonv2, "POST"),
        *versioned("global", "em/inbound_event", api.inbound_event, "POST"),
        *versioned("sn_em_connector", "em/inbound_event", api.inbound_event, "POST"),
        Route("/em_event.do", guarded(api.event_do), methods=["POST"]),
    ]


class _EventApi:
    """One method a door."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    async def jsonv2(self, request: Request) -> Response:
        """Insert many events without running business rules; the answer tells no ids."""
        user = _integration(request)
        records = _records(json_of(await self._body(request)))
        count = self._insert(records, user)
        return result({"Default Bulk Endpoint": f"{count} events were inserted"})

    async def event_do(self, request: Request) -> Response:
        """Insert events as the older web service does: with business rules, and without compression."""
        if "JSONv2" not in request.query_params:
            raise SnowError(400, "Bad request", "Only the JSONv2 processor of em_event.do is stood in for.")
        if request.headers.get("content-encoding"):
            raise bad_body()
        user = caller(request)
        document = json_of(await request.body())
        match request.query_params.get("sysparm_action", "insert"):
            case "insertMultiple":
                return self._inserted(_records(document), user)
            case "insert" if isinstance(document, dict):
                return self._inserted([document], user)
        raise bad_body()

    async def inbound_event(self, request: Request) -> Response:
        """Take an alert of a monitoring tool; only Azure Monitor's common alert schema is stood in for."""
        user = _integration(request)
        source = request.query_params.get("source", "")
        if source.lower() not in _SOURCES:
            raise SnowError(400, "Invalid source", f"No transform script listens to the source {source!r}.")
        document = json_of(await self._body(request))
        try:
            event = event_of(document if isinstance(document, dict) else {})
        except NotCommonSchemaError as problem:
            raise SnowError(400, "Payload not supported", str(problem)) from None
        if name := request.query_params.get("event_class"):
            event["event_class"] = name
        self._insert([event], user)
        return result({"status": "success", "message": "1 events were inserted"})

    def _insert(self, records: Sequence[Mapping[str, Any]], user: User) -> int:
        events = [
            self._instance.insert("em_event", {**record, "state": "Ready"}, as_admin(user), run_rules=False)
            for record in records
        ]
        event_processing.process_arrived(self._instance, [event["sys_id"] for event in events])
        return len(events)

    def _inserted(self, records: Sequence[Mapping[str, Any]], user: User) -> Response:
        presenter = Presenter(self._instance, user, with_links=False)
        rows = [self._instance.insert("em_event", record, user) for record in records]
        return answer({"records": [{**presenter.show("em_event", row), "__status": "success"} for row in rows]})

    async def _body(self, request: Request) -> bytes:
        body = await request.body()
        if request.headers.get("content-encoding", "").lower() == "gzip":
            self._refuse_larger(body, _MOST_GZIP, 1)
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError, zlib.error):
                raise bad_body() from None
        self._refuse_larger(body, _MOST_BODY, 10)
        return body

    def _refuse_larger(self, body: bytes, name: str, default: int) -> None:
        most = self._instance.properties.number(name, default)
        if len(body) > most * _MEGABYTE:
            raise SnowError(413, "Request entity too large", f"The property {name} allows {most} MB.")


def _integration(request: Request) -> User:
    user = caller(request)
    if not user.has_role(ROLE):
        raise SnowError(403, "User Not Authorized", "Failed API level ACL Validation")
    return user


def _records(document: Any) -> list[dict[str, Any]]:
    records = document.get("records") if isinstance(document, dict) else None
    if not isinstance(records, list):
        raise bad_body()
    return [record for record in records if isinstance(record, dict)]
