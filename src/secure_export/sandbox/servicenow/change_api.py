"""The Change API: ``/api/sn_chg_rest/change``; every value is told with its display value (servicenow-facts 7.6)."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.servicenow.caller import caller
from secure_export.sandbox.servicenow.engine.change_request import next_states
from secure_export.sandbox.servicenow.errors import no_record
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.presenting import Display, Presenter
from secure_export.sandbox.servicenow.rest import json_object, pairs_query, result, versioned, window
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

TABLE: Final = "change_request"
TASKS: Final = "change_task"
_KINDS: Final = ("normal", "standard", "emergency")
_NAMESPACE: Final = "sn_chg_rest"


def routes(instance: Instance) -> list[Route]:
    """Give the routes of the Change API."""
    api = _ChangeApi(instance)
    routes = [*versioned(_NAMESPACE, "change", api.all, "GET", "POST")]
    for kind in _KINDS:
        routes += versioned(_NAMESPACE, f"change/{kind}", api.all, "GET", "POST")
        routes += versioned(_NAMESPACE, f"change/{kind}/{{sys_id}}", api.one, "GET", "PATCH", "DELETE")
    routes += versioned(_NAMESPACE, "change/{sys_id}", api.one, "GET", "PATCH", "DELETE")
    routes += versioned(_NAMESPACE, "change/{sys_id}/task", api.tasks, "GET", "POST")
    routes += versioned(_NAMESPACE, "change/{sys_id}/nextstates", api.next_states, "GET")
    return routes


class _ChangeApi:
    """One method a door."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    async def all(self, request: Request) -> Response:
        """List changes, or make one."""
        user, kind = caller(request), _kind_of(request)
        if request.method == "POST":
            given = await self._given(request)
            row = self._instance.insert(TABLE, given | ({"type": kind} if kind else {}), user)
            return result(self._shown(row, user) | self._ignored(given))
        limit, offset = window(request)
        query = "^".join(filter(None, [f"type={kind}" if kind else "", pairs_query(request, list(self._columns()))]))
        page = self._instance.query(TABLE, query, user, limit=limit, offset=offset)
        return result([self._shown(row, user) for row in page.rows])

    async def one(self, request: Request) -> Response:
        """Give, change or delete one change."""
        user = caller(request)
        row = self._found(request, user)
        if request.method == "PATCH":
            given = await self._given(request)
            row = self._instance.update(TABLE, row["sys_id"], given, user)
            return result(self._shown(row, user) | self._ignored(given))
        if request.method == "DELETE":
            self._instance.delete(TABLE, row["sys_id"], user)
            return Response(status_code=204)
        return result(self._shown(row, user))

    async def tasks(self, request: Request) -> Response:
        """List the tasks of a change, or make one."""
        user = caller(request)
        change = self._found(request, user)
        if request.method == "POST":
            given = await self._given(request)
            row = self._instance.insert(TASKS, given | {"change_request": change["sys_id"]}, user)
            return result(self._shown(row, user, TASKS))
        rows = self._instance.query(TASKS, f"change_request={change['sys_id']}", user).rows
        return result([self._shown(row, user, TASKS) for row in rows])

    async def next_states(self, request: Request) -> Response:
        """Tell the states that a change may go to; the one it is in comes first."""
        change = self._found(request, caller(request))
        state = change.get("state", "")
        following = sorted(next_states(change.get("type", ""), state), key=int)
        return result({"available_states": [state, *following], "state_label": self._labels([state, *following])})

    async def _given(self, request: Request) -> dict[str, Any]:
        """Give the values of a request: those of the query string, and those of the body over them."""
        named = {name: value for name, value in request.query_params.items() if not name.startswith("sysparm_")}
        return {**named, **await json_object(request)}

    def _labels(self, states: Sequence[str]) -> dict[str, str]:
        return {state: self._instance.choices.label(TABLE, "state", state) for state in states}

    def _found(self, request: Request, user: User) -> Row:
        row = self._instance.get(TABLE, request.path_params["sys_id"], user)
        if (kind := _kind_of(request)) and row.get("type") != kind:
            raise no_record()
        return row

    def _shown(self, row: Row, user: User, table: str = TABLE) -> dict[str, Any]:
        presenter = Presenter(self._instance, user, display=Display.BOTH, with_links=False)
        return presenter.show(table, row)

    def _ignored(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"__meta": {"ignoredFields": [name for name in given if name not in self._columns()]}}

    def _columns(self) -> Any:
        return self._instance.dictionary.columns(TABLE)


def _kind_of(request: Request) -> str:
    """Give the kind of change that a path is about; empty: any."""
    parts = request.url.path.rstrip("/").split("/")
    return next((kind for kind in _KINDS if kind in parts), "")
