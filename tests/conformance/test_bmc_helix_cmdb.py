"""BMC's CMDB over real HTTP: the same CIs by each interface, and what binding makes of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from secure_export.alerts.references import References, ResourceReference
from secure_export.clock import utc_now
from secure_export.cmdb.bind import bind
from secure_export.itsm.bmc_helix.bmc_helix_connector import BmcHelixConnector
from secure_export.itsm.bmc_helix.cmdb.ci_reference import reference
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.resources import Resources
from secure_export.sandbox.bmc_helix.app import BmcHelixApp
from secure_export.sandbox.bmc_helix.cis import add_ci, retire_ci
from secure_export.sandbox.bmc_helix.demo_data import INTEGRATION_USER, SUBSCRIPTION
from secure_export.sandbox.bmc_helix.people import PASSWORD, Account
from secure_export.sandbox.bmc_helix.run import serving
from secure_export.workitems.work_item import Binding

VM = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/demo/providers/microsoft.compute/virtualmachines/vm-web-01"
OTHER = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/demo/providers/microsoft.compute/disks/nobodys-disk"
RULES = [
    {"class": "BMC_BaseElement", "attribute": "AzureResourceId", "source": "resource_id"},
    {"class": "BMC_ComputerSystem", "attribute": "Name", "source": "name"},
    {"class": "BMC_ComputerSystem", "attribute": "HostName", "source": "host_name"},
    {"class": "BMC_ComputerSystem", "attribute": "TokenId", "source": "host_name", "match": "token"},
]
BY_SUBSCRIPTION = {"class": "BMC_CloudInstance", "attribute": "TokenId", "source": "subscription"}
Bind = Callable[..., Awaitable[tuple[Binding, ...]]]


@pytest.fixture
async def server() -> AsyncIterator[tuple[BmcHelixApp, str]]:
    async with serving() as (app, url):
        yield app, url


@pytest.fixture
def app(server: tuple[BmcHelixApp, str]) -> BmcHelixApp:
    return server[0]


@pytest.fixture(params=["instances", "instance", "form"])
async def found(
    request: pytest.FixtureRequest, server: tuple[BmcHelixApp, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bind]:
    monkeypatch.setenv("PW", PASSWORD)
    connectors: list[BmcHelixConnector] = []

    async def run(*ids: str, names: tuple[str, ...] = (), rules: Any = RULES) -> tuple[Binding, ...]:
        named = {
            "url": server[1],
            "username": INTEGRATION_USER,
            "password": {"env": "PW"},
            "cmdb": {"api": request.param, "ci_lookup": rules},
        }
        resources = Resources(desk=None, clock=utc_now)  # type: ignore[arg-type] # no desk here
        connectors.append(BmcHelixConnector("prod", BmcHelixSettings.model_validate(named), resources))
        references = References(resources=tuple(ResourceReference(one, "the alert") for one in ids), names=names)
        return await bind(connectors[-1].cmdb, references)

    yield run
    for connector in connectors:
        await connector.close()


async def test_a_ci_is_found_by_its_resource_id(app: BmcHelixApp, found: Bind) -> None:
    """By an attribute of the site's own, with what an incident is bound by."""
    (binding,) = await found(VM)
    known_by = reference(binding.id)
    assert known_by is not None
    (row,) = [row for row in app.server.entries.rows("BMC.CORE:BMC_BaseElement") if row["Name"] == "vm-web-01"]
    assert (known_by.class_id, known_by.identity) == (row["ClassId"], row["ReconciliationIdentity"])
    assert known_by.asset_form({}) == "AST:ComputerSystem"


@pytest.mark.parametrize("name", ["VM-WEB-01", "vm-web-01", "vm-web-01.contoso.example"])
async def test_a_ci_is_found_by_its_name(name: str, found: Bind) -> None:
    """In any case, on a database that heeds it, and by host name."""
    (binding,) = await found(names=(name,))
    assert binding.id is not None


async def test_a_ci_is_found_by_the_token_of_discovery(app: BmcHelixApp, found: Bind) -> None:
    """The name in front of the colon is the host's."""
    add_ci(app.server, "Printer of the third floor", TokenId="PRN_03:contoso.example")
    (binding,) = await found(names=("prn_03",))
    assert binding.id is not None
    (other,) = await found(names=("prnx03",))
    assert other.id is None


async def test_several_are_left_unbound(app: BmcHelixApp, found: Bind) -> None:
    """A second CI of a name makes both unusable by name."""
    add_ci(app.server, "vm-web-01")
    (binding,) = await found(names=("vm-web-01",))
    assert (binding.id, binding.rule) == (None, "name-ambiguous")


async def test_what_is_not_reconciled_or_deleted_is_not_bound(app: BmcHelixApp, found: Bind) -> None:
    """Neither can be the CI of an incident."""
    add_ci(app.server, "vm-raw-01", reconciled=False)
    add_ci(app.server, "vm-old-01", identity="OI-OLD")
    retire_ci(app.server, "OI-OLD")
    bindings = await found(names=("vm-raw-01", "vm-old-01"))
    assert [binding.id for binding in bindings] == [None, None]


async def test_only_the_golden_dataset_counts(found: Bind) -> None:
    """What discovery found and nobody merged lies in another dataset."""
    (binding,) = await found(names=("vm-new-01",))
    assert binding.id is None


async def test_a_subscription_stands_in(found: Bind) -> None:
    """For what has no CI of its own."""
    (binding,) = await found(OTHER, rules=[*RULES, BY_SUBSCRIPTION])
    assert binding.id is not None
    assert binding.id.startswith("BMC_CloudInstance:")
    assert "stands in for" in binding.reason


async def test_a_user_without_rights_holds_nothing_back(app: BmcHelixApp, found: Bind) -> None:
    """Incidents are then made without a CI."""
    app.server.accounts.set(Account(INTEGRATION_USER, roles=frozenset({"Incident Master"})))
    (binding,) = await found(VM)
    assert (binding.id, binding.rule) == (None, "not-in-cmdb")
