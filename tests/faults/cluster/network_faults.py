"""Trouble on the way between a node and what it calls: the database, or an ITSM tool."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from tests.faults.cluster.fault import DATABASE, STANDBY, Fault, Layout
from tests.faults.cluster.network import Link
from tests.faults.cluster.world import World

_DELAYS = (0.02, 0.2)
# The end of a simple query (PostgreSQL docs, "Message Formats"), and the alerts that intake's one statement keeps.
_COMMIT = (b"COMMIT\0", b"Microsoft.AlertsManagement/alerts/")
_WRITES = (b"POST /", b"PATCH /", b"PUT /")
_MOST_LOST = 4
_DATABASES = (DATABASE, STANDBY)


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """Trouble of one link.

    Attributes:
        node: Who calls.
        to: What is called.
    """

    node: str
    to: str
    what: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """What happens to the way to a database or to a tool."""
        return f"{self.what} to the {'database' if self.to in _DATABASES else 'tool'}"

    @property
    def target(self) -> str:
        """The link."""
        return f"{self.node} to {self.to}"

    async def inject(self, world: World, random: Random) -> None:
        self.begin(world.links[self.node, self.to], random)
        world.count(self.name)

    async def heal(self, world: World) -> None:
        world.links[self.node, self.to].mend()

    def begin(self, link: Link, random: Random) -> None:
        """Let it begin."""
        raise NotImplementedError


class Cut(OnTheWay):
    """Every connection is reset, and each new one."""

    what = "network cut"

    def begin(self, link: Link, random: Random) -> None:
        link.cut()


class HeldUp(OnTheWay):
    """Nothing gets through, and all of it comes later."""

    what = "network held up"

    def begin(self, link: Link, random: Random) -> None:
        link.hold_up()


class HalfOpen(OnTheWay):
    """Connections stay, and nothing comes out of them any more."""

    what = "half-open connections"

    def begin(self, link: Link, random: Random) -> None:
        link.swallow()


class HalfOpenForLong(HalfOpen):
    """The same, and nobody resets them when new ones work again: the node has to find out."""

    what = "half-open connections for ever"

    async def heal(self, world: World) -> None:
        world.links[self.node, self.to].mend(reset=False)


class Slow(OnTheWay):
    """Everything takes longer."""

    what = "slow network"

    def begin(self, link: Link, random: Random) -> None:
        link.delay = random.uniform(*_DELAYS)


class AnswersLost(OnTheWay):
    """What was asked is done and committed; the connection is reset before the answer arrives."""

    what = "answers lost on the way"

    def begin(self, link: Link, random: Random) -> None:
        link.lose_answers(random.randint(1, _MOST_LOST), after=_COMMIT if self.to in _DATABASES else _WRITES)


def to_database(kind: type[OnTheWay]) -> Callable[[Layout, Random], Fault | None]:
    """Make a maker of trouble between any node and the database, or one of its two servers."""

    def make(layout: Layout, random: Random) -> Fault | None:
        if not layout.on_postgresql:
            return None
        node = random.choice(layout.nodes)
        return kind(node, random.choice(_DATABASES) if layout.has_standby else DATABASE)

    return make


def to_tool(kind: type[OnTheWay]) -> Callable[[Layout, Random], Fault | None]:
    """Make a maker of trouble between any node that delivers and any tool."""

    def make(layout: Layout, random: Random) -> Fault | None:
        return kind(random.choice(layout.delivery), random.choice(layout.tools)) if layout.tools else None

    return make
