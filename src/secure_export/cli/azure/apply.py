"""``secure-export azure apply``: makes what is missing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from secure_export.azure.setup.change import Action, Plan
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.record_alone import record_alone
from secure_export.azure.setup.walk import apply as apply_to
from secure_export.cli.azure.plan import lacking_for, looked
from secure_export.cli.azure.setting_up import NotAllowed, Only, Tenant, context_of, settings_of, sides, wanted_in
from secure_export.cli.azure.shown import as_json as json_of
from secure_export.cli.azure.shown import show_plan, summary
from secure_export.cli.azure.work import Work
from secure_export.cli.azure.write_config import write_audience
from secure_export.cli.options import DEFAULT_FILE, AsJson, Config, run_async
from secure_export.cli.output import out, print_json
from secure_export.settings import Settings

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the first change.")]
WriteConfig = Annotated[
    bool, typer.Option("--write-config", help="Write the audience that was made into the configuration file.")
]


def apply(  # noqa: PLR0913 - the command's options
    config: Config = DEFAULT_FILE,
    *,
    only: Only = None,
    tenant: Tenant = None,
    yes: Yes = False,
    write_config: WriteConfig = False,
    as_json: AsJson = False,
) -> None:
    """Make what `azure plan` shows. It may be stopped and run again at any time; nothing else is touched.

    Example: [bold]secure-export azure apply --write-config[/]
    """
    done, blocked = run_async(_apply(config, only, tenant, ask=not yes, write=write_config, quiet=as_json))
    if as_json:
        print_json(done)
    raise typer.Exit(1 if blocked else 0)


async def _apply(  # noqa: PLR0913 - as above
    config: Path, only: Only, tenant: str | None, *, ask: bool, write: bool, quiet: bool
) -> tuple[list[dict[str, Any]], int]:
    settings = settings_of(config)
    done: list[dict[str, Any]] = []
    blocked = 0
    with record_alone(settings.azure.record, "azure apply") as record:
        for wanted in wanted_in(settings, tenant):
            async with context_of(settings, wanted) as (context, _):
                planned = await _agreed(context, only, ask=ask, quiet=quiet)
                blocked += planned.count(Action.BLOCKED)
                done += await _made(context, record, planned, only, quiet=quiet)
                _say_what_next(context, settings, config, write=write, quiet=quiet)
    return done, blocked


async def _agreed(context: Context, only: Only, *, ask: bool, quiet: bool) -> Plan:
    """Plan, check first what is needed for it (a run that fails half-way helps nobody), and ask."""
    planned = await looked(context, only)
    if not quiet:
        show_plan(planned)
        out.print(f"\n{summary([planned])}.")
    if missing := await lacking_for(context, planned, only):
        raise NotAllowed(context.wanted.tenant_id, missing)
    is_due = any(change.is_due for change in planned.changes)
    if ask and is_due and not typer.confirm("Do this?", err=True):
        raise typer.Exit(1)
    return planned


async def _made(context: Context, record: Record, planned: Plan, only: Only, *, quiet: bool) -> list[dict[str, Any]]:
    done: list[dict[str, Any]] = []
    with Work(sum(change.is_due for change in planned.changes), quiet=quiet) as work:
        async for step in apply_to(context, record, only=sides(only), planned=planned):
            if not step.change.is_due:
                continue
            if step.done:
                done.append({"tenant_id": context.wanted.tenant_id, **json_of(step.change)})
                work.done(step.change)
            else:
                work.begun(step.change)
    return done


def _say_what_next(context: Context, settings: Settings, config: Path, *, write: bool, quiet: bool) -> None:
    audience = _audience_to_write(context, settings)
    if audience and write:
        write_audience(config, context.wanted.tenant_id, audience)
    if quiet:
        return
    if audience and write:
        out.print(f"\nWrote into {escape(str(config))}, under \\[identity]: [bold]audience = {_listed(audience)}[/]")
    elif audience:
        out.print("\nPut this into the configuration, under \\[identity] (or run this again with --write-config):")
        out.print(f"  [bold]audience = {_listed(audience)}[/]", soft_wrap=True)
    if audience:
        out.print("Then start the service anew: secure-export serve")
    if context.found.client_id is not None:
        out.print("Prove it all: [bold]secure-export azure verify[/]")


def _audience_to_write(context: Context, settings: Settings) -> list[str]:
    """Give what the tenant's tokens will be for, as far as the configuration lacks it."""
    client_id, uri = context.found.client_id, context.found.identifier_uri
    if client_id is None:
        return []
    audience = [client_id, *([uri] if uri else [])]
    tenants = {one.tenant_id: one.audience or settings.identity.audience for one in settings.identity.all_tenants}
    return [] if client_id in tenants[context.wanted.tenant_id] else audience


def _listed(audience: Sequence[str]) -> str:
    return escape("[" + ", ".join(f'"{one}"' for one in audience) + "]")
