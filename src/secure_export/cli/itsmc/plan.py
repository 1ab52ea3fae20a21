"""``secure-export itsmc plan``: what there is of ITSMC, and what becomes of it."""

from secure_export.azure.itsmc.configuration import rendered
from secure_export.azure.itsmc.sections import to_fill_in
from secure_export.cli.itsmc.finding import Asked, Name, Subscriptions, ToolType, details, outlook
from secure_export.cli.itsmc.shown import show_configuration, show_found, show_left, show_lines
from secure_export.cli.options import DEFAULT_FILE, AsJson, Config, run_async
from secure_export.cli.output import out, print_json


def plan(
    config: Config = DEFAULT_FILE,
    *,
    subscription: Subscriptions = None,
    tool: ToolType = None,
    connection: Name = None,
    as_json: AsJson = False,
) -> None:
    """Find the ITSM actions of action groups, and say what each of their options becomes here. Changes nothing.

    Example: [bold]secure-export itsmc plan --subscription 5a7f…[/]
    """
    found = run_async(outlook(Asked(config, tuple(subscription or ()), tool, connection)))
    if as_json:
        sections = [section for section in found.sections if section.name in found.written.added]
        print_json({
            **details(found),
            "configuration": rendered(sections),
            "changed": list(found.written.changed),
            "different": [{"section": one.section, "keys": list(one.keys)} for one in found.written.conflicts],
            "to_fill_in": to_fill_in(found.written.plain, found.migration),
        })  # fmt: skip
        return
    show_found(found.migration)
    if found.migration.inventory.groups:
        show_lines(found.migration.lines)
        show_configuration(found)
        show_left(found)
        out.print("\nGo on with: [bold]secure-export itsmc apply[/]")
