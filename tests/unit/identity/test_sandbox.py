"""The gate before the sandbox Entra ID, over real HTTP: two programs that share no code and must agree."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.identity.stand_in import is_let_in, refused

from secure_export.identity.gate import Gate
from secure_export.identity.settings import IdentitySettings
from secure_export.sandbox.entra.directory import AZNS_APP_ID, DEFAULT_TENANT_ID, RESOURCE_APP_ID
from secure_export.sandbox.entra.entra import SandboxEntra
from secure_export.sandbox.entra.minting import Order
from secure_export.sandbox.entra.run import start_entra


@pytest.fixture
async def entra() -> AsyncIterator[SandboxEntra]:
    """Run the sandbox on loopback."""
    started, running = await start_entra()
    yield started
    await running.stop()


@pytest.fixture
def gate(entra: SandboxEntra) -> Gate:
    """Configure the gate as the demo does."""
    audience = (RESOURCE_APP_ID, f"api://{RESOURCE_APP_ID}")
    return Gate(IdentitySettings(authority=entra.base_url, tenant_id=DEFAULT_TENANT_ID, audience=audience))


def order(entra: SandboxEntra, **wishes: Any) -> list[bytes]:
    """Give the Authorization headers with a token as ordered."""
    return [b"Bearer " + entra.mint(Order(**wishes)).encode()]


@pytest.mark.parametrize("version", [1, 2])
async def test_its_tokens_are_let_in_also_after_it_rolled_its_keys(
    entra: SandboxEntra, gate: Gate, version: int
) -> None:
    """A planned roll costs nothing, an emergency roll one more fetch."""
    await gate.refresh()
    assert await gate.ready() is None
    before = order(entra, version=version)
    assert await is_let_in(gate, before)
    entra.ring().rotate()
    assert await is_let_in(gate, order(entra, version=version))
    assert await is_let_in(gate, before)
    entra.ring().emergency_roll()
    assert await is_let_in(gate, order(entra, version=version))
    assert gate.remembered(before[0]) is None
    assert (await refused(gate, before)).code == "unknown-key"


@pytest.mark.parametrize(
    ("wishes", "status", "code"),
    [
        ({"algorithm": "none"}, 401, "malformed-token"),
        ({"algorithm": "HS256"}, 401, "wrong-algorithm"),
        ({"algorithm": "HS256", "header": {"alg": "RS256"}}, 401, "bad-signature"),
        ({"key": "unlisted"}, 401, "unknown-key"),
        ({"key": "foreign"}, 401, "unknown-key"),
        ({"lifetime": timedelta(minutes=-6)}, 401, "expired"),
        ({"tenant": "00000000-0000-4000-8000-000000000001"}, 401, "wrong-tenant"),
        ({"audience": "api://other"}, 401, "wrong-audience"),
        ({"claims": {"oid": None}}, 401, "no-object-id"),
        ({"claims": {"scp": "user_impersonation"}}, 401, "delegated-token"),
        ({"header": {"nonce": "n"}}, 401, "graph-token"),
        ({"client_id": RESOURCE_APP_ID}, 403, "wrong-caller"),
        ({"roles": ()}, 403, "missing-role"),
    ],
)
async def test_its_forgeries_are_refused(
    entra: SandboxEntra, gate: Gate, wishes: dict[str, Any], status: int, code: str
) -> None:
    """Each for its own reason."""
    refusal = await refused(gate, order(entra, **wishes))
    assert (refusal.status, refusal.code) == (status, code)


async def test_its_caller_is_azure_monitor(entra: SandboxEntra, gate: Gate) -> None:
    """As a real tenant's token says."""
    caller = await gate.admit(order(entra))
    assert (caller.application_id, caller.tenant_id) == (AZNS_APP_ID, DEFAULT_TENANT_ID)
