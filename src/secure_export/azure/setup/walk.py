"""Plans, applies, and takes back: walks over the steps of one tenant in order."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from secure_export.azure.itsmc.removed_action import RemovedAction
from secure_export.azure.setup.change import Action, Change, Plan, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.record import Made, Record
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
from secure_export.errors import SecureExportError, SettingsError

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
        RemovedAction,
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


class ChangedMeanwhile(SecureExportError):  # noqa: N818 - reads as what it says
    """What is there is no longer what was planned for; nothing was written over it."""

    def __init__(self, change: Change) -> None:
        super().__init__(
            f"concurrent change detected: somebody changed {change.address} after the plan was made; "
            "it was left as it is. Look at the plan again, and apply that"
        )


async def steps_of(context: Context, *, only: frozenset[Side] = BOTH) -> list[Step]:
    """List everything that is wanted in a tenant, in the order in which it is made.

    Args:
        context: The tenant.
        only: Whose work is done: who does not make action groups need not own the app registration.

    Raises:
        AzureRefused: The alert rules of a resource group cannot be listed.
    """
    wanted = context.wanted
    makes_groups = Side.AZURE in only and wanted.groups
    owners = dict.fromkeys([*wanted.application.owners, *([context.me] if context.me and makes_groups else [])])
    steps: list[Step] = [
        Application(wanted.application.unique_name),
        IdentifierUri(wanted.application.identifier_uri),
        OwnServicePrincipal(wanted.application.unique_name),
        Caller(wanted.caller),
        RoleAssignment(wanted.role),
        *(Owner(owner) for owner in owners),
    ]
    for group in wanted.groups if Side.AZURE in only else ():
        steps += [ActionGroup(group), *await _links(context, group)]
    return steps


async def plan(context: Context, *, only: frozenset[Side] = BOTH) -> Plan:
    """Say what would be done; changes nothing.

    Args:
        context: The tenant.
        only: Whose work is planned; that of the other is read all the same, because the ids are needed.
    """
    changes = [change async for _, change in compared(context, only=only)]
    return Plan(context.wanted.tenant_id, tuple(changes))


async def compared(context: Context, *, only: frozenset[Side] = BOTH) -> AsyncIterator[tuple[Step, Change]]:
    """Compare step by step; whoever goes through them may make each before the next is compared."""
    awaited: list[Change] = []
    blocked: set[str] = set()
    for step in await steps_of(context, only=only):
        change = await step.compare(context)
        if step.side not in only:
            awaited += [change] if change.is_due and _action_groups_need(context, change) else []
            continue
        change = _judged(step, change, awaited, blocked)
        if change.action is Action.BLOCKED and isinstance(step, ActionGroup):
            blocked.add(step.path)
        yield step, change


async def apply(
    context: Context, record: Record, *, only: frozenset[Side] = BOTH, planned: Plan | None = None
) -> AsyncIterator[Progress]:
    """Make what is missing, one thing after the other, and tell before and after each.

    It may be stopped and begun again at any moment: each thing is compared anew.

    Args:
        context: The tenant.
        record: Where it is written down what was made.
        only: Whose work is done.
        planned: What a person has agreed to.

    Raises:
        ChangedMeanwhile: Something that is written whole is no longer as it was when the plan was made.
    """
    tenant = context.wanted.tenant_id
    agreed = {change.address: change for change in planned.changes} if planned is not None else {}
    async for step, change in compared(context, only=only):
        if not change.is_due:
            if change.action is Action.KEEP:
                _settle(record, tenant, change, step.ids(context))
            yield Progress(change, done=True)
            continue
        _refuse_another(agreed.get(change.address), change)
        yield Progress(change, done=False)
        record.intend(tenant, change)
        await step.make(context, change)
        record.confirm(tenant, change, step.ids(context))
        yield Progress(change, done=True)


async def take_back(context: Context, record: Record, *, only: frozenset[Side] = BOTH) -> AsyncIterator[Progress]:
    """Take back what the record says was made, newest first, and tell after each; what is wanted by now is not asked.

    Raises:
        SettingsError: The record tells of a thing that this version does not know.
    """
    for made in reversed(record.of(context.wanted.tenant_id)):
        step = _KINDS.get(made.kind)
        if step is None:
            raise SettingsError(f"azure.record: it tells of '{made.kind}', which this version does not know")
        if step.side not in only:
            continue
        yield Progress(Change(step.side, made.kind, made.name, Action.TAKE_BACK), done=False)
        was_there = await step.take_back(context, made)
        record.forget(made)
        reason = "" if was_there else "it was gone already, or others use it by now"
        yield Progress(Change(step.side, made.kind, made.name, Action.TAKE_BACK, reason=reason), done=True)


def side_of(made: Made) -> Side | None:
    """Say whose work taking something back is; None where this version does not know it."""
    step = _KINDS.get(made.kind)
    return None if step is None else step.side


def _judged(step: Step, change: Change, awaited: Sequence[Change], blocked: Collection[str]) -> Change:
    """Block what cannot be done before something else is."""
    if not change.is_due:
        return change
    if isinstance(step, ActionGroup) and awaited:
        first = ", ".join(one.address for one in awaited)
        reason = f"the Entra administrator's part comes first, with 'azure apply --only entra': {first}"
        owners = [one.name for one in awaited if one.kind == Owner.kind]
        if owners:
            reason += f'; they have to write owners = ["{owners[0]}"] under [azure.application]'
        return replace(change, action=Action.BLOCKED, reason=reason, differences=())
    if isinstance(step, AlertRule | ProcessingRule) and step.group_path in blocked:
        return replace(change, action=Action.BLOCKED, reason="its action group is blocked", differences=())
    return change


def _action_groups_need(context: Context, change: Change) -> bool:
    """Tell whether no action group can name the app registration without this."""
    return change.kind in {Application.kind, IdentifierUri.kind} or (change.kind, change.name) == (
        Owner.kind,
        context.me,
    )


def _refuse_another(planned: Change | None, change: Change) -> None:
    """Refuse what nobody has agreed to; only where a write replaces things of others."""
    if planned is None or change.side is not Side.AZURE:
        return
    if (planned.action, planned.seen) != (change.action, change.seen):
        raise ChangedMeanwhile(change)


async def _links(context: Context, group: WantedGroup) -> list[Step]:
    rules = list(group.link.rules)
    for resource_group in group.link.resource_groups:
        rules += await rules_of_resource_group(context, group.subscription, resource_group)
    once = {rule.lower(): rule for rule in reversed(rules)}
    steps: list[Step] = [AlertRule(rule, group.path) for rule in reversed(once.values())]
    return [*steps, ProcessingRule(group)] if group.link.subscription else steps


def _settle(record: Record, tenant: str, change: Change, ids: Mapping[str, str]) -> None:
    """Confirm what an earlier run made and did not live to confirm."""
    made = record.find(tenant, change.kind, change.name)
    if made is not None and not made.done:
        record.confirm(tenant, change, ids)
