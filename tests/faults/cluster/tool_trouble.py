"""ITSM tools that misbehave, stand still, and restart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.faults.cluster.fault import Fault, Layout
from tests.faults.cluster.world import STEP_SECONDS, World

_WRITES = ("POST", "PUT", "PATCH")
_MOST_MET = 4
_RESTART_SECONDS = (0.0, 1.0)

# What both sandboxes know. Of those that end in *after*, and of cut and garbage, the request was done.
_KINDS: tuple[Mapping[str, Any], ...] = (
    {"kind": "reset-after"},
    {"kind": "reset-before"},
    {"kind": "cut"},
    {"kind": "garbage"},
    {"kind": "error-after", "status": 500},
    {"kind": "error-before", "status": 503},
    {"kind": "too-many", "seconds": 1},
    {"kind": "delay", "seconds": STEP_SECONDS / 2},
    {"kind": "delay-after", "seconds": STEP_SECONDS * 1.2},
)


@dataclass(frozen=True, slots=True)
class Misbehaving:
    """Some of the next writes meet trouble, or some of all requests.

    Attributes:
        target: The tool.
        order: What the sandbox is told.
    """

    target: str
    order: Mapping[str, Any] = field(hash=False)

    @property
    def name(self) -> str:
        """What happens, by the sandbox's word."""
        return f"tool: {self.order['kind']}"

    async def inject(self, world: World, random: Random) -> None:
        await world.tools[self.target].misbehave(self.order)
        world.count(self.name)

    async def heal(self, world: World) -> None:
        await world.tools[self.target].behave()


@dataclass(frozen=True, slots=True)
class Frozen:
    """The tool takes connections and answers nothing, and goes on when healed."""

    target: str
    name: str = "tool stands still"

    async def inject(self, world: World, random: Random) -> None:
        world.tools[self.target].pause()
        world.count(self.name)

    async def heal(self, world: World) -> None:
        world.tools[self.target].go_on()


@dataclass(frozen=True, slots=True)
class Restarted:
    """The tool ends in the middle of everything and is back a while later, with its records."""

    target: str
    name: str = "tool restarts"

    async def inject(self, world: World, random: Random) -> None:
        await world.tools[self.target].restart(random.uniform(*_RESTART_SECONDS))
        world.count(self.name)

    async def heal(self, world: World) -> None:
        """It is back already."""


def misbehaving(layout: Layout, random: Random) -> Fault | None:
    """Let any tool misbehave in any way."""
    if not layout.tools:
        return None
    order = dict(random.choice(_KINDS))
    order |= {"times": random.randint(1, _MOST_MET), "skip": random.randint(0, 2)}
    if random.random() < 0.7:
        order["methods"] = list(_WRITES)
    return Misbehaving(random.choice(layout.tools), order)


def frozen(layout: Layout, random: Random) -> Fault | None:
    """Let any tool stand still."""
    return Frozen(random.choice(layout.tools)) if layout.tools else None


def restarted(layout: Layout, random: Random) -> Fault | None:
    """Restart a tool that keeps its records."""
    return Restarted("servicenow") if "servicenow" in layout.tools else None
