"""Takes the ITSM actions out of action groups once the webhook beside them is as it should be."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.markup import escape

from secure_export.azure.itsmc.moves import Move
from secure_export.azure.itsmc.removal import compared, removals, remove, settle
from secure_export.azure.itsmc.removed_action import RemovedAction
from secure_export.azure.setup.change import Action, Change
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.record_alone import record_alone
from secure_export.azure.setup.walk import plan as plan_of
from secure_export.azure.setup.wanted import WantedTenant
from secure_export.azure.verify.chain import reached
from secure_export.cli.azure.setting_up import NotAllowed, context_of, missing_permissions, wanted_in
from secure_export.cli.azure.shown import as_json as json_of
from secure_export.cli.azure.shown import show_change
from secure_export.cli.azure.work import Work
from secure_export.cli.itsmc.finding import Outlook
from secure_export.cli.output import err, out
from secure_export.errors import SecureExportError, SettingsError

Groups = Annotated[
    list[str] | None,
    typer.Option("--group", "-g", help="Only in this action group; may be given several times.", metavar="NAME"),
]


class NotReplacedYet(SecureExportError):  # noqa: N818 - reads as what it says
    """The webhooks are not as they should be, so that the old actions are needed still."""

    def __init__(self, changes: Iterable[Change]) -> None:
        lines = [f"- {change.address}{f': {change.reason}' if change.reason else ''}" for change in changes]
        first = "the old ITSM actions were left, because what takes their place is not all there:"
        super().__init__("\n".join([first, *lines, "run 'secure-export itsmc apply' and 'azure verify' first"]))


async def remove_old(found: Outlook, groups: Sequence[str], *, ask: bool, quiet: bool) -> dict[str, Any]:
    """Take out what is not needed any more, tenant by tenant.

    Args:
        found: What there is.
        groups: Names of action groups; empty: all.
        ask: Whether a person is asked first.
        quiet: Whether nothing is shown.

    Raises:
        NotReplacedYet: Our webhook is not there, or not as it should be.
        NotAllowed: A permission is missing.
        RecordInUse: Another command works with the record.
        SettingsError: A group that was named has no ITSM action.
    """
    moves = _chosen(found, groups)
    removed: list[dict[str, Any]] = []
    with record_alone(found.settings.azure.record, "itsmc apply --remove-old") as record:
        for wanted in wanted_in(found.settings):
            own = [move for move in moves if move.group.tenant_id == wanted.tenant_id]
            async with context_of(found.settings, wanted) as (context, _):
                await settle(context, record)
                if own:
                    removed += await _removed(_narrowed(context, wanted, own), record, own, ask=ask, quiet=quiet)
    if not moves and not quiet:
        out.print("No action group has an ITSM action: there is nothing to take out.")
    return {"removed": removed, "blocked": 0}


def _chosen(found: Outlook, groups: Sequence[str]) -> list[Move]:
    moves = found.migration.moves
    known = {move.group.name.lower() for move in moves}
    for name in groups:
        if name.lower() not in known:
            raise SettingsError(f"--group: no action group '{name}' with ITSM actions was found; see 'itsmc plan'")
    named = {one.lower() for one in groups}
    return [move for move in moves if not named or move.group.name.lower() in named]


def _narrowed(context: Context, wanted: WantedTenant, moves: Sequence[Move]) -> Context:
    """Look at nothing but the action groups that lose something."""
    paths = {move.group.id.lower() for move in moves}
    groups = tuple(replace(group, link=type(group.link)()) for group in wanted.groups if group.path.lower() in paths)
    return replace(context, wanted=replace(wanted, groups=groups))


async def _removed(
    context: Context, record: Record, moves: Sequence[Move], *, ask: bool, quiet: bool
) -> list[dict[str, Any]]:
    await _refuse_without_webhook(context, moves)
    steps = removals(moves)
    planned = await compared(context, steps)
    if blocked := [change for change in planned if change.action is Action.BLOCKED]:
        raise NotReplacedYet(blocked)
    if missing := await missing_permissions(context, steps):
        raise NotAllowed(context.wanted.tenant_id, missing)
    await _warn_if_unreached(context)
    if not quiet:
        out.print(f"\n[bold]tenant {escape(context.wanted.tenant_id)}[/]")
        for change in planned:
            show_change(change)
    due = [change for change in planned if change.is_due]
    if ask and due and not typer.confirm("Take these out? 'itsmc undo' puts them back.", err=True):
        raise typer.Exit(1)
    return await _walked(context, record, steps, planned, quiet=quiet)


async def _walked(
    context: Context, record: Record, steps: Sequence[RemovedAction], planned: Sequence[Change], *, quiet: bool
) -> list[dict[str, Any]]:
    done: list[dict[str, Any]] = []
    with Work(sum(change.is_due for change in planned), quiet=quiet) as work:
        async for step in remove(context, record, steps, planned):
            if step.change.is_due and step.done:
                work.done(step.change)
                done.append({"tenant_id": context.wanted.tenant_id, **json_of(step.change)})
            elif step.change.is_due:
                work.begun(step.change)
    return done


async def _refuse_without_webhook(context: Context, moves: Sequence[Move]) -> None:
    """Compare everything that a webhook needs, in Entra ID too, before anything old goes."""
    planned = await plan_of(context)
    lacking = [change for change in planned.changes if change.action is not Action.KEEP]
    there = {(group.path.lower(), group.receiver.lower()) for group in context.wanted.groups}
    unnamed = [move for move in moves if (move.group.id.lower(), move.receiver.lower()) not in there]
    if lacking:
        raise NotReplacedYet(lacking)
    if unnamed:
        raise SettingsError(
            f"[azure.action_groups] does not name {unnamed[0].group.name} with the connection "
            f"'{unnamed[0].connection}'; run 'itsmc apply' first"
        )


async def _warn_if_unreached(context: Context) -> None:
    """Say so when the service does not answer here; it may be that Azure alone can reach it."""
    for group in {one.service_uri: one for one in context.wanted.groups}.values():
        finding = await reached(group)
        if not finding.holds:
            err.print(f"[yellow]note:[/] {escape(finding.link)}: {escape(finding.detail)}", soft_wrap=True)
