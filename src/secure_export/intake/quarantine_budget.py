"""How much may go to quarantine in an hour, so that bodies nobody understands cannot fill the disk.

Such a body is kept whole and never recognised as a duplicate. Whoever can make Azure send bodies of his own (a custom
payload of a log alert, say) with a token that is good could otherwise store a gigabyte in a few minutes.
"""

from dataclasses import dataclass

from secure_export.intake.answers import NotTaken

_HOUR_SECONDS = 3600.0


class QuarantineFull(NotTaken):
    """Too much that is not understood came in within an hour; see what it is with secure-export quarantine list."""

    status = 503
    code = "quarantine-full"


@dataclass(slots=True)
class _Level:
    bytes_left: float
    at: float


class QuarantineBudget:
    """A bucket of bytes for each connection that fills up again within an hour.

    Args:
        bytes_per_hour: What one connection may quarantine at once, and in an hour.
    """

    def __init__(self, bytes_per_hour: int) -> None:
        self._bytes_per_hour = bytes_per_hour
        self._levels: dict[str, _Level] = {}

    def spend(self, connection: str, size: int, now: float) -> None:
        """Take a body's size out of the connection's bucket.

        Args:
            connection: A connection of the configuration.
            size: Bytes of the body.
            now: Seconds of a clock that only goes forward.

        Raises:
            QuarantineFull: There is not that much left.
        """
        level = self._levels.setdefault(connection, _Level(self._bytes_per_hour, now))
        refilled = level.bytes_left + (now - level.at) * self._bytes_per_hour / _HOUR_SECONDS
        level.bytes_left = min(float(self._bytes_per_hour), refilled)
        level.at = now
        if level.bytes_left < size:
            raise QuarantineFull
        level.bytes_left -= size
