"""Each link of the chain from Azure to a work item, and what is said when it does not hold."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from tests.azure_sandbox import Azure
from tests.unit.azure.conftest import GROUP, Opener, applied

from secure_export.azure.setup.context import Context
from secure_export.azure.setup.record import Record
from secure_export.azure.verify.chain import configured, reached, set_up
from secure_export.azure.verify.trial import cause_of, send_test
from secure_export.cli.azure.write_config import with_audience
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, SHARED
from secure_export.sandbox.entra.identities import AZURE_OWNER

CALLER = "461e8683-5575-4561-ac7f-899cc907d62a"


@asynccontextmanager
async def receiver(answer: Callable[[web.Request], web.Response]) -> AsyncIterator[str]:
    """Something that listens where the webhook should be."""

    async def handled(request: web.Request) -> web.Response:
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", handled)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def like_ours(request: web.Request) -> web.Response:
    if "Authorization" in request.headers:
        return web.Response(status=202)
    return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})


async def no_pause(_: float) -> None:
    await asyncio.sleep(0.005)


async def test_a_whole_chain_holds(opened: Opener, record: Record) -> None:
    """What was applied is found as it should be, the webhook answers as ours does, and Azure delivers its test."""
    async with receiver(like_ours) as url, opened(url=url) as context:
        await applied(context, record)
        assert [one for one in await set_up(context) if one.holds is not True] == []
        (group,) = context.wanted.groups
        assert (await reached(group)).holds is True
        assert (await send_test(context, group, sleep=no_pause)).finding.holds is True


@pytest.mark.parametrize(
    ("status", "says"),
    [(401, "did not take the token"), (403, "lacks the role"), (404, "no such connection"), (413, "1 MiB")],
)
async def test_a_refused_test_names_its_cause(opened: Opener, record: Record, status: int, says: str) -> None:
    """Azure tells of a status; we tell what it means here, and what to do."""
    async with receiver(lambda _: web.Response(status=status)) as url, opened(url=url) as context:
        await applied(context, record)
        finding = (await send_test(context, context.wanted.groups[0], sleep=no_pause)).finding
    assert finding.holds is False
    assert says in finding.detail


async def test_a_banned_webhook_is_told_as_such(azure: Azure, opened: Opener, record: Record) -> None:
    """After failures Azure calls nothing for 15 minutes; whoever mends the cause has to wait, and hears so."""
    async with receiver(lambda _: web.Response(status=503)) as url, opened(url=url) as context:
        await applied(context, record)
        first = (await send_test(context, context.wanted.groups[0], sleep=no_pause)).finding
    assert first.holds is False
    assert "wait 15 minutes" in first.detail
    assert azure.station.monitor.bans.listed()


async def test_a_test_needs_ownership(azure: Azure, opened: Opener, record: Record) -> None:
    """Who does not own the app registration cannot send a test, and hears who has to do what."""
    async with opened() as context:
        await applied(context, record)
    async with opened(who=AZURE_OWNER) as context:
        finding = (await send_test(context, context.wanted.groups[0], sleep=no_pause)).finding
        wrong = [one for one in await set_up(context) if one.holds is not True]
        assert [one for one in await set_up(context, tests=False) if one.holds is not True] == []
    assert finding.holds is False
    assert "azure.application.owners" in finding.detail
    assert [one.link for one in wrong] == [f"owner {context.me}"]
    assert azure.arm.resources[GROUP.lower()]


async def test_what_is_missing_in_azure_is_named(opened: Opener) -> None:
    """An empty tenant is no failure of the program: each thing is told, with the command that makes it."""
    async with opened() as context:
        findings = await set_up(context)
        test = (await send_test(context, context.wanted.groups[0], sleep=no_pause)).finding
    assert all(one.holds is False and "azure apply" in one.detail for one in findings)
    assert (test.holds, "azure apply" in test.detail) == (None, True)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (web.Response, "something else answers there"),
        (lambda: web.Response(status=401), "something else answers there"),
        (lambda: web.Response(status=503), "/readyz"),
    ],
)
async def test_another_at_the_address_is_noticed(opened: Opener, answer: Callable[[], web.Response], says: str) -> None:
    """Only this service answers 401 with Bearer to a call without token."""
    async with receiver(lambda _: answer()) as url, opened(url=url) as context:
        finding = await reached(context.wanted.groups[0])
    assert finding.holds is False
    assert says in finding.detail


@pytest.mark.parametrize(
    ("wrong", "link", "mend"),
    [
        ({"audience": ("00000000-0000-4000-8000-000000000001",)}, "identity.audience", "client-id"),
        ({"callers": ()}, "identity.callers", CALLER),
        ({"subscriptions": {"desk": [SHARED]}}, "subscription of ag-itsm", PRODUCTION),
        ({"subscriptions": {}}, "subscription of ag-itsm", "connections.desk.subscriptions"),
        ({"subscriptions": {"desk": ["*"]}}, None, ""),
        ({}, None, ""),
    ],
)
async def test_the_configuration_is_held_against_azure(
    opened: Opener, wrong: dict[str, Any], link: str | None, mend: str
) -> None:
    """A wrong audience, caller or subscription would cost every alert; it is found before one comes."""
    async with opened() as context:
        context.found.client_id = "client-id"
        right = {"audience": ("client-id",), "callers": (CALLER,), "subscriptions": {"desk": [PRODUCTION]}}
        findings = [one for one in _configured(context, {**right, **wrong}) if not one.holds]
    assert [one.link for one in findings] == ([link] if link else [])
    assert all(mend in one.detail for one in findings)


def _configured(context: Context, how: dict[str, Any]) -> Any:
    return configured(context, **how)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("The remote name could not be resolved: 'x'", "public DNS"),
        ("The SSL connection could not be established", "public authority"),
        ("A task was canceled. TaskCanceledException", "ActionGroup"),
        ("AADSTS501051: Application is not assigned to a role", "role assignment is missing"),
        ("AADSTS500011: The resource principal was not found", "identifier URI"),
        ("connection refused", "is the service running"),
        ("something new", "Test action group errors"),
    ],
)
def test_azures_texts_are_put_into_causes(text: str, says: str) -> None:
    """What Azure's page of test errors lists has a cause and a mend here."""
    assert says in cause_of(text)


