"""Binding through a served ServiceNow whose CMDB is as discovery of Azure leaves one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from secure_export.alerts.references import References, ResourceReference
from secure_export.alerts.resource_id import normal_form
from secure_export.cmdb.bind import bind
from secure_export.cmdb.rules import Rule
from secure_export.itsm.cis_at_hand import CisAtHand
from secure_export.itsm.cmdb_reading import CmdbUnavailable
from secure_export.itsm.http import Http
from secure_export.itsm.servicenow.api.table_api import TableApi
from secure_export.itsm.servicenow.cmdb.cis import ServiceNowCmdb
from secure_export.itsm.servicenow.cmdb.reading import CmdbReading
from secure_export.itsm.servicenow.cmdb.settings import CmdbSettings
from secure_export.itsm.servicenow.settings import ServiceNowSettings
from secure_export.itsm.servicenow.sign_in.ways import sign_in_of
from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.app import ServiceNowApp
from secure_export.sandbox.servicenow.demo_data.azure import PRODUCTION
from secure_export.sandbox.servicenow.faults import Fault, FaultKind
from secure_export.sandbox.servicenow.run import serving

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
USER, PASSWORD = "probe", "pr0be-passw0rd"
SHOP = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod"
WAREHOUSE = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-warehouse-prod"


class Bound:
    """A CMDB that is reached over the network, and the instance behind it."""

    def __init__(self, app: ServiceNowApp, api: TableApi, settings: CmdbSettings) -> None:
        self.app = app
        self.api = api
        self.cmdb = ServiceNowCmdb(CmdbReading(api), settings)
        self.at_hand = CisAtHand(self.cmdb, found_seconds=600, missing_seconds=30)

    async def of(self, resource_id: str) -> tuple[str | None, str, str]:
        named = References(resources=(ResourceReference(normal_form(resource_id), "alertTargetIDs"),))
        (binding,) = await bind(self.at_hand, named)
        return binding.attributes.get("sys_class_name"), binding.rule, binding.reason

    def may(self, *roles: str) -> None:
        set_account(self.app.instance, Account(USER, PASSWORD, frozenset(roles)))


@pytest.fixture(params=[False, True], ids=["by class", "by source"])
async def bound(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bound]:
    monkeypatch.setenv("PW", PASSWORD)
    async with serving() as (app, url):
        own = {"url": url, "username": USER, "password": {"env": "PW"}}
        settings = ServiceNowSettings.model_validate(own)
        http = Http(settings)
        api = TableApi(http, sign_in_of(settings, http, clock=lambda: NOW), clock=lambda: NOW)
        found = Bound(app, api, CmdbSettings(use_sources=request.param))
        found.may("cmdb_read", "sn_incident_write")
        yield found
        await http.close()


CASES = [
    (f"{SHOP}/providers/Microsoft.Compute/virtualMachines/vm-shop-web-01", "cmdb_ci_vm_instance", Rule.RESOURCE_ID),
    (f"{SHOP}/providers/Microsoft.Compute/virtualMachines/vm-shop-web-02", "cmdb_ci_vm_instance", Rule.RESOURCE_ID),
    (f"{SHOP}/providers/Microsoft.Compute/virtualMachines/vm-batch-01", "cmdb_ci_vm_instance", Rule.RESOURCE_ID),
    (f"{SHOP}/providers/Microsoft.Web/sites/app-shop-checkout", "cmdb_ci_cloud_webserver", Rule.RESOURCE_ID),
    (f"{SHOP}/providers/Microsoft.Cache/Redis/redis-shop", "cmdb_ci_cloud_database", Rule.RESOURCE_ID),
    (f"{SHOP}/providers/Microsoft.KeyVault/vaults/kv-shop", "cmdb_ci_cmp_resource", Rule.RESOURCE_ID),
    (
        f"{SHOP}/providers/Microsoft.Sql/servers/sql-shop/databases/orders",
        "cmdb_ci_cloud_database",
        Rule.PARENT_RESOURCE,
    ),
    (
        f"{WAREHOUSE}/providers/Microsoft.ContainerService/managedClusters/aks-warehouse",
        "cmdb_ci_kubernetes_cluster",
        Rule.RESOURCE_ID,
    ),
    (SHOP, "cmdb_ci_resource_group", Rule.RESOURCE_ID),
    (f"/subscriptions/{PRODUCTION}", "cmdb_ci_cloud_service_account", Rule.RESOURCE_ID),
    (f"{SHOP}/providers/Microsoft.Web/sites/nothing", None, Rule.NOT_IN_CMDB),
]


async def test_every_kind_of_resource_finds_its_ci(bound: Bound) -> None:
    """Machines that are two CIs, dead rows of the same id, clusters, groups, subscriptions, parts of a whole."""
    for resource_id, class_name, rule in CASES:
        found = await bound.of(resource_id)
        assert found[:2] == (class_name, rule), resource_id
        assert "out of use" not in found[2], resource_id


async def test_a_name_needs_its_resource_group(bound: Bound) -> None:
    """Two machines of one name are told apart by where the alert looks, and by nothing else."""
    (anywhere,) = await bind(bound.at_hand, References(names=("vm-batch-01",)))
    assert anywhere.rule == Rule.NAME_AMBIGUOUS
    group = References(names=("VM-BATCH-01",), subscription=PRODUCTION, resource_group="rg-warehouse-prod")
    (binding,) = await bind(bound.at_hand, group)
    assert (binding.rule, binding.id is not None) == (Rule.NAME_IN_RESOURCE_GROUP, True)
    (machine,) = await bind(bound.at_hand, References(names=("vm-wms-db-01.example.com",)))
    assert (machine.rule, machine.attributes["sys_class_name"]) == (Rule.NAME, "cmdb_ci_vm_instance")


async def test_a_storm_is_few_questions(bound: Bound) -> None:
    """A thousand alerts at once about forty machines cost a few dozen calls, and the next thousand none."""
    wanted = [f"{SHOP}/providers/Microsoft.Compute/virtualMachines/vm-{number % 40:02}" for number in range(1000)]
    ids = [normal_form(one) for one in wanted]
    before = bound.app.counters.total
    await asyncio.gather(*(bound.at_hand.by_resource_ids([one]) for one in ids))
    asked = bound.app.counters.total - before
    assert asked < 80
    await asyncio.gather(*(bound.at_hand.by_resource_ids([one]) for one in ids))
    assert bound.app.counters.total - before == asked


async def test_urls_stay_short(bound: Bound) -> None:
    """Proxies refuse addresses of more than about two thousand characters."""
    ids = [normal_form(f"{SHOP}/providers/Microsoft.Compute/virtualMachines/vm-{'x' * 40}-{n}") for n in range(50)]
    await bound.at_hand.by_resource_ids(ids)
    await bound.at_hand.by_names([f"a-rather-long-name-of-a-machine-{n}.example.com" for n in range(50)])
    assert max(len(entry.path) + len(entry.query) for entry in bound.app.counters.last(1000)) < 2000


async def test_without_rights_alerts_go_on(bound: Bound) -> None:
    """A CMDB that may never be read holds nothing back: no CI, and the reason is known."""
    bound.may("sn_incident_write")
    _, rule, reason = await bound.of(CASES[0][0])
    assert rule == Rule.NOT_IN_CMDB
    assert reason.count("cmdb_read") == 1
    assert "may not read cmdb_ci, " in reason
    assert "sn_incident_write" not in reason
    assert len(reason) < 400


async def test_many_dead_rows_of_one_id_do_not_hide_the_live_one(bound: Bound) -> None:
    """A resource that is made anew every night leaves a row each time: the class goes on being asked."""
    resource = f"{SHOP}/providers/Microsoft.Compute/virtualMachines/vm-nightly"
    for number in range(30):
        bound.app.instance.insert(
            "cmdb_ci_vm_instance", {"name": f"vm-nightly-{number:02}", "object_id": resource, "install_status": "100"}
        )
    bound.app.instance.insert("cmdb_ci_vm_instance", {"name": "vm-nightly", "object_id": resource})
    assert (await bound.of(resource))[:2] == ("cmdb_ci_vm_instance", Rule.RESOURCE_ID)
    assert (await bound.of(CASES[0][0]))[1] == Rule.RESOURCE_ID


async def test_a_cmdb_meta_api_that_always_fails_holds_nothing_up(bound: Bound) -> None:
    """Where the dictionary may not be read and the Meta API breaks, classes are proven by asking for nothing."""
    time = {"now": 0.0}
    cmdb = ServiceNowCmdb(CmdbReading(bound.api, monotonic=lambda: time["now"]), monotonic=lambda: time["now"])
    bound.app.faults.set(Fault(FaultKind.ERROR_BEFORE, status=500, path="/api/now/cmdb/meta/*", times=None))
    resource = normal_form(CASES[0][0])
    with pytest.raises(CmdbUnavailable):
        await cmdb.by_resource_ids([resource])
    time["now"] = 301.0
    assert [ci.class_name for ci in await cmdb.by_resource_ids([resource])] == ["cmdb_ci_vm_instance"]


async def test_an_outage_is_waited_for(bound: Bound) -> None:
    """While ServiceNow does not answer nothing is concluded; afterwards the CI is found."""
    bound.app.faults.set(Fault(FaultKind.ERROR_BEFORE, status=503, html=True, times=None))
    with pytest.raises(CmdbUnavailable, match="503"):
        await bound.of(CASES[0][0])
    bound.app.faults.clear()
    assert (await bound.of(CASES[0][0]))[1] == Rule.RESOURCE_ID


async def test_an_answer_that_was_cut_is_no_answer(bound: Bound) -> None:
    """A transaction that was cancelled gives 200 and part of the rows: that is not taken for all there is."""
    bound.app.faults.set(Fault(FaultKind.CANCELLED, times=None))
    with pytest.raises(CmdbUnavailable):
        await bound.of(CASES[0][0])
