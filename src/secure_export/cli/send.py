"""``secure-export send``: posts an alert as an action group would."""

import asyncio
import json
import sys
import uuid
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer
from rich.progress import Progress

from secure_export.cli.options import AsJson, run_async
from secure_export.cli.output import err, out, print_json
from secure_export.cli.token_from import token_source
from secure_export.errors import SettingsError
from secure_export.sandbox.azure_monitor.credentials import TokenSource
from secure_export.sandbox.azure_monitor.delivery import WebhookSender
from secure_export.sandbox.azure_monitor.rules import Banned, Delivered, Dropped, GaveUp, Result

_WORDS: Final[dict[type, str]] = {
    Delivered: "delivered",
    Dropped: "dropped",
    GaveUp: "gave up",
    Banned: "banned",
}


def send(  # noqa: PLR0913, PLR0917 - the command's options
    payload: Annotated[Path, typer.Argument(help="A file with a notification's body; `-` reads standard input.")],
    url: Annotated[str, typer.Option(help="The webhook: https://host/v1/connections/NAME/alerts", metavar="U")],
    token_from: Annotated[
        str | None,
        typer.Option(
            help="Where the token comes from: file:PATH, env:NAME, a token end point's URL (client secret in "
            "SECURE_EXPORT_CLIENT_SECRET), or the base URL of `sandbox entra`. Without it none is sent.",
            metavar="…",
        ),
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="As whom to ask the token end point.")] = None,
    tenant: Annotated[str | None, typer.Option(help="The tenant, with the base URL of a sandbox.")] = None,
    resource: Annotated[str | None, typer.Option(help="What the token is for: api://… or the client id.")] = None,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many alerts, each with an id of its own.")] = 1,
    time_scale: Annotated[
        float, typer.Option(min=0, help="What Azure's waits of 5, 20, 5, 40 and 5 s are multiplied by.")
    ] = 1.0,
    *,
    resolve: Annotated[bool, typer.Option("--resolve", help="Send that it is resolved, instead of fired.")] = False,
    as_json: AsJson = False,
) -> None:
    """Post an alert as an action group would, token and Azure's retry rules included.

    The ids that --count makes are the same each time: a second call with --resolve ends what the first one fired.

    Example: [bold]secure-export send alert.json --url http://127.0.0.1:8080/v1/connections/desk/alerts
    --token-from http://127.0.0.1:9000 --count 100[/]
    """
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise typer.BadParameter("--url must begin with https:// (or http://) and name a host")
    raw = sys.stdin.buffer.read() if str(payload) == "-" else payload.read_bytes()
    bodies = _bodies(raw, count, resolve=resolve)
    token = token_source(token_from, client_id=client_id, resource=resource, tenant=tenant)
    results = run_async(_sent(bodies, url, token, time_scale))
    delivered = sum(isinstance(result, Delivered) for result in results)
    if as_json:
        print_json([_shown(result) for result in results])
    else:
        _summarise(results)
    raise typer.Exit(0 if delivered == len(results) else 1)


def _bodies(raw: bytes, count: int, *, resolve: bool) -> list[bytes]:
    """The bodies to send: the file as it is, or changed as asked for."""
    if count == 1 and not resolve:
        return [raw]
    try:
        whole = json.loads(raw)
        essentials = whole["data"]["essentials"]
        original = str(essentials["alertId"])
    except (ValueError, KeyError, TypeError):
        raise SettingsError("--count and --resolve need a body in the common alert schema, with an alertId") from None
    return [_body(whole, essentials, _id(original, number, count), resolve=resolve) for number in range(count)]


def _id(original: str, number: int, count: int) -> str:
    if count == 1:
        return original
    return f"{original.rpartition('/')[0]}/{uuid.uuid5(uuid.NAMESPACE_URL, f'{original}#{number}')}"


def _body(whole: dict[str, Any], essentials: dict[str, Any], alert_id: str, *, resolve: bool) -> bytes:
    told = {**essentials, "alertId": alert_id}
    if resolve:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
        told |= {"monitorCondition": "Resolved", "resolvedDateTime": now}
    return json.dumps({**whole, "data": {**whole["data"], "essentials": told}}).encode()


async def _sent(bodies: list[bytes], url: str, token: TokenSource | None, time_scale: float) -> list[Result]:
    async with WebhookSender(url, token, time_scale=time_scale) as sender:
        with Progress(console=err, transient=True) as progress:
            task = progress.add_task("sending; what fails is tried again for up to 75 s", total=len(bodies))

            async def one(body: bytes) -> Result:
                result = await sender.send(body)
                progress.advance(task)
                return result

            return list(await asyncio.gather(*(one(body) for body in bodies)))


def _summarise(results: list[Result]) -> None:
    if len(results) == 1:
        shown = _shown(results[0])
        out.print(f"{shown['result']} after {shown['attempts']} attempt(s): {shown['answer']}", markup=False)
        return
    for (result, answer), number in Counter((_WORDS[type(r)], _kind_of(r)) for r in results).most_common():
        out.print(f"{number:>8}  {result}: {answer}", markup=False)


def _kind_of(result: Result) -> str:
    """The answer without what differs between alerts."""
    if isinstance(result, Delivered):
        try:
            return f"{result.status} {json.loads(result.body)['status']}"
        except (ValueError, KeyError, TypeError):
            return str(result.status)
    return str(_shown(result)["answer"])


def _shown(result: Result) -> dict[str, Any]:
    if isinstance(result, Delivered):
        answer = f"{result.status} {result.body.decode('utf-8', 'replace')}"
    else:
        answer = getattr(result, "reason", "") or "the end point is banned for a while: too many calls failed"
    status = result.attempts[-1].status if result.attempts else None
    return {"result": _WORDS[type(result)], "attempts": len(result.attempts), "status": status, "answer": answer}
