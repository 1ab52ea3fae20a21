"""What the ``azure`` commands share: the tenants that the configuration names, signed in to, one after the other."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from secure_export.azure.errors import AzureRefused, NotSignedIn
from secure_export.azure.session import Session, signed_in
from secure_export.azure.setup.change import Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import (
    READ_ACTION_GROUP,
    READ_APPLICATION,
    Missing,
    Permission,
    claims_of,
    missing_at,
    missing_in_directory,
)
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.step import Step
from secure_export.azure.setup.steps.action_group import ActionGroup
from secure_export.azure.setup.walk import BOTH
from secure_export.azure.setup.wanted import WantedTenant, wanted_tenants
from secure_export.cli.output import err
from secure_export.errors import SecureExportError, SettingsError
from secure_export.itsm.registry import connector_types
from secure_export.settings import Settings
from secure_export.settings_file import read_settings

Only = Annotated[
    Side | None,
    typer.Option("--only", help="Only the Entra administrator's part (entra), or only the Azure owner's (azure)."),
]
Tenant = Annotated[str | None, typer.Option("--tenant", help="Only this tenant.", metavar="ID")]

_TOO_MANY = 429
_PERMISSIONS_VERSION = "2022-04-01"


def sides(only: Side | None) -> frozenset[Side]:
    """Give the sides that an option names; both without it."""
    return BOTH if only is None else frozenset({only})


def settings_of(config: Path) -> Settings:
    """Read the configuration; the file that records what was made lies beside it."""
    settings = read_settings(config, connector_types())
    record = config.resolve().parent / settings.azure.record
    return settings.model_copy(update={"azure": settings.azure.model_copy(update={"record": record})})


def wanted_in(settings: Settings, tenant: str | None = None) -> tuple[WantedTenant, ...]:
    """Say what should be there, in every tenant or in one.

    Raises:
        SettingsError: The configuration does not say enough.
    """
    tenants = settings.identity.all_tenants
    wanted = wanted_tenants(
        settings.azure,
        tenants=[one.tenant_id for one in tenants],
        roles={one.tenant_id: one.role or settings.identity.role for one in tenants},
        connections=list(settings.connections),
        public_url=settings.server.public_url,
    )
    chosen = tuple(one for one in wanted if tenant in {None, one.tenant_id})
    if not chosen:
        raise SettingsError(f"--tenant: {tenant} is no tenant of [identity]")
    return chosen


def recorded_in(settings: Settings, record: Record, tenant: str | None) -> tuple[WantedTenant, ...]:
    """Give the tenants that something was made in, whatever the configuration wants by now."""
    known = [one.tenant_id for one in settings.identity.all_tenants]
    tenants = dict.fromkeys([*record.tenants, *known])
    return tuple(
        WantedTenant(one, settings.azure.application_in(one), "", "", ()) for one in tenants if tenant in {None, one}
    )


@asynccontextmanager
async def context_of(settings: Settings, wanted: WantedTenant) -> AsyncIterator[tuple[Context, Session]]:
    """Sign in to a tenant."""
    tenants = {one.tenant_id: one.authority for one in settings.identity.all_tenants}
    authority = tenants.get(wanted.tenant_id) or settings.identity.authority
    async with signed_in(
        settings.azure, wanted.tenant_id, authority=authority, prompt=_ask_for_code, waits=_tell_of_call
    ) as session:
        claims = claims_of((await session.credential.get_token(session.graph_scope)).token)
        must_be_in(wanted.tenant_id, claims)
        yield Context(session.graph, session.manager, wanted, claims=claims, waits=_tell_of_wait), session


def must_be_in(tenant_id: str, claims: Mapping[str, Any]) -> None:
    """Refuse to work in another tenant than the one that is meant: some credentials know but one.

    Raises:
        NotSignedIn: The token is another tenant's.
    """
    tenant = str(claims.get("tid", tenant_id)).lower()
    if tenant != tenant_id:
        raise NotSignedIn(
            f"who signed in is in tenant {tenant}, not in {tenant_id}; nothing was done. Run 'az login --tenant "
            f"{tenant_id}', or name a credential of that tenant under azure.credential"
        )


async def missing_permissions(context: Context, steps: Iterable[Step]) -> list[Missing]:
    """Say which permissions the steps need and who signed in does not have; what cannot be told counts as there."""
    needed: dict[str, list[Permission]] = {}
    for step in steps:
        needed.setdefault(step.scope, []).extend(step.needs)
    missing = list(missing_in_directory(context.claims, [one for some in needed.values() for one in some]))
    for scope, permissions in needed.items():
        missing += await _missing_at(context, scope, permissions) if scope else ()
    return missing


async def missing_to_look(context: Context, only: Side | None) -> list[Missing]:
    """Say which permissions are missing for as much as a plan."""
    missing = list(missing_in_directory(context.claims, [READ_APPLICATION]))
    groups = () if only is Side.ENTRA else context.wanted.groups
    for scope in dict.fromkeys(ActionGroup(group).scope for group in groups):
        missing += await _missing_at(context, scope, [READ_ACTION_GROUP])
    return missing


async def _missing_at(context: Context, scope: str, needed: Iterable[Permission]) -> tuple[Missing, ...]:
    path, query = f"{scope}/providers/Microsoft.Authorization/permissions", {"api-version": _PERMISSIONS_VERSION}
    try:
        granted = [one async for one in context.manager.items(path, query=query)]
    except AzureRefused as error:
        return missing_at(scope, [], needed) if error.is_denied else ()
    return missing_at(scope, granted, needed)


class NotAllowed(SecureExportError):  # noqa: N818 - reads as what it says
    """Who signed in may not do what the command has to do."""

    def __init__(self, tenant_id: str, missing: Iterable[Missing]) -> None:
        lines = [f"- {one.text}: {one.permission.why}" for one in missing]
        first = f"in tenant {tenant_id} you lack permissions; nothing was changed:"
        last = (
            "ask for them, or split the work between two people ('--only entra' and '--only azure'), or write it out "
            "for others with 'azure export'; 'azure permissions' lists what each command needs"
        )
        super().__init__("\n".join([first, *lines, last]))


def _ask_for_code(address: str, code: str) -> None:
    err.print(f"Open [bold]{address}[/] and type in the code [bold]{code}[/].")


def _tell_of_call(host: str, status: int, seconds: str | None) -> None:
    why = f"answers {status}" if status != _TOO_MANY else "asks to wait: too many calls"
    err.print(f"  [dim]{escape(host)} {why}; again in {seconds or 'some'} s[/]")


def _tell_of_wait(what: str, why: str, seconds: float) -> None:
    err.print(f"  [dim]{escape(what)}: not everywhere yet ({escape(why)}); again in {seconds:.0f} s[/]")
