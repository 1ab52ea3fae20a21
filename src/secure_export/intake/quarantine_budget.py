"""How much may go to quarantine whole in an hour, so that bodies nobody understands cannot fill the disk.

Such a body is never recognised as a duplicate. Whoever can make Azure send bodies of his own (a custom payload of a log
alert, say) with a token that is good could otherwise store a gigabyte in a few minutes. Above the budget no more than
the head of each is kept; to refuse it would end in Azure's ban of the whole end point, good alerts included, because it
is sent again and never gets better (Azure Monitor docs, action-groups, "Webhook").
"""

from dataclasses import dataclass

_HOUR_SECONDS = 3600.0
_BYTES_BESIDES = 1024


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

    def takes(self, connection: str, size: int, now: float) -> bool:
        """Take a body out of the connection's bucket, unless there is not that much left.

        Args:
            connection: A connection of the configuration.
            size: Bytes of the body; what is stored besides it counts 1,024 more.
            now: Seconds of a clock that only goes forward.
        """
        level = self._levels.setdefault(connection, _Level(self._bytes_per_hour, now))
        refilled = level.bytes_left + (now - level.at) * self._bytes_per_hour / _HOUR_SECONDS
        level.bytes_left = min(float(self._bytes_per_hour), refilled)
        level.at = now
        cost = size + _BYTES_BESIDES
        if level.bytes_left < cost:
            return False
        level.bytes_left -= cost
        return True
