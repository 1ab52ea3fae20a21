"""The CMDB by its API and by AR forms (bmc-facts section 10, line 12)."""

from typing import Any
from urllib.parse import quote

import pytest
from tests.unit.sandbox.bmc_helix.served import Client, path_of, served

from secure_export.sandbox.bmc_helix.cis import add_ci, retire_ci
from secure_export.sandbox.bmc_helix.people import Account

COMPUTERS = "/api/cmdb/v1.0/instances/BMC.ASSET/BMC.CORE/BMC_ComputerSystem"
RESOURCE = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm1"


async def names(client: Client, path: str) -> list[str]:
    seen = await client.ask("GET", path)
    assert seen.status == 200, seen.text
    return [one["attributes"]["Name"] for one in seen.json["instances"]]


def asking(text: str, path: str = COMPUTERS) -> str:
    return f"{path}?qualification={quote(text)}"


async def test_an_instance_is_found_by_its_attributes() -> None:
    """With its class, its dataset, the attributes that were asked for, and a link to itself."""
    async with served() as client:
        ci = add_ci(client.server, "vm1", AzureResourceId=RESOURCE)
        path = asking(f"'AzureResourceId' = \"{RESOURCE}\"")
        seen = await client.ask("GET", f"{path}&attributes=Name,ReconciliationIdentity")
        assert seen.json == {
            "instances": [
                {
                    "instance_id": ci["InstanceId"],
                    "class_name_key": {"name": "BMC_ComputerSystem", "namespace": "BMC.CORE"},
                    "dataset_id": "BMC.ASSET",
                    "attributes": {
                        "InstanceId": ci["InstanceId"],
                        "ClassId": "BMC_COMPUTERSYSTEM",
                        "Name": "vm1",
                        "DatasetId": "BMC.ASSET",
                        "ReconciliationIdentity": ci["ReconciliationIdentity"],
                    },
                    "_links": {"self": [{"href": f"{client.url}{COMPUTERS}/{ci['InstanceId']}"}]},
                }
            ]
        }
        read = await client.ask("GET", f"{COMPUTERS}/{ci['InstanceId']}")
        assert read.json["attributes"]["AzureResourceId"] == RESOURCE


async def test_the_older_path_and_its_parameters_work_too() -> None:
    """``instance`` in the singular with ``q`` and ``fields``."""
    async with served() as client:
        path = "/api/cmdb/v1/instance/BMC.ASSET/BMC.CORE/BMC_ComputerSystem"
        q = quote("'Name' = \"vm-web-01\"")
        seen = await client.ask("GET", f"{path}?q={q}&fields=HostName")
        (one,) = seen.json["instances"]
        assert (one["attributes"]["Name"], one["attributes"]["HostName"]) == ("vm-web-01", "vm-web-01")


async def test_a_percent_sign_must_arrive_encoded() -> None:
    """``%25`` is the wildcard."""
    async with served() as client:
        found = await names(client, f"{COMPUTERS}?qualification='Name'%20LIKE%20%22vm-web%25%22")
        assert found == ["vm-web-01", "vm-web-02"]


async def test_matches_are_counted_if_asked_for() -> None:
    """All of them, however few are given."""
    async with served() as client:
        seen = await client.ask("GET", f"{COMPUTERS}?num_matches=true&limit=1&offset=1&sort=Name.asc")
        assert (seen.json["num_matches"], len(seen.json["instances"])) == (4, 1)
        assert seen.json["instances"][0]["attributes"]["Name"] == "vm-db-01"
        assert "num_matches" not in (await client.ask("GET", COMPUTERS)).json


async def test_a_class_finds_what_is_a_kind_of_it_in_one_dataset() -> None:
    """Not what is of another class, nor of another dataset."""
    async with served() as client:
        root = "/api/cmdb/v1.0/instances/BMC.ASSET/BMC.CORE/BMC_BaseElement"
        assert {"vm-web-01", "Web shop", "demo"} <= set(await names(client, root))
        assert "Web shop" not in await names(client, COMPUTERS)
        assert await names(client, COMPUTERS.replace("BMC.ASSET", "BMC.ADDM")) == ["vm-new-01"]
        assert await names(client, COMPUTERS.replace("BMC.ASSET", "OTHER")) == []


async def test_one_ci_can_be_in_several_datasets_under_one_identity() -> None:
    """And what no reconciliation has seen has the identity 0."""
    async with served() as client:
        golden = add_ci(client.server, "vm1")
        add_ci(client.server, "vm1", dataset="BMC.ADDM", identity=golden["ReconciliationIdentity"])
        add_ci(client.server, "vm2", dataset="BMC.ADDM", reconciled=False)
        seen = await client.ask("GET", asking("'Name' LIKE \"vm_\"", COMPUTERS.replace("ASSET", "ADDM")))
        ids = [one["attributes"]["ReconciliationIdentity"] for one in seen.json["instances"]]
        assert ids == [golden["ReconciliationIdentity"], "0"]


