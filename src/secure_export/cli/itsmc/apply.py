"""``secure-export itsmc apply``: carries the configuration over, adds the webhooks, and takes the old actions out."""

from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.markup import escape

from secure_export.azure.itsmc.configuration import rendered
from secure_export.azure.itsmc.file import replace_file
from secure_export.azure.itsmc.moves import Move
from secure_export.azure.itsmc.sections import to_fill_in
from secure_export.azure.setup.change import Action
from secure_export.azure.setup.record_alone import record_alone
from secure_export.azure.setup.walk import apply as apply_to
from secure_export.azure.setup.wanted import WantedTenant
from secure_export.cli.azure.apply import Yes
from secure_export.cli.azure.plan import lacking_for, looked
from secure_export.cli.azure.setting_up import NotAllowed, Only, context_of, settings_of, sides, wanted_in
from secure_export.cli.azure.shown import as_json as json_of
from secure_export.cli.azure.shown import show_plan, summary
from secure_export.cli.azure.work import Work
from secure_export.cli.itsmc.finding import Asked, Name, Outlook, Subscriptions, ToolType, outlook
from secure_export.cli.itsmc.removing import Groups, remove_old
from secure_export.cli.itsmc.shown import show_configuration, show_found, show_left
from secure_export.cli.options import DEFAULT_FILE, AsJson, Config, run_async
from secure_export.cli.output import out, print_json
from secure_export.errors import SettingsError
from secure_export.itsm.registry import connector_types
from secure_export.settings import Settings
from secure_export.settings_file import read_settings


