"""The command line: ``secure-export``."""

import sys
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from secure_export import __version__
from secure_export.errors import SecureExportError

# In the order in which a person meets them. Each is imported when it is used: to start quickly is worth that.
COMMANDS: Final = {
    "demo": "secure_export.cli.demo.command:demo",
    "init": "secure_export.cli.init:init",
    "serve": "secure_export.cli.serve:serve",
    "check": "secure_export.cli.check:check",
    "explain": "secure_export.cli.explain:explain",
    "send": "secure_export.cli.send:send",
    "alerts": "secure_export.cli.listing:alerts",
    "work-items": "secure_export.cli.listing:work_items",
    "lanes": "secure_export.cli.listing:lanes",
    "quarantine": "secure_export.cli.listing:quarantine",
    "desk": "secure_export.cli.desk:app",
    "cmdb": "secure_export.cli.cmdb:app",
    "azure": "secure_export.cli.azure:app",
    "itsmc": "secure_export.cli.itsmc:app",
    "store": "secure_export.cli.store:app",
    "sandbox": "secure_export.cli.sandbox:app",
}


class _Commands(TyperGroup):
    """Knows the commands by name and imports each when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - as above
        place = COMMANDS.get(cmd_name)
        return None if place is None else _command(cmd_name, place)


def _command(name: str, place: str) -> Any:
    module, _, member = place.partition(":")
    found = getattr(import_module(module), member)
    if isinstance(found, typer.Typer):
        command = typer.main.get_command(found)
    else:
        alone = typer.Typer(rich_markup_mode="rich", add_completion=False)
        alone.command(name)(found)
        command = typer.main.get_command(alone)
    command.name = name
    return command


app = typer.Typer(
    name="secure-export",
    cls=_Commands,
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


def run() -> None:
    """Run the command line; what goes wrong on purpose is one line and exit 1."""
    try:
        app(prog_name="secure-export")
    except SecureExportError as error:
        _complain(str(error))
        sys.exit(1)
    except OSError as error:
        _complain(f"the system refused: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _complain(message: str) -> None:
    from secure_export.cli.output import complain  # noqa: PLC0415 - needed in the worst case only

    complain(message)
