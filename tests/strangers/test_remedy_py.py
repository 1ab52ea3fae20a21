"""remedy-py, a client by hand of BMC's documentation, against the sandbox over plain HTTP.

It calls ``.json()`` on every answer to a create, reads an entry back after each change, and treats the staging form's
own entry as the incident: its own example updates and deletes that one.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.strangers.helix_stand_in import HelixStandIn, plain_helix
from tests.strangers.stand_in import stranger

from secure_export.sandbox.bmc_helix import looking
from secure_export.sandbox.bmc_helix.demo_data import COMPANY, INTEGRATION_USER
from secure_export.sandbox.bmc_helix.faults import Fault, FaultKind
from secure_export.sandbox.bmc_helix.people import PASSWORD

client_module = stranger("remedy_py.RemedyAPIClient")
requests = stranger("requests")

STAGING = "HPD:IncidentInterface_Create"
INTERFACE = "HPD:IncidentInterface"
INCIDENT = {
    "First_Name": "Jane",
    "Last_Name": "Customer",
    "Company": COMPANY,
    "Description": "CPU is high",
    "Impact": "1-Extensive/Widespread",
    "Urgency": "1-Critical",
    "Status": "Assigned",
    "Reported Source": "Direct Input",
    "Service_Type": "User Service Restoration",
    "z1D_Action": "CREATE",
}


@pytest.fixture
async def helix() -> AsyncIterator[HelixStandIn]:
    async with plain_helix() as stand_in:
        yield stand_in


def client_of(helix: HelixStandIn, password: str = PASSWORD) -> Any:
    """Sign in; ``verify=False`` means plain HTTP to this client."""
    return client_module.RemedyClient("127.0.0.1", INTEGRATION_USER, password, port=helix.port, verify=False)


async def test_an_incident_is_made_and_its_number_told(helix: HelixStandIn) -> None:
    """It asks for fields with a blank after the comma."""

    def story() -> Any:
        return client_of(helix).create_form_entry(STAGING, INCIDENT, ["Incident Number", "Request ID"])

    answer, status = await asyncio.to_thread(story)
    assert status == 201
    number = answer["values"]["Incident Number"]
    made = looking.incident(helix.app.server, number) or {}
    assert (made["Priority"], made["Status"]) == ("Critical", "Assigned")


async def test_a_create_that_asks_for_nothing_can_be_read_too(helix: HelixStandIn) -> None:
    """``fields=values()``: the answer must be JSON all the same."""

    def story() -> Any:
        return client_of(helix).create_form_entry(STAGING, INCIDENT)

    answer, status = await asyncio.to_thread(story)
    assert (status, answer["values"]) == (201, {})


async def test_its_own_example_changes_and_deletes_the_staging_entry(helix: HelixStandIn) -> None:
    """By the Request ID that the create told; the incident itself stays."""

    def story() -> Any:
        client = client_of(helix)
        made, _ = client.create_form_entry(STAGING, INCIDENT, ["Incident Number", "Request ID"])
        request_id = made["values"]["Request ID"]
        read, _ = client.get_form_entry(STAGING, request_id)
        changed = client.update_form_entry(STAGING, request_id, {"Description": "Changed"})
        deleted = client.delete_form_entry(STAGING, request_id)
        with pytest.raises(requests.exceptions.HTTPError, match="404"):
            client.get_form_entry(STAGING, request_id)
        return read, changed, deleted

    read, (changed, status), deleted = await asyncio.to_thread(story)
    assert read["values"]["Description"] == "CPU is high"
    assert (changed["values"]["Description"], status) == ("Changed", 204)
    assert deleted == ({}, 204)
    (incident,) = looking.incidents(helix.app.server)
    assert incident["Description"] == "CPU is high"


async def test_an_incident_is_resolved_through_the_interface(helix: HelixStandIn) -> None:
    """By the joined id with a bar, which its HTTP library encodes; a change is read back."""

    def story() -> Any:
        client = client_of(helix)
        client.create_form_entry(STAGING, INCIDENT, ["Incident Number"])
        (incident,) = looking.incidents(helix.app.server)
        ended = {
            "Assigned Group": "Linux",
            "Assignee": "Ada Lovelace",
            "Status": "Resolved",
            "Status_Reason": "No Further Action Required",
            "Resolution": "Done",
        }
        return client.update_form_entry(INTERFACE, incident["Request ID"], ended)

    answer, status = await asyncio.to_thread(story)
    assert (status, answer["values"]["Status"], answer["values"]["Resolution"]) == (204, "Resolved", "Done")


async def test_what_is_wrong_becomes_its_own_kind_of_error(helix: HelixStandIn) -> None:
    """A wrong password is 401, a refusal of workflow 500."""

    def story() -> None:
        with pytest.raises(requests.exceptions.HTTPError, match="401"):
            client_of(helix, "wrong")
        client = client_of(helix)
        helix.app.faults.set(Fault(FaultKind.REFUSED))
        with pytest.raises(requests.exceptions.HTTPError, match="500"):
            client.create_form_entry(STAGING, INCIDENT)

    await asyncio.to_thread(story)


async def test_it_signs_out(helix: HelixStandIn) -> None:
    """204, and its token is worth nothing any more."""

    def story() -> Any:
        client = client_of(helix)
        signed_out = client.release_token()
        with pytest.raises(requests.exceptions.HTTPError, match="401"):
            client.get_form_entry(STAGING, "000000000000606")
        return signed_out

    assert await asyncio.to_thread(story) == ({}, 204)
