"""Steps on incidents, as tests take them."""

from dataclasses import replace
from typing import Any

from tests.unit.itsm.bmc_helix.fake_ar import (
    CONNECTION,
    Bench,
    work_item,
)

from secure_export.itsm.record_keys import record_key
from secure_export.workitems.outcome import Done, Outcome
from secure_export.workitems.work_item import Confirmed, State, WorkItem

KEY_OF = record_key(CONNECTION, work_item().key)


RESOLVE: dict[str, Any] = {"state": State.RESOLVED}


def confirmed(outcome: Outcome) -> Confirmed:
    assert isinstance(outcome, Done), outcome
    assert outcome.confirmed is not None
    return outcome.confirmed


async def made(at: Bench, **changes: Any) -> tuple[dict[str, Any], WorkItem]:
    """Create an incident, and give its row with the work item as it is then."""
    item = work_item(**changes)
    found = confirmed(await at.incidents.create(item))
    (row,) = at.server.incidents()
    return row, replace(item, confirmed=found)
