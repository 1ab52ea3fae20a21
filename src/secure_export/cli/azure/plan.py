"""``secure-export azure plan``: what would be created, changed, left."""

from pathlib import Path
from typing import Annotated

import typer

from secure_export.azure.setup.change import Action, Plan, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import Missing
from secure_export.azure.setup.walk import plan as plan_of
from secure_export.azure.setup.walk import steps_of
from secure_export.cli.azure.setting_up import (
    NotAllowed,
    Only,
    Tenant,
    context_of,
    missing_permissions,
    missing_to_look,
    settings_of,
    sides,
    wanted_in,
)
from secure_export.cli.azure.shown import as_json as json_of
from secure_export.cli.azure.shown import show_plan, summary
from secure_export.cli.options import DEFAULT_FILE, AsJson, Config, run_async
from secure_export.cli.output import err, out, print_json


def plan(
    config: Config = DEFAULT_FILE,
    *,
    only: Only = None,
    tenant: Tenant = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 3 when there is something to do.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what `azure apply` would create, change and leave, and which permissions you lack for it. Changes nothing.

    Example: [bold]secure-export azure plan --only entra[/]
    """
    plans, lacking, has_groups = run_async(_plans(config, only, tenant))
    if as_json:
        print_json([{"tenant_id": p.tenant_id, "changes": [json_of(c) for c in p.changes]} for p in plans])
    else:
        for one in plans:
            show_plan(one)
        out.print(f"\n{summary(plans)}.")
        if not has_groups and only is not Side.ENTRA:
            out.print("No action group is named: add \\[azure.action_groups.<name>] to the configuration.")
    for line in lacking:
        err.print(f"[yellow]note:[/] to apply this you lack {line.text}, {line.permission.why}", soft_wrap=True)
    blocked = any(one.count(Action.BLOCKED) for one in plans)
    due = exit_code and not all(one.is_empty for one in plans)
    raise typer.Exit(1 if blocked else 3 if due else 0)


async def _plans(config: Path, only: Only, tenant: str | None) -> tuple[list[Plan], list[Missing], bool]:
    settings = settings_of(config)
    plans: list[Plan] = []
    lacking: list[Missing] = []
    for wanted in wanted_in(settings, tenant):
        async with context_of(settings, wanted) as (context, _):
            plans.append(await looked(context, only))
            lacking += await lacking_for(context, plans[-1], only)
    return plans, lacking, bool(settings.azure.action_groups)


async def looked(context: Context, only: Only) -> Plan:
    """Plan, after it is certain that one may look.

    Raises:
        NotAllowed: One may not.
    """
    if missing := await missing_to_look(context, only):
        raise NotAllowed(context.wanted.tenant_id, missing)
    return await plan_of(context, only=sides(only))


async def lacking_for(context: Context, planned: Plan, only: Only) -> list[Missing]:
    """Say which permissions are missing for what a plan has to do."""
    due = {change.address for change in planned.changes if change.is_due}
    steps = [one for one in await steps_of(context, only=sides(only)) if f"{one.kind} {one.name}" in due]
    return await missing_permissions(context, steps)
