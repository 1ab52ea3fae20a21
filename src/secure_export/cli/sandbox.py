"""``secure-export sandbox``: runs one stand-in by itself."""

from typing import Annotated

import typer

from secure_export.cli.options import run_async
from secure_export.cli.output import out
from secure_export.sandbox.azure_monitor.run import run_azure_monitor
from secure_export.sandbox.entra.directory import RESOURCE_APP_ID
from secure_export.sandbox.entra.run import run_entra

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


def _announce(line: str) -> None:
    out.print(line, markup=False)
