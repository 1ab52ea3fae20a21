"""Plans, applies, and takes back: walks over the steps of one tenant in order."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from secure_export.azure.setup.change import Action, Change, Plan, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.step import Step
from secure_export.azure.setup.steps.action_group import ActionGroup
from secure_export.azure.setup.steps.alert_rule import AlertRule, rules_of_resource_group
from secure_export.azure.setup.steps.application import Application
from secure_export.azure.setup.steps.identifier_uri import IdentifierUri
from secure_export.azure.setup.steps.owner import Owner
from secure_export.azure.setup.steps.processing_rule import ProcessingRule
from secure_export.azure.setup.steps.role_assignment import RoleAssignment
from secure_export.azure.setup.steps.service_principal import Caller, OwnServicePrincipal
from secure_export.azure.setup.wanted import WantedGroup

BOTH = frozenset(Side)
_KINDS: dict[str, type[Step]] = {
    kind.kind: kind
    for kind in (
        Application,
        IdentifierUri,
        OwnServicePrincipal,
        Caller,
        RoleAssignment,
        Owner,
        ActionGroup,
        AlertRule,
        ProcessingRule,
    )
}


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened to one thing.

    Attributes:
        change: What was to be done.
        done: Whether it was done just now; False: it is about to be.
    """

    change: Change
    done: bool


async def steps_of(context: Context) -> list[Step]:
    """List everything that is wanted in a tenant, in the order in which it is made.

    Raises:
        AzureRefused: The alert rules of a resource group cannot be listed.
    """
    wanted = context.wanted
    name = wanted.application.unique_name
    owners = dict.fromkeys([*wanted.application.owners, *([context.me] if context.me and wanted.groups else [])])
    steps: list[Step] = [
        Application(name),
        IdentifierUri(name),
        OwnServicePrincipal(name),
        Caller(wanted.caller),
        RoleAssignment(wanted.role),
        *(Owner(owner) for owner in owners),
    ]
    for group in wanted.groups:
        steps += [ActionGroup(group), *await _links(context, group)]
    return steps


async def plan(context: Context, *, only: frozenset[Side] = BOTH) -> Plan:
    """Say what would be done; changes nothing.

    Args:
        context: The tenant.
        only: Whose work is planned; that of the other is read all the same, because the ids are needed.
    """
    changes = [await step.compare(context) for step in await steps_of(context)]
    return Plan(context.wanted.tenant_id, tuple(change for change in changes if change.side in only))


async def apply(context: Context, record: Record, *, only: frozenset[Side] = BOTH) -> AsyncIterator[Progress]:
    """Make what is missing, one thing after the other, and tell before and after each.

    It may be stopped and begun again at any moment: each thing is compared anew.
    """
    tenant = context.wanted.tenant_id
    for step in await steps_of(context):
        change = await step.compare(context)
        if change.side not in only:
            continue
        if not change.is_due:
            _settle(record, tenant, change)
            yield Progress(change, done=True)
            continue
        yield Progress(change, done=False)
        record.intend(tenant, change)
        ids = await step.make(context, change)
        record.confirm(tenant, change, ids)
        yield Progress(change, done=True)


async def take_back(context: Context, record: Record, *, only: frozenset[Side] = BOTH) -> AsyncIterator[Progress]:
    """Take back what the record says was made, newest first, and tell after each."""
    tenant = context.wanted.tenant_id
    await _look_up(context)
    for made in reversed(record.of(tenant)):
        step = _KINDS[made.kind]
        if step.side not in only:
            continue
        change = Change(step.side, made.kind, made.name, Action.TAKE_BACK)
        yield Progress(change, done=False)
        was_there = await step.take_back(context, made)
        record.forget(made)
        reason = "" if was_there else "it was gone already, or others use it by now"
        yield Progress(Change(step.side, made.kind, made.name, Action.TAKE_BACK, reason=reason), done=True)


async def _links(context: Context, group: WantedGroup) -> list[Step]:
    rules = list(group.link.rules)
    for resource_group in group.link.resource_groups:
        rules += await rules_of_resource_group(context, group.subscription, resource_group)
    once = {rule.lower(): rule for rule in rules}.values()
    steps: list[Step] = [AlertRule(rule, group.path) for rule in once]
    return [*steps, ProcessingRule(group)] if group.link.subscription else steps


async def _look_up(context: Context) -> None:
    """Note the ids that taking back needs, whatever is still there."""
    name = context.wanted.application.unique_name
    looked: Iterable[Step] = (
        Application(name),
        IdentifierUri(name),
        OwnServicePrincipal(name),
        Caller(context.wanted.caller),
    )
    for step in looked:
        await step.compare(context)


def _settle(record: Record, tenant: str, change: Change) -> None:
    """Confirm what an earlier run made and did not live to confirm."""
    made = record.find(tenant, change.kind, change.name)
    if made is not None and not made.done and change.action is Action.KEEP:
        record.confirm(tenant, change, {})
