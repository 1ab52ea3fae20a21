"""Impact and urgency make the priority (bmc-facts section 5: four recorded incidents agree with these weights)."""

from typing import Final

from secure_export.sandbox.bmc_helix.change import Change

_IMPACT: Final = {1000: 9, 2000: 5, 3000: 3, 4000: 0}
_URGENCY: Final = {1000: 20, 2000: 15, 3000: 10, 4000: 0}
_CRITICAL, _HIGH, _MEDIUM, _LOW = range(4)
_FROM: Final = ((24, _CRITICAL), (18, _HIGH), (10, _MEDIUM), (0, _LOW))


def settle(change: Change) -> None:
    """Set weight and priority."""
    impact, urgency = change.row.get("Impact"), change.row.get("Urgency")
    if impact is None or urgency is None:
        return
    weight = _IMPACT[impact] + _URGENCY[urgency]
    change.put("Priority Weight", weight)
    change.put("Priority", next(priority for least, priority in _FROM if weight >= least))
