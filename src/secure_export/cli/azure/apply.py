"""``secure-export azure apply``: makes what is missing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from secure_export.azure.setup.change import Plan
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.walk import apply as apply_to
from secure_export.azure.setup.walk import plan as plan_of
from secure_export.azure.setup.walk import steps_of
from secure_export.cli.azure.setting_up import (
    NotAllowed,
    Only,
    Tenant,
    context_of,
    missing_permissions,
    settings_of,
    sides,
    wanted_in,
)
from secure_export.cli.azure.shown import as_json as json_of
from secure_export.cli.azure.shown import show_change, show_plan, summary
from secure_export.cli.options import DEFAULT_FILE, AsJson, Config, run_async
from secure_export.cli.output import out, print_json
from secure_export.settings import Settings

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the first change.")]


def apply(
    config: Config = DEFAULT_FILE,
    *,
    only: Only = None,
    tenant: Tenant = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make what `azure plan` shows. It may be stopped and run again at any time; nothing else is touched.

    Example: [bold]secure-export azure apply --yes[/]
    """
    print_json_of = run_async(_apply(config, only, tenant, ask=not yes, quiet=as_json))
    if as_json:
        print_json(print_json_of)


async def _apply(config: Path, only: Only, tenant: str | None, *, ask: bool, quiet: bool) -> list[dict[str, Any]]:
    settings = settings_of(config)
    record = Record(settings.azure.record)
    done: list[dict[str, Any]] = []
    for wanted in wanted_in(settings, tenant):
        async with context_of(settings, wanted) as (context, _):
            planned = await plan_of(context, only=sides(only))
            if not quiet:
                show_plan(planned)
                out.print(f"\n{summary([planned])}.")
            await _refuse_without_permissions(context, planned, only)
            if ask and not planned.is_empty and not typer.confirm("Do this?", err=True):
                raise typer.Exit(1)
            async for step in apply_to(context, record, only=sides(only)):
                if step.done and step.change.is_due:
                    done.append({"tenant_id": wanted.tenant_id, **json_of(step.change)})
                if not quiet and not step.done:
                    show_change(step.change)
            if not quiet:
                _say_what_next(context, settings)
    return done


async def _refuse_without_permissions(context: Context, planned: Plan, only: Only) -> None:
    """Check first what is needed for what is due: a run that fails half-way helps nobody."""
    due = {change.address for change in planned.changes if change.is_due}
    steps = [s for s in await steps_of(context) if s.side in sides(only) and f"{s.kind} {s.name}" in due]
    missing: Sequence[Any] = await missing_permissions(context, steps)
    if missing:
        raise NotAllowed(context.wanted.tenant_id, missing)


def _say_what_next(context: Context, settings: Settings) -> None:
    found = context.found
    if found.client_id is None:
        return
    audience = [found.client_id, *([found.identifier_uri] if found.identifier_uri else [])]
    tenants = {one.tenant_id: one.audience or settings.identity.audience for one in settings.identity.all_tenants}
    if not set(audience) <= set(tenants[context.wanted.tenant_id]):
        written = ", ".join(f'"{one}"' for one in audience)
        out.print("\nPut this into the configuration, under [identity], and restart the service:")
        out.print(f"  audience = {escape(f'[{written}]')}", soft_wrap=True)
    out.print("\nProve it: [bold]secure-export azure verify[/]")
