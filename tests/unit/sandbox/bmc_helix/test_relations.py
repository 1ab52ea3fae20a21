"""CIs of incidents (bmc-facts section 10, line 13)."""

from typing import Any

import pytest
from tests.unit.sandbox.bmc_helix.served import WORK_LOG, Client, path_of, served

from secure_export.sandbox.bmc_helix import looking
from secure_export.sandbox.bmc_helix.cis import add_ci, retire_ci
from secure_export.sandbox.bmc_helix.entries import Row

ASSOCIATIONS = "HPD:Associations"


def four_values(ci: Row, **more: Any) -> dict[str, Any]:
    return {
        "HPD_CI": ci["Name"],
        "HPD_CI_ReconID": ci["ReconciliationIdentity"],
        "HPD_CI_FormName": ci["ClassId"],
        "z1D_CI_FormName": "AST:ComputerSystem",
        **more,
    }


async def relate(client: Client, number: str, identity: str, **more: Any) -> Any:
    values = {
        "Request ID01": identity,
        "Form Name01": "BMC.CORE:BMC_ComputerSystem",
        "Request Type01": "Configuration Item",
        "Association Type01": "Related To",
        "Request ID02": number,
        **more,
    }
    return await client.ask("POST", path_of(ASSOCIATIONS), json={"values": values})


async def test_four_values_bind_a_ci_and_make_the_relation() -> None:
    """The field shows it, and a row of the associations has both ends."""
    async with served() as client:
        ci = add_ci(client.server, "vm1")
        number = await client.create(**four_values(ci))
        values = await client.read(number)
        assert (values["HPD_CI"], values["HPD_CI_ReconID"]) == ("vm1", ci["ReconciliationIdentity"])
        (entry,) = (await client.entries(ASSOCIATIONS, f"'Request ID02' = \"{number}\""))["entries"]
        row = entry["values"]
        assert (row["Request ID01"], row["Form Name01"]) == (
            ci["ReconciliationIdentity"],
            "BMC.CORE:BMC_ComputerSystem",
        )
        assert (row["Request Type01"], row["Association Type01"]) == ("Configuration Item", "Related To")
        assert (row["Request Description01"], row["Lookup Keyword"]) == ("vm1", "BMC_COMPUTERSYSTEM")


@pytest.mark.parametrize("missing", ["HPD_CI", "HPD_CI_FormName", "z1D_CI_FormName"])
async def test_three_of_the_four_values_make_no_relation(missing: str) -> None:
    """The fields are kept all the same."""
    async with served() as client:
        number = await client.create(**four_values(add_ci(client.server, "vm1"), **{missing: None}))
        assert looking.relations(client.server, number) == []
        assert (await client.read(number))["HPD_CI_ReconID"] is not None


async def test_a_change_binds_as_a_create_does() -> None:
    """The identity before is kept, and a relation that is there is not made twice."""
    async with served() as client:
        one, other = add_ci(client.server, "vm1"), add_ci(client.server, "vm2")
        number = await client.create(**four_values(one))
        for _ in range(2):
            assert (await client.change(number, four_values(other))).status == 204
        assert (await client.change(number, four_values(one))).status == 204
        assert (await client.read(number))["Previous_HPD_CI_ReconID"] == other["ReconciliationIdentity"]
        ids = [one["ReconciliationIdentity"], other["ReconciliationIdentity"]]
        assert [row["Request ID01"] for row in looking.relations(client.server, number)] == ids
        assert looking.ci_identities(client.server, number) == ids


async def test_an_identity_that_names_no_ci_in_use_is_refused() -> None:
    """An unknown one, 0, one of another dataset only, and a deleted CI."""
    async with served() as client:
        deleted, discovered = add_ci(client.server, "vm1"), add_ci(client.server, "vm2", dataset="BMC.ADDM")
        retire_ci(client.server, deleted["ReconciliationIdentity"])
        waiting = add_ci(client.server, "vm3", reconciled=False)
        unknown = {**deleted, "ReconciliationIdentity": "OI-0"}
        for ci in (deleted, discovered, waiting, unknown):
            seen = await client.try_create(**four_values(ci))
            assert (seen.status, "Reconciliation ID" in seen.json[0]["messageAppendedText"]) == (500, True)


async def test_a_class_that_is_not_the_cis_own_is_refused() -> None:
    """By workflow."""
    async with served() as client:
        ci = add_ci(client.server, "vm1")
        seen = await client.try_create(**four_values(ci, HPD_CI_FormName="BMC_APPLICATION"))
        assert "is of the class BMC_COMPUTERSYSTEM" in seen.json[0]["messageAppendedText"]


async def test_a_service_is_bound_by_two_values() -> None:
    """And related as impacted."""
    async with served() as client:
        shop = add_ci(client.server, "Shop", ci_class="BMC_BusinessService")
        number = await client.create(ServiceCI="Shop", ServiceCI_ReconID=shop["ReconciliationIdentity"])
        (row,) = looking.relations(client.server, number)
        assert (row["Association Type01"], row["Lookup Keyword"]) == ("Impacted CI", "BMC_BUSINESSSERVICE")
        assert (await client.try_create(ServiceCI_ReconID="OI-0")).status == 500


async def test_name_and_keyword_make_a_relation_without_the_field() -> None:
    """On the staging form; they must mean one CI."""
    async with served() as client:
        add_ci(client.server, "vm1")
        sent = {"CI__Name": "vm1", "Lookup__Keyword": "BMC_COMPUTERSYSTEM"}
        number = await client.create(**sent)
        assert [row["Request Description01"] for row in looking.relations(client.server, number)] == ["vm1"]
        assert (await client.read(number))["HPD_CI"] is None
        add_ci(client.server, "vm1")
        seen = await client.try_create(**sent)
        assert (seen.status, "2 Configuration Items" in seen.json[0]["messageAppendedText"]) == (500, True)


async def test_further_cis_are_related_by_the_associations_form() -> None:
    """201 without a body; both ends must be there, and the CI reconciled."""
    async with served() as client:
        number, ci = await client.create(), add_ci(client.server, "vm1")
        seen = await relate(client, number, ci["ReconciliationIdentity"])
        assert (seen.status, seen.text) == (201, "")
        (row,) = looking.relations(client.server, number)
        assert (row["Request Description01"], row["Lookup Keyword"]) == ("vm1", "BMC_COMPUTERSYSTEM")
        assert (await relate(client, number, "0")).status == 500
        assert (await relate(client, "INC000000009999", ci["ReconciliationIdentity"])).status == 500
        assert (await relate(client, number, "x", **{"Form Name01": None})).error == (500, 307, "Form Name01")


async def test_the_form_does_not_mind_a_relation_that_is_there() -> None:
    """Who asks twice has it twice."""
    async with served() as client:
        number, ci = await client.create(), add_ci(client.server, "vm1")
        for _ in range(2):
            await relate(client, number, ci["ReconciliationIdentity"])
        assert len(looking.relations(client.server, number)) == 2


async def test_an_incident_takes_its_relations_and_work_info_with_it() -> None:
    """When it is deleted."""
    async with served() as client:
        number = await client.create(**four_values(add_ci(client.server, "vm1")))
        client.person.comment(number, "x")
        client.person.delete(number)
        assert (await client.entries(ASSOCIATIONS))["entries"] == []
        assert (await client.entries(WORK_LOG))["entries"] == []
