"""Which lanes test notifications go to.

Each goes to one of its own, since a person who presses the portal's button twice expects two tests. They are never
duplicates either, so that somebody with a good token could make a work item with every post of a canned body: above a
number in a minute, which no person reaches, tests share one lane, and so one work item.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog

from secure_export.ids import new_id

MOST_A_MINUTE = 30

log = structlog.get_logger(__name__)


def own_lane(connection: str, received_at: datetime) -> str:  # noqa: ARG001 - the signature that lanes are asked with
    """Make the correlation key of a test notification: a new one for each arrival."""
    return f"test:{new_id(received_at)}"


@dataclass(slots=True)
class _Minute:
    began: datetime
    tests: int = 0
    shared_lane: str = ""


class LanesOfTests:
    """Gives out lanes, and remembers how many it gave out in this minute, for each connection of the configuration."""

    def __init__(self) -> None:
        self._minutes: dict[str, _Minute] = {}

    def lane(self, connection: str, received_at: datetime) -> str:
        """Make the correlation key of a test: its own, or above ``MOST_A_MINUTE`` that of all further ones.

        The shared one says why it is shared, and is a new one in each minute: what ended in an earlier one stays ended.
        """
        began = received_at.replace(second=0, microsecond=0)
        minute = self._minutes.get(connection)
        if minute is None or minute.began != began:
            minute = self._minutes[connection] = _Minute(began)
        minute.tests += 1
        if minute.tests <= MOST_A_MINUTE:
            return own_lane(connection, received_at)
        if not minute.shared_lane:
            minute.shared_lane = f"test:more-than-{MOST_A_MINUTE}-a-minute:{new_id(received_at)}"
            log.warning("tests share a lane", connection=connection, most_a_minute=MOST_A_MINUTE)
        return minute.shared_lane
