"""The CMDB Instance API: ``/api/now/cmdb/instance/{class}`` (servicenow-facts 10.4)."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.servicenow import cmdb_relations
from secure_export.sandbox.servicenow.caller import caller
from secure_export.sandbox.servicenow.errors import SnowError, invalid_table
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.reconciliation import UNKNOWN, Mode, reconcile_item
from secure_export.sandbox.servicenow.rest import as_admin, json_object, result, versioned, window
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

ROLE: Final = "itil"
_ROOT: Final = "cmdb"


def routes(instance: Instance) -> list[Route]:
    """Give the routes of the CMDB Instance API."""
    api = _InstanceApi(instance)
    base = "cmdb/instance/{class_name}"
    return [
        *versioned("now", base, api.all, "GET", "POST"),
        *versioned("now", f"{base}/{{sys_id}}", api.one, "GET", "PUT", "PATCH"),
        *versioned("now", f"{base}/{{sys_id}}/relation", api.relate, "POST"),
        *versioned("now", f"{base}/{{sys_id}}/relation/{{relation}}", api.unrelate, "DELETE"),
    ]


class _InstanceApi:
    """One method a door."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    async def all(self, request: Request) -> Response:
        """List the CIs of a class by id and name, or make one by way of identification."""
        user, table = self._allowed(request)
        if request.method == "POST":
            return self._made(table, await json_object(request), user)
        limit, offset = window(request)
        query = request.query_params.get("sysparm_query", "")
        page = self._instance.query(table, query, user, limit=limit, offset=offset)
        rows = [{"sys_id": row["sys_id"], "name": row.get("name", "")} for row in page.rows]
        return result(rows, headers={"X-Total-Count": str(page.total)})

    async def one(self, request: Request) -> Response:
        """Give one CI with its relations, or change its attributes."""
        user, table = self._allowed(request)
        row = self._found(request, table, user)
        if request.method != "GET":
            document = await json_object(request)
            attributes = _attributes(document)
            source = self._source(document)
            fields = {**attributes, "discovery_source": source}
            row = self._instance.update(row["sys_class_name"], row["sys_id"], fields, as_admin(user))
        return self._shown(row, user)

    async def relate(self, request: Request) -> Response:
        """Add relations to a CI; unlike attributes they need no ``source``, as the targets of servicenow.itsm show."""
        user, table = self._allowed(request)
        row = self._found(request, table, user)
        document = await json_object(request)
        if "source" in document:
            self._source(document)
        cmdb_relations.add(self._instance, row["sys_id"], document, user)
        return self._shown(row, user, 201)

    async def unrelate(self, request: Request) -> Response:
        """Remove a relation of a CI."""
        user, table = self._allowed(request)
        row = self._found(request, table, user)
        cmdb_relations.remove(self._instance, row["sys_id"], request.path_params["relation"], user)
        return Response(status_code=204)

    def _made(self, table: str, document: Mapping[str, Any], user: User) -> Response:
        source = self._source(document)
        item = {"className": table, "values": _attributes(document)}
        outcome = reconcile_item(self._instance, item, user, Mode(source))
        if outcome.sys_id == UNKNOWN:
            problems = "; ".join(one["message"] for one in [*outcome.errors, *outcome.warnings])
            raise SnowError(400, "Identification failed", problems)
        cmdb_relations.add(self._instance, outcome.sys_id, document, user)
        return self._shown(self._instance.get(table, outcome.sys_id, as_admin(user)), user, 201)

    def _source(self, document: Mapping[str, Any]) -> str:
        source = document.get("source")
        if not isinstance(source, str) or not source:
            raise SnowError(400, "Invalid payload", "source is mandatory: a choice value of cmdb_ci.discovery_source.")
        if source not in self._instance.choices.active("cmdb_ci", "discovery_source"):
            raise SnowError(400, "Invalid source", f"{source} is no choice value of cmdb_ci.discovery_source.")
        return source

    def _shown(self, row: Row, user: User, status: int = 200) -> Response:
        return result(cmdb_relations.show(self._instance, row["sys_class_name"], row, user), status)

    def _found(self, request: Request, table: str, user: User) -> Row:
        return self._instance.get(table, request.path_params["sys_id"], user)

    def _allowed(self, request: Request) -> tuple[User, str]:
        user, table = caller(request), request.path_params["class_name"]
        if not user.has_role(ROLE):
            raise SnowError(403, "User Not Authorized", "Failed API level ACL Validation")
        if not self._instance.dictionary.is_a(table, _ROOT):
            raise invalid_table(table)
        return user, table


def _attributes(document: Mapping[str, Any]) -> dict[str, str]:
    """Give the attributes of a request; the real API casts them to texts without looking (seen 2026-09)."""
    attributes = document.get("attributes")
    if not isinstance(attributes, dict):
        raise SnowError(400, "Invalid payload", "attributes is mandatory: an object of column names and texts.")
    for value in attributes.values():
        if not isinstance(value, str):
            raise SnowError(500, "java.lang.ClassCastException", f"{_java(value)} cannot be cast to java.lang.String")
    return attributes


def _java(value: object) -> str:
    match value:
        case bool():
            return "java.lang.Boolean"
        case int():
            return "java.lang.Integer"
        case float():
            return "java.lang.Double"
        case list():
            return "java.util.ArrayList"
        case None:
            return "null"
    return "java.util.LinkedHashMap"
