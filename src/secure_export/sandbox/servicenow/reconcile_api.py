"""The Identification and Reconciliation API: ``/api/now/identifyreconcile`` (servicenow-facts 10.4)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.servicenow import identification
from secure_export.sandbox.servicenow.caller import caller
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.reconciliation import Mode, reconcile, summary
from secure_export.sandbox.servicenow.rest import Handler, json_object, result, versioned
from secure_export.sandbox.servicenow.users import User

_ROLES: Final = ("itil", "asset")
# Path, whether it commits, whether it is the enhanced one.
_DOORS: Final = (
    ("identifyreconcile", True, False),
    ("identifyreconcile/enhanced", True, True),
    ("identifyreconcile/query", False, False),
    ("identifyreconcile/queryEnhanced", False, True),
)


def routes(instance: Instance) -> list[Route]:
    """Give the routes of the API, and put its rules into their tables."""
    identification.install(instance)
    found: list[Route] = []
    for path, commit, is_enhanced in _DOORS:
        found += versioned("now", path, _door(instance, commit=commit, is_enhanced=is_enhanced), "POST")
    return found


def _door(instance: Instance, *, commit: bool, is_enhanced: bool) -> Handler:
    async def door(request: Request) -> Response:
        user = _allowed(request)
        payload = await json_object(request)
        mode = Mode(request.query_params.get("sysparm_data_source", ""), commit, is_enhanced)
        told = reconcile(instance, payload, user, mode)
        if "generate_summary:true" in request.query_params.get("options", ""):
            told |= {
                "hasError": any(one["errorCount"] for one in told["items"]),
                "hasWarning": any(one.get("warningCount", 0) for one in told["items"]),
                "summary": summary(told["items"]),
            }
        return result(told)

    return door


def _allowed(request: Request) -> User:
    user = caller(request)
    if not user.has_role(*_ROLES):
        raise SnowError(403, "User Not Authorized", "Failed API level ACL Validation")
    return user
