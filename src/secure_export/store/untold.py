"""What the Azure side asks of a store, from rows: pure."""

from collections.abc import Sequence

from secure_export.alerts.alert import Condition
from secure_export.delivery.contract import UntoldAct
from secure_export.store.row import Row
from secure_export.workitems.peoples_act import PeoplesAct


def recorded_conditions(fired_at: int | None, ended_at: int | None) -> frozenset[Condition]:
    """Say of which conditions an alert's notifications were folded."""
    told = {Condition.FIRED: fired_at, Condition.RESOLVED: ended_at}
    return frozenset(condition for condition, at in told.items() if at is not None)


def untold_act(row: Row, alert_ids: Sequence[str]) -> UntoldAct:
    """Read ``seq, id, connection, number, act``."""
    place, item_id, connection, number, act = row
    return UntoldAct(place, item_id, connection, number or "", PeoplesAct(act), tuple(alert_ids))
