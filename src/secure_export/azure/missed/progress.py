"""How far catching up has come in one subscription, as it is kept between runs."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import msgspec

AZURE_KEEPS: Final = timedelta(days=30)
# Alerts of slow services show up late, and the clocks of Azure's services differ.
OVERLAP: Final = timedelta(hours=1)


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far it has come.

    Attributes:
        floor: What happened before this is not asked for at all.
        until: Everything that changed before this has been looked at.
        began: When the pass that is under way began; None when none is.
        page: Where that pass goes on; None at its first page.
        connections: The connections that were fetched for.
        formerly: By connection, those that were gone when it came: it may be their new name.
    """

    floor: datetime
    until: datetime
    began: datetime | None = None
    page: str | None = None
    connections: tuple[str, ...] = ()
    formerly: dict[str, tuple[str, ...]] = {}

    @property
    def since(self) -> datetime:
        """What changed before this needs no look."""
        return max(self.floor, self.until - OVERLAP)


def kept(value: str) -> Progress | None:
    """Read what was kept; None where nothing was, or nothing that this version reads."""
    try:
        return msgspec.json.decode(value, type=Progress) if value else None
    except msgspec.DecodeError:
        return None


def to_keep(progress: Progress) -> str:
    """Write it down."""
    return msgspec.json.encode(progress).decode()


def next_pass(  # noqa: PLR0913 - what a pass goes by
    known: Progress | None,
    *,
    now: datetime,
    look_back: timedelta,
    keeps: timedelta,
    since: datetime | None = None,
    connections: Collection[str] = (),
) -> Progress:
    """Say what this pass looks at: what is left of the one before, or what changed since.

    Args:
        known: What was kept.
        now: The time now.
        look_back: How far back the first pass looks.
        keeps: How long our store remembers what it recorded; what is older would seem to be missing.
        since: From when on a person wants to have a look, whatever was looked at before.
        connections: The connections that are fetched for.
    """
    found = _next_pass(known, now=now, look_back=look_back, keeps=keeps, since=since)
    formerly = _formerly(known, connections) if known is not None else {}
    return msgspec.structs.replace(found, connections=tuple(connections), formerly=formerly)


def _next_pass(
    known: Progress | None, *, now: datetime, look_back: timedelta, keeps: timedelta, since: datetime | None
) -> Progress:
    oldest = now - min(AZURE_KEEPS, keeps)
    if since is not None:
        return Progress(floor=max(since, oldest), until=max(since, oldest), began=now)
    if known is None:
        start = max(now - look_back, oldest)
        return Progress(floor=start, until=start, began=now)
    floor = max(known.floor, oldest)
    if known.began is not None:
        return msgspec.structs.replace(known, floor=floor)
    return Progress(floor=floor, until=max(known.until, floor), began=now)


def _formerly(known: Progress, connections: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Say under which names that are gone a connection's alerts may be recorded.

    A name that a connection has again says nothing of another any more: what is fetched twice is the better error.
    """
    gone = [one for one in known.connections if one not in connections]
    gone += [older for one in gone for older in known.formerly.get(one, ())]
    names = {one: known.formerly.get(one, ()) if one in known.connections else gone for one in connections}
    left = {one: tuple(dict.fromkeys(name for name in some if name not in connections)) for one, some in names.items()}
    return {one: some for one, some in left.items() if some}
