"""``secure-export azure plan``: what would be created, changed, left."""

from pathlib import Path
from typing import Annotated

import typer

from secure_export.azure.setup.change import Action, Plan
from secure_export.azure.setup.walk import plan as plan_of
from secure_export.azure.setup.walk import steps_of
from secure_export.cli.azure.setting_up import (
    Only,
    Tenant,
    context_of,
    missing_permissions,
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
    """Say what `azure apply` would create, change and leave. Changes nothing.

    Example: [bold]secure-export azure plan --only entra[/]
    """
    plans, lacking = run_async(_plans(config, only, tenant))
    if as_json:
        print_json([{"tenant_id": p.tenant_id, "changes": [json_of(c) for c in p.changes]} for p in plans])
    else:
        for one in plans:
            show_plan(one)
        out.print(f"\n{summary(plans)}.")
        for line in lacking:
            err.print(f"[yellow]note:[/] {line}", soft_wrap=True)
    blocked = any(one.count(Action.BLOCKED) for one in plans)
    due = exit_code and not all(one.is_empty for one in plans)
    raise typer.Exit(1 if blocked else 3 if due else 0)


async def _plans(config: Path, only: Only, tenant: str | None) -> tuple[list[Plan], list[str]]:
    settings = settings_of(config)
    plans, lacking = [], []
    for wanted in wanted_in(settings, tenant):
        async with context_of(settings, wanted) as (context, _):
            plans.append(await plan_of(context, only=sides(only)))
            steps = [step for step in await steps_of(context) if step.side in sides(only)]
            missing = await missing_permissions(context, steps)
            lacking += [f"to apply this you lack {one.text}, {one.permission.why}" for one in missing]
    return plans, lacking
