"""``secure-export init``."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from secure_export.cli.options import DEFAULT_FILE
from secure_export.cli.output import out
from secure_export.errors import SettingsError
from secure_export.identity.settings import is_guid


def init(
    file: Annotated[Path, typer.Argument(help="The file to write.", metavar="FILE")] = DEFAULT_FILE,
    tenant_id: Annotated[str, typer.Option(help="The Entra ID tenant whose alerts are taken.")] = "",
    client_id: Annotated[str, typer.Option(help="The client id of the app registration that action groups name.")] = "",
    subscription: Annotated[
        list[str] | None, typer.Option(help="A subscription whose alerts are taken; may be given several times.")
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write a commented configuration.

    Example: [bold]secure-export init --tenant-id 72f9… --client-id 0c1b… --subscription 5a7f…[/]
    """
    if file.exists() and not force:
        raise SettingsError(f"{file} is there already; give another name, or --force to overwrite it")
    for option, given in (("--tenant-id", tenant_id), ("--client-id", client_id)):
        if given and not is_guid(given.strip().lower()):
            raise SettingsError(f"{option} {given!r} is no GUID; Entra ID shows it on the overview page")
    text = (files("secure_export.cli") / "secure-export.toml").read_text(encoding="utf-8")
    text = text.replace("00000000-0000-0000-0000-000000000001", tenant_id or "00000000-0000-0000-0000-000000000001")
    text = text.replace("00000000-0000-0000-0000-000000000002", client_id or "00000000-0000-0000-0000-000000000002")
    if subscription:
        text = text.replace('"00000000-0000-0000-0000-000000000003"\n', f'"{subscription[0]}"\n')
        listed = ", ".join(f'"{one}"' for one in subscription)
        text = text.replace('["00000000-0000-0000-0000-000000000003"]', f"[{listed}]")
    file.write_text(text, encoding="utf-8")
    out.print(f"Wrote {file}. Fill in what is marked, then try it with: secure-export check --config {file}")
    out.print(f"To have Azure set up for you: secure-export azure plan --config {file}")
