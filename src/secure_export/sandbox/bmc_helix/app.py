"""The whole stand-in as one ASGI application: the APIs behind the door, the page, the control API."""

from typing import Final

from starlette.applications import Starlette

from secure_export.sandbox.bmc_helix import control
from secure_export.sandbox.bmc_helix.door import Door
from secure_export.sandbox.bmc_helix.faults import Faults
from secure_export.sandbox.bmc_helix.misbehaviour import watch
from secure_export.sandbox.bmc_helix.page import page_routes
from secure_export.sandbox.bmc_helix.server import ArServer
from secure_export.sandbox.bmc_helix.station import Station
from secure_export.sandbox.bmc_helix.tokens import Tokens
from secure_export.sandbox.counters import Counters
from secure_export.sandbox.turns import Semaphore
from secure_export.sandbox.wire import Receive, Scope, Send

_THREADS: Final = 24
_QUEUE: Final = 1_000
_API: Final = "/api"


class BmcHelixApp:
    """A stand-in for BMC Helix ITSM, as an ASGI application.

    Args:
        server: The server.

    Attributes:
        server: The server: forms, entries, clock, site, accounts.
        tokens: Who is signed in.
        faults: The faults that are set.
        turns: How many requests run at a time (``threads``), wait (``queue``), and how long each takes
            (``service_seconds``); ``most_at_a_time`` tells how many did.
        counters: What was asked.
    """

    def __init__(self, server: ArServer) -> None:
        self.server = server
        self.tokens = Tokens(server)
        self.faults = Faults()
        self.turns = Semaphore(_THREADS, _QUEUE)
        self.counters = Counters()
        watch(server)
        station = Station(server, self.tokens, self.faults, self.turns, self.counters)
        self._own = Starlette(routes=[*control.routes(station), *page_routes(server)])
        self._door = Door(station)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; neither a fault nor a sign-in stands before the page and the control API."""
        path: str = scope["path"]
        app = self._door if path == _API or path.startswith(f"{_API}/") else self._own
        await app(scope, receive, send)


def bmc_helix_app(server: ArServer | None = None) -> BmcHelixApp:
    """Give the ASGI application of a stand-in; a new server with the demo data if none is given."""
    return BmcHelixApp(server or ArServer())
