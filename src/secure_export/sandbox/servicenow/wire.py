"""Reads a request as the instance takes it."""

from typing import Final

from secure_export.sandbox.call import headers_of
from secure_export.sandbox.servicenow.call import OVERRIDE, Call
from secure_export.sandbox.wire import Receive, Scope, read_body

_OVERRIDABLE: Final = frozenset({"PUT", "PATCH", "DELETE", "GET"})


async def read_call(scope: Scope, receive: Receive) -> Call:
    """Read a request whole.

    Raises:
        ClientGoneError: It never became whole.
        TooLargeError: Its body is larger than 64 MiB.
    """
    headers = headers_of(scope)
    override = headers.get(OVERRIDE, "").upper()
    method = override if scope["method"] == "POST" and override in _OVERRIDABLE else scope["method"]
    query = scope["query_string"].decode("latin-1")
    return Call(method, scope["path"], query, headers, await read_body(receive))
