"""The way of a request to one of Microsoft's JSON APIs."""

import uuid
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from secure_export.sandbox import door
from secure_export.sandbox.clock import Clock
from secure_export.sandbox.counters import Counters
from secure_export.sandbox.ending import Ending, ending_after, ending_instead
from secure_export.sandbox.reply import Reply
from secure_export.sandbox.rest_call import Call, RestError, read_call
from secure_export.sandbox.rest_faults import Fault, FaultKind, Faults
from secure_export.sandbox.wire import Receive, Scope

_TEXT: Final = "application/json; charset=utf-8"
_CODES: Final = {
    401: "InvalidAuthenticationToken",
    408: "RequestTimeout",
    409: "Conflict",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


class Api(Protocol):
    """What answers: one of the APIs.

    Attributes:
        clock: Its time.
        faults: The faults that are set.
        counters: What was asked.
    """

    clock: Clock
    faults: Faults
    counters: Counters

    async def answer(self, call: Call) -> Reply:
        """Answer a request.

        Raises:
            RestError: The answer is a refusal.
        """
        ...

    def error(self, status: int, code: str, message: str) -> Reply:
        """Put an error into the API's own form."""
        ...


class Door(door.Door["_Visit"]):
    """Takes one request after the other to an API, and brings the answer back.

    Args:
        api: What answers.
    """

    def __init__(self, api: Api) -> None:
        super().__init__(api.clock, api.counters)
        self._api = api

    async def visit(self, scope: Scope, receive: Receive) -> "_Visit":
        """Read a request whole."""
        return _Visit(self._api, await read_call(scope, receive), receive)

    def too_large(self) -> Reply:
        """Refuse a body that is too large."""
        return self._api.error(413, "RequestEntityTooLarge", "The request is too large.")

    def headers(self, visit: "_Visit | None", scope: Scope) -> Mapping[str, str]:  # noqa: ARG002 - the same for all
        """Give the ids of the request: the API's own, and the client's."""
        own = visit.call.headers.get("client-request-id") if visit else None
        return {"request-id": str(uuid.uuid4()), **({"client-request-id": own} if own is not None else {})}


class _Visit(door.Visit[Call, Fault]):
    """One request on its way."""

    def __init__(self, api: Api, call: Call, receive: Receive) -> None:
        super().__init__(call, api.faults, receive)
        self._api = api

    async def done(self) -> Ending:
        """Answer, and misbehave afterwards."""
        reply = await self.answered()
        return self._afterwards(self.faults[-1], reply) if self.faults else Ending(reply)

    async def answer(self) -> Reply:
        """Let the API answer."""
        try:
            return await self._api.answer(self.call)
        except RestError as refusal:
            return refusal.reply
        except msgspec.DecodeError:
            return self._api.error(400, "BadRequest", "Unable to read JSON request payload.")

    def failed(self) -> Reply:
        """Say that the stand-in itself failed."""
        return self._api.error(500, "InternalServerError", "The sandbox itself failed; its log says how.")

    def instead(self, fault: Fault) -> Ending | None:
        """Give the ending of a request that is not done at all; None: it goes on."""
        match fault.kind:
            case FaultKind.ERROR_BEFORE:
                return Ending(self._error(fault, fault.status))
            case FaultKind.TOKEN_REFUSED:
                return Ending(self._error(fault, 401))
            case FaultKind.THROTTLED:
                refused = self._api.error(429, fault.code or "TooManyRequests", fault.message)
                return Ending(refused.with_headers({"Retry-After": f"{fault.seconds:g}", **fault.headers}))
        return ending_instead(fault)

    def _afterwards(self, fault: Fault, reply: Reply) -> Ending:
        match fault.kind:
            case FaultKind.ERROR_AFTER:
                return Ending(self._error(fault, fault.status))
            case FaultKind.GARBAGE:
                return Ending(Reply(200).with_body(b'{"value": [<html>', _TEXT))
        return ending_after(fault, reply)

    def _error(self, fault: Fault, status: int) -> Reply:
        code = fault.code or _CODES.get(status, "UnknownError")
        return self._api.error(status, code, fault.message).with_headers(fault.headers)
