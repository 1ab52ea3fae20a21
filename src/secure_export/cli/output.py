"""What commands print: tables for people, JSON for programs, errors on standard error."""

import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from secure_export.telemetry.shown import shown


class Terminal(Console):
    """A console that shows what alerts and tools say, and obeys none of it."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Make text ready to be printed; whatever is printed as a string comes by here, cells of tables too."""
        return super().render_str(shown(text, keep="\n\t"), **options)


# What is not read on a terminal is not wrapped: programs cut it as they need it.
_WIDTH_OF_FILES = 400

out = Terminal(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_FILES)
err = Terminal(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDTH_OF_FILES)


def complain(message: str) -> None:
    """Print what went wrong, as plain lines."""
    for line in message.splitlines():
        err.print(f"[bold red]error:[/] {escape(line)}", soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value as one JSON document; for a terminal in ASCII, whose control characters JSON escapes."""
    _write(json.dumps(value, ensure_ascii=sys.stdout.isatty(), indent=2, default=str) + "\n")


def _write(text: str) -> None:
    """Write all of a text to standard output.

    With ``PYTHONUNBUFFERED``, as containers set it, Python drops what a pipe does not take at once.
    """
    raw = getattr(sys.stdout, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        sys.stdout.write(text)
        return
    left = memoryview(text.encode())
    while left:
        left = left[raw.write(left) or 0 :]


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Print a table, or what it means that there is nothing."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    count = 0
    for row in rows:
        count += 1
        table.add_row(*(escape(text_of(cell)) for cell in row))
    if count:
        out.print(table)
    else:
        out.print(f"[dim]{escape(empty)}[/]")


def print_details(value: Mapping[str, Any]) -> None:
    """Print an object: a line for each simple member, a block for each list or text of several lines."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, one in value.items():
        grid.add_row(name.replace("_", " "), escape(_block(one)))
    out.print(grid)


def text_of(value: Any) -> str:
    """Write a cell: nothing as a dash, times without their fraction, lists with commas."""
    match value:
        case None | "" | [] | ():
            return "-"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(text_of(one) for one in value)
        case Mapping():
            return _name_of(value)
        case str():
            return _shortened_time(value)
        case _:
            return str(value)


def _name_of(value: Mapping[str, Any]) -> str:
    """What an object is called: of a resource id the last part; in brackets what was not found."""
    name = str(value.get("name") or value.get("id") or json.dumps(value, default=str)).rpartition("/")[2]
    return f"({name})" if "rule" in value and value.get("id") is None else name


def _shortened_time(text: str) -> str:
    if len(text) < len("2026-01-01T00:00:00Z") or text[10:11] != "T" or not text[:4].isdigit():
        return text
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _block(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "\n".join(_line(one) for one in value) or "-"
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {text_of(one)}" for name, one in value.items()) or "-"
    return text_of(value)


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        return "· " + "  ".join(
            f"{name}={text_of(one)}" for name, one in value.items() if one not in (None, "", [], {})
        )
    return f"· {text_of(value)}"
