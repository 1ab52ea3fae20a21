"""``secure-export azure``: the Azure side as code."""

import typer

from secure_export.cli.azure.apply import apply
from secure_export.cli.azure.destroy import destroy
from secure_export.cli.azure.export import export
from secure_export.cli.azure.missed import missed
from secure_export.cli.azure.permissions import permissions
from secure_export.cli.azure.plan import plan
from secure_export.cli.azure.verify import verify

app = typer.Typer(
    help="Sets up Azure (app registration, role, action groups, alert rules), proves it, and takes it back.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command()(plan)
app.command()(apply)
app.command()(verify)
app.command()(missed)
app.command()(destroy)
app.command()(export)
app.command()(permissions)
