"""``secure-export azure destroy``: takes back exactly what ``azure apply`` made."""

from pathlib import Path
from typing import Any

import typer

from secure_export.azure.setup.change import Change
from secure_export.azure.setup.record import Made, Record
from secure_export.azure.setup.record_alone import record_alone
from secure_export.azure.setup.walk import side_of, take_back
from secure_export.azure.setup.wanted import WantedTenant
from secure_export.cli.azure.apply import Yes
from secure_export.cli.azure.setting_up import Only, Tenant, context_of, recorded_in, settings_of, sides
from secure_export.cli.azure.shown import titled
from secure_export.cli.azure.work import Work
from secure_export.cli.options import DEFAULT_FILE, AsJson, Config, run_async
from secure_export.cli.output import out, print_json
from secure_export.settings import Settings


def destroy(
    config: Config = DEFAULT_FILE,
    *,
    only: Only = None,
    tenant: Tenant = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Take back exactly what `azure apply` made, newest first; what was there before stays as it was.

    Example: [bold]secure-export azure destroy --only azure[/]
    """
    done = run_async(_destroy(config, only, tenant, ask=not yes, quiet=as_json))
    if as_json:
        print_json(done)


async def _destroy(config: Path, only: Only, tenant: str | None, *, ask: bool, quiet: bool) -> list[dict[str, Any]]:
    settings = settings_of(config)
    done: list[dict[str, Any]] = []
    with record_alone(settings.azure.record, "azure destroy") as record:
        for wanted in recorded_in(settings, record, tenant):
            made = [one for one in reversed(record.of(wanted.tenant_id)) if side_of(one) in {None, *sides(only)}]
            if not quiet:
                _show(wanted, settings, made)
            if not made:
                continue
            if ask and not typer.confirm("Take this back?", err=True):
                raise typer.Exit(1)
            done += await _taken_back(settings, wanted, record, only, count=len(made), quiet=quiet)
    return done


def _show(wanted: WantedTenant, settings: Settings, made: list[Made]) -> None:
    out.print(f"\n[bold]tenant {wanted.tenant_id}[/]")
    if not made:
        out.print(f"  [dim]nothing to take back: {settings.azure.record} tells of nothing made here[/]")
    for one in made:
        out.print(f"  [red]-[/] {titled(one.kind, one.name)}{'' if one.created else '  [dim](our change to it)[/]'}",
                  soft_wrap=True)  # fmt: skip


async def _taken_back(  # noqa: PLR0913 - what it takes
    settings: Settings, wanted: WantedTenant, record: Record, only: Only, *, count: int, quiet: bool
) -> list[dict[str, Any]]:
    done: list[dict[str, Any]] = []
    async with context_of(settings, wanted) as (context, _):
        with Work(count, quiet=quiet) as work:
            async for step in take_back(context, record, only=sides(only)):
                if not step.done:
                    work.begun(step.change)
                    continue
                work.done(step.change)
                done.append({"tenant_id": wanted.tenant_id, **_json_of(step.change)})
    return done


def _json_of(change: Change) -> dict[str, Any]:
    told = {"side": change.side.value, "kind": change.kind, "name": change.name}
    return {**told, "taken_back": not change.reason, "reason": change.reason}
