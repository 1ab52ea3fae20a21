"""Several tenants and subscriptions in one configuration, and a tenant that is not the one that is meant."""

from typing import Any

import pytest
from tests.azure_sandbox import GRAPH_SCOPE, Azure
from tests.unit.azure.conftest import ROLE, applied, settings_for
from tests.unit.azure.world import state_of

from secure_export.azure.errors import NotSignedIn
from secure_export.azure.session import signed_in
from secure_export.azure.settings import ActionGroupSettings, AzureSettings
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import claims_of
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.walk import plan, take_back
from secure_export.azure.setup.wanted import WantedTenant, wanted_tenants
from secure_export.cli.azure.setting_up import must_be_in
from secure_export.errors import SettingsError
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, SHARED

OTHER = "0a0a0a0a-7e57-4a11-9b5d-5a4db0c5ed02"


def settings_of(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> AzureSettings:
    base = settings_for(azure, monkeypatch, tenant_id=azure.tenant)
    shared = {"connection": "desk", "subscription": SHARED, "resource_group": "rg-network", "tenant_id": azure.tenant,
              "url": "https://alerts.example.test", "link": {"subscription": True}}  # fmt: skip
    groups = {**base.action_groups, "ag-network": ActionGroupSettings.model_validate(shared)}
    return base.model_copy(update={"action_groups": groups})


def wanted_of(settings: AzureSettings, tenants: list[str]) -> tuple[WantedTenant, ...]:
    return wanted_tenants(
        settings, tenants=tenants, roles=dict.fromkeys(tenants, ROLE), connections=["desk"], public_url=None
    )


async def test_each_tenant_gets_its_own_and_one_record_tells_of_all(
    azure: Azure, monkeypatch: pytest.MonkeyPatch, record: Record
) -> None:
    """Two subscriptions of one tenant, and a second tenant with its own registration, from one configuration."""
    settings = settings_of(azure, monkeypatch)
    before = [state_of(azure, tenant) for tenant in (azure.tenant, OTHER)]
    for wanted in wanted_of(settings, [azure.tenant, OTHER]):
        async with signed_in(settings, wanted.tenant_id, authority=azure.authority) as session:
            claims = claims_of((await session.credential.get_token(GRAPH_SCOPE)).token)
            context = Context(session.graph, session.manager, wanted, claims=claims, first_pause_seconds=0.01)
            await applied(context, record)
            assert (await plan(context)).is_empty
    assert record.tenants == (azure.tenant, OTHER)
    groups = [made.name for made in record.of(azure.tenant) if made.kind == "action group"]
    assert [PRODUCTION in groups[0], SHARED in groups[1]] == [True, True]
    assert [made.kind for made in record.of(OTHER)] == [
        "app registration", "identifier URI", "service principal", "action groups' service principal",
        "role assignment",
    ]  # fmt: skip
    for tenant in record.tenants:
        bare = WantedTenant(tenant, settings.application, "", "", ())
        async with signed_in(settings, tenant, authority=azure.authority) as session:
            context = Context(session.graph, session.manager, bare, first_pause_seconds=0.01)
            async for _ in take_back(context, record):
                pass
    assert [state_of(azure, tenant) for tenant in (azure.tenant, OTHER)] == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tenant_id": None}, "say which one it is"),
        ({"tenant_id": "0b0b0b0b-7e57-4a11-9b5d-5a4db0c5ed03"}, "is no tenant of"),
        ({"connection": "other"}, "there is no connection 'other'"),
        ({"url": None}, "say where Azure reaches this service"),
    ],
)
def test_what_the_configuration_lacks_is_said(change: dict[str, Any], says: str) -> None:
    """The message names the key that is to be written."""
    group = {"connection": "desk", "subscription": PRODUCTION, "resource_group": "rg", "tenant_id": OTHER,
             "url": "https://alerts.example.test", **change}  # fmt: skip
    settings = AzureSettings.model_validate({"action_groups": {"ag": group}})
    with pytest.raises(SettingsError, match=says):
        wanted_of(settings, [OTHER, "c0ffee00-7e57-4a11-9b5d-5a4db0c5ed01"])


def test_nothing_is_done_in_another_tenant() -> None:
    """A managed identity, or who is signed in elsewhere, would set up the wrong tenant."""
    must_be_in(OTHER, {"tid": OTHER.upper()})
    must_be_in(OTHER, {})
    with pytest.raises(NotSignedIn, match="az login --tenant"):
        must_be_in(OTHER, {"tid": "c0ffee00-7e57-4a11-9b5d-5a4db0c5ed01"})


@pytest.mark.parametrize("url", ["http://alerts.example.test", "ftp://x", "https://x?a=b", "alerts.example.test"])
def test_an_address_that_is_not_encrypted_is_refused(url: str) -> None:
    """Tokens of Azure would travel in the clear; only a stand-in on this machine may do without."""
    with pytest.raises(ValueError, match="url"):
        ActionGroupSettings.model_validate(
            {"connection": "desk", "subscription": PRODUCTION, "resource_group": "rg", "url": url}
        )
