"""When which fault happens to what: decided by a seed alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from tests.faults.cluster.catalogue import CATALOGUE, Kind
from tests.faults.cluster.fault import Fault, Layout

_FAULTS_A_SECOND = 0.8
_FIRST_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault of a schedule.

    Attributes:
        at: When it begins, in seconds from the beginning.
        lasts: How long it lasts.
        fault: What happens, and to what.
    """

    at: float
    lasts: float
    fault: Fault

    def __str__(self) -> str:
        """Show it as people read it."""
        return f"at {self.at:6.2f} s for {self.lasts:4.2f} s: {self.fault.name}: {self.fault.target}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """What happens in one run.

    Attributes:
        seed: What decided it.
        seconds: How long alerts are sent.
        entries: The faults, first one first.
    """

    seed: int
    seconds: float
    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, seed: int, layout: Layout, *, seconds: float, kinds: Mapping[str, Kind] = CATALOGUE) -> "Schedule":
        """Make faults of these kinds happen in random combination."""
        random = Random(seed)  # noqa: S311 - chance, no secret
        there = {name: kind for name, kind in kinds.items() if kind.make(layout, Random(seed)) is not None}  # noqa: S311
        names, weights = list(there), [kind.weight for kind in there.values()]
        entries = []
        for _ in range(max(1, round(seconds * _FAULTS_A_SECOND))):
            (name,) = random.choices(names, weights)
            at = random.uniform(_FIRST_SECONDS, max(_FIRST_SECONDS, seconds - 0.5))
            entries.append(_entry(at, there[name], layout, random))
        return cls(seed, seconds, tuple(sorted(entries, key=lambda entry: entry.at)))

    @classmethod
    def alone(
        cls, seed: int, layout: Layout, names: tuple[str, ...], *, apart: float, kinds: Mapping[str, Kind] = CATALOGUE
    ) -> "Schedule":
        """Make each of these kinds happen once, as short as may be, and one after the other.

        Args:
            seed: What decides whom they meet.
            layout: What there is.
            names: Which kinds of the catalogue, in this order.
            apart: How many seconds after the end of one the next begins.
            kinds: The catalogue.
        """
        random = Random(seed)  # noqa: S311 - as above
        entries: list[Entry] = []
        at = _FIRST_SECONDS
        for name in names:
            entry = _entry(at, kinds[name], layout, random)
            entries.append(replace(entry, lasts=kinds[name].seconds[0]))
            at += kinds[name].seconds[0] + apart
        return cls(seed, at, tuple(entries))

    def __str__(self) -> str:
        """Show it as people read it."""
        return "\n".join([f"seed {self.seed}, alerts for {self.seconds:.1f} s", *map(str, self.entries)])


def _entry(at: float, kind: Kind, layout: Layout, random: Random) -> Entry:
    fault = kind.make(layout, random)
    assert fault is not None, f"nothing of this layout can meet it: {kind}"
    return Entry(at, random.uniform(*kind.seconds), fault)
