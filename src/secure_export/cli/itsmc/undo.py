"""``secure-export itsmc undo``: puts the old ITSM actions back."""

from pathlib import Path
from typing import Any

import typer

from secure_export.azure.itsmc.removal import put_back, removed_in, settle
from secure_export.azure.setup.record_alone import record_alone
from secure_export.cli.azure.apply import Yes
from secure_export.cli.azure.setting_up import context_of, recorded_in, settings_of
from secure_export.cli.azure.shown import as_json as json_of
from secure_export.cli.azure.shown import show_change, titled
from secure_export.cli.itsmc.removing import Groups
from secure_export.cli.options import DEFAULT_FILE, AsJson, Config, run_async
from secure_export.cli.output import out, print_json


def undo(config: Config = DEFAULT_FILE, *, group: Groups = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Put the ITSM actions back that `itsmc apply --remove-old` took out, as they were; the webhooks stay.

    Example: [bold]secure-export itsmc undo --group ag-itsmc[/]
    """
    done = run_async(_undone(config, group or [], ask=not yes, quiet=as_json))
    if as_json:
        print_json(done)


async def _undone(config: Path, groups: list[str], *, ask: bool, quiet: bool) -> list[dict[str, Any]]:
    settings = settings_of(config)
    done: list[dict[str, Any]] = []
    with record_alone(settings.azure.record, "itsmc undo") as record:
        for wanted in recorded_in(settings, record, None):
            if not removed_in(record, wanted.tenant_id, groups):
                continue
            async with context_of(settings, wanted) as (context, _):
                await settle(context, record)
                made = removed_in(record, wanted.tenant_id, groups)
                for one in made if not quiet else ():
                    out.print(f"  [green]+[/] {titled(one.kind, one.name)}", soft_wrap=True)
                if ask and made and not typer.confirm("Put these back?", err=True):
                    raise typer.Exit(1)
                async for step in put_back(context, record, groups=groups):
                    if not step.done:
                        continue
                    done.append({"tenant_id": wanted.tenant_id, **json_of(step.change)})
                    if not quiet:
                        show_change(step.change)
    if not done and not quiet:
        out.print(f"Nothing to put back: {settings.azure.record} tells of no ITSM action that was taken out.")
    return done
