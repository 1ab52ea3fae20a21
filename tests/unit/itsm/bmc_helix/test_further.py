"""The further fields of an incident: what the site has, and what is left out with a word."""

from typing import Any

import pytest
from tests.unit.itsm.bmc_helix.fake_ar import CREATE, FakeAr, bench, error, instead, work_item
from tests.unit.itsm.scripted import answer

from secure_export.itsm.bmc_helix.forms import SUPPORT_GROUP, TEMPLATE, FieldShape, FormShape
from secure_export.itsm.bmc_helix.incidents.further import Further, further_fields, matching
from secure_export.itsm.ended import Ended

GROUP = ("Assigned Support Company", "Assigned Support Organization", "Assigned Group")
SHAPE = {
    "fields": [
        {"name": "Product Name", "maxLength": 10},
        {"name": "Reported Source", "enum": ["Systems Management", "Other"]},
        {"name": "Service_Type", "enum": ["Infrastructure Event"]},
        *({"name": name} for name in (*GROUP, "Company", "TemplateID", "Site")),
    ]
}


def groups(*rows: tuple[str, str, str]) -> FakeAr:
    made = {
        str(place): {
            "Company": company,
            "Support Organization": organization,
            "Support Group Name": name,
            "Status": "Enabled",
        }
        for place, (company, organization, name) in enumerate(rows)
    }
    return FakeAr(rows={SUPPORT_GROUP: made}, shapes={CREATE: SHAPE})


async def further(server: FakeAr, item: dict[str, Any] | None = None, **settings: Any) -> Further:
    at = bench(server, **settings)
    return await further_fields(work_item(**(item or {})), at.tools.settings, at.tools.site)


def group_of(found: Further) -> tuple[str, ...]:
    return tuple(found.values.get(name, "") for name in GROUP)


async def test_settings_become_fields() -> None:
    """Customer, company, categories and service by the names of the form that makes incidents."""
    found = await further(
        FakeAr(),
        company="Acme",
        customer={"first_name": "Ada", "last_name": "Lovelace", "login_id": "ada"},
        operational_categories="A > B",
        product_categories=["X"],
        service_ci={"name": "Shop", "reconciliation_id": "OI-1"},
        fields={"Site": "Bonn"},
    )
    assert found.values == {
        "Company": "Acme",
        "Contact_Company": "Acme",
        "First_Name": "Ada",
        "Last_Name": "Lovelace",
        "Login_ID": "ada",
        "Reported Source": "Systems Management",
        "Service_Type": "Infrastructure Event",
        "ServiceCI": "Shop",
        "ServiceCI_ReconID": "OI-1",
        "Categorization Tier 1": "A",
        "Categorization Tier 2": "B",
        "Product Categorization Tier 1": "X",
        "Site": "Bonn",
    }
    assert found.remarks == []


async def test_the_route_goes_before_the_settings() -> None:
    """What a route says of a field counts; what the form does not take is left out, and told."""
    asked = {"Reported Source": "other", "Product Name": "A rather long name", "product name": "x", "Status": "Closed"}
    found = await further(FakeAr(shapes={CREATE: SHAPE}), {"fields": asked})
    assert found.values["Reported Source"] == "Other"
    assert found.values["Product Name"] == "A rathe…"
    told_ = "\n".join(found.remarks)
    assert "no field product name" in told_
    assert "cut to the 10" in told_
    assert "Status is written by" in told_


async def test_a_label_that_is_none_is_left_out() -> None:
    """With the labels that there are."""
    found = await further(FakeAr(shapes={CREATE: SHAPE}), {"fields": {"Service_Type": "Event"}})
    assert "Service_Type" not in found.values
    assert any("Infrastructure Event" in remark for remark in found.remarks)


