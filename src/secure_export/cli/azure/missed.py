"""``secure-export azure missed``: fetches the alerts that Azure could not deliver."""

import re
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from secure_export.app import Parts
from secure_export.azure.errors import AzureRefused
from secure_export.azure.missed.finding import Found, Outcome
from secure_export.azure.missed.progress import AZURE_KEEPS
from secure_export.azure.missed.wishes import Bounds, Wishes
from secure_export.azure_work.asked import Asked, asked_in, our_groups, wishes_of
from secure_export.azure_work.missed_alerts import LACKS_READER, catching_up
from secure_export.cli.azure.setting_up import settings_of
from secure_export.cli.options import DEFAULT_FILE, AsJson, Config, parts, run_async
from secure_export.cli.output import err, out, print_json, print_table
from secure_export.errors import SecureExportError, SettingsError

# Nobody waits for a service here: a person may look at thirty days of a busy subscription.
_BOUNDS = Bounds(pages=2_000, alerts=20_000, seconds=3_600)
_SPAN = re.compile(r"(\d{1,4})\s*(d|h|m)", re.ASCII)
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_SHOWN_KINDS = (Outcome.TAKEN_IN, Outcome.MISSING, Outcome.NOT_ALLOWED, Outcome.NOT_UNDERSTOOD)

Since = Annotated[
    str | None,
    typer.Option("--since", help="Look from here on: 6h, 3d, or a time such as 2026-03-02T09:00Z.", metavar="WHEN"),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Take nothing in; say what is missing.")]
Everything = Annotated[bool, typer.Option("--all", help="List what is known or not ours, too.")]


def missed(
    config: Config = DEFAULT_FILE,
    *,
    since: Since = None,
    dry_run: DryRun = False,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Ask Azure which alerts it could not deliver, and take them in as if it had.

    Example: [bold]secure-export azure missed --since 3d --dry-run[/]
    """
    found, problems = run_async(_missed(config, since, dry_run=dry_run, quiet=as_json))
    if as_json:
        print_json([_as_json(one) for one in found])
    else:
        _show(found, everything=everything)
    for problem in problems:
        err.print(f"[bold red]error:[/] {escape(problem)}", soft_wrap=True)
    raise typer.Exit(1 if problems else 0)


async def _missed(config: Path, since: str | None, *, dry_run: bool, quiet: bool) -> tuple[list[Found], list[str]]:
    _refuse_without_groups(config)
    found: list[Found] = []
    problems: list[str] = []
    async with parts(config, make=not dry_run) as opened:
        start = None if since is None else moment(since, opened.store.clock())
        wishes = replace(wishes_of(opened.settings), since=start, dry_run=dry_run)
        for asked in asked_in(opened.settings):
            found += [one async for one in _in_tenant(opened, asked, wishes, problems, quiet=quiet)]
    return found, problems


def _refuse_without_groups(config: Path) -> None:
    settings = settings_of(config)
    if not our_groups(settings):
        raise SettingsError(
            "azure.action_groups names no action group, so nobody can tell which of Azure's alerts were meant for this "
            "service; add the action group whose webhook is this service"
        )
    if not asked_in(settings):
        raise SettingsError("azure.missed.subscriptions: say which subscriptions to ask about")


async def _in_tenant(
    opened: Parts, asked: Asked, wishes: Wishes, problems: list[str], *, quiet: bool
) -> AsyncIterator[Found]:
    """Catch up in one tenant; a subscription that cannot be read does not hide the others."""
    async with catching_up(opened, asked, bounds=_BOUNDS) as run:
        for subscription in asked.subscriptions:
            count = 0
            try:
                async for one in run.run([subscription], wishes):
                    count += one.outcome in {Outcome.TAKEN_IN, Outcome.MISSING}
                    yield one
            except SecureExportError as error:
                hint = LACKS_READER if isinstance(error, AzureRefused) and error.is_denied else ""
                problems.append(f"subscription {subscription}: {error}{hint}")
            if run.unfinished and subscription not in "".join(problems):
                problems.append(f"subscription {subscription}: there is more than one run reads; run it again")
            if not quiet:
                err.print(f"[dim]subscription {subscription}: {count} missed[/]", soft_wrap=True)
            run.unfinished.clear()


def moment(text: str, now: datetime) -> datetime:
    """Read since when: a span such as ``6h``, or a time; without a zone UTC is meant.

    Raises:
        SettingsError: It is neither, or lies in the future or farther back than Azure keeps alerts.
    """
    span = _SPAN.fullmatch(text.strip())
    try:
        at = now - timedelta(**{_UNITS[span[2]]: int(span[1])}) if span else datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise SettingsError(f"--since: {text} is no time; write 6h, 3d, or 2026-03-02T09:00Z") from None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    if not now - AZURE_KEEPS <= at <= now:
        raise SettingsError(f"--since: {text} is not within the last 30 days, which is how long Azure keeps alerts")
    return at


def _show(found: list[Found], *, everything: bool) -> None:
    shown = [one for one in found if everything or one.outcome in _SHOWN_KINDS]
    print_table(
        ("when", "alert rule", "condition", "connection", "what", "why", "alert"),
        [
            (_time(one.at), one.rule, one.condition, one.connection, one.outcome, one.reason, _short(one.alert_id))
            for one in shown
        ],
        empty="Azure has delivered everything that was meant for this service.",
    )
    counts = {outcome: sum(one.outcome is outcome for one in found) for outcome in Outcome}
    out.print(f"\n{', '.join(f'{count} {outcome}' for outcome, count in counts.items() if count) or 'nothing found'}.")


def _as_json(found: Found) -> dict[str, Any]:
    return {**asdict(found), "at": _time(found.at)}


def _time(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at is not None else None


def _short(alert_id: str) -> str:
    return alert_id.rpartition("/")[2]
