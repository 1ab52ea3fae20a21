"""The demo's estate in ServiceNow's CMDB: each resource once, where its type belongs."""

import pytest

from secure_export.alerts.resource_id import parse
from secure_export.cli.demo.servicenow_cmdb import class_of, id_column, is_in_use, put_estate
from secure_export.itsm.servicenow.cmdb.ci_classes import Place, places
from secure_export.sandbox.azure_monitor.estate import Resource, sample_estate
from secure_export.sandbox.entra.directory import DEFAULT_TENANT_ID
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.tables import Row

ESTATE = sample_estate(DEFAULT_TENANT_ID)


@pytest.fixture(scope="module")
def instance() -> Instance:
    """Give an instance with demo data that knows the estate; tests only read it, or put the estate again."""
    made = Instance(seed=1)
    put_estate(made, ESTATE)
    return made


def live(instance: Instance, resource: Resource) -> list[Row]:
    table = class_of(resource.type)
    column = id_column(table)
    rows = instance.find(table, f"sys_class_name={table}")
    return [row for row in rows if row[column].lower() == resource.id.lower() and is_in_use(row)]


@pytest.mark.parametrize("resource", ESTATE.resources, ids=lambda one: f"{one.group}-{one.name}")
def test_each_resource_is_one_ci_in_use_with_its_team(instance: Instance, resource: Resource) -> None:
    """By its ARM id in the case of the portal, in the class of its type, with team and environment from its tags."""
    (ci,) = live(instance, resource)
    assert ci["name"] == resource.name
    owner = (resource.tags or {}).get("owner")
    group = instance.get("sys_user_group", ci["support_group"])["name"] if ci["support_group"] else None
    assert group == owner
    assert ci["environment"] == (resource.tags or {}).get("environment", "")
    if class_of(resource.type) == "cmdb_ci_cmp_resource":
        assert ci["resource_type"].lower() == resource.type.lower()


def test_the_estate_is_put_once(instance: Instance) -> None:
    """Who puts it again adds nothing and changes nothing."""
    before = instance.find("cmdb_ci")
    assert put_estate(instance, ESTATE) == len(ESTATE.resources)
    assert instance.find("cmdb_ci") == before


def test_the_dead_stay_dead(instance: Instance) -> None:
    """Rows of resources that were made again are there, so that binding has to tell them from those in use."""
    dead = [row for row in instance.find("cmdb_ci_vm_object") if not is_in_use(row)]
    assert {row["name"] for row in dead} == {"vm-shop-web-02", "kv-shop"}


@pytest.mark.parametrize("resource_type", sorted({one.type for one in ESTATE.resources}))
def test_the_connector_would_look_there(resource_type: str) -> None:
    """The demo's table, written from the documents, and the connector's own agree."""
    resource = parse(next(ESTATE.of_type(resource_type)).id)
    assert resource is not None
    table = class_of(resource_type)
    assert Place(table, id_column(table)) in places(resource)