async def test_instances_are_made_changed_and_deleted() -> None:
    """PATCH changes what it names, and null empties; PUT sets the whole state; DELETE marks, and purges if told so."""
    async with served() as client:
        client.server.accounts.set(Account("cmdb", roles=frozenset({"CMDB Data Change All"})))

        async def ask(method: str, path: str, **attributes: Any) -> Any:
            body = {"json": {"attributes": attributes}} if attributes else {}
            return await client.ask(method, path, user="cmdb", **body)

        made = await ask("POST", COMPUTERS, Name="vm1", HostName="vm1", Domain="x.example")
        path = f"{COMPUTERS}/{made.json['instance_id']}"
        assert (made.status, made.headers["Location"]) == (201, client.url + path)
        assert (await ask("PATCH", path, HostName="vm1b", Domain=None)).status == 204
        attributes = (await ask("GET", path)).json["attributes"]
        assert (attributes["HostName"], attributes["Domain"], attributes["Name"]) == ("vm1b", None, "vm1")
        assert (await ask("PUT", path, Name="vm1c")).status == 204
        attributes = (await ask("GET", path)).json["attributes"]
        assert (attributes["HostName"], attributes["Name"]) == (None, "vm1c")
        assert (await ask("DELETE", path)).status == 204
        assert (await ask("GET", path)).json["attributes"]["MarkAsDeleted"] == "Yes"
        assert (await ask("DELETE", f"{path}?delete_option=PURGE")).status == 204
        assert (await ask("GET", path)).status == 404


async def test_many_instances_are_made_at_once() -> None:
    """All of them, or none if one is wrong."""
    async with served() as client:
        client.server.accounts.set(Account("cmdb", roles=frozenset({"CMDB Data Change All"})))
        key = {"name": "BMC_ComputerSystem", "namespace": "BMC.CORE"}
        one = {"class_name_key": key, "dataset_id": "BMC.ASSET", "attributes": {"Name": "vm1"}}
        path = "/api/cmdb/v1.0/instances"
        seen = await client.ask("POST", path, user="cmdb", json={"instances": [one, one]})
        assert len(set(seen.json["instance_ids"])) == 2
        wrong = {**one, "class_name_key": {"name": "Other"}}
        assert (await client.ask("POST", path, user="cmdb", json={"instances": [one, wrong]})).status == 404
        assert (await names(client, COMPUTERS)).count("vm1") == 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", COMPUTERS.replace("BMC_ComputerSystem", "Nothing"), 404),
        ("GET", COMPUTERS.replace("BMC.CORE", "OTHER"), 404),
        ("GET", f"{COMPUTERS}/OI-0", 404),
        ("GET", f"{COMPUTERS}?attributes=Nothing", 400),
        ("GET", asking("'Nothing' = \"x\""), 400),
        ("GET", "/api/cmdb/v2/instances/BMC.ASSET/BMC.CORE/BMC_ComputerSystem", 404),
        ("GET", "/api/cmdb/v1.0/instances/BMC.ASSET", 404),
        ("POST", COMPUTERS, 403),
    ],
)
async def test_what_cannot_be_answered_is_refused(method: str, path: str, status: int) -> None:
    """Classes, attributes, instances and paths that there are not, and what a reader may not do."""
    async with served() as client:
        assert (await client.ask(method, path)).status == status


async def test_a_method_that_instances_do_not_have_is_405() -> None:
    """For those who may write, too."""
    async with served() as client:
        seen = await client.ask("PATCH", COMPUTERS, user="Allen", json={"attributes": {}})
        assert (seen.status, seen.headers["Allow"]) == (405, "GET, POST")


async def test_roles_open_the_cmdb() -> None:
    """Those for incidents alone do not."""
    async with served() as client:
        client.server.accounts.set(Account("desk", roles=frozenset({"Incident Master"})))
        assert (await client.ask("GET", COMPUTERS, user="desk")).status == 403
        assert (await client.ask("GET", path_of("BMC.CORE:BMC_ComputerSystem"), user="desk")).status == 403


@pytest.mark.parametrize("form", ["BMC.CORE:BMC_ComputerSystem", "BMC.CORE:BMC_BaseElement", "AST:ComputerSystem"])
async def test_cis_are_entries_of_ar_forms_too(form: str) -> None:
    """As some clients look them up; deleted ones are marked."""
    async with served() as client:
        ci = add_ci(client.server, "vm1")
        q = "'DatasetId'=\"BMC.ASSET\" AND ('MarkAsDeleted'=$NULL$ OR 'MarkAsDeleted'=0) AND 'Name'=\"vm1\""
        (entry,) = (await client.entries(form, q))["entries"]
        assert entry["values"]["ReconciliationIdentity"] == ci["ReconciliationIdentity"]
        retire_ci(client.server, ci["ReconciliationIdentity"])
        assert (await client.entries(form, q))["entries"] == []
