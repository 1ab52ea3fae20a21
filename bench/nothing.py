"""The server of the program with a handler that does nothing: ``python -m bench.nothing PORT``."""

import asyncio
import signal
import sys
from typing import Any

import uvloop

from secure_export.server import serve_asgi

_ANSWER = b'{"notification": "1234567", "status": "accepted"}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_ANSWER)).encode())]


async def app(_scope: Any, receive: Any, send: Any) -> None:
    """Read the body and answer."""
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await send({"type": "http.response.start", "status": 202, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _ANSWER})


async def _serve() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await serve_asgi(app, "127.0.0.1", int(sys.argv[1]), stop=stop)


if __name__ == "__main__":
    uvloop.run(_serve())