@pytest.mark.parametrize(
    ("text", "audience"),
    [
        ('[identity] # who\ntenant_id = "t" # mine\naudience = ["00000000-0000-0000-0000-000000000002"] # here\n',
         'audience = ["c", "api://c"] # here'),
        ('[identity]\ntenant_id = "t"\naudience = "old"\n', 'audience = ["old", "c", "api://c"]'),
        ('[identity]\ntenant_id = "t"\n\n[store]\nurl = "x"\n', 'audience = ["c", "api://c"]'),
        ('[identity]\nazure_tenant_id = "t"\nazure_application_id = "o"\n', 'azure_application_id = "c"'),
        ('[identity]\n[[identity.tenants]]\ntenant_id = "o"\n[[identity.tenants]]\ntenant_id = "T"\n# end\n',
         'tenant_id = "T"\n# end\naudience = ["c", "api://c"]'),
    ],
)  # fmt: skip
def test_the_audience_is_written_and_the_rest_stays(text: str, audience: str) -> None:
    """Comments, order and everything else of the file stay; the placeholder gives way, what was there does not."""
    written = with_audience(text, "t", ["c", "api://c"])
    assert audience in written
    assert [line for line in text.splitlines() if not line.startswith(("audience", "azure_app"))] == [
        line for line in written.splitlines() if not line.startswith(("audience", "azure_app"))
    ]
    assert with_audience(written, "t", ["c", "api://c"]) == written
