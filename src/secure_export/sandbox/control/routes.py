"""The routes of a control API: JSON in, JSON out, no sign-in; for this machine only."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from secure_export.sandbox.control.from_here import is_from_here
from secure_export.sandbox.refusal import Refusal

Door = Callable[[Request, bytes], Any]
"""Takes a request and its body; gives what JSON can hold, or something to await that gives it."""
Doors = Mapping[str, Mapping[str, Door]]
"""Doors by path below the control API's own, and by method."""


def control_routes(
    path: str, notice: str, overview: Callable[[], dict[str, Any]], doors: Doors, *, posted: int = 200
) -> list[Route]:
    """Give the routes of a control API.

    Args:
        path: Where it is, such as ``/control``.
        notice: Says that this is a stand-in, and for what; part of the overview and of refusals.
        overview: What is told at its own path, beside the notice and the list of doors.
        doors: Its doors.
        posted: The status of an answer to a POST.
    """
    shown = sorted(f"{method} {path}{door}" for door, methods in doors.items() for method in methods)
    top: dict[str, Door] = {"GET": lambda *_: {"notice": notice, **overview(), "doors": shown}}
    return [
        Route(path + door, _endpoint(act, notice, posted if method == "POST" else 200), methods=[method])
        for door, methods in {"": top, **doors}.items()
        for method, act in methods.items()
    ]


def _endpoint(door: Door, notice: str, status: int) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if not is_from_here(request):
            return JSONResponse({"error": "Only this machine may use /control.", "notice": notice}, status_code=403)
        try:
            found = door(request, await request.body())
            return JSONResponse(await found if isinstance(found, Awaitable) else found, status_code=status)
        except Refusal as refusal:
            return JSONResponse(refusal.as_json(), status_code=refusal.status)
        except (ValueError, LookupError) as problem:
            return JSONResponse({"error": str(problem), "notice": notice}, status_code=400)

    return endpoint
