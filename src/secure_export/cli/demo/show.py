"""The demo's table: one row for each problem, from the alert to the closed incident."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from secure_export.cli.demo.judge import is_about
from secure_export.console.contract import Records
from secure_export.sandbox.azure_monitor.monitor import Delivery
from secure_export.sandbox.azure_monitor.rules import Delivered
from secure_export.sandbox.azure_monitor.scenario import Expectation, Scenario, Step

_STATE_STYLES = {"open": "yellow", "resolved": "green", "quarantined": "magenta"}
_LINES_AROUND = 12


@dataclass
class _Row:
    """What is shown of one problem."""

    kind: str
    about: str
    wanted: Expectation | None
    answers: list[str] = field(default_factory=list)
    item: dict[str, Any] | None = None


class Show:
    """Shows the round live on a terminal, and as a table at the end everywhere.

    Args:
        console: Where to print.
        records: Where to look what became of alerts.
        scenario: The round.
    """

    def __init__(self, console: Console, records: Records, scenario: Scenario) -> None:
        self._console = console
        self._records = records
        self._wanted = {one.problem: one for one in scenario.expectations}
        self._rows: dict[str, _Row] = {}
        self._live = Live(console=console, refresh_per_second=8, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        self._console.print(self._table(list(self._rows.values())))

    def sent(self, step: Step, deliveries: Sequence[Delivery]) -> None:
        """Take in what was sent and how it was answered."""
        name = step.problem or "garbage"
        if name not in self._rows:
            kind = "a broken body" if step.problem is None else step.message.kind
            self._rows[name] = _Row(kind, step.about, self._wanted.get(name))
        self._rows[name].answers += [_answer(delivery) for delivery in deliveries]

    async def refresh(self) -> None:
        """Look what became of the alerts so far."""
        items = {item["id"]: item for item in (await self._records.work_items(limit=1000)).rows}
        for alert in (await self._records.alerts(limit=1000)).rows:
            for row in self._rows.values():
                if row.wanted is not None and is_about(alert, row.wanted):
                    row.item = items.get(alert["work_item"], row.item)
        if self._live is not None:
            newest = list(self._rows.values())[-max(4, self._console.height - _LINES_AROUND) :]
            self._live.update(self._table(newest))

    def _table(self, rows: Sequence[_Row]) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
        table.add_column("alert", no_wrap=True, ratio=3)
        table.add_column("what happens", no_wrap=True, ratio=3)
        table.add_column("answers", no_wrap=True, ratio=3)
        table.add_column("incident", no_wrap=True, width=11)
        table.add_column("title", no_wrap=True, ratio=5)
        table.add_column("CI", no_wrap=True, ratio=2)
        table.add_column("state", no_wrap=True, width=11)
        for row in rows:
            table.add_row(*_cells(row))
        return table


def _cells(row: _Row) -> list[str]:
    item = row.item or {}
    cis = [ci for ci in item.get("configuration_items", ()) if ci.get("id")]
    state = item.get("state") or ("quarantined" if "quarantined" in row.answers else "")
    return [
        escape(row.kind),
        f"[dim]{escape(row.about)}[/]",
        escape(_counted(row.answers)),
        escape(item.get("number") or ""),
        escape(item.get("title") or ""),
        escape(", ".join(ci["name"] for ci in cis)) or "[dim]–[/]",
        f"[{_STATE_STYLES.get(state, 'dim')}]{state}{' …' if item.get('owed') else ''}[/]",
    ]


def _counted(answers: Sequence[str]) -> str:
    counts = {answer: answers.count(answer) for answer in dict.fromkeys(answers)}
    return ", ".join(answer if count == 1 else f"{count}× {answer}" for answer, count in counts.items())


def _answer(delivery: Delivery) -> str:
    """What the service answered, or why it could not."""
    if not isinstance(delivery.result, Delivered):
        return type(delivery.result).__name__.lower()
    return str(json.loads(delivery.result.body)["status"])
