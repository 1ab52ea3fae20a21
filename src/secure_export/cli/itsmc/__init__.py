"""``secure-export itsmc``: the way out of Microsoft's IT Service Management Connector."""

import typer

from secure_export.cli.itsmc.apply import apply
from secure_export.cli.itsmc.plan import plan
from secure_export.cli.itsmc.undo import undo

app = typer.Typer(
    help="Comes from Microsoft's ITSM Connector: finds its actions, carries them over, and takes them out.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command()(plan)
app.command()(apply)
app.command()(undo)
