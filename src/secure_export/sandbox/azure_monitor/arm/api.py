"""ARM's API: signs the caller in, counts, and finds what answers."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from secure_export.sandbox.azure_monitor.arm import alerts_api, basics_api, resource_graph
from secure_export.sandbox.azure_monitor.arm.errors import error_reply, refused, throttled, unauthenticated
from secure_export.sandbox.azure_monitor.arm.notifications import GROUPS, Notifications
from secure_export.sandbox.azure_monitor.arm.rbac import Caller
from secure_export.sandbox.azure_monitor.arm.resource_types import TYPES
from secure_export.sandbox.azure_monitor.arm.resources import Resources
from secure_export.sandbox.azure_monitor.arm.visit import Visit
from secure_export.sandbox.azure_monitor.arm.world import World
from secure_export.sandbox.reply import Reply
from secure_export.sandbox.rest_call import Call
from secure_export.sandbox.rest_routes import Routes

Handler = Callable[[Visit], Awaitable[Reply]]


class ArmApi:
    """Answers requests by the state of ARM.

    Attributes:
        clock: Its time.
        faults: The faults that are set.
        counters: What was asked.

    Args:
        world: The state.
        in_background: Runs something to its end after an answer.
    """

    def __init__(self, world: World, in_background: Callable[[Any], None]) -> None:
        self.clock = world.clock
        self.faults = world.faults
        self.counters = world.counters
        self._world = world
        self._routes = _routes(Notifications(in_background))

    async def answer(self, call: Call) -> Reply:
        """Answer a request."""
        if tuple(one.lower() for one in call.segments) == ("metadata", "endpoints"):
            return basics_api.endpoints(call.base, self._world.monitor.authority)
        caller = await self._signed_in(call)
        found = self._routes.find(call.segments)
        if found is None:
            raise refused(404, "InvalidResourceType", f"The resource type could not be found at '{call.path}'.")
        handlers, named = found
        if call.method not in handlers:
            raise refused(405, "MethodNotAllowed", f"The request method '{call.method}' is not allowed.")
        left = self._limited(call, caller)
        reply = await handlers[call.method](Visit(call, self._world, caller, named))
        return reply.with_headers({**left, "x-ms-correlation-request-id": self._world.guid()})

    def error(self, status: int, code: str, message: str) -> Reply:
        """Put an error into the front door's form."""
        return error_reply(status, code, message)

    async def _signed_in(self, call: Call) -> Caller:
        if not call.token:
            raise unauthenticated(
                "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
            )
        try:
            claims = await self._world.directory.claims(call.token)
        except aiohttp.ClientError as problem:
            raise refused(503, "ServerTimeout", "The sandbox's Entra ID cannot be reached.") from problem
        if claims is None:
            raise unauthenticated("InvalidAuthenticationToken", "The access token is invalid.")
        return Caller.of(claims)

    def _limited(self, call: Call, caller: Caller) -> dict[str, str]:
        is_read = call.method in {"GET", "POST"}
        kind, behaviour = "reads" if is_read else "writes", self._world.behaviour
        subscription = call.segments[1].lower() if len(call.segments) > 1 else ""
        window = self._world.windows.find(
            behaviour.reads if is_read else behaviour.writes, 60.0, kind, subscription, caller.object_id
        )
        now = self.clock.now()
        if seconds := window.take(now):
            code = "SubscriptionRequestsThrottled"
            raise throttled(seconds, code, f"Number of requests for subscription '{subscription}' exceeded the limit.")
        return {f"x-ms-ratelimit-remaining-subscription-{kind}": str(window.left(now))}


def _routes(notifications: Notifications) -> Routes[Handler]:
    routes: Routes[Handler] = Routes()
    group = "subscriptions/{subscription}/resourceGroups/{group}"
    for kind in TYPES:
        for method, path, handler in Resources(kind).routes():
            routes.add(method, path, handler)
    routes.add("POST", f"{group}/providers/{GROUPS}/{{name}}/createNotifications", notifications.created)
    routes.add("GET", f"{group}/providers/{GROUPS}/{{name}}/notificationStatus/{{notification}}", notifications.status)
    routes.add("GET", "subscriptions", basics_api.subscriptions)
    routes.add("GET", "subscriptions/{subscription}", basics_api.subscription)
    routes.add("GET", "subscriptions/{subscription}/resourceGroups", basics_api.groups)
    routes.add("GET", group, basics_api.group)
    routes.add("PUT", group, basics_api.group_written)
    routes.add("DELETE", group, basics_api.group_deleted)
    routes.add("GET", "subscriptions/{subscription}/providers/{namespace}", basics_api.provider)
    routes.add("POST", "subscriptions/{subscription}/providers/{namespace}/register", basics_api.provider_registered)
    routes.add("POST", "providers/Microsoft.ResourceGraph/resources", resource_graph.resources)
    alerts = "{scope*}/providers/Microsoft.AlertsManagement"
    routes.add("GET", f"{alerts}/alerts", alerts_api.listed)
    routes.add("GET", f"{alerts}/alertsSummary", alerts_api.summary)
    routes.add("GET", f"{alerts}/alerts/{{alert}}", alerts_api.got)
    routes.add("POST", f"{alerts}/alerts/{{alert}}/changestate", alerts_api.state_changed)
    routes.add("GET", f"{alerts}/alerts/{{alert}}/history", alerts_api.history)
    routes.add("POST", f"{alerts}/alerts/{{alert}}/history", alerts_api.history)
    routes.add("GET", "{scope*}/providers/Microsoft.Authorization/permissions", basics_api.permissions)
    return routes
