"""All that the door and the control API have their hands on."""

from dataclasses import dataclass, field

from secure_export.sandbox.bmc_helix.entries import Copy
from secure_export.sandbox.bmc_helix.faults import Faults
from secure_export.sandbox.bmc_helix.server import ArServer
from secure_export.sandbox.bmc_helix.tokens import Tokens
from secure_export.sandbox.counters import Counters
from secure_export.sandbox.turns import Semaphore


@dataclass(frozen=True, slots=True)
class Station:
    """A stand-in with everything that is set about it.

    Attributes:
        server: The server.
        tokens: Who is signed in.
        faults: The faults that are set.
        turns: How many requests run at a time.
        counters: What was asked.
        copies: Copies of all entries by name.
    """

    server: ArServer
    tokens: Tokens
    faults: Faults
    turns: Semaphore
    counters: Counters
    copies: dict[str, Copy] = field(default_factory=dict)
