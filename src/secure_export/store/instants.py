"""Times as the database keeps them: microseconds since 1970 in UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    """Give a time as it is kept."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant(kept: int) -> datetime:
    """Give back a kept time."""
    return _EPOCH + timedelta(microseconds=kept)


def micros_or_none(at: datetime | None) -> int | None:
    """Give a time as it is kept, if there is one."""
    return None if at is None else micros(at)


def instant_or_none(kept: int | None) -> datetime | None:
    """Give back a kept time, if there is one."""
    return None if kept is None else instant(kept)


def text_or_none(kept: int | None) -> str | None:
    """Give a kept time as RFC 3339 has it, for JSON."""
    return None if kept is None else rfc3339(instant(kept))


def rfc3339(at: datetime) -> str:
    """Write a time as RFC 3339 has it, in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
