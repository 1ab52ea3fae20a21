"""Tables: made once, shown on a terminal and in the documentation alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Grid:
    """A table with its words.

    Attributes:
        title: What it is about.
        columns: The heads; text columns have a head that begins with ``<``, all others are numbers.
        rows: The cells; a row without any draws a line.
        notes: Sentences below it.
        complaints: What is not as it must be.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    complaints: Sequence[str] = ()

    def show(self, console: Console) -> None:
        """Print it."""
        table = Table(title=self.title, title_justify="left")
        for column in self.columns:
            is_text = column.startswith("<")
            table.add_column(column.lstrip("<"), justify="left" if is_text else "right", no_wrap=is_text)
        for row in self.rows:
            if row:
                table.add_row(*row)
            else:
                table.add_section()
        console.print(table)
        for note in self.notes:
            console.print(note, markup=False)
        for complaint in self.complaints:
            console.print(f"NOT AS IT MUST BE: {complaint}", style="bold red", markup=False)

    def markdown(self) -> str:
        """Write it as Markdown."""
        lines = [f"**{self.title}**", ""]
        lines.append(_line(column.lstrip("<") for column in self.columns))
        lines.append(_line("---" if column.startswith("<") else "---:" for column in self.columns))
        lines += [_line(row) for row in self.rows if row]
        lines += [part for note in self.notes for part in ("", note)]
        lines += [part for complaint in self.complaints for part in ("", f"**Not as it must be:** {complaint}.")]
        return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
