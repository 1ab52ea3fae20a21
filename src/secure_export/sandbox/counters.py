"""What was asked of the stand-in: how often, and the last requests one by one."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request.

    Attributes:
        at: When it came, by the stand-in's clock.
        method: Its method.
        path: Its path.
        query: Its query string, without secrets.
        user: Who sent it; empty: nobody.
        status: The status of the answer; 0: it was never sent.
        faults: The kinds of faults that it met.
        milliseconds: How long it took, waits for a free thread included.
    """

    at: str
    method: str
    path: str
    query: str
    user: str
    status: int
    faults: tuple[str, ...]
    milliseconds: float


class Counters:
    """Counts requests by method and path pattern, and keeps the last thousand."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self._last: deque[Entry] = deque(maxlen=_KEPT)

    @property
    def total(self) -> int:
        """How many requests came."""
        return self.calls.total()

    def count(self, name: str, entry: Entry) -> None:
        """Count a request that was answered, or cut off, under a name that like requests share."""
        self.calls[name] += 1
        self.statuses[entry.status] += 1
        self._last.append(entry)

    def reset(self) -> None:
        """Forget everything."""
        self.calls.clear()
        self.statuses.clear()
        self._last.clear()

    def last(self, limit: int = _KEPT) -> list[Entry]:
        """Give the last requests, newest first."""
        return list(self._last)[::-1][:limit]

    def as_json(self, limit: int = 100) -> dict[str, Any]:
        """Tell all of it."""
        return {
            "total": self.total,
            "calls": dict(sorted(self.calls.items())),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "last": _plain(self.last(limit)),
        }


def _plain(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [asdict(one) for one in entries]
