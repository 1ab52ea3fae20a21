"""What the REST APIs have in common: paths with and without version, bodies, results, and refusals in the envelope."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.servicenow.errors import SnowError, bad_body
from secure_export.sandbox.servicenow.users import ADMIN, User

JSON: Final = "application/json;charset=UTF-8"
MOST_ROWS: Final = 10_000
_VERSIONS: Final = ("", "v1/", "v2/")

Handler = Callable[[Request], Awaitable[Response]]


def versioned(namespace: str, path: str, handler: Handler, *methods: str) -> list[Route]:
    """Make the routes of one resource, with and without a version in the path.

    Args:
        namespace: What comes before the version, such as ``now``.
        path: What comes after it, such as ``attachment/{sys_id}``.
        handler: Answers; may raise ``SnowError``.
        methods: The HTTP methods.
    """
    door = guarded(handler)
    return [Route(f"/api/{namespace}/{version}{path}", door, methods=list(methods)) for version in _VERSIONS]


def guarded(handler: Handler) -> Handler:
    """Make a handler whose refusals are answers."""

    async def door(request: Request) -> Response:
        try:
            return await handler(request)
        except SnowError as refusal:
            return answer(refusal.as_json(), refusal.status)

    return door


def answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(document), status, headers, media_type=JSON)


def result(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON in ServiceNow's ``result``."""
    return answer({"result": value}, status, headers)


async def json_object(request: Request) -> dict[str, Any]:
    """Read the body as a JSON object; an empty body is an empty one.

    Raises:
        SnowError: It is something else.
    """
    document = json_of(await request.body())
    if not isinstance(document, dict):
        raise bad_body()
    return document


def json_of(body: bytes) -> Any:
    """Read JSON; nothing at all is an empty object.

    Raises:
        SnowError: It is no JSON.
    """
    if not body.strip():
        return {}
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise bad_body() from None


def pairs_query(request: Request, columns: Sequence[str]) -> str:
    """Give the encoded query of a request: ``sysparm_query`` and what was given as ``<column>=<value>``."""
    parts = [request.query_params.get("sysparm_query", "")]
    parts += [f"{name}={value}" for name, value in request.query_params.items() if name in columns]
    return "^".join(part for part in parts if part)


def window(request: Request) -> tuple[int, int]:
    """Give limit and offset of a request.

    Raises:
        SnowError: One of them is no number, or negative.
    """
    return _number(request, "sysparm_limit", MOST_ROWS), _number(request, "sysparm_offset", 0)


def as_admin(user: User) -> User:
    """Give the same user without the bonds of access rules, for what the platform does in their name."""
    return replace(user, roles=user.roles | {ADMIN})


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name) or str(default)
    if not text.isdecimal():
        raise SnowError(400, "Invalid parameter", f"{name} must be a number that is not negative, not {text!r}")
    return int(text)
