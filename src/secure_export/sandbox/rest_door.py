"""The way of a request to one of Microsoft's JSON APIs: counted, faulted, answered, and faulted again."""

import logging
import time
import uuid
from email.utils import format_datetime
from typing import Final, Protocol

import msgspec

from secure_export.sandbox.clock import Clock
from secure_export.sandbox.counters import Counters, Entry
from secure_export.sandbox.ending import Ending, Wire
from secure_export.sandbox.reply import Reply
from secure_export.sandbox.rest_call import Call, RestError, read_call
from secure_export.sandbox.rest_faults import Fault, FaultKind, Faults
from secure_export.sandbox.wire import (
    ClientGoneError,
    Receive,
    Scope,
    Send,
    TooLargeError,
    close,
    reset,
    wait,
    write,
    write_half,
)

_LOG = logging.getLogger("secure_export.sandbox.rest")
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


class Door:
    """Takes one request after the other to an API, and brings the answer back: an ASGI application.

    Args:
        api: What answers.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or misbehave."""
        began = time.perf_counter()
        try:
            call = await read_call(scope, receive)
        except ClientGoneError:
            return
        except TooLargeError:
            await write(send, self._api.error(413, "RequestEntityTooLarge", "The request is too large."))
            return
        faults = self._api.faults.take(call)
        ending = await self._ending(call, faults, receive)
        self._count(call, faults, ending, began)
        if ending.wait_seconds:
            await wait(ending.wait_seconds, receive)
        if ending.wire is Wire.RESET:
            await reset(scope, receive)
        elif ending.wire is Wire.CUT:
            await write_half(send, self._finished(ending.reply, call))
            await close(scope, receive)
        else:
            await write(send, self._finished(ending.reply, call))

    async def _ending(self, call: Call, faults: tuple[Fault, ...], receive: Receive) -> Ending:
        for fault in faults:
            if fault.kind is FaultKind.DELAY:
                await wait(fault.seconds, receive)
            elif (instead := self._instead(fault)) is not None:
                return instead
        reply = await self._answered(call)
        return self._afterwards(faults[-1], reply) if faults else Ending(reply)

    async def _answered(self, call: Call) -> Reply:
        try:
            return await self._api.answer(call)
        except RestError as refusal:
            return refusal.reply
        except msgspec.DecodeError:
            return self._api.error(400, "BadRequest", "Unable to read JSON request payload.")
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the reason
            _LOG.exception("The stand-in itself failed at %s %s.", call.method, call.path)
            return self._api.error(500, "InternalServerError", "The sandbox itself failed; its log says how.")

    def _instead(self, fault: Fault) -> Ending | None:
        match fault.kind:
            case FaultKind.RESET_BEFORE:
                return Ending(Reply(0), Wire.RESET)
            case FaultKind.ERROR_BEFORE:
                return Ending(self._error(fault, fault.status))
            case FaultKind.TOKEN_REFUSED:
                return Ending(self._error(fault, 401))
            case FaultKind.THROTTLED:
                refused = self._api.error(429, fault.code or "TooManyRequests", fault.message)
                return Ending(refused.with_headers({"Retry-After": f"{fault.seconds:g}", **fault.headers}))
        return None

    def _afterwards(self, fault: Fault, reply: Reply) -> Ending:
        match fault.kind:
            case FaultKind.ERROR_AFTER:
                return Ending(self._error(fault, fault.status))
            case FaultKind.RESET_AFTER:
                return Ending(reply, Wire.RESET)
            case FaultKind.DELAY_AFTER:
                return Ending(reply, wait_seconds=fault.seconds)
            case FaultKind.GARBAGE:
                return Ending(Reply(200).with_body(b'{"value": [<html>', _TEXT))
            case FaultKind.CUT:
                return Ending(reply, Wire.CUT)
        return Ending(reply)

    def _error(self, fault: Fault, status: int) -> Reply:
        code = fault.code or _CODES.get(status, "UnknownError")
        return self._api.error(status, code, fault.message).with_headers(fault.headers)

    def _finished(self, reply: Reply, call: Call) -> Reply:
        more = {"Date": format_datetime(self._api.clock.now(), usegmt=True), "request-id": str(uuid.uuid4())}
        if (own := call.headers.get("client-request-id")) is not None:
            more["client-request-id"] = own
        return reply.with_headers({name: value for name, value in more.items() if not _has(reply, name)})

    def _count(self, call: Call, faults: tuple[Fault, ...], ending: Ending, began: float) -> None:
        entry = Entry(
            at=self._api.clock.now().isoformat(timespec="seconds"),
            method=call.method,
            path=call.path,
            query=call.query,
            user=call.user,
            status=0 if ending.wire is Wire.RESET else ending.reply.status,
            faults=tuple(fault.kind.value for fault in faults),
            milliseconds=round((time.perf_counter() - began) * 1000, 3),
        )
        self._api.counters.count(f"{call.method} {call.path}", entry)


def _has(reply: Reply, name: str) -> bool:
    return any(one.lower() == name.lower() for one, _ in reply.headers)
