"""Creating incidents (bmc-facts section 10, lines 5, 6 and 8)."""

from typing import Any

import pytest
from tests.unit.sandbox.bmc_helix.served import BASE, INTERFACE, MINIMAL, STAGING, new_server, path_of, served

from secure_export.sandbox.bmc_helix.demo_data import TEMPLATE
from secure_export.sandbox.bmc_helix.forms.others import TEMPLATE as TEMPLATE_FORM
from secure_export.sandbox.bmc_helix.foundation import add_group, add_person
from secure_export.sandbox.bmc_helix.site import Route

WORDS = "records have been found for the Incident contact information you have provided"


async def test_a_create_without_fields_has_no_body_and_says_where() -> None:
    """The address is absolute, on the address that the client used, and leads to the staging entry."""
    async with served() as client:
        headers = {"Host": "helix.example:1234"}
        seen = await client.ask("POST", path_of(STAGING), json={"values": dict(MINIMAL)}, headers=headers)
        assert (seen.status, seen.text) == (201, "")
        location = seen.headers["Location"]
        assert location == f"http://helix.example:1234{path_of(STAGING)}/000000000000606"
        entry = await client.ask("GET", location.removeprefix("http://helix.example:1234"))
        assert entry.json["values"]["Incident Number"] == "INC000000000430"


async def test_a_create_with_fields_answers_with_them() -> None:
    """Blanks after commas do not count, what the form does not have is left out, and the link to itself has no id."""
    async with served() as client:
        path = f"{path_of(STAGING)}?fields=values(Incident%20Number,%20Request%20ID,%20No%20Such%20Field)"
        seen = await client.ask("POST", path, json={"values": dict(MINIMAL)})
        assert seen.status == 201
        assert "Location" not in seen.headers
        assert seen.json == {
            "values": {"Incident Number": "INC000000000430", "Request ID": "000000000000606"},
            "_links": {"self": [{"href": f"{client.url}/api/arsys/v1.0/entry/{STAGING}"}]},
        }


async def test_a_create_with_fields_that_name_none_has_a_body_all_the_same() -> None:
    """``fields=values()``, as remedy-py sends it when nothing is asked for."""
    async with served() as client:
        seen = await client.ask("POST", f"{path_of(STAGING)}?fields=values()", json={"values": dict(MINIMAL)})
        assert (seen.status, seen.json["values"]) == (201, {})


async def test_fields_that_cannot_be_read_create_nothing() -> None:
    """The parameter is looked at first."""
    async with served() as client:
        seen = await client.ask("POST", f"{path_of(STAGING)}?fields=Incident%20Number", json={"values": dict(MINIMAL)})
        assert seen.status == 400
        assert client.server.entries.count(BASE) == 0


async def test_one_incident_has_three_ids_that_differ() -> None:
    """Its number, the entry id, and ``<entry id>|<entry id>`` of the interface; the staging row has a fourth."""
    async with served() as client:
        number = await client.create()
        (base,) = (await client.entries(BASE))["entries"]
        (joined,) = (await client.entries(INTERFACE))["entries"]
        (staging,) = (await client.entries(STAGING))["entries"]
        assert number == base["values"]["Incident Number"] == "INC000000000430"
        assert base["values"]["Entry ID"] == "INC000000000527"
        assert joined["values"]["Request ID"] == "INC000000000527|INC000000000527"
        assert staging["values"]["Request ID"] == "000000000000606"
        assert staging["values"]["Incident_Entry_ID"] is None
        assert joined["_links"]["self"][0]["href"].endswith("/INC000000000527%7CINC000000000527")
        assert base["_links"]["self"][0]["href"].endswith("/HPD:Help%20Desk/INC000000000527")


@pytest.mark.parametrize("entry_id", ["INC000000000527%7CINC000000000527", "INC000000000527"])
async def test_the_interface_takes_the_joined_id_and_the_single_one(entry_id: str) -> None:
    """And answers with the joined one."""
    async with served() as client:
        await client.create()
        seen = await client.ask("GET", f"{path_of(INTERFACE)}/{entry_id}")
        assert seen.json["values"]["Request ID"] == "INC000000000527|INC000000000527"
        put = await client.ask("PUT", f"{path_of(INTERFACE)}/{entry_id}", json={"values": {"Urgency": "4-Low"}})
        assert (put.status, put.text) == (204, "")


@pytest.mark.parametrize("entry_id", ["INC000000000430", "INC000000000527%7CINC000000000528", "INC000000000527%7C"])
async def test_an_incident_number_is_no_entry_id(entry_id: str) -> None:
    """404 with 302; nor are two ids that differ."""
    async with served() as client:
        await client.create()
        seen = await client.ask("GET", f"{path_of(INTERFACE)}/{entry_id}")
        assert (seen.status, seen.json[0]["messageNumber"]) == (404, 302)


