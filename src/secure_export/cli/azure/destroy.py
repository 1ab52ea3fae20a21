"""``secure-export azure destroy``: takes back exactly what ``azure apply`` made."""

from pathlib import Path

import typer

from secure_export.azure.setup.record import Record
from secure_export.azure.setup.walk import take_back
from secure_export.cli.azure.apply import Yes
from secure_export.cli.azure.setting_up import Only, Tenant, context_of, settings_of, sides, wanted_in
from secure_export.cli.azure.shown import show_change
from secure_export.cli.options import DEFAULT_FILE, Config, run_async
from secure_export.cli.output import out


def destroy(config: Config = DEFAULT_FILE, *, only: Only = None, tenant: Tenant = None, yes: Yes = False) -> None:
    """Take back exactly what `azure apply` made, newest first; what was there before stays as it was.

    Example: [bold]secure-export azure destroy --only azure[/]
    """
    run_async(_destroy(config, only, tenant, ask=not yes))


async def _destroy(config: Path, only: Only, tenant: str | None, *, ask: bool) -> None:
    settings = settings_of(config)
    record = Record(settings.azure.record)
    for wanted in wanted_in(settings, tenant):
        made = record.of(wanted.tenant_id)
        out.print(f"\n[bold]tenant {wanted.tenant_id}[/]")
        if not made:
            out.print(f"  [dim]nothing to take back: {settings.azure.record} tells of nothing made here[/]")
            continue
        for one in reversed(made):
            out.print(f"  [red]-[/] {one.kind} {one.name}", soft_wrap=True)
        if ask and not typer.confirm("Take this back?", err=True):
            raise typer.Exit(1)
        async with context_of(settings, wanted) as (context, _):
            async for step in take_back(context, record, only=sides(only)):
                if step.done:
                    show_change(step.change)