async def test_our_key_is_nobody_elses() -> None:
    """A route cannot set the field that holds our key."""
    found = await further(FakeAr(), {"fields": {"Vendor Ticket Number": "x"}})
    assert "Vendor Ticket Number" not in found.values
    assert found.remarks


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("Linux", ("Acme", "IT", "Linux")),
        ("linux", ("Acme", "IT", "Linux")),
        ("IT > Linux", ("Acme", "IT", "Linux")),
        ("Other > Unknown > Linux", ("Other", "Unknown", "Linux")),
        ("Other->Unknown->Linux", ("Other", "Unknown", "Linux")),
    ],
)
async def test_a_group_by_its_name(asked: str, expected: tuple[str, ...]) -> None:
    """One name is looked up; a whole path is taken as it is."""
    server = groups(("Acme", "IT", "Linux"), ("Acme", "IT", "Windows"))
    server.rows[SUPPORT_GROUP]["0"] |= {"Support Group Name": asked if asked == "linux" else "Linux"}
    found = await further(server, {"group": asked})
    assert tuple(one.lower() for one in group_of(found)) == tuple(one.lower() for one in expected)
    assert found.remarks == []


async def test_a_group_that_several_companies_have() -> None:
    """It is not guessed: left out with a word, or taken from the settings' company and organization."""
    server = groups(("Acme", "IT", "Linux"), ("Other", "Ops", "Linux"))
    found = await further(server, {"group": "Linux"})
    assert group_of(found) == ("", "", "")
    assert "Acme > IT, Other > Ops" in found.remarks[0]
    server = groups(("Acme", "IT", "Linux"), ("Other", "Ops", "Linux"))
    own = {"company": "Other", "organization": "Ops"}
    assert group_of(await further(server, {"group": "Linux"}, support_group=own)) == ("Other", "Ops", "Linux")


async def test_the_settings_group_is_the_last() -> None:
    """It counts where neither route nor CI names one."""
    own = {"company": "Acme", "organization": "IT", "group": "Desk"}
    assert group_of(await further(FakeAr(), support_group=own)) == ("Acme", "IT", "Desk")
    assert group_of(await further(FakeAr())) == ("", "", "")


async def test_a_group_that_may_not_be_looked_up() -> None:
    """Rights on CTM:Support Group may be missing: BMC's own rules decide, and that is told."""
    server = FakeAr(before=[instead(f"GET {SUPPORT_GROUP}", error(353, "no access to form", status=403))])
    found = await further(server, {"group": "Linux"})
    assert group_of(found) == ("", "", "")
    assert "left out" in found.remarks[0]


async def test_a_group_that_cannot_be_looked_up_now_waits() -> None:
    """An outage is no reason to make an incident without its group."""
    server = FakeAr(before=[instead(f"GET {SUPPORT_GROUP}", answer(503))])
    with pytest.raises(Ended):
        await further(server, {"group": "Linux"})


@pytest.mark.parametrize("by", ["Template Name", "Description"])
async def test_a_template_by_its_name(by: str) -> None:
    """TemplateID takes the instance id; the name is looked up."""
    server = FakeAr(rows={TEMPLATE: {"1": {by: "Azure alert", "InstanceId": "AGGAA5V0GO2Y0APMV93LPLY5FREVV1"}}})
    found = await further(server, template="Azure alert")
    assert found.values["TemplateID"] == "AGGAA5V0GO2Y0APMV93LPLY5FREVV1"


async def test_a_template_by_its_id() -> None:
    """An instance id is taken as it is."""
    found = await further(FakeAr(), {"fields": {"TemplateID": "AGGAA5V0GO2Y0APMV93LPLY5FREVV1"}}, template="other")
    assert found.values["TemplateID"] == "AGGAA5V0GO2Y0APMV93LPLY5FREVV1"


@pytest.mark.parametrize("count", [0, 2])
async def test_a_template_that_is_not_one(count: int) -> None:
    """None, or several of one name: left out with a word."""
    rows = {str(place): {"Template Name": "Azure alert", "InstanceId": f"AG{place}"} for place in range(count)}
    found = await further(FakeAr(rows={TEMPLATE: rows}), template="Azure alert")
    assert "TemplateID" not in found.values
    assert "template was left out" in found.remarks[0]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ((), "1-Critical"),
        (("1-Critical", "2-High"), "1-Critical"),
        (("1-Kritisch", "2-Hoch"), "1-Kritisch"),
        (("Kritisch",), "1-Critical"),
    ],
)
def test_labels_that_a_site_renamed(labels: tuple[str, ...], expected: str) -> None:
    """The number in front finds the label; where there is none, ours is tried."""
    shape = FormShape({"Urgency": FieldShape("Urgency", labels=labels)})
    assert matching("1-Critical", shape, "Urgency") == expected
