"""Takes ITSM actions out once webhooks do their work, remembers them as they were, and puts them back."""

from collections.abc import AsyncIterator, Iterable, Sequence

from secure_export.azure.itsmc.moves import Move
from secure_export.azure.itsmc.removed_action import NEWER, GroupChanged, RemovedAction, find_itsm
from secure_export.azure.setup.change import Action, Change, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.record import Made, Record
from secure_export.azure.setup.steps.action_group import API_VERSION
from secure_export.azure.setup.walk import Progress
from secure_export.azure.setup.whole import read_whole


def removals(moves: Iterable[Move]) -> list[RemovedAction]:
    """List the ITSM actions that webhooks have taken the place of."""
    return [RemovedAction(move.group.id, one.raw, move.receiver) for move in moves for one in move.receivers]


async def compared(context: Context, steps: Iterable[RemovedAction]) -> list[Change]:
    """Say of each ITSM action whether it can go."""
    return [await step.compare(context) for step in steps]


async def remove(
    context: Context, record: Record, steps: Sequence[RemovedAction], planned: Sequence[Change]
) -> AsyncIterator[Progress]:
    """Take ITSM actions out, one after the other; it may be stopped and begun again at any moment.

    Args:
        context: The tenant.
        record: Where each is kept as it was.
        steps: Which.
        planned: What a person has agreed to.

    Raises:
        GroupChanged: An action group is no longer as it was when a person agreed.
    """
    tenant = context.wanted.tenant_id
    agreed = {change.address: change for change in planned}
    # Our own writes change what the other actions of the same group were agreed on.
    written: set[str] = set()
    for step in steps:
        change = await step.compare(context)
        if not change.is_due:
            yield Progress(change, done=True)
            continue
        before = agreed.get(change.address)
        if step.path.lower() not in written and (before is None or before.seen != change.seen):
            raise GroupChanged(step.path)
        yield Progress(change, done=False)
        _intend(record, tenant, change)
        await step.make(context, change)
        record.confirm(tenant, change, {})
        written.add(step.path.lower())
        yield Progress(change, done=True)


async def settle(context: Context, record: Record) -> None:
    """Confirm what an earlier run took out and did not live to confirm; forget what it did not come to."""
    for made in record.of(context.wanted.tenant_id):
        if made.kind != RemovedAction.kind or made.done:
            continue
        there = await read_whole(context, str(made.before["action_group"]), API_VERSION, NEWER)
        if there is not None and find_itsm(there.body, str(made.before["receiver"]["name"])) is not None:
            record.forget(made)
        else:
            change = Change(Side.AZURE, made.kind, made.name, Action.TAKE_BACK)
            record.confirm(context.wanted.tenant_id, change, {})


async def put_back(context: Context, record: Record, *, groups: Iterable[str] = ()) -> AsyncIterator[Progress]:
    """Put back what was taken out, newest first.

    Args:
        context: The tenant.
        record: What was taken out.
        groups: Names of action groups; empty: all.
    """
    for made in reversed(removed_in(record, context.wanted.tenant_id, groups)):
        yield Progress(Change(Side.AZURE, made.kind, made.name, Action.CREATE), done=False)
        was_missing = await RemovedAction.take_back(context, made)
        record.forget(made)
        reason = "" if was_missing else "the action group is gone, or has one of that name"
        yield Progress(Change(Side.AZURE, made.kind, made.name, Action.CREATE, reason=reason), done=True)


def removed_in(record: Record, tenant_id: str, groups: Iterable[str] = ()) -> list[Made]:
    """List what the record says was taken out, oldest first."""
    named = {one.lower() for one in groups}
    return [
        made
        for made in record.of(tenant_id)
        if made.kind == RemovedAction.kind
        and (not named or str(made.before["action_group"]).rpartition("/")[2].lower() in named)
    ]


def _intend(record: Record, tenant: str, change: Change) -> None:
    """Write down what is about to go; what was taken out once and came back otherwise is written down anew."""
    known = record.find(tenant, change.kind, change.name)
    if known is not None and known.before.get("receiver") != change.before["receiver"]:
        record.forget(known)
    record.intend(tenant, change)
