"""``secure-export demo``: the whole flow on this machine."""

import asyncio
import json
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from secure_export.cli.demo.judge import Judgement, judge
from secure_export.cli.demo.show import Show
from secure_export.cli.demo.stage import Stage, staged
from secure_export.cli.options import run_async
from secure_export.clock import utc_now
from secure_export.sandbox.azure_monitor.scenario import Scenario, one_round, play

_ROUND_LASTS = timedelta(minutes=45)
_PAUSE_SECONDS = 0.12
_SECONDS_TO_SETTLE = 60.0
_WIDTH_OF_FILES = 180


def demo(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Where the service listens; 8080 if that is free.")
    ] = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Do one round, print a JSON summary, and end.")] = False,
) -> None:
    """Run the whole flow on embedded parts: alerts of every kind become incidents on their CIs, and close.

    Nothing leaves this machine, and nothing stays on it. Without --once it keeps running until Ctrl-C.

    Example: [bold]secure-export demo --once[/]
    """
    raise typer.Exit(run_async(_demo(port, once=once)))


async def _demo(port: int | None, *, once: bool) -> int:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_FILES)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with staged(port) as stage:
        _welcome(console, stage)
        scenario = one_round(stage.estate, utc_now() - _ROUND_LASTS)
        round_ = asyncio.create_task(_play(console, stage, scenario))
        await asyncio.wait({round_, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if not round_.done():
            round_.cancel()
            with suppress(asyncio.CancelledError):
                await round_
            return 130
        judgement = round_.result()
        _tell(console, judgement)
        if not once:
            _invite(console, stage)
            await stop.wait()
        else:
            print(json.dumps(judgement.summary))  # noqa: T201 - the last line, for programs
        return 0 if judgement.passed else 1


async def _play(console: Console, stage: Stage, scenario: Scenario) -> Judgement:
    """Send the round, show what becomes of it, and compare that with what has to come of it."""
    show = Show(console, stage.parts.store.records)
    with show:
        async for step, deliveries in play(stage.monitor, scenario, pause=_PAUSE_SECONDS):
            show.sent(step, deliveries)
            await show.refresh()
        await _settled(stage, show)
    return await judge(stage.parts.store.records, scenario, show.notifications())


async def _settled(stage: Stage, show: Show) -> None:
    """Wait until no lane has anything to do."""
    end = asyncio.get_running_loop().time() + _SECONDS_TO_SETTLE
    while asyncio.get_running_loop().time() < end:
        await show.refresh()
        if not (await stage.parts.store.records.lanes(limit=1)).rows:
            return
        await asyncio.sleep(0.1)


def _welcome(console: Console, stage: Stage) -> None:
    console.print(
        "[bold]Secure Export[/]: Azure Monitor alerts become incidents. Everything here runs on this machine:\n"
    )
    rows = (
        ("Entra ID (sandbox)", stage.entra_url, "signs the tokens; nothing it says is real"),
        ("Azure Monitor (sandbox)", "in this process", "fires alerts of every kind, by Azure's delivery rules"),
        ("secure webhook", stage.webhook, "checks the token, records the alert, answers 202"),
        ("desk and CMDB", f"{stage.cis} CIs", "imported from an Azure Resource Graph export"),
        ("console", stage.url, "open it while this runs"),
    )
    for name, where, what in rows:
        console.print(f"  [bold]{name:<24}[/] {where}  [dim]{what}[/]", soft_wrap=True)
    console.print()


def _tell(console: Console, judgement: Judgement) -> None:
    summary = judgement.summary
    console.print(
        f"\n[bold]{summary['alerts']}[/] alerts became [bold]{summary['work_items']}[/] incidents; "
        f"[bold]{summary['resolved']}[/] are resolved, [bold]{summary['bound']}[/] are bound to their CI, "
        f"[bold]{summary['quarantined']}[/] could not be understood and is kept in quarantine."
    )
    if judgement.passed:
        console.print(f"[green]Every alert got where it belongs[/] ({judgement.checked} expectations checked).")
    for complaint in judgement.complaints:
        console.print(f"[red]not as it should be:[/] {complaint}", markup=True, soft_wrap=True)


def _invite(console: Console, stage: Stage) -> None:
    console.print(
        f"\nLook around: [bold]{stage.url}[/]\n"
        f"Send one more:  secure-export send alert.json --url {stage.webhook} --token-from {stage.entra_url}\n"
        "Ctrl-C ends it and removes everything.",
        soft_wrap=True,
    )
