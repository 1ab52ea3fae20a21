"""``secure-export azure export``: writes out what ``azure apply`` would make, for others to run."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from secure_export.azure.export.export import Format, exported
from secure_export.cli.azure.setting_up import Only, Tenant, settings_of, sides, wanted_in
from secure_export.cli.options import DEFAULT_FILE, Config
from secure_export.cli.output import err
from secure_export.errors import SettingsError


def export(  # noqa: PLR0913 - options of a command
    config: Config = DEFAULT_FILE,
    *,
    format_: Annotated[Format, typer.Option("--format", help="The language.")],
    only: Only = None,
    tenant: Tenant = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file; further ones that it needs are put beside it.", metavar="FILE"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
) -> None:
    """Write out what `azure apply` would make, for others to read and to run. Asks Azure nothing.

    Example: [bold]secure-export azure export --format bicep --output main.bicep[/]
    """
    settings = settings_of(config)
    wanted = wanted_in(settings, tenant)
    if len(wanted) > 1:
        names = ", ".join(one.tenant_id for one in wanted)
        raise SettingsError(f"[identity] names several tenants ({names}); one file sets up one: say which by --tenant")
    files = exported(
        wanted[0],
        format_,
        cloud=settings.azure.where(),
        cloud_name=settings.azure.cloud,
        only=sides(only),
        name=output.name if output else None,
    )
    if output is None:
        _print(files)
    else:
        _write(output.parent, files, force=force)


def _print(files: dict[str, str]) -> None:
    for name, text in files.items():
        if len(files) > 1:
            sys.stdout.write(f"// ===== file: {name} =====\n")
        sys.stdout.write(text)
    if len(files) > 1:
        err.print(f"[yellow]note:[/] these are {len(files)} files; --output FILE writes them beside each other")


def _write(folder: Path, files: dict[str, str], *, force: bool) -> None:
    for name, text in files.items():
        path = folder / name
        if path.exists() and not force and path.read_text(encoding="utf-8", errors="replace") != text:
            raise SettingsError(f"{path} is there already and says something else; --force writes over it")
    for name, text in files.items():
        path = folder / name
        try:
            path.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise SettingsError(f"{path} cannot be written: {error.strerror}; name another --output") from error
        err.print(f"wrote {path}", soft_wrap=True, markup=False)
