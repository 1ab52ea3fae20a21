"""``secure-export check``: tries everything that the configuration names."""

from pathlib import Path

import typer

from secure_export.app import opened
from secure_export.cli.options import DEFAULT_FILE, AsJson, Config, run_async
from secure_export.cli.output import err, out, print_json, print_table
from secure_export.clock import utc_now
from secure_export.errors import SecureExportError
from secure_export.identity.gate import Gate
from secure_export.identity.settings import is_guid
from secure_export.itsm.contract import CheckResult
from secure_export.itsm.registry import connector_types
from secure_export.settings import Settings
from secure_export.settings_file import read_settings


def check(config: Config = DEFAULT_FILE, *, as_json: AsJson = False) -> None:
    """Try everything that the configuration names: store, signing keys, each ITSM tool and its permissions.

    Example: [bold]secure-export check --config secure-export.toml[/]
    """
    results = run_async(_results(config))
    failed = sum(not result.passed for _, result in results)
    if as_json:
        print_json([{"part": p, "subject": r.subject, "passed": r.passed, "detail": r.detail} for p, r in results])
    else:
        rows = [("ok" if r.passed else "WRONG", part, r.subject, r.detail) for part, r in results]
        print_table(("", "part", "tried", "found"), rows, empty="Nothing to check.")
        (err if failed else out).print(f"\n{failed} of {len(results)} need attention." if failed else "\nAll is well.")
    raise typer.Exit(1 if failed else 0)


async def _results(config: Path) -> list[tuple[str, CheckResult]]:
    settings = read_settings(config, connector_types())
    results = [("configuration", CheckResult("read", passed=True, detail=str(config)))]
    results += [(f"connection {name}", result) for name, result in _left_to_fill_in(settings)]
    results.append(("identity", await _keys(settings)))
    return results + await _store_and_tools(settings)


def _left_to_fill_in(settings: Settings) -> list[tuple[str, CheckResult]]:
    """The connections whose subscriptions are still what `init` wrote."""
    detail = "it lists the subscription that `init` wrote as an example; list yours"
    return [
        (name, CheckResult("subscriptions", passed=False, detail=detail))
        for name, connection in settings.connections.items()
        if any(one.startswith("00000000-0000-0000-0000-") for one in connection.subscriptions)
    ] + [
        (name, CheckResult("subscriptions", passed=False, detail=f"{one!r} is no subscription id: a GUID, or *"))
        for name, connection in settings.connections.items()
        for one in connection.subscriptions
        if one != "*" and not is_guid(one.lower()) and not one.startswith("00000000-")
    ]


async def _keys(settings: Settings) -> CheckResult:
    """Fetch the signing keys of every tenant."""
    gate = Gate(settings.identity, clock=utc_now)
    await gate.start()
    try:
        wrong = "; ".join(gate.troubles())
    finally:
        await gate.stop()
    return CheckResult("signing keys", passed=not wrong, detail=wrong or f"fetched from {settings.identity.authority}")


async def _store_and_tools(settings: Settings) -> list[tuple[str, CheckResult]]:
    results: list[tuple[str, CheckResult]] = []
    try:
        async with opened(settings, connector_types()) as found:
            wrong = await found.store.ready()
            results.append(
                ("store", CheckResult("read and write", passed=wrong is None, detail=wrong or settings.store.url))
            )
            for name, target in found.targets.items():
                results += [(f"connection {name}", result) for result in await target.connector.check()]
    except SecureExportError as error:
        results.append(("service", CheckResult("start", passed=False, detail=str(error))))
    return results
