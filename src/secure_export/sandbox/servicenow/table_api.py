"""The Table API (servicenow-facts section 3)."""

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.servicenow.acl import Access
from secure_export.sandbox.servicenow.caller import caller
from secure_export.sandbox.servicenow.errors import SnowError, no_record
from secure_export.sandbox.servicenow.presenting import Presenter
from secure_export.sandbox.servicenow.table_body import JSON, accepted, record_of, written
from secure_export.sandbox.servicenow.table_parameters import Parameters, read_parameters
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

OVERRIDE: Final = "x-http-method-override"
CONFIGURED_HOST: Final = "glide.rest.replace_request_host_with_property"
_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_OVERRIDABLE: Final = {"GET", "PUT", "PATCH", "DELETE"}
_NO_BODY: Final = "x-no-response-body"
_VERSION: Final = re.compile(r"/api/now/v(\d+)/")


def routes(instance: "Instance") -> list[Route]:
    """Give the routes of the Table API, with and without a version."""
    api = _TableApi(instance)
    paths = [f"/api/now/{version}table/{{table}}" for version in ("", "v1/", "v2/")]
    return [
        *(Route(path, api.answer, methods=_METHODS) for path in paths),
        *(Route(f"{path}/{{sys_id}}", api.answer, methods=_METHODS) for path in paths),
    ]


def host_of(request: Request, instance: "Instance") -> str:
    """Give what links in bodies begin with: the host that was asked, or the configured one if a property says so."""
    configured = not request.headers.get("host") or instance.properties.flag(CONFIGURED_HOST)
    return instance.url if configured else str(request.base_url).rstrip("/")


class _TableApi:
    """Answers one request after the other."""

    def __init__(self, instance: "Instance") -> None:
        self._instance = instance

    async def answer(self, request: Request) -> Response:
        """Answer a request, refusals included."""
        kind = JSON
        try:
            kind = accepted(request.headers.get("accept", ""))
            body = await request.body()
            call = _Call(self._instance, request, body, kind)
            return call.answer()
        except SnowError as refusal:
            return _response(request, refusal.as_json(), refusal.status, kind, {})


class _Call:
    """One request."""

    def __init__(self, instance: "Instance", request: Request, body: bytes, kind: str) -> None:
        self._instance = instance
        self._request = request
        self._body = body
        self._kind = kind
        self._table: str = request.path_params["table"]
        self._sys_id: str = request.path_params.get("sys_id", "")
        self._user: User = caller(request)
        self._method = _method(request)
        instance.require_table(self._table)
        given = dict(parse_qsl(request.url.query, keep_blank_values=True))
        is_list = self._method in {"GET", "HEAD"} and not self._sys_id
        self._parameters = read_parameters(instance, self._table, given, self._user, with_query=is_list)

    def answer(self) -> Response:
        match self._method, bool(self._sys_id):
            case "GET" | "HEAD", False:
                return self._list()
            case "GET" | "HEAD", True:
                return self._one(self._instance.get(self._table, self._sys_id, self._user))
            case "POST", False:
                return self._insert()
            case "PUT" | "PATCH", True:
                return self._update()
            case "DELETE", True:
                self._instance.delete(self._table, self._sys_id, self._user)
                return Response(status_code=204)
        raise SnowError(405, "Method not supported", f"{self._method} is not supported on {self._request.url.path}")

    def _list(self) -> Response:
        wanted = self._parameters
        page = self._instance.query(self._table, wanted.query, self._user, limit=wanted.limit, offset=wanted.offset)
        if not page.rows and _version(self._request) == 1:
            raise no_record()
        headers = {"X-Total-Count": str(page.total)} if wanted.with_count else {}
        if wanted.with_pages and (links := self._links(page.total)):
            headers["Link"] = links
        presenter = self._presenter()
        return self._result([presenter.show(self._table, row) for row in page.rows], 200, headers)

    def _one(self, row: Row, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """Show a row; one that the caller wrote but may not read is shown empty."""
        readable = self._instance.acl.row(row["sys_class_name"], Access.READ, row, self._user)
        shown = self._presenter().show(self._table, row) if readable else {}
        return self._result(shown, status, headers)

    def _insert(self) -> Response:
        row = self._instance.insert(
            self._table, self._record(), self._user, display_values=self._parameters.input_display_values
        )
        location = f"{self._host()}{self._request.url.path.rstrip('/')}/{row['sys_id']}"
        return self._written(row, 201, {"Location": location})

    def _update(self) -> Response:
        row = self._instance.update(
            self._table,
            self._sys_id,
            self._record(),
            self._user,
            display_values=self._parameters.input_display_values,
        )
        return self._written(row, 200, {})

    def _written(self, row: Row, status: int, headers: dict[str, str]) -> Response:
        if self._request.headers.get(_NO_BODY, "").lower() == "true":
            return Response(status_code=status, headers=headers)
        return self._one(row, status, headers)

    def _record(self) -> dict[str, Any]:
        return record_of(self._request.headers.get("content-type"), self._body)

    def _presenter(self) -> Presenter:
        wanted: Parameters = self._parameters
        return Presenter(
            self._instance,
            self._user,
            display=wanted.display,
            with_links=wanted.with_links,
            fields=wanted.fields,
            url=self._host(),
        )

    def _host(self) -> str:
        return host_of(self._request, self._instance)

    def _links(self, total: int) -> str:
        """Give the addresses of the first, previous, next and last page."""
        limit, offset = self._parameters.limit, self._parameters.offset
        if not limit:
            return ""
        pages = {"first": 0}
        if offset:
            pages["prev"] = max(0, offset - limit)
        if offset + limit < total:
            pages["next"] = offset + limit
        pages["last"] = max(0, total - 1) // limit * limit
        return ",".join(f'<{self._page(start)}>;rel="{name}"' for name, start in pages.items())

    def _page(self, offset: int) -> str:
        given = dict(parse_qsl(self._request.url.query, keep_blank_values=True))
        query = urlencode({**given, "sysparm_limit": self._parameters.limit, "sysparm_offset": offset})
        return f"{self._host()}{self._request.url.path}?{query}"

    def _result(self, result: Any, status: int, headers: dict[str, str] | None) -> Response:
        return _response(self._request, {"result": result}, status, self._kind, headers or {})


def _response(request: Request, document: dict[str, Any], status: int, kind: str, headers: dict[str, str]) -> Response:
    """Answer; to HEAD with the head alone."""
    body = b"" if request.method == "HEAD" else written(document, kind)
    return Response(body, status, headers, media_type=f"{kind};charset=UTF-8")


def _method(request: Request) -> str:
    override = request.headers.get(OVERRIDE, "").upper()
    return override if request.method == "POST" and override in _OVERRIDABLE else request.method


def _version(request: Request) -> int:
    match = _VERSION.match(request.url.path)
    return int(match[1]) if match else 2
