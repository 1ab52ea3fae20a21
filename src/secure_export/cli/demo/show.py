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

from secure_export.console.contract import Records
from secure_export.sandbox.azure_monitor.monitor import Delivery
from secure_export.sandbox.azure_monitor.rules import Delivered
from secure_export.sandbox.azure_monitor.scenario import Step

_STATE_STYLES = {"open": "yellow", "resolved": "green", "quarantined": "magenta"}
_LINES_AROUND = 12
_USUAL_NUMBER = "INC0000001"


@dataclass
class _Row:
    """What is shown of one problem."""

    kind: str
    about: str
    answers: list[str] = field(default_factory=list)
    notifications: set[str] = field(default_factory=set)
    item: dict[str, Any] | None = None


class Show:
    """Shows the round live on a terminal, and as a table at the end everywhere.

    Args:
        console: Where to print.
        records: Where to look what became of alerts.
    """

    def __init__(self, console: Console, records: Records) -> None:
        self._console = console
        self._records = records
        self._rows: dict[str, _Row] = {}
        self._seen_at: dict[str, str] = {}
        self._alerts: dict[str, str] = {}
        self._items: dict[str, str] = {}
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
        kind = "a broken body" if step.problem is None else step.message.kind
        row = self._rows.setdefault(name, _Row(kind, step.about))
        for delivery in deliveries:
            status, notification = _answer(delivery)
            row.answers.append(status)
            row.notifications |= {notification} if notification else set()

    def notifications(self) -> dict[str, set[str]]:
        """Give the ids that notifications got, by the problem they belong to."""
        return {name: row.notifications for name, row in self._rows.items()}

    async def refresh(self) -> None:
        """Look what became of the alerts so far."""
        for alert in (await self._records.alerts(limit=1000)).rows:
            if self._seen_at.get(alert["key"]) != alert["seen_at"]:
                self._seen_at[alert["key"]] = alert["seen_at"]
                for told in (await self._records.alert(alert["key"]))["notifications"]:
                    self._alerts[str(told["id"])] = alert["key"]
                    self._items[alert["key"]] = alert["work_item"]
        items = {item["id"]: item for item in (await self._records.work_items(limit=1000)).rows}
        for row in self._rows.values():
            keys = [self._alerts[one] for one in row.notifications if one in self._alerts]
            row.item = next((items[self._items[key]] for key in keys if self._items[key] in items), row.item)
        if self._live is not None:
            newest = list(self._rows.values())[-max(4, self._console.height - _LINES_AROUND) :]
            self._live.update(self._table(newest))

    def _table(self, rows: Sequence[_Row]) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
        table.add_column("alert", no_wrap=True, ratio=3)
        table.add_column("what happens", no_wrap=True, ratio=3)
        table.add_column("answers", no_wrap=True, ratio=3)
        table.add_column("incident", no_wrap=True, width=_width_of_numbers(rows))
        table.add_column("title", no_wrap=True, ratio=5)
        table.add_column("CI", no_wrap=True, ratio=2)
        table.add_column("state", no_wrap=True, width=11)
        for row in rows:
            table.add_row(*_cells(row))
        return table


def _width_of_numbers(rows: Sequence[_Row]) -> int:
    """Give room for whole numbers: tools differ in how long theirs are."""
    return max(len(_USUAL_NUMBER), *(len((row.item or {}).get("number") or "") for row in rows)) if rows else 0


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
        escape(", ".join(ci["name"] for ci in cis)) or "[dim]-[/]",
        f"[{_STATE_STYLES.get(state, 'dim')}]{state}{' …' if item.get('owed') else ''}[/]",
    ]


def _counted(answers: Sequence[str]) -> str:
    counts = {answer: answers.count(answer) for answer in dict.fromkeys(answers)}
    return ", ".join(answer if count == 1 else f"{count} x {answer}" for answer, count in counts.items())


def _answer(delivery: Delivery) -> tuple[str, str | None]:
    """What the service answered, with the notification's id; or why it could not."""
    if not isinstance(delivery.result, Delivered):
        return type(delivery.result).__name__.lower(), None
    said = json.loads(delivery.result.body)
    return said["status"], said["notification"]
