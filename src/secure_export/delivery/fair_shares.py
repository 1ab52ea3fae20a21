"""Who should hold how many of a connection's places: pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Allotted:
    """What a process has after a renewal.

    Attributes:
        held: How many places it holds.
        fair: How many it should hold.
    """

    held: int
    fair: int


def fair_share(connection: str, holder: str, holders: Collection[str], places: int) -> int:
    """Say how many places a process should hold: as many as every other, or one more.

    Who gets one more where it does not come out even is drawn by lot, with the names as lots. Every process draws the
    same, and for each connection it is another who gets more.

    Args:
        connection: Whose places.
        holder: The process.
        holders: All processes, this one among them.
        places: How many places there are.
    """
    each, left = divmod(places, len(holders))
    ahead = sum(_lot(connection, other) < _lot(connection, holder) for other in holders)
    return each + (ahead < left)


def renewed(  # noqa: PLR0913 - what is known of all processes, and what is asked
    connection: str,
    holder: str,
    holdings: Mapping[str, int],
    *,
    living: Collection[str],
    keep: int,
    places: int,
) -> Allotted:
    """Say what a process has after a renewal: what it keeps, and what is free up to its fair share.

    Nothing is taken from anybody: who holds too many gives back by keeping fewer. The dead hold their places until
    their leases are over, and nobody gives back for them: else one that starts and dies, again and again, would soon
    have all.

    Args:
        connection: Whose places.
        holder: The process.
        holdings: What every process holds whose places may still be in use, this one's too if it holds any.
        living: Those who have renewed lately; places are for them and this one.
        keep: How many of its own it keeps at most.
        places: How many places there are.
    """
    kept = min(holdings.get(holder, 0), keep)
    taken = sum(held for other, held in holdings.items() if other != holder)
    fair = fair_share(connection, holder, {*holdings.keys() & living, holder}, places)
    return Allotted(max(kept, min(fair, places - taken)), fair)


def _lot(connection: str, holder: str) -> bytes:
    return blake2b(f"{connection}\n{holder}".encode(), digest_size=16).digest()
