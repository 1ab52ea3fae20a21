"""Graph's API: signs the caller in, counts, and finds what answers."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from secure_export.sandbox.entra.graph import applications, assignments, deleted, directory_api, principals
from secure_export.sandbox.entra.graph.caller import Caller
from secure_export.sandbox.entra.graph.errors import bad_request, error_reply, refused, unauthorized
from secure_export.sandbox.entra.graph.owners import owner_doors
from secure_export.sandbox.entra.graph.state import Graph
from secure_export.sandbox.entra.graph.visit import Visit
from secure_export.sandbox.reply import Reply
from secure_export.sandbox.rest_call import Call, RestError
from secure_export.sandbox.rest_routes import Routes

Handler = Callable[[Visit], Reply]
_VERSION: Final = "v1.0"
_KEYED: Final = frozenset({"applications", "serviceprincipals"})


class GraphApi:
    """Answers requests by the state of Graph.

    Attributes:
        clock: Its time.
        faults: The faults that are set.
        counters: What was asked.

    Args:
        graph: The state.
        check: Gives what a sound token for Graph claims; None: it is none.
    """

    def __init__(self, graph: Graph, check: Callable[[str], Mapping[str, Any] | None]) -> None:
        self.clock = graph.clock
        self.faults = graph.faults
        self.counters = graph.counters
        self._graph = graph
        self._check = check
        self._routes = _routes()

    async def answer(self, call: Call) -> Reply:
        """Answer a request."""
        claims = self._signed_in(call)
        tenant = self._graph.tenant(str(claims["tid"]))
        self._limit(call, tenant.id, str(claims.get("appid", claims.get("azp", ""))))
        segments = _keys_apart(call.segments)
        if not segments or segments[0] != _VERSION:
            raise bad_request("Invalid version: the sandbox has v1.0.", "BadRequest")
        handlers, named = self._routes.find(segments[1:]) or ({}, {})
        if not handlers:
            raise bad_request(f"Resource not found for the segment '{'/'.join(segments[1:2])}'.", "BadRequest")
        if call.method not in handlers:
            raise refused(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        visit = Visit(call, tenant, Caller.of(claims, tenant), named, self._graph.limits.page_size)
        return handlers[call.method](visit).with_headers({"x-ms-resource-unit": "1"})

    def error(self, status: int, code: str, message: str) -> Reply:
        """Put an error into Graph's form."""
        return error_reply(status, code, message)

    def _signed_in(self, call: Call) -> Mapping[str, Any]:
        if not call.token:
            raise unauthorized("Access token is empty.")
        if (claims := self._check(call.token)) is None:
            raise unauthorized("Access token validation failure. Invalid audience, signature or lifetime.")
        return claims

    def _limit(self, call: Call, tenant: str, client: str) -> None:
        seconds = self._graph.wait_for_a_read(tenant, client)
        if call.method != "GET" and not seconds:
            seconds = self._graph.wait_for_a_write(tenant)
        if seconds:
            text = "Too many requests. Please wait."
            headers = {"Retry-After": str(seconds), "x-ms-throttle-limit-percentage": "1.0"}
            raise RestError(error_reply(429, "TooManyRequests", text).with_headers(headers))


def _keys_apart(segments: tuple[str, ...]) -> tuple[str, ...]:
    """Read ``applications(appId='x')`` as two parts."""
    apart: list[str] = []
    for one in segments:
        name, bracket, key = one.partition("(")
        if bracket and key.endswith(")") and name.lower() in _KEYED:
            apart += [name, key[:-1].strip("'") if "=" not in key else key[:-1]]
        else:
            apart.append(one)
    return tuple(apart)


def _routes() -> Routes[Handler]:
    routes: Routes[Handler] = Routes()
    for path, module in (("applications", applications), ("servicePrincipals", principals)):
        routes.add("GET", path, module.listed)
        routes.add("POST", path, module.created)
        routes.add("GET", f"{path}/{{id}}", module.got)
        routes.add("PATCH", f"{path}/{{id}}", module.patched)
        routes.add("DELETE", f"{path}/{{id}}", module.deleted)
    for (method, path), door in owner_doors(lambda tenant: tenant.applications).items():
        routes.add(method, f"applications/{{id}}/{path}", door)
    for (method, path), door in owner_doors(lambda tenant: tenant.principals).items():
        routes.add(method, f"servicePrincipals/{{id}}/{path}", door)
    for side, listed, created in (
        ("appRoleAssignedTo", assignments.listed_to, assignments.created_to),
        ("appRoleAssignments", assignments.listed_of, assignments.created_of),
    ):
        routes.add("GET", f"servicePrincipals/{{id}}/{side}", listed)
        routes.add("POST", f"servicePrincipals/{{id}}/{side}", created)
        routes.add("DELETE", f"servicePrincipals/{{id}}/{side}/{{assignment}}", assignments.removed)
    routes.add("GET", "directory/deletedItems/{id}", _deleted_list_or_item)
    routes.add("DELETE", "directory/deletedItems/{id}", deleted.purged)
    routes.add("POST", "directory/deletedItems/{id}/restore", deleted.restored)
    routes.add("GET", "me", directory_api.me)
    routes.add("GET", "organization", directory_api.organization)
    routes.add("GET", "users/{id}", directory_api.user)
    routes.add("GET", "directoryObjects/{id}", directory_api.anything)
    return routes


def _deleted_list_or_item(visit: Visit) -> Reply:
    name = visit.named["id"]
    if not name.lower().startswith("microsoft.graph."):
        return deleted.got(visit)
    return deleted.listed(Visit(visit.call, visit.tenant, visit.caller, {"kind": name}, visit.page_size))
