"""The demo's estate in BMC's CMDB: each resource once in use, beside what makes a CMDB hard to read."""

import pytest

from secure_export.cli.demo.bmc_helix_cmdb import LOOKUPS, cis_of, class_of, put_estate
from secure_export.itsm.bmc_helix.cmdb.settings import CmdbSettings
from secure_export.sandbox.azure_monitor.estate import Resource, sample_estate
from secure_export.sandbox.bmc_helix import looking
from secure_export.sandbox.bmc_helix.server import ArServer
from secure_export.sandbox.entra.directory import DEFAULT_TENANT_ID

ESTATE = sample_estate(DEFAULT_TENANT_ID)


@pytest.fixture(scope="module")
def server() -> ArServer:
    """Give a server that knows the estate; tests only read it."""
    made = ArServer()
    assert put_estate(made, ESTATE) == len(ESTATE.resources)
    return made


@pytest.mark.parametrize("resource", ESTATE.resources, ids=lambda one: f"{one.group}-{one.name}")
def test_each_resource_is_one_ci_that_can_be_bound(server: ArServer, resource: Resource) -> None:
    """Reconciled, in use, in the dataset that ITSM reads, in the class of its type, with its team from its tags."""
    (identity,) = cis_of(server, resource)
    (ci,) = (
        one
        for one in looking.cis(server)
        if (one["ReconciliationIdentity"], one["DatasetId"]) == (identity, "BMC.ASSET")
    )
    assert ci["Name"] == resource.name
    assert ci["ClassId"] == class_of(resource.type).upper()
    assert ci["OwnerName"] == (resource.tags or {}).get("owner")


def test_what_must_not_be_bound_is_there_too(server: ArServer) -> None:
    """Dead CIs and unreconciled ones of the same ids, and copies of other datasets."""
    ids = {one.id.lower() for one in ESTATE.resources}
    ours = [one for one in looking.cis(server) if one["AzureResourceId"] in ids]
    assert {one["Name"] for one in ours if one["MarkAsDeleted"] == "Yes"} == {"vm-shop-web-02", "kv-shop"}
    assert {one["Name"] for one in ours if one["ReconciliationIdentity"] == "0"} == {"vm-wms-db-01"}
    assert {one["DatasetId"] for one in ours} == {"BMC.ASSET", "BMC.ADDM"}


def test_the_rules_are_as_a_configuration_has_them() -> None:
    """The connector takes them."""
    assert len(CmdbSettings.model_validate({"ci_lookup": LOOKUPS}).ci_lookup) == len(LOOKUPS)
