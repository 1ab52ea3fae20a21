"""The instance's clock, and moments as its tables hold them."""

from datetime import UTC, datetime

from secure_export.sandbox import clock


class Clock(clock.Clock):
    """Tells the instance's time; see ``sandbox.clock``."""

    def stamp(self) -> str:
        """Give the time as the tables hold it: UTC, whole seconds."""
        return as_stamp(self.now())


def as_stamp(moment: datetime) -> str:
    """Write a moment as the tables hold it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def from_stamp(text: str) -> datetime | None:
    """Read a moment that a table holds; None: it is not one. A date alone is its midnight, no zone means UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
