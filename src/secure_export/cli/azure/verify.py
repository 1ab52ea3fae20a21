"""``secure-export azure verify``: checks each link, has Azure send a test, and follows it to a work item."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.padding import Padding

from secure_export.app import Parts, opened
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.wanted import WantedGroup
from secure_export.azure.verify.chain import configured, reached, set_up
from secure_export.azure.verify.finding import Finding
from secure_export.azure.verify.trial import DEFAULT_ALERT_TYPE, send_test
from secure_export.cli.azure.setting_up import (
    NotAllowed,
    Tenant,
    context_of,
    missing_to_look,
    settings_of,
    wanted_in,
)
from secure_export.cli.azure.shown import titled
from secure_export.cli.options import DEFAULT_FILE, AsJson, Config, run_async
from secure_export.cli.output import err, out, print_json
from secure_export.itsm.registry import connector_types
from secure_export.settings import Settings
from secure_export.store.open import store_exists

_LOOK_SECONDS = 0.5
_SIGNS = {True: "[green]ok   [/]", False: "[bold red]WRONG[/]", None: "[yellow]?    [/]"}

SendTest = Annotated[bool, typer.Option("--test/--no-test", help="Have Azure send a test notification.")]
AlertType = Annotated[str, typer.Option("--alert-type", help="Which of Azure's samples is sent.", metavar="TYPE")]
Patience = Annotated[float, typer.Option("--wait", min=1, help="Seconds to wait for the work item.", metavar="S")]


def verify(  # noqa: PLR0913 - the command's options
    config: Config = DEFAULT_FILE,
    *,
    tenant: Tenant = None,
    test: SendTest = True,
    alert_type: AlertType = DEFAULT_ALERT_TYPE,
    wait: Patience = 120.0,
    as_json: AsJson = False,
) -> None:
    """Prove the whole chain: each thing in Azure, the way to the service, a test alert, and its work item.

    Example: [bold]secure-export azure verify --no-test[/]
    """
    findings = run_async(_verify(config, tenant, test=test, alert_type=alert_type, wait=wait, quiet=as_json))
    if as_json:
        print_json([{"link": one.link, "holds": one.holds, "detail": one.detail} for one in findings])
    wrong = sum(one.holds is not True for one in findings)
    if not as_json:
        out.print(f"\n{wrong} of {len(findings)} links need attention." if wrong else "\nEvery link holds.")
    raise typer.Exit(1 if wrong else 0)


async def _verify(  # noqa: PLR0913 - as above
    config: Path, tenant: str | None, *, test: bool, alert_type: str, wait: float, quiet: bool
) -> list[Finding]:
    settings = settings_of(config)
    findings: list[Finding] = []
    for wanted in wanted_in(settings, tenant):
        async with context_of(settings, wanted) as (context, _):
            if missing := await missing_to_look(context, None):
                raise NotAllowed(wanted.tenant_id, missing)
            if not quiet:
                out.print(f"\n[bold]tenant {wanted.tenant_id}[/]")
            with _waiting(quiet=quiet):
                async for finding in _of_tenant(settings, context, test=test, alert_type=alert_type, wait=wait):
                    findings.append(finding)
                    if not quiet:
                        _show(finding)
    return findings


def _waiting(*, quiet: bool) -> AbstractContextManager[object]:
    """Show that something is going on: a test takes Azure from seconds to two minutes."""
    return nullcontext() if quiet or not err.is_terminal else err.status("checking; a test alert takes Azure a while …")


def _show(finding: Finding) -> None:
    kind, _, name = finding.link.partition(" /subscriptions/")
    title = titled(kind, f"/subscriptions/{name}") if name else escape(finding.link)
    out.print(f"  {_SIGNS[finding.holds]} {title}", soft_wrap=True)
    if finding.detail:
        out.print(Padding(f"[{'dim' if finding.holds else 'default'}]{escape(finding.detail)}[/]", (0, 0, 0, 8)))


async def _of_tenant(
    settings: Settings, context: Context, *, test: bool, alert_type: str, wait: float
) -> AsyncIterator[Finding]:
    for finding in await set_up(context, tests=test):
        yield finding
    identity = settings.identity
    tenant = next(one for one in identity.all_tenants if one.tenant_id == context.wanted.tenant_id)
    for finding in configured(
        context,
        audience=tenant.audience or identity.audience,
        callers=tenant.callers or identity.callers,
        subscriptions={name: list(one.subscriptions) for name, one in settings.connections.items()},
    ):
        yield finding
    for group in context.wanted.groups:
        yield await reached(group)
        if test:
            async for finding in _tried(settings, context, group, alert_type=alert_type, wait=wait):
                yield finding


async def _tried(
    settings: Settings, context: Context, group: WantedGroup, *, alert_type: str, wait: float
) -> AsyncIterator[Finding]:
    """Send a test and follow it, where the service's store can be read from here."""
    if not store_exists(settings.store.url):
        yield (await send_test(context, group, alert_type=alert_type)).finding
        detail = f"there is no {settings.store.url} here: run this where the service's configuration is"
        yield Finding(f"work item of {group.name}", None, detail)
        return
    async with opened(settings, connector_types()) as parts:
        before = await _newest_test(parts, group.connection)
        sent = await send_test(context, group, alert_type=alert_type)
        yield sent.finding
        if sent.finding.holds:
            yield await _followed(parts, group, after=before[0], wait=wait)


async def _followed(parts: Parts, group: WantedGroup, *, after: int, wait: float) -> Finding:
    """Wait until the test alert that Azure delivered is a work item that the tool has confirmed."""
    link, until = f"work item of {group.name}", monotonic() + wait
    notification = after
    alert: dict[str, Any] = {}
    while monotonic() < until:
        notification, alert = await _newest_test(parts, group.connection)
        if notification > after and alert.get("work_item"):
            item = await parts.store.records.work_item(alert["work_item"])
            if item["number"]:
                return Finding(link, holds=True, detail=f"{item['number']} {item.get('url') or ''}".strip())
        await asyncio.sleep(_LOOK_SECONDS)
    if notification <= after:
        detail = "the test alert did not arrive in the store that this configuration names; look at the service's log"
    elif not alert.get("work_item"):
        detail = f"no work item was wanted: {'; '.join(alert.get('reasons', ()))}"
    else:
        detail = f"it is still owed after {wait:.0f} s; 'secure-export lanes list' says why"
    return Finding(link, holds=False, detail=detail)


async def _newest_test(parts: Parts, connection: str) -> tuple[int, dict[str, Any]]:
    """Give the newest test alert of a connection, with the number of its newest notification; 0 when there is none."""
    page = await parts.store.records.alerts(connection=connection)
    newest: tuple[int, dict[str, Any]] = (0, {})
    for row in page.rows:
        if row["is_test"]:
            alert = await parts.store.records.alert(row["id"], connection=connection)
            number = max((int(one["id"]) for one in alert["notifications"]), default=0)
            newest = max(newest, (number, alert), key=lambda one: one[0])
    return newest
