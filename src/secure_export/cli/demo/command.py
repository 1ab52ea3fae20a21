"""``secure-export demo``: the whole flow on this machine."""

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from secure_export.azure.setup.change import Action
from secure_export.cli.demo.judge import Judgement, judge, results_of
from secure_export.cli.demo.show import Show
from secure_export.cli.demo.stage import Stage, staged
from secure_export.cli.demo.tool import Act, Place, Result
from secure_export.cli.demo.tools import ToolName
from secure_export.cli.options import run_async
from secure_export.clock import utc_now
from secure_export.sandbox.azure_monitor.scenario import Scenario, one_round, play

_ROUND_LASTS = timedelta(minutes=45)
_PAUSE_SECONDS = 0.12
_SECONDS_TO_SETTLE = 60.0
_SECONDS_TO_FOLLOW = 15.0
_WIDTH_OF_FILES = 180
_WIDTH_OF_HINTS = 28


def demo(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Where the service listens; 8080 if that is free.")
    ] = None,
    *,
    tool: Annotated[
        ToolName, typer.Option(help="Which ITSM tool: the embedded desk, or a stand-in for another.")
    ] = ToolName.DESK,
    once: Annotated[bool, typer.Option("--once", help="Do one round, print a JSON summary, and end.")] = False,
) -> None:
    """Run the whole flow on embedded parts: alerts of every kind become incidents on their CIs, and close.

    Nothing leaves this machine, and nothing stays on it. Without --once it keeps running until Ctrl-C. What is printed
    at the end is checked in the store and, with another tool than the desk, in that tool itself.

    Example: [bold]secure-export demo --tool servicenow --once[/]
    """
    raise typer.Exit(run_async(_demo(port, tool, once=once)))


async def _demo(port: int | None, tool: ToolName, *, once: bool) -> int:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_FILES)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with staged(port, tool) as stage:
        _welcome(console, stage)
        scenario = stage.done.placed(one_round(stage.estate, utc_now() - _ROUND_LASTS))
        round_ = asyncio.create_task(_play(console, stage, scenario))
        await asyncio.wait({round_, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if not round_.done():
            round_.cancel()
            with suppress(asyncio.CancelledError):
                await round_
            return 130
        judgement = round_.result()
        _tell(console, stage, judgement)
        if not once:
            _invite(console, stage, judgement)
            await stop.wait()
        else:
            print(json.dumps(judgement.summary))  # noqa: T201 - the last line, for programs
        return 0 if judgement.passed else 1


async def _play(console: Console, stage: Stage, scenario: Scenario) -> Judgement:
    """Send the round, show what becomes of it, and compare that with what has to come of it."""
    records = stage.parts.store.records
    show = Show(console, records)
    with show:
        async for step, deliveries in play(stage.monitor, scenario, pause=_PAUSE_SECONDS):
            show.sent(step, deliveries)
            await show.refresh()
        await _settled(stage, show)
    sent = show.notifications()
    acted = await _people_act(console, stage, await results_of(records, scenario, sent))
    judgement = await judge(records, scenario, sent, stage.tool)
    return replace(judgement, complaints=(*judgement.complaints, *acted))


async def _people_act(console: Console, stage: Stage, results: Sequence[Result]) -> list[str]:
    """Have a person do something in the tool; gives a complaint if the work item does not say so soon."""
    act = stage.tool.people_act(results)
    if act is None:
        return []
    console.print(f"\n{act.about}: ", end="")
    end = asyncio.get_running_loop().time() + _SECONDS_TO_FOLLOW
    while not await _is_told(stage, act):
        if asyncio.get_running_loop().time() > end:
            console.print("[red]its work item does not say so[/]")
            return [f"{act.about}, and after {_SECONDS_TO_FOLLOW:.0f} s its work item does not say so"]
        await asyncio.sleep(0.05)
    console.print(f"its work item says [bold]{act.tool_state}, {act.assignment}[/].")
    return []


async def _is_told(stage: Stage, act: Act) -> bool:
    item = await stage.parts.store.records.work_item(act.item)
    return (item["tool_state"], item["assignment"]) == (act.tool_state, act.assignment)


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
    places = (
        Place("Entra ID (sandbox)", stage.entra_url, "signs the tokens; nothing it says is real"),
        Place("Azure Monitor (sandbox)", stage.azure_url, "fires alerts of every kind, by Azure's delivery rules"),
        Place("secure webhook", stage.webhook, "checks the token, records the alert, answers 202"),
        *stage.tool.places(),
        Place("console", stage.url, "open it while this runs"),
    )
    for place in places:
        console.print(f"  [bold]{place.name:<24}[/] {place.where}  [dim]{place.what}[/]", soft_wrap=True)
    done = stage.done
    console.print(
        f"\n[bold]azure apply[/] set up the empty tenant in {done.seconds:.1f} s: {done.planned[Action.CREATE]} things "
        f"made (app registration, role, action groups …), {done.planned[Action.CHANGE]} alert rules linked; "
        f"a second plan is empty.\n"
    )


def _tell(console: Console, stage: Stage, judgement: Judgement) -> None:
    summary = judgement.summary
    console.print(
        f"\n[bold]{summary['alerts']}[/] alerts became [bold]{summary['work_items']}[/] incidents in "
        f"{stage.tool.label}; "
        f"[bold]{summary['resolved']}[/] are resolved, [bold]{summary['bound']}[/] are bound to their CI, "
        f"[bold]{summary['quarantined']}[/] could not be understood and is kept in quarantine."
    )
    if judgement.passed:
        console.print(f"[green]Every alert got where it belongs[/] ({len(judgement.results)} expectations checked).")
    for complaint in judgement.complaints:
        console.print(f"[red]not as it should be:[/] {complaint}", markup=True, soft_wrap=True)


def _invite(console: Console, stage: Stage, judgement: Judgement) -> None:
    send = f"secure-export send {stage.sample} --url {stage.webhook} --token-from {stage.entra_url}"
    hints = (
        ("the console", stage.url),
        *stage.tool.hints(judgement.results),
        ("send one more alert", send),
        ("and end it", f"{send} --resolve"),
        ("the log of the service", str(stage.log)),
    )
    console.print("\nLook around:")
    for about, what in hints:
        console.print(f"  {about:<{_WIDTH_OF_HINTS}}  {what}", markup=False, soft_wrap=True)
    console.print(
        f"An alert of your own must name one of these subscriptions, as the connection takes no others (403): "
        f"{', '.join(stage.estate.subscriptions)}",
        soft_wrap=True,
    )
    console.print(f"{stage.tool.remark}\nCtrl-C ends it and removes everything.".lstrip(), soft_wrap=True)
