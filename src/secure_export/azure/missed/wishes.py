"""What a run looks at, and how much of it: pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one run may ask, so that it always leaves Azure's limits to others, too.

    Attributes:
        pages: Pages of alerts of one subscription; Azure allows 100 a minute (Azure Monitor limits, "Alerts API").
        alerts: Alerts read one by one, of one subscription; Azure allows 1,000 calls a minute.
        seconds: How long a run begins further pages.
    """

    pages: int = 60
    alerts: int = 600
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a run looks at.

    Attributes:
        look_back: How far back the first run looks.
        keeps: How long the store remembers what it recorded.
        patience: How young an event may be that Azure is probably still delivering, and that is left to the next run.
        since: From when on a person wants to have a look; such a run keeps no cursor.
        dry_run: Whether nothing is taken in.
    """

    look_back: timedelta
    keeps: timedelta
    patience: timedelta = timedelta(0)
    since: datetime | None = None
    dry_run: bool = False
