"""How a way out of ITSMC is shown: what there is, what becomes of it and why, and what is left to a person."""

from collections.abc import Iterable
from itertools import groupby

from rich.markup import escape
from rich.padding import Padding

from secure_export.azure.itsmc.configuration import rendered
from secure_export.azure.itsmc.line import Fate, Line
from secure_export.azure.itsmc.migration import Migration
from secure_export.azure.itsmc.sections import secrets_of, to_fill_in
from secure_export.cli.itsmc.finding import Outlook
from secure_export.cli.output import err, out, print_table

_SIGNS = {
    Fate.CARRIED: ("=", "green"),
    Fate.OTHERWISE: ("~", "yellow"),
    Fate.BY_HAND: ("!", "bold yellow"),
    Fate.NOTHING: ("-", "red"),
}


def show_found(migration: Migration) -> None:
    """Print what was found, or that there is nothing."""
    inventory = migration.inventory
    for remark in inventory.remarks:
        err.print(f"[yellow]note:[/] {escape(remark)}", soft_wrap=True)
    count = len(inventory.subscriptions)
    looked = f"{count} subscription{'' if count == 1 else 's'}"
    if not inventory.groups:
        out.print(f"No action group has an ITSM action in {looked}: there is nothing to carry over.")
        return
    out.print(f"Looked through {looked}. Action groups with ITSM actions:\n")
    rows = (
        (one.name, ", ".join(r.name for r in one.receivers), ", ".join(r.name for r in one.rules) or "none",
         "yes" if one.webhooks else "no")
        for one in inventory.groups
    )  # fmt: skip
    print_table(("action group", "ITSM actions", "alert rules", "secure webhook"), rows, empty="none")


def show_lines(lines: Iterable[Line]) -> None:
    """Print what becomes of each thing, and why."""
    for about, some in groupby(lines, key=lambda line: line.about):
        out.print(f"\n[bold]{escape(about)}[/]")
        for line in some:
            sign, style = _SIGNS[line.fate]
            out.print(f"  [{style}]{sign}[/] {escape(line.option)}: {escape(line.was)} → {escape(line.becomes)}")
            out.print(Padding(f"[dim]{escape(line.reason)}[/]", (0, 0, 0, 6)))
    signs = "   ".join(f"[{style}]{sign}[/] {fate.value}" for fate, (sign, style) in _SIGNS.items())
    out.print(f"\n{signs}")


def show_configuration(found: Outlook) -> None:
    """Print the sections that are not in the configuration yet, as they would be written."""
    new = [section for section in found.sections if section.name in found.written.added]
    if new:
        out.print("\n[bold]into the configuration[/]")
        out.print(rendered(new), markup=False, soft_wrap=True)
    for name in found.written.changed:
        out.print(f"\n[bold]changed in the configuration:[/] {escape(f'[{name}]')}")
    for one in found.written.conflicts:
        what = ", ".join(one.keys)
        out.print(
            f"\n[yellow]different in the configuration:[/] {escape(f'[{one.section}]')}: {escape(what)}. "
            "'itsmc apply' leaves it with --keep, and overwrites it with --force."
        )


def show_left(found: Outlook) -> list[str]:
    """Print what a person has to write into the configuration, and give it."""
    left = to_fill_in(found.written.plain, found.migration)
    if left:
        out.print("\n[bold]to fill in[/]")
        for one in left:
            out.print(f"  {escape(one)}", soft_wrap=True)
    for setting, variable in secrets_of(found.written.plain, found.migration).items():
        out.print(f"\nThe service reads [bold]{escape(setting)}[/] from the environment variable [bold]{variable}[/].")
        out.print("To read it from a file instead, write { file = … }.", markup=False)
    return left
