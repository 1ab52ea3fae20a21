"""``secure-export sandbox``: runs one stand-in by itself."""

from pathlib import Path
from typing import Annotated

import typer

from secure_export.cli.options import run_async
from secure_export.cli.output import out
from secure_export.errors import SettingsError
from secure_export.sandbox.azure_monitor.run import run_azure_monitor
from secure_export.sandbox.bmc_helix.demo_data import PERSON_ROLES
from secure_export.sandbox.bmc_helix.people import PASSWORD
from secure_export.sandbox.bmc_helix.people import Account as HelixAccount
from secure_export.sandbox.bmc_helix.run import run_bmc_helix
from secure_export.sandbox.entra.directory import RESOURCE_APP_ID
from secure_export.sandbox.entra.run import run_entra
from secure_export.sandbox.servicenow.accounts import Account, parse_account
from secure_export.sandbox.servicenow.run import run_servicenow
from secure_export.sandbox.servicenow.state_file import BadStateFileError

app = typer.Typer(
    name="sandbox",
    help="Stand-ins for the systems outside. Nothing they say is real.",
    no_args_is_help=True,
    add_completion=False,
)

Port = Annotated[int, typer.Option(min=0, max=65535, help="Where to listen on 127.0.0.1; 0: any free port.")]


@app.command()
def entra(
    port: Port = 0,
    tenant: Annotated[
        list[str] | None, typer.Option(help="A tenant that exists; several times for more. Without it any GUID does.")
    ] = None,
    client_id: Annotated[str, typer.Option(help="The client id of the webhook's app registration.")] = RESOURCE_APP_ID,
    token_version: Annotated[int, typer.Option(min=1, max=2, help="Which tokens that registration asks for.")] = 2,
) -> None:
    """Run a stand-in for Entra ID: metadata, signing keys, tokens, and a control API for faults.

    Example: [bold]secure-export sandbox entra --port 9000[/]
    """
    run_async(
        run_entra(port=port, tenants=tenant, resource_app_id=client_id, token_version=token_version, announce=_announce)
    )


@app.command("azure-monitor")
def azure_monitor(
    port: Port = 0,
    webhook: Annotated[str | None, typer.Option(help="The secure webhook that its action group calls.")] = None,
    entra_url: Annotated[
        str | None, typer.Option("--entra", help="The base URL of a sandbox Entra ID that gives the tokens.")
    ] = None,
    time_scale: Annotated[
        float, typer.Option(min=0, help="What Azure's waits are multiplied by: 0.01 is a hundred times as fast.")
    ] = 1.0,
) -> None:
    """Run a stand-in for Azure Monitor: fires alerts of every kind through an action group's secure webhook.

    Example: [bold]secure-export sandbox azure-monitor --port 9001 --webhook http://127.0.0.1:8080/v1/connections/desk/alerts
    --entra http://127.0.0.1:9000[/]
    """
    run_async(run_azure_monitor(port=port, webhook=webhook, entra=entra_url, time_scale=time_scale, announce=_announce))


@app.command()
def servicenow(
    port: Port = 0,
    tls_folder: Annotated[
        Path | None,
        typer.Option(
            metavar="D",
            help="Listen with TLS, by a certificate authority kept in this folder; clients must trust its ca.pem.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep records in this file. Without it they end with the program."),
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:PASSWORD:ROLES", help="One more user, roles with commas; several times for more."),
    ] = None,
) -> None:
    """Run a stand-in for ServiceNow: incidents, events, CMDB, ways to sign in, a page, and a control API for faults.

    Example: [bold]secure-export sandbox servicenow --port 9002 --state snow.json --user jane:pw:itil[/]
    """
    accounts = _accounts(user or [])
    try:
        run_async(run_servicenow(port=port, tls_folder=tls_folder, state=state, users=accounts, announce=_announce))
    except BadStateFileError as problem:
        raise SettingsError(str(problem)) from None


@app.command("bmc-helix")
def bmc_helix(
    port: Port = 0,
    tls_folder: Annotated[
        Path | None,
        typer.Option(
            metavar="D",
            help="Listen with TLS, by a certificate authority kept in this folder; clients must trust its ca.pem.",
        ),
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:PASSWORD:ROLES", help="One more user, roles with commas; several times for more."),
    ] = None,
) -> None:
    """Run a stand-in for BMC Helix ITSM: incident forms, work info, CMDB, AR-JWT, a page, and a control API for faults.

    Example: [bold]secure-export sandbox bmc-helix --port 9003 --user jane:pw:"Incident User"[/]
    """
    accounts = [_helix_account(one) for one in user or []]
    run_async(run_bmc_helix(port=port, tls_folder=tls_folder, users=accounts, announce=_announce))


def _helix_account(user: str) -> HelixAccount:
    login, _, rest = user.partition(":")
    password, _, roles = rest.partition(":")
    if not login:
        raise typer.BadParameter(f"{user!r} is not NAME:PASSWORD:ROLES", param_hint="--user")
    named = frozenset(role.strip() for role in roles.split(",") if role.strip())
    return HelixAccount(login, password or PASSWORD, named or PERSON_ROLES)


def _accounts(users: list[str]) -> list[Account]:
    try:
        return [parse_account(user) for user in users]
    except ValueError as problem:
        raise typer.BadParameter(str(problem), param_hint="--user") from None


def _announce(line: str) -> None:
    out.print(line, markup=False, soft_wrap=True)