def apply(  # noqa: PLR0913 - the command's options
    config: Config = DEFAULT_FILE,
    *,
    subscription: Subscriptions = None,
    tool: ToolType = None,
    connection: Name = None,
    public_url: Annotated[
        str | None, typer.Option(help="Where Azure reaches this service; written as server.public_url.", metavar="URL")
    ] = None,
    remove_old: Annotated[
        bool, typer.Option("--remove-old", help="Take the ITSM actions out that have a webhook beside them.")
    ] = False,
    group: Groups = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite sections that say something else.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep sections that say something else, and go on.")] = False,
    only: Only = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Write what `itsmc plan` shows into the configuration, and add the webhooks beside the old actions.

    The old actions stay until it is run with --remove-old. It may be stopped and run again at any time.

    Example: [bold]secure-export itsmc apply --public-url https://alerts.example.com[/]
    """
    asked = Asked(config, tuple(subscription or ()), tool, connection, public_url, force)
    if remove_old:
        done: Any = run_async(_removed(asked, group or [], ask=not yes, quiet=as_json))
    elif group:
        raise typer.BadParameter("it belongs to --remove-old", param_hint="--group")
    else:
        done = run_async(_applied(asked, only, keep=keep, ask=not yes, quiet=as_json))
    if as_json:
        print_json(done)
    raise typer.Exit(1 if done.get("blocked") else 0)


async def _removed(asked: Asked, groups: list[str], *, ask: bool, quiet: bool) -> dict[str, Any]:
    found = await outlook(asked)
    return await remove_old(found, groups, ask=ask, quiet=quiet)


async def _applied(asked: Asked, only: Only, *, keep: bool, ask: bool, quiet: bool) -> dict[str, Any]:
    found = await outlook(asked)
    if not quiet:
        show_found(found.migration)
    if not found.migration.moves:
        return {"configuration": None, "to_fill_in": [], "azure": [], "blocked": 0}
    configured = _configured(asked, found, keep=keep, ask=ask, quiet=quiet)
    left = to_fill_in(found.written.plain, found.migration)
    if not quiet:
        show_left(found)
    told: dict[str, Any] = {"configuration": configured, "to_fill_in": left, "azure": [], "blocked": 0}
    if left:
        if not quiet:
            out.print("\nFill that in, and run this again: it adds the webhooks then.")
        return told
    settings = settings_of(asked.config)
    for wanted in wanted_in(settings):
        if groups := _moved(wanted, found.migration.moves):
            made, blocked = await _webhooks(settings, replace(wanted, groups=groups), only, ask=ask, quiet=quiet)
            told["azure"] += made
            told["blocked"] += blocked
    if not quiet and not told["blocked"]:
        _say_what_next()
    return told


def _configured(asked: Asked, found: Outlook, *, keep: bool, ask: bool, quiet: bool) -> dict[str, Any]:
    """Write the configuration, if anything in it is not as it should be."""
    if found.written.conflicts and not keep:
        raise Different(found)
    if found.written.text == found.text:
        if not quiet:
            out.print("\nThe configuration says all of it already.")
        return {"added": [], "changed": [], "backup": None}
    if not quiet:
        show_configuration(found)
    if ask and not typer.confirm(f"Write this into {asked.config}?", err=True):
        raise typer.Exit(1)
    types = connector_types()
    backup = replace_file(
        asked.config, found.written.text, was=found.text, check=lambda path: read_settings(path, types)
    )
    if not quiet:
        out.print(f"Wrote {escape(str(asked.config))}; what was there is in {escape(str(backup))}.", soft_wrap=True)
    return {"added": list(found.written.added), "changed": list(found.written.changed), "backup": str(backup)}


class Different(SettingsError):  # noqa: N818 - reads as what it says
    """Sections are there and say something else."""

    def __init__(self, found: Outlook) -> None:
        wanted = [one for one in found.sections if one.name in {c.section for c in found.written.conflicts}]
        named = "; ".join(f"[{one.section}]: {', '.join(one.keys)}" for one in found.written.conflicts)
        super().__init__(
            f"the configuration says something else than ITSMC did, so nothing was written: {named}. Keep yours with "
            f"--keep, or overwrite it with --force. ITSMC's would be:\n{rendered(wanted).strip()}"
        )


def _moved(wanted: WantedTenant, moves: tuple[Move, ...]) -> tuple[Any, ...]:
    """The action groups among those wanted that ITSM actions are in."""
    paths = {move.group.id.lower() for move in moves if move.group.tenant_id == wanted.tenant_id}
    return tuple(group for group in wanted.groups if group.path.lower() in paths)


async def _webhooks(
    settings: Settings, wanted: WantedTenant, only: Only, *, ask: bool, quiet: bool
) -> tuple[list[dict[str, Any]], int]:
    """Add the webhooks by the steps of ``azure apply``: whatever else the action groups hold stays."""
    done: list[dict[str, Any]] = []
    with record_alone(settings.azure.record, "itsmc apply") as record:
        async with context_of(settings, wanted) as (context, _):
            planned = await looked(context, only)
            if not quiet:
                show_plan(planned)
                out.print(f"\n{summary([planned])}.")
            if missing := await lacking_for(context, planned, only):
                raise NotAllowed(wanted.tenant_id, missing)
            due = [change for change in planned.changes if change.is_due]
            if ask and due and not typer.confirm("Do this?", err=True):
                raise typer.Exit(1)
            with Work(len(due), quiet=quiet) as work:
                async for step in apply_to(context, record, only=sides(only), planned=planned):
                    if step.change.is_due and step.done:
                        work.done(step.change)
                        done.append({"tenant_id": wanted.tenant_id, **json_of(step.change)})
                    elif step.change.is_due:
                        work.begun(step.change)
    return done, planned.count(Action.BLOCKED)


def _say_what_next() -> None:
    out.print("\nThe old ITSM actions are there still: until they are taken out, each alert makes two work items.")
    out.print("1. [bold]secure-export azure apply --write-config[/]  writes the audience, if it is not there yet")
    out.print("2. [bold]secure-export azure verify[/]  follows a test alert through to a work item")
    out.print("3. [bold]secure-export itsmc apply --remove-old[/]  takes the old actions out")
