"""``secure-export desk``: the incidents of the embedded desk."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from secure_export.cli.listing import who
from secure_export.cli.options import (
    DEFAULT_FILE,
    DEFAULT_LIMIT,
    All,
    AsJson,
    Config,
    Connection,
    Limit,
    parts,
    run_async,
)
from secure_export.cli.output import out, print_details, print_json, print_table
from secure_export.clock import utc_now
from secure_export.itsm.desk.incident import Incident, IncidentDetails, IncidentState
from secure_export.itsm.desk.people_changes import Action, Assign, Comment, SetState

app = typer.Typer(name="desk", help="The embedded desk's incidents.", no_args_is_help=True, add_completion=False)
_PAGE = 1000

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Such as INC0000001.")]


@app.command("incidents")
def incidents(  # noqa: PLR0913 - the command's options
    config: Config = DEFAULT_FILE,
    connection: Connection = None,
    state: Annotated[
        list[IncidentState] | None, typer.Option(help="Only in this state; several times for more.")
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    *,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List incidents, newest first.

    Example: [bold]secure-export desk incidents --state new --state in-progress[/]
    """
    found = run_async(_incidents(config, connection, state or [], limit, everything=everything))
    if as_json:
        print_json([_plain(one) for one in found])
        return
    rows = [(i.number, i.state.value, f"P{i.priority}", i.title, i.assignment_group, i.assignee) for i in found]
    print_table(("number", "state", "priority", "title", "group", "assignee"), rows, empty="There are none.")


@app.command()
def show(number: Number, config: Config = DEFAULT_FILE, *, as_json: AsJson = False) -> None:
    """Show one incident with its CIs and its timeline.

    Example: [bold]secure-export desk show INC0000001[/]
    """
    details = run_async(_incident(config, number))
    shown = {
        **_plain(details.incident),
        "configuration_items": _plain(details.cis),
        "timeline": _plain(details.timeline),
    }
    if as_json:
        print_json(shown)
    else:
        print_details(shown)


@app.command()
def comment(
    number: Number, text: Annotated[str, typer.Argument(help="What to say.")], config: Config = DEFAULT_FILE
) -> None:
    """Say something about an incident.

    Example: [bold]secure-export desk comment INC0000001 "Restarted the queue."[/]
    """
    _act(config, number, Comment(text))


@app.command()
def assign(
    number: Number,
    config: Config = DEFAULT_FILE,
    group: Annotated[str | None, typer.Option(help="Which group is to look at it.")] = None,
    assignee: Annotated[str | None, typer.Option(help="Who works on it.")] = None,
) -> None:
    """Say who is to work on an incident.

    Example: [bold]secure-export desk assign INC0000001 --group Network --assignee ada[/]
    """
    _act(config, number, Assign(group=group, assignee=assignee))


@app.command("set-state")
def set_state(
    number: Number,
    state: Annotated[IncidentState, typer.Argument(help="The state it is to have.")],
    config: Config = DEFAULT_FILE,
    resolution: Annotated[str, typer.Option(help="How it was resolved.")] = "",
) -> None:
    """Take an incident up, put it on hold, resolve it, reopen it, or close it.

    Example: [bold]secure-export desk set-state INC0000001 resolved --resolution "Disk was full."[/]
    """
    _act(config, number, SetState(state, resolution=resolution))


def _act(config: Path, number: str, action: Action) -> None:
    incident = run_async(_acted(config, number, action))
    whose = incident.assignee or incident.assignment_group or "nobody"
    out.print(f"{incident.number} is {incident.state.value}, assigned to {whose}.")


async def _acted(config: Path, number: str, action: Action) -> Incident:
    async with parts(config) as opened:
        return await opened.store.desk.act(number, action, by=who(), now=utc_now())


async def _incident(config: Path, number: str) -> IncidentDetails:
    async with parts(config) as opened:
        return await opened.store.desk.incident(number)


async def _incidents(
    config: Path, connection: str | None, states: list[IncidentState], limit: int, *, everything: bool
) -> list[Incident]:
    found: list[Incident] = []
    cursor: str | None = None
    async with parts(config) as opened:
        while everything or len(found) < limit:
            page = await opened.store.desk.incidents(
                connection=connection,
                states=states,
                cursor=cursor,
                limit=_PAGE if everything else min(_PAGE, limit - len(found)),
            )
            found += page.incidents
            cursor = page.next_cursor
            if cursor is None:
                break
    return found


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)
