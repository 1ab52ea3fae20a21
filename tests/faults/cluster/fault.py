"""What a fault of the suite is.

How a fault takes part in random schedules:

1. Write a class with ``name``, ``target``, ``inject`` and ``heal`` (the protocol ``Fault``). It gets the ``World``
   (``tests/faults/cluster/world.py``): ``world.nodes["delivery-1"]`` are the program's processes, ``world.database``
   the PostgreSQL server (None: SQLite), ``world.links["delivery-1", "database"]`` the network between a node and what
   it calls, ``world.tools["servicenow"]`` the ITSM tools, ``world.folder`` where everything lies. ``world.say(text)``
   writes a line into the run's log; ``world.count(kind)`` counts, by the words of the report, and
   ``world.miss(kind, why)`` what could not happen.
2. Write a ``Maker``: a function that aims such a fault at something of a ``Layout``, by chance; None where the layout
   has nothing that it could meet. It must decide by the ``Random`` alone, for a seed to give the same schedule again.
3. Name the maker in the catalogue (``tests/faults/cluster/catalogue.py``), with the weight that chance gives it.

Rules: ``inject`` returns when the fault is there; ``heal`` returns when its cause is gone, and does nothing where it is
gone already. Neither waits for the service to recover: the judge does. Faults overlap: a node may be dead already when
it is to be paused, and then nothing happens, which is counted apart: each ``inject`` counts either way, once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tests.faults.cluster.world import World

DATABASE = "database"
STANDBY = "standby"


@dataclass(frozen=True, slots=True)
class Layout:
    """What a world is made of, by name.

    Attributes:
        intake: The nodes that take alerts in.
        delivery: The nodes that deliver; with one process for everything the same as ``intake``.
        tools: The ITSM tools that are processes of their own.
        on_postgresql: Whether the store is a PostgreSQL server; else one file of SQLite.
        has_standby: Whether a synchronous standby, a second server, follows the first.
    """

    intake: tuple[str, ...]
    delivery: tuple[str, ...]
    tools: tuple[str, ...]
    on_postgresql: bool
    has_standby: bool = False

    def __str__(self) -> str:
        """Say in a few words what it is."""
        processes = f"{len(self.nodes)} processes" if len(self.nodes) > 1 else "one process"
        if not self.on_postgresql:
            return f"{processes} on a file of SQLite"
        return f"{processes} on PostgreSQL" + (" with a synchronous standby" if self.has_standby else "")

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node, once."""
        return tuple(dict.fromkeys((*self.intake, *self.delivery)))


class Fault(Protocol):
    """Trouble that begins and ends."""

    @property
    def name(self) -> str:
        """What happens, in a few words; the same for every target."""
        ...

    @property
    def target(self) -> str:
        """What it happens to."""
        ...

    async def inject(self, world: "World", random: Random) -> None:
        """Let it begin."""
        ...

    async def heal(self, world: "World") -> None:
        """Let it end."""
        ...


Maker = Callable[[Layout, Random], Fault | None]
