"""What claiming lanes goes by, whichever database keeps them: pure."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from secure_export.delivery.contract import Pending
from secure_export.store.bodies import unpacked
from secure_export.store.instants import instant

# No lease and no wait is longer: one that ends later was given before the clock was set back.
LONGEST = {"claimed": timedelta(hours=1), "waiting": timedelta(days=1)}
PENDING_BYTES_AT_ONCE = 16 * 1024 * 1024


def pending_of(rows: Iterable[Sequence[Any]]) -> tuple[tuple[Pending, ...], frozenset[str]]:
    """Read ``id, received_at, packed, body, alert`` of what is not folded yet; few where bodies are huge.

    Returns:
        The notifications, and whose they are.
    """
    found: list[Pending] = []
    alert_ids: set[str] = set()
    size = 0
    for number, received_at, is_frame, kept, alert_id in rows:
        body = unpacked(kept, is_frame=is_frame)
        size += len(body)
        if found and size > PENDING_BYTES_AT_ONCE:
            break
        found.append(Pending(number, body, instant(received_at)))
        if alert_id is not None:
            alert_ids.add(alert_id)
    return tuple(found), frozenset(alert_ids)
