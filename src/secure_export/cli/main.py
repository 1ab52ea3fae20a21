"""The command line: ``secure-export``."""

import sys
from typing import Annotated

import typer
from typer.core import TyperGroup

from secure_export import __version__
from secure_export.cli import cmdb, desk, listing, sandbox
from secure_export.cli.check import check
from secure_export.cli.demo.command import demo
from secure_export.cli.explain import explain
from secure_export.cli.init import init
from secure_export.cli.output import complain
from secure_export.cli.send import send
from secure_export.cli.serve import serve
from secure_export.errors import SecureExportError


class _InOrder(TyperGroup):
    """Lists commands in the order in which a person meets them."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


app = typer.Typer(
    name="secure-export",
    cls=_InOrder,
    help="Turns Azure Monitor alerts into work items in an ITSM tool, and follows them until they are resolved.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer's callback
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


for command in (demo, init, serve, check, explain, send):
    app.command()(command)
app.add_typer(listing.alerts)
app.add_typer(listing.work_items)
app.add_typer(listing.lanes)
app.add_typer(listing.quarantine)
app.add_typer(desk.app)
app.add_typer(cmdb.app)
app.add_typer(sandbox.app)


def run() -> None:
    """Run the command line; what goes wrong on purpose is one line and exit 1."""
    try:
        app()
    except SecureExportError as error:
        complain(str(error))
        sys.exit(1)
    except OSError as error:
        complain(f"the system refused: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
