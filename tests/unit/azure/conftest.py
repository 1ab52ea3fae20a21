"""A tenant of the sandbox, and what is wanted in it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.azure_sandbox import GRAPH_SCOPE, Azure, azure_running

from secure_export.azure.session import signed_in
from secure_export.azure.settings import AzureSettings
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import claims_of
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.walk import apply
from secure_export.azure.setup.wanted import WantedTenant, wanted_tenants
from secure_export.sandbox.azure_monitor.estate import PRODUCTION
from secure_export.sandbox.entra.identities import ADMIN, Identity
from secure_export.sandbox.entra.keys import SigningKey, make_key

ROLE = "ActionGroupsSecureWebhook"
GROUP = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod/providers/Microsoft.Insights/actionGroups/ag-itsm"

Opener = Callable[..., AbstractAsyncContextManager[Context]]


@cache
def one_key() -> SigningKey:
    return make_key(datetime.now(UTC))


@pytest.fixture
async def azure() -> AsyncIterator[Azure]:
    async with azure_running(make_key=one_key) as running:
        yield running


def settings_for(
    azure: Azure,
    monkeypatch: pytest.MonkeyPatch,
    *,
    who: Identity = ADMIN,
    application: dict[str, Any] | None = None,
    **own: Any,
) -> AzureSettings:
    monkeypatch.setenv("AZURE_SECRET", who.client_secret)
    group = {
        "connection": "desk",
        "subscription": PRODUCTION,
        "resource_group": "rg-shop-prod",
        "url": "https://alerts.example.test",
    }
    return AzureSettings.model_validate(
        {
            "graph_url": azure.graph_url,
            "resource_manager_url": azure.arm_url,
            "credential": {"kind": "secret", "client_id": who.client_id, "secret": {"env": "AZURE_SECRET"}},
            "application": application or {},
            "action_groups": {"ag-itsm": group | own},
        }
    )


def wanted_by(settings: AzureSettings, tenant: str) -> WantedTenant:
    return wanted_tenants(settings, tenants=[tenant], roles={tenant: ROLE}, connections=["desk"], public_url=None)[0]


@pytest.fixture
def opened(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Sign in as somebody and say what is wanted."""

    @asynccontextmanager
    async def open_(*, who: Identity = ADMIN, **own: Any) -> AsyncIterator[Context]:
        settings = settings_for(azure, monkeypatch, who=who, **own)
        wanted = wanted_by(settings, azure.tenant)
        async with signed_in(settings, azure.tenant, authority=azure.authority) as session:
            claims = claims_of((await session.credential.get_token(GRAPH_SCOPE)).token)
            yield Context(session.graph, session.manager, wanted, claims=claims, first_pause_seconds=0.01)

    return open_


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "record.json")


async def applied(context: Context, record: Record, **how: Any) -> list[str]:
    """Apply, and list what was done."""
    return [p.change.address async for p in apply(context, record, **how) if p.done and p.change.is_due]
