"""Steps on tasks, as tests take them."""

from dataclasses import replace

from tests.unit.itsm.servicenow.fake_instance import (
    World,
    work_item,
)

from secure_export.itsm.servicenow import keys
from secure_export.workitems.outcome import Done, Outcome
from secure_export.workitems.work_item import Confirmed, State, WorkItem

ACL = "ACL Exception Update Failed due to security constraints"


def confirmed(outcome: Outcome) -> Confirmed:
    assert isinstance(outcome, Done), outcome
    assert outcome.confirmed is not None
    return outcome.confirmed


async def created(there: World, item: WorkItem | None = None) -> WorkItem:
    item = item or work_item()
    return replace(item, confirmed=confirmed(await there.tasks.create(item)))


def to_resolve(item: WorkItem, *notes: str) -> WorkItem:
    ending = work_item(item.correlation_key, revision=item.desired.revision + 1, state=State.RESOLVED, notes=notes)
    desired = replace(ending.desired, content=item.desired.content)
    return replace(item, desired=desired)


def correlation(item: WorkItem) -> str:
    return keys.correlation_id("prod", item.key)
