"""Where a resource's CI may stand, and how its id may be written there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_export.alerts.resource_id import normal_form, parse
from secure_export.itsm.servicenow.cmdb.ci_classes import (
    ANY_RESOURCE,
    CLASSES,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Place,
    places,
    resource_type,
    spellings,
    value_in,
)

GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/RG-One"


def classes(resource_id: str) -> list[str]:
    resource = parse(resource_id)
    assert resource is not None
    return [place.class_name for place in places(resource)]


@pytest.mark.parametrize(
    ("tail", "first"),
    [
        ("Microsoft.Compute/virtualMachines/vm", "cmdb_ci_vm_instance"),
        ("Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/0", "cmdb_ci_vm_instance"),
        ("Microsoft.Compute/virtualMachineScaleSets/s", "cmdb_ci_instance_scale_set"),
        ("Microsoft.Compute/disks/d", "cmdb_ci_storage_volume"),
        ("Microsoft.Network/loadBalancers/l", "cmdb_ci_cloud_load_balancer"),
        ("Microsoft.Network/virtualNetworks/v", "cmdb_ci_network"),
        ("Microsoft.Network/virtualNetworks/v/subnets/s", "cmdb_ci_cloud_subnet"),
        ("Microsoft.Sql/servers/s", "cmdb_ci_cloud_database"),
        ("Microsoft.Sql/servers/s/databases/d", "cmdb_ci_cloud_database"),
        ("Microsoft.Web/sites/w", "cmdb_ci_cloud_webserver"),
        ("Microsoft.Web/sites/w/slots/green", "cmdb_ci_cloud_webserver"),
        ("Microsoft.ServiceBus/namespaces/n", "cmdb_ci_cmp_resource"),
        ("Microsoft.ServiceBus/namespaces/n/topics/t", "cmdb_ci_cloud_topic"),
        ("Microsoft.KeyVault/vaults/k", "cmdb_ci_cmp_resource"),
        ("Microsoft.Quantum/workspaces/q", "cmdb_ci_cmp_resource"),
    ],
)
def test_a_resource_is_looked_for_in_the_class_of_its_type(tail: str, first: str) -> None:
    """The likeliest class comes first; a part of a listed type is looked for where the whole is."""
    assert classes(f"{GROUP}/providers/{tail}")[0] == first


def test_a_web_site_may_be_a_function() -> None:
    """Both classes that a site may have are tried."""
    found = classes(f"{GROUP}/providers/Microsoft.Web/sites/w")
    assert found == ["cmdb_ci_cloud_webserver", "cmdb_ci_cloud_function", ANY_RESOURCE]


@pytest.mark.parametrize("name", [name for name in CLASSES if name not in {SUBSCRIPTION, RESOURCE_GROUP}])
def test_whatever_its_type_is_the_general_class_comes_last(name: str) -> None:
    """Every type ends with the class that any resource may have, and names no class twice."""
    provider, *kinds = name.split("/")
    resource = parse(f"{GROUP}/providers/{provider}/" + "/".join(f"{kind}/x" for kind in kinds))
    assert resource is not None
    found = places(resource)
    assert found[-1] == Place(ANY_RESOURCE)
    assert len(set(found)) == len(found)
    assert resource_type(resource) == name.lower()


def test_a_cluster_is_looked_for_by_a_column_of_its_own() -> None:
    """Kubernetes clusters keep their Azure id in another column than all others."""
    resource = parse(f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks")
    assert resource is not None
    assert places(resource)[0] == Place("cmdb_ci_kubernetes_cluster", "cluster_resource_id")


def test_a_subscription_is_looked_for_by_its_guid() -> None:
    """A cloud service account knows the subscription's GUID, not its resource id."""
    resource = parse("/subscriptions/11111111-1111-4111-8111-111111111111")
    assert resource is not None
    first = places(resource)[0]
    assert first == Place("cmdb_ci_cloud_service_account", "account_id")
    assert value_in(first, resource, resource.text) == "11111111-1111-4111-8111-111111111111"
    assert value_in(places(resource)[1], resource, resource.text) == resource.text


def test_a_resource_group_has_a_class() -> None:
    """Resource groups are no resources of a provider, and are found all the same."""
    assert classes(GROUP)[0] == "cmdb_ci_resource_group"


def test_classes_of_the_configuration_come_first() -> None:
    """What people configured for a type is tried before what is built in."""
    resource = parse(f"{GROUP}/providers/Microsoft.Web/sites/w")
    assert resource is not None
    found = places(resource, {"microsoft.web/sites": ["u_site", "cmdb_ci_cloud_function"]})
    assert [place.class_name for place in found] == [
        "u_site",
        "cmdb_ci_cloud_function",
        "cmdb_ci_cloud_webserver",
        ANY_RESOURCE,
    ]


@pytest.mark.parametrize(
    ("given_id", "arm"),
    [
        (
            f"{GROUP}/providers/microsoft.compute/virtualmachines/VM1",
            "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-one/providers/Microsoft.Compute/virtualMachines/vm1",
        ),
        (
            f"{GROUP}/providers/microsoft.sql/servers/s/databases/d",
            "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-one/providers/Microsoft.Sql/servers/s/databases/d",
        ),
        (
            f"{GROUP}/providers/microsoft.network/virtualnetworks/v/subnets/s",
            "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-one/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
        ),
    ],
)
def test_an_id_is_also_written_as_azure_writes_it(given_id: str, arm: str) -> None:
    """Where a database heeds case, the spelling of Azure's own answers is among those asked for."""
    assert arm in spellings(given_id)
    assert spellings(given_id)[0] == normal_form(given_id)
    assert given_id in spellings(given_id)


@given(
    st.lists(st.from_regex(r"[A-Za-z0-9._()-]{1,12}", fullmatch=True), min_size=2, max_size=5),
    st.sampled_from(sorted(CLASSES)),
)
def test_all_spellings_are_of_one_id(names: list[str], kind: str) -> None:
    """However an id is spelled, it stays the same id."""
    provider, *kinds = kind.split("/")
    parts = "/".join(f"{one}/{names[i % len(names)]}" for i, one in enumerate(kinds))
    text = f"/subscriptions/{names[0]}/resourceGroups/{names[1]}/providers/{provider}/{parts}"
    found = spellings(text)
    assert {normal_form(one) for one in found} == {normal_form(text)}
    assert len(set(found)) == len(found)


@given(st.text(max_size=60))
def test_any_text_can_be_spelled(text: str) -> None:
    """What is no resource id stays as it is, and harms nothing."""
    assert all(isinstance(one, str) for one in spellings(text))
