"""``secure-export cmdb``: the desk's CMDB."""

from pathlib import Path
from typing import Annotated, Any

import typer

from secure_export.cli.options import DEFAULT_FILE, DEFAULT_LIMIT, All, AsJson, Config, Limit, parts, run_async
from secure_export.cli.output import complain, out, print_json, print_table
from secure_export.clock import utc_now
from secure_export.cmdb.contract import ConfigurationItem
from secure_export.cmdb.drafts import PutResult
from secure_export.cmdb.imports import Import, read_import

app = typer.Typer(
    name="cmdb", help="The configuration items that alerts are bound to.", no_args_is_help=True, add_completion=False
)
_PAGE = 1000


@app.command("import")
def import_cis(
    file: Annotated[Path, typer.Argument(help="CSV or JSON, or an Azure Resource Graph export as it is.")],
    config: Config = DEFAULT_FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Fill the CMDB; what is there already is brought up to date.

    Good rows are taken, each bad one is named, and any bad one makes the exit code 1.

    Example: [bold]secure-export cmdb import resources.json[/]
    """
    found = read_import(file.read_bytes(), file.name)
    put = run_async(_put(config, found))
    problems = [*found.problems, *put.skipped]
    if as_json:
        print_json(_counts(put) | {"problems": [{"where": p.where, "message": p.message} for p in problems]})
    else:
        for problem in problems:
            complain(f"{problem.where}: {problem.message}")
        out.print(f"{put.added} added, {put.changed} changed, {put.unchanged} unchanged, {len(problems)} not taken.")
    raise typer.Exit(1 if problems else 0)


@app.command("list")
def list_cis(
    config: Config = DEFAULT_FILE, limit: Limit = DEFAULT_LIMIT, *, everything: All = False, as_json: AsJson = False
) -> None:
    """List CIs, newest first.

    Example: [bold]secure-export cmdb list --limit 20[/]
    """
    _print(run_async(_cis(config, None, limit, everything=everything)), as_json=as_json)


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="Part of a name, a class, or a resource id.")],
    config: Config = DEFAULT_FILE,
    limit: Limit = DEFAULT_LIMIT,
    *,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """Find CIs.

    Example: [bold]secure-export cmdb search web-01[/]
    """
    _print(run_async(_cis(config, text, limit, everything=everything)), as_json=as_json)


async def _put(config: Path, found: Import) -> PutResult:
    async with parts(config, make=True) as opened:
        return await opened.store.desk.put_cis(found.drafts, now=utc_now())


async def _cis(config: Path, text: str | None, limit: int, *, everything: bool) -> list[ConfigurationItem]:
    cis: list[ConfigurationItem] = []
    cursor: str | None = None
    async with parts(config) as opened:
        while everything or len(cis) < limit:
            size = _PAGE if everything else min(_PAGE, limit - len(cis))
            page = await opened.store.desk.list_cis(search=text, cursor=cursor, limit=size)
            cis += page.cis
            cursor = page.next_cursor
            if cursor is None:
                break
    return cis


def _counts(put: PutResult) -> dict[str, Any]:
    return {"added": put.added, "changed": put.changed, "unchanged": put.unchanged}


def _print(cis: list[ConfigurationItem], *, as_json: bool) -> None:
    if as_json:
        print_json([_row(ci) for ci in cis])
        return
    rows = [(ci.name, ci.class_name, ci.resource_id, _attributes(ci)) for ci in cis]
    print_table(
        ("name", "class", "resource id", "attributes"), rows, empty="The CMDB has none; fill it with `cmdb import`."
    )


def _row(ci: ConfigurationItem) -> dict[str, Any]:
    return {
        "id": ci.id,
        "name": ci.name,
        "class_name": ci.class_name,
        "resource_id": ci.resource_id,
        "attributes": dict(ci.attributes),
    }


def _attributes(ci: ConfigurationItem) -> str:
    return ", ".join(f"{name}={value}" for name, value in ci.attributes.items() if value)
