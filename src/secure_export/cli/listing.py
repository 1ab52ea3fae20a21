"""``secure-export alerts``, ``work-items``, ``lanes`` and ``quarantine``: look and act on what is kept."""

import getpass
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from secure_export.alerts.alert import Condition
from secure_export.app import Parts, replay
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
from secure_export.console.contract import Page
from secure_export.errors import NotFound
from secure_export.workitems.work_item import State

alerts = typer.Typer(name="alerts", help="What Azure told of.", no_args_is_help=True, add_completion=False)
work_items = typer.Typer(
    name="work-items", help="What is promised to the ITSM tools.", no_args_is_help=True, add_completion=False
)
lanes = typer.Typer(
    name="lanes", help="What is under way, waits, or needs a person.", no_args_is_help=True, add_completion=False
)
quarantine = typer.Typer(
    name="quarantine", help="Notifications kept but not understood.", no_args_is_help=True, add_completion=False
)

Paged = Callable[[Parts, str | None, int], Awaitable[Page]]
_PAGE = 1000


class LaneState(StrEnum):
    """What a lane that is not idle does."""

    READY = "ready"
    CLAIMED = "claimed"
    WAITING = "waiting"
    PARKED = "parked"


@alerts.command("list")
def list_alerts(  # noqa: PLR0913 - the command's options
    config: Config = DEFAULT_FILE,
    connection: Connection = None,
    condition: Annotated[Condition | None, typer.Option(help="Only alerts in this condition.")] = None,
    search: Annotated[str | None, typer.Option(help="Only alerts whose title, rule or id contains this.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    *,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List alerts, newest first.

    Example: [bold]secure-export alerts list --condition fired[/]
    """

    async def page(found: Parts, cursor: str | None, size: int) -> Page:
        return await found.store.records.alerts(
            connection=connection, condition=condition, search=search, cursor=cursor, limit=size
        )

    rows = run_async(_rows(config, page, limit, everything=everything))
    _print(
        rows, ("condition", "severity", "monitoring_service", "rule", "fired_at", "work_item", "id"), as_json=as_json
    )


@alerts.command("show")
def show_alert(
    alert_id: Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")],
    config: Config = DEFAULT_FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Show one alert: its notifications, its work item, and the reasons.

    Example: [bold]secure-export alerts show /subscriptions/…/alerts/1234[/]
    """
    _show(run_async(_one(config, lambda found: found.store.records.alert(alert_id))), as_json=as_json)


@work_items.command("list")
def list_work_items(  # noqa: PLR0913 - the command's options
    config: Config = DEFAULT_FILE,
    connection: Connection = None,
    state: Annotated[State | None, typer.Option(help="Only work items in this state.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    *,
    owed: Annotated[
        bool | None, typer.Option("--owed/--kept", help="Only what the tool has not confirmed, or has.")
    ] = None,
    unbound: Annotated[
        bool | None, typer.Option("--unbound/--bound", help="Only those that lack a CI, or lack none.")
    ] = None,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List work items, newest first.

    Example: [bold]secure-export work-items list --state open --unbound[/]
    """

    async def page(found: Parts, cursor: str | None, size: int) -> Page:
        return await found.store.records.work_items(
            connection=connection, state=state, owed=owed, unbound=unbound, cursor=cursor, limit=size
        )

    rows = run_async(_rows(config, page, limit, everything=everything))
    columns = ("number", "state", "owed", "severity", "title", "configuration_items", "created_at", "resolved_at", "id")
    _print(rows, columns, as_json=as_json)


@work_items.command("show")
def show_work_item(
    item_id: Annotated[
        str, typer.Argument(metavar="ID", help="Its id, the last column of the list, or its number in the tool.")
    ],
    config: Config = DEFAULT_FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Show one work item: its content, CIs, alerts, steps, and the reasons.

    Example: [bold]secure-export work-items show INC0010001[/]
    """
    _show(run_async(_one(config, lambda found: found.store.records.work_item(item_id))), as_json=as_json)


@lanes.command("list")
def list_lanes(  # noqa: PLR0913 - the command's options
    config: Config = DEFAULT_FILE,
    connection: Connection = None,
    state: Annotated[LaneState | None, typer.Option(help="Only lanes in this state.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    *,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List the lanes that are not idle, with the reason.

    Example: [bold]secure-export lanes list --state parked[/]
    """

    async def page(found: Parts, cursor: str | None, size: int) -> Page:
        return await found.store.records.lanes(connection=connection, state=state, cursor=cursor, limit=size)

    rows = run_async(_rows(config, page, limit, everything=everything))
    _print(rows, ("state", "connection", "title", "reason", "due_at", "pending", "key"), as_json=as_json)


@lanes.command("retry")
def retry_lane(
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="The lane's key, as the list shows it.")] = None,
    config: Config = DEFAULT_FILE,
    connection: Annotated[
        str | None, typer.Option("--connection", help="With --all: only lanes of this connection.", metavar="C")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Retry every parked or waiting lane.")] = False,
) -> None:
    """Try a parked or waiting lane again at once, or all of them.

    Example: [bold]secure-export lanes retry alert:/subscriptions/…[/]

    Example: [bold]secure-export lanes retry --all --connection prod[/]
    """
    if (key is None) is not everything:
        raise typer.BadParameter("name one lane by its KEY, or all of them by --all")
    if connection is not None and not everything:
        raise typer.BadParameter("--connection goes with --all; a KEY names its lane in every connection that has it")

    async def act(found: Parts) -> int:
        if key is not None:
            return await found.store.actions.retry(key, by=who(), now=utc_now())
        if connection is not None and connection not in found.targets:
            raise NotFound(f"there is no connection {connection}; the configuration has {', '.join(found.targets)}")
        return await found.store.actions.retry_all(connection=connection, by=who(), now=utc_now())

    count = run_async(_one(config, act))
    if count:
        out.print(f"{count} {'lane is' if count == 1 else 'lanes are'} ready; a running service takes it from here.")
    else:
        out.print("No lane is parked or waiting.")


@quarantine.command("list")
def list_quarantine(
    config: Config = DEFAULT_FILE,
    connection: Connection = None,
    limit: Limit = DEFAULT_LIMIT,
    *,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List the notifications that were kept but not understood.

    Example: [bold]secure-export quarantine list[/]
    """

    async def page(found: Parts, cursor: str | None, size: int) -> Page:
        return await found.store.records.quarantine(connection=connection, cursor=cursor, limit=size)

    rows = run_async(_rows(config, page, limit, everything=everything))
    _print(rows, ("id", "connection", "received_at", "reason"), as_json=as_json)


@quarantine.command("show")
def show_quarantined(
    notification: Annotated[int, typer.Argument(metavar="ID", help="As the list shows it.")],
    config: Config = DEFAULT_FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Show one quarantined notification with its body.

    Example: [bold]secure-export quarantine show 17[/]
    """
    _show(run_async(_one(config, lambda found: found.store.records.quarantined(notification))), as_json=as_json)


@quarantine.command("replay")
def replay_quarantined(
    notification: Annotated[int, typer.Argument(metavar="ID", help="As the list shows it.")],
    config: Config = DEFAULT_FILE,
) -> None:
    """Read a quarantined notification again, and send it on its way if it is understood now.

    Example: [bold]secure-export quarantine replay 17[/]
    """
    run_async(_one(config, lambda found: replay(found)(notification, who())))
    out.print("It is on its way; a running service takes it from here.")


async def _rows(config: Path, page: Paged, limit: int, *, everything: bool) -> list[dict[str, Any]]:
    """Read pages until there are enough rows."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    async with parts(config) as found:
        while everything or len(rows) < limit:
            read = await page(found, cursor, _PAGE if everything else min(_PAGE, limit - len(rows)))
            rows += read.rows
            cursor = read.next_cursor
            if cursor is None:
                break
    return rows


async def _one(config: Path, ask: Callable[[Parts], Awaitable[Any]]) -> Any:
    async with parts(config) as found:
        return await ask(found)


def _print(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print_json(list(rows))
        return
    heads = [name.replace("_", " ") for name in columns]
    print_table(heads, ([row.get(name) for name in columns] for row in rows), empty="There are none.")


def _show(value: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(value)
    else:
        print_details(value)


def who() -> str:
    """Who acts, for the audit log: the user of the machine."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return "cli"