async def test_the_number_of_one_incident_can_be_the_entry_id_of_another() -> None:
    """Who updates "by incident number" hits the wrong record."""
    async with served() as client:
        numbers = [await client.create(Description=f"Number {place}") for place in range(98)]
        (hit,) = (await client.entries(BASE, f"'Entry ID' = \"{numbers[97]}\""))["entries"]
        assert hit["values"]["Incident Number"] != numbers[97]


@pytest.mark.parametrize("form", [BASE, INTERFACE])
async def test_only_the_staging_form_creates(form: str) -> None:
    """The others refuse by workflow."""
    async with served() as client:
        seen = await client.ask("POST", path_of(form), json={"values": {"Description": "x"}})
        assert (seen.status, STAGING in seen.json[0]["messageAppendedText"]) == (500, True)


async def test_the_staging_entry_has_a_life_of_its_own() -> None:
    """It is read, changed and deleted by its own id, and the incident stays as it is."""
    async with served() as client:
        number = await client.create()
        path = f"{path_of(STAGING)}/000000000000606"
        assert (await client.ask("PUT", path, json={"values": {"Description": "Other"}})).status == 204
        assert (await client.ask("GET", path)).json["values"]["Description"] == "Other"
        assert (await client.ask("DELETE", path)).status == 204
        assert (await client.ask("GET", path)).status == 404
        assert (await client.read(number))["Description"] == "CPU is high"


async def test_what_is_new_comes_back_assigned_with_a_group() -> None:
    """The routing rule has spoken: what is read back is not what was sent."""
    async with served() as client:
        values = await client.read(await client.create())
        assert (values["Status"], values["Assigned Group"], values["Owner Group"]) == (
            "Assigned",
            "Service Desk",
            "Service Desk",
        )
        assert values["Assigned Support Company"] == "Contoso"
        assert values["Assigned Support Organization"] == "IT Support"
        assert values["Assigned Group ID"].startswith("SGP")


async def test_without_routing_rules_it_stays_new() -> None:
    """Nobody has it."""
    async with served(new_server(routes=[])) as client:
        values = await client.read(await client.create())
        assert (values["Status"], values["Assigned Group"]) == ("New", None)


async def test_the_first_rule_that_matches_routes() -> None:
    """By company, service type and product tier."""
    rules = [Route("Database", product_tier="Database"), Route("Linux", service_type="Infrastructure Event")]
    async with served(new_server(routes=rules)) as client:
        one = await client.read(await client.create(Product__Categorization__Tier__1="Database"))
        other = await client.read(await client.create())
        assert (one["Assigned Group"], other["Assigned Group"]) == ("Database", "Linux")


async def test_a_group_that_is_sent_is_kept_and_its_names_filled_in() -> None:
    """If there is one of that name."""
    async with served() as client:
        values = await client.read(await client.create(Assigned__Group="Linux"))
        assert (values["Assigned Group"], values["Assigned Support Organization"]) == ("Linux", "IT Support")
        seen = await client.try_create(Assigned__Group="Nobody")
        assert (seen.status, "is no support group" in seen.json[0]["messageAppendedText"]) == (500, True)
        add_group(client.server, "Linux", company="Fabrikam")
        seen = await client.try_create(Assigned__Group="Linux")
        assert "matches several support groups" in seen.json[0]["messageAppendedText"]
        number = await client.create(Assigned__Group="Linux", Assigned__Support__Company="Fabrikam")
        assert (await client.read(number))["Assigned Support Company"] == "Fabrikam"


@pytest.mark.parametrize(
    ("impact", "urgency", "weight", "priority"),
    [
        ("2-Significant/Large", "1-Critical", 25, "Critical"),
        ("2-Significant/Large", "2-High", 20, "High"),
        ("3-Moderate/Limited", "2-High", 18, "High"),
        ("4-Minor/Localized", "2-High", 15, "Medium"),
        ("4-Minor/Localized", "4-Low", 0, "Low"),
    ],
)
async def test_impact_and_urgency_make_the_priority(impact: str, urgency: str, weight: int, priority: str) -> None:
    """The first four are recorded incidents."""
    async with served() as client:
        values = await client.read(await client.create(Impact=impact, Urgency=urgency))
        assert (values["Priority Weight"], values["Priority"]) == (weight, priority)


async def test_a_priority_that_is_sent_is_not_taken() -> None:
    """It is computed, also after a change."""
    async with served() as client:
        number = await client.create(Priority="Critical")
        assert (await client.read(number))["Priority"] == "High"
        await client.change(number, {"Urgency": "4-Low"})
        assert (await client.read(number))["Priority"] == "Low"


