"""Names of fields and labels (bmc-facts section 10, line 7)."""

import pytest
from tests.unit.sandbox.bmc_helix.served import BASE, INTERFACE, STAGING, served

from secure_export.sandbox.bmc_helix.forms.incident import STAGING_NAMES
from secure_export.sandbox.bmc_helix.server import ArServer


@pytest.mark.parametrize(("spaced", "underscored"), STAGING_NAMES.items())
def test_underscores_are_the_staging_forms_and_blanks_the_others(spaced: str, underscored: str) -> None:
    """Each name is on its own form only."""
    forms = ArServer(demo=False).forms
    assert underscored in forms[STAGING].by_name
    assert spaced not in forms[STAGING].by_name
    for other in (BASE, INTERFACE):
        assert spaced in forms[other].by_name
        assert underscored not in forms[other].by_name


def test_the_typing_error_is_the_api() -> None:
    """Detailed Decription, on each form in its own spelling."""
    forms = ArServer(demo=False).forms
    assert "Detailed_Decription" in forms[STAGING].by_name
    assert "Detailed Decription" in forms[INTERFACE].by_name
    assert all("Description" not in name or "Detailed" not in name for name in forms[INTERFACE].by_name)


@pytest.mark.parametrize("name", ["Vendor Ticket Number", "mc_ueid", "cell_name", "policy_name", "use_case"])
async def test_fields_for_the_key_of_an_integration_are_on_all_three_forms(name: str) -> None:
    """What is sent to the staging form is found on the others."""
    async with served() as client:
        number = await client.create(**{name: "azmon1:1"})
        for form in (STAGING, INTERFACE, BASE):
            (found,) = (await client.entries(form, f"'{name}' = \"azmon1:1\""))["entries"]
            assert found["values"]["Incident Number"] == number


@pytest.mark.parametrize("name", ["First Name", "description", "No Such Field", "Short_Description"])
async def test_a_field_that_the_form_does_not_have_is_refused(name: str) -> None:
    """400 with its name: the API is case-sensitive, and a blank is no underscore."""
    async with served() as client:
        assert (await client.try_create(**{name: "x"})).error == (400, 311, name)


@pytest.mark.parametrize("label", ["Massive", "3-moderate/limited", "3", 3001, True, "", " 3-Moderate/Limited"])
async def test_a_label_that_the_selection_does_not_have_is_refused(label: object) -> None:
    """Case and blanks count."""
    async with served() as client:
        seen = await client.try_create(Impact=label)
        assert (seen.status, seen.json[0]["messageNumber"]) == (400, 310)


@pytest.mark.parametrize("value", [4000, "4000"])
async def test_the_id_of_a_selection_is_taken_and_its_label_given_back(value: object) -> None:
    """As some clients send them."""
    async with served() as client:
        assert (await client.read(await client.create(Impact=value)))["Impact"] == "4-Minor/Localized"


async def test_what_is_too_long_is_refused_and_not_cut() -> None:
    """500 with 306 and the field's name; the limit is the site's."""
    async with served() as client:
        assert await client.create(Description="x" * 255, Detailed_Decription="y" * 100_000)
        assert (await client.try_create(Description="x" * 256)).error == (500, 306, "Description : 255")
        client.server.forms.change(STAGING, "Description", limit=100)
        assert (await client.try_create(Description="x" * 101)).error == (500, 306, "Description : 100")


async def test_values_come_back_as_the_real_thing_writes_them() -> None:
    """Moments with an offset without a colon, labels, numbers, null, and the history as an object."""
    async with served() as client:
        values = await client.read(await client.create())
        assert values["Submit Date"] == "2026-11-24T12:00:00.000+0000"
        assert values["Priority Weight"] == 18
        assert values["Resolution"] is None
        assert values["Status History"] == {
            "Assigned": {"user": "azure.integration", "timestamp": "2026-11-24T12:00:00.000+0000"}
        }


@pytest.mark.parametrize(
    "sent",
    [
        "2026-03-01T10:00:00.000+0000",
        "2026-03-01T10:00:00+00:00",
        "2026-03-01T12:00:00+0200",
        "2026-03-01T10:00:00Z",
        "03/01/2026 10:00:00",
        1772359200,
    ],
)
async def test_moments_are_taken_in_several_forms(sent: object) -> None:
    """And given back in one."""
    async with served() as client:
        values = await client.read(await client.create(Reported__Date=sent))
        assert values["Reported Date"] == "2026-03-01T10:00:00.000+0000"


async def test_a_moment_that_is_none_is_refused() -> None:
    """400 with the field's name."""
    async with served() as client:
        assert (await client.try_create(Reported__Date="yesterday")).error == (400, 310, "Reported Date : yesterday")


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"{}", b'{"values": []}', b'{"value": {}}'])
async def test_a_body_that_is_no_entry_is_400(body: bytes) -> None:
    """With an array of AR messages."""
    async with served() as client:
        path = f"/api/arsys/v1/entry/{STAGING}"
        seen = await client.ask("POST", path, data=body, headers={"Content-Type": "application/json"})
        assert (seen.status, seen.json[0]["messageType"]) == (400, "ERROR")
