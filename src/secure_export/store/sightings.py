"""Whose time is over: found out by watching, because clocks of different machines cannot be compared."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a holder last wrote.

    Attributes:
        number: A number that is another one each time.
        lease_seconds: How long after it was sent the holder's time is over, if it renews no more.
    """

    number: int
    lease_seconds: float


class Sightings:
    """Remembers since when each holder's last renewal has been seen.

    A renewal was sent before it could be seen. So when it has been seen unchanged for the length of its lease, the
    lease is over, whatever any clock says: only the speed of two clocks has to be about the same.
    """

    def __init__(self) -> None:
        self._since: dict[str, tuple[int, float]] = {}

    def over(self, seen: Mapping[str, Renewed], *, now: float) -> list[str]:
        """Say whose time is over.

        Args:
            seen: Every holder there is.
            now: Seconds of a clock that never goes back, read after what is seen was read.
        """
        before, self._since = self._since, {}
        for holder, renewal in seen.items():
            number, since = before.get(holder, (0, now))
            self._since[holder] = (renewal.number, since if number == renewal.number else now)
        return [one for one, renewal in seen.items() if now - self._since[one][1] >= renewal.lease_seconds]

    def lively(self, *, now: float, within_seconds: float) -> list[str]:
        """Say whose last renewal was first seen within the last seconds."""
        return [one for one, (_, since) in self._since.items() if now - since < within_seconds]
