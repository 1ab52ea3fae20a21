"""The estate and its Resource Graph export."""

import json
import re
from collections import Counter

import pytest

from secure_export.sandbox.azure_monitor.estate import Estate

ID = re.compile(r"/subscriptions/[0-9a-f-]{36}/resourceGroups/[^/]+/providers/Microsoft\.\w+(/[^/]+/[^/]+)+")
TYPES = {
    "microsoft.compute/virtualmachines",
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.sql/servers/databases",
    "microsoft.storage/storageaccounts",
    "microsoft.containerservice/managedclusters",
    "microsoft.web/sites",
    "microsoft.keyvault/vaults",
    "microsoft.operationalinsights/workspaces",
    "microsoft.insights/components",
    "microsoft.recoveryservices/vaults",
    "microsoft.monitor/accounts",
}


def test_it_is_small_and_believable(estate: Estate) -> None:
    """Two subscriptions, some thirty resources of every kind that alerts are about, all with different ids."""
    assert len(estate.subscriptions) == 2
    assert 28 <= len(estate.resources) <= 40
    assert {one.type.lower() for one in estate.resources} >= TYPES
    assert len({one.id.lower() for one in estate.resources}) == len(estate.resources)
    assert all(ID.fullmatch(one.id) for one in estate.resources)


def test_one_name_is_ambiguous_and_some_tags_are_missing(estate: Estate) -> None:
    """Two machines share a name; some resources were never tagged."""
    twice = [name for name, times in Counter(one.name for one in estate.resources).items() if times > 1]
    assert twice == ["vm-batch-01"]
    assert any(one.tags is None for one in estate.resources)
    assert all(one.tags["owner"].startswith("team-") for one in estate.resources if one.tags)


def test_a_nested_resource_has_a_nested_id(estate: Estate) -> None:
    """A database's id runs through its server."""
    assert estate.named("orders").id.endswith("/providers/Microsoft.Sql/servers/sql-shop/databases/orders")


def test_the_export_is_what_az_graph_query_prints(estate: Estate) -> None:
    """count, data, skip_token and total_records; types and groups in lower case, ids as they are."""
    export = json.loads(json.dumps(estate.resource_graph_export()))
    assert export.keys() == {"count", "data", "skip_token", "total_records"}
    assert export["count"] == export["total_records"] == len(export["data"]) == len(estate.resources)
    row = next(one for one in export["data"] if one["name"] == "vm-wms-db-01")
    assert row["type"] == "microsoft.compute/virtualmachines"
    assert row["resourceGroup"] == "rg-warehouse-prod"
    assert "/resourceGroups/RG-Warehouse-Prod/" in row["id"]
    assert row["tags"]["owner"] == "team-warehouse"
    assert {"location", "subscriptionId", "tenantId", "properties", "kind"} <= row.keys()
    assert any(one["tags"] is None for one in export["data"])


def test_resources_are_found_by_type_in_any_case(estate: Estate) -> None:
    """Azure's types come in every case."""
    assert [one.name for one in estate.of_type("MICROSOFT.KEYVAULT/vaults")] == ["kv-shop"]


def test_a_name_that_does_not_exist_is_answered_with_those_that_do(estate: Estate) -> None:
    """The error helps."""
    with pytest.raises(LookupError, match="vm-shop-web-01"):
        estate.named("nothing")