@pytest.mark.parametrize(
    "missing", ["Description", "Impact", "Urgency", "Status", "Reported Source", "Service_Type", "Company"]
)
async def test_what_is_required_is_asked_for(missing: str) -> None:
    """500 with 307 and the field's name; nothing is created."""
    async with served() as client:
        seen = await client.try_create(**{missing: None})
        assert seen.error == (500, 307, missing)
        assert client.server.entries.count(BASE) == client.server.entries.count(STAGING) == 0


async def test_a_template_fills_in_what_is_not_sent() -> None:
    """By its InstanceId or its name; nothing else is required then."""
    async with served() as client:
        (template,) = client.server.search(TEMPLATE_FORM)
        for by in ({"TemplateID": template["InstanceId"]}, {"HPD_TemplateName": TEMPLATE}):
            values: dict[str, Any] = {**dict.fromkeys(MINIMAL), **by}
            read = await client.read(await client.create(**values))
            assert (read["Description"], read["Impact"]) == ("Azure Monitor alert", "3-Moderate/Limited")
        seen = await client.try_create(TemplateID="AG0")
        assert (seen.status, "no template" in seen.json[0]["messageAppendedText"]) == (500, True)


async def test_a_site_demands_further_fields_and_its_schema_says_so() -> None:
    """OPTIONS tells them before the refusal does."""
    async with served() as client:
        client.server.forms.change(STAGING, "Categorization Tier 1", required=True)
        assert (await client.try_create()).error == (500, 307, "Categorization Tier 1")
        schema = (await client.ask("OPTIONS", path_of(STAGING))).json["properties"]["values"]
        assert "Categorization Tier 1" in schema["required"]
        assert schema["properties"]["Categorization Tier 1"]["entryMode"] == "REQUIRED"


async def test_a_filter_demands_what_the_schema_does_not_tell() -> None:
    """Only the refusal names it."""
    async with served(new_server(required_by_workflow={"Product Name"})) as client:
        schema = (await client.ask("OPTIONS", path_of(STAGING))).json["properties"]["values"]
        assert "Product Name" not in schema["required"]
        assert (await client.try_create()).error == (500, 307, "Product Name")


async def test_the_schema_tells_fields_types_limits_and_selections() -> None:
    """What a client may send, and how long it may be."""
    async with served() as client:
        fields = (await client.ask("OPTIONS", path_of(STAGING))).json["properties"]["values"]["properties"]
        assert fields["Description"]["maxLength"] == 255
        assert fields["Impact"]["enum"][0] == "1-Extensive/Widespread"
        assert fields["Impact"]["enumIds"] == [1000, 2000, 3000, 4000]
        assert fields["z1D_Action"]["entryMode"] == "DISPLAY_ONLY"
        assert fields["Create Date"]["format"] == "date-time"


async def test_a_customer_is_one_person() -> None:
    """None and several are refused with the sentence that integrations look for."""
    async with served() as client:
        jane = {"First_Name": "Jane", "Last_Name": "Customer", "Service_Type": "User Service Restoration"}
        values = await client.read(await client.create(**jane))
        assert (values["Customer Login ID"], values["Company"]) == ("jane.customer", "Contoso")
        for wrong in ({"First_Name": "June"}, {"Company": "Fabrikam"}):
            seen = await client.try_create(**{**jane, **wrong})
            assert (seen.status, f"No {WORDS}" in seen.json[0]["messageAppendedText"]) == (500, True)
        add_person(client.server, "Jane", "Customer", company="Contoso", login="jane.2")
        seen = await client.try_create(**jane)
        assert f"Multiple {WORDS}" in seen.json[0]["messageAppendedText"]
        assert (await client.read(await client.create(**jane, Login_ID="jane.2")))["Customer Login ID"] == "jane.2"


async def test_only_events_of_the_infrastructure_need_no_customer() -> None:
    """Unless the site wants one for these too."""
    async with served() as client:
        seen = await client.try_create(Service_Type="User Service Restoration")
        assert WORDS in seen.json[0]["messageAppendedText"]
        client.server.site.customer_required = True
        assert WORDS in (await client.try_create()).json[0]["messageAppendedText"]


async def test_a_company_that_there_is_not_is_refused() -> None:
    """By workflow."""
    async with served() as client:
        seen = await client.try_create(Company="Nowhere")
        assert (seen.status, "not a valid company" in seen.json[0]["messageAppendedText"]) == (500, True)


async def test_what_is_refused_takes_no_number() -> None:
    """The next incident has the next number."""
    async with served() as client:
        assert (await client.try_create(Company="Nowhere")).status == 500
        assert await client.create() == "INC000000000430"


async def test_the_action_create_is_harmless() -> None:
    """And another one is refused."""
    async with served() as client:
        assert await client.create(z1D_Action="CREATE")
        assert (await client.try_create(z1D_Action="MODIFY")).status == 500
