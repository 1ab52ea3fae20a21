"""``secure-export check`` of a BMC Helix connection: what it proves, what it says, and that it leaves no trace."""

import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from secure_export.clock import utc_now
from secure_export.itsm import record_keys
from secure_export.itsm.bmc_helix.bmc_helix_connector import BmcHelixConnector
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.contract import CheckResult
from secure_export.itsm.resources import Resources
from secure_export.sandbox.bmc_helix.app import BmcHelixApp
from secure_export.sandbox.bmc_helix.faults import Fault, FaultKind
from secure_export.sandbox.bmc_helix.forms.incident import INTERFACE, STAGING
from secure_export.sandbox.bmc_helix.forms.model import Option
from secure_export.sandbox.bmc_helix.forms.others import WORK_LOG
from secure_export.sandbox.bmc_helix.foundation import add_person
from secure_export.sandbox.bmc_helix.people import INTEGRATION_ROLES, Account
from secure_export.sandbox.bmc_helix.run import serving

USER, PASSWORD = "probe", "pr0be-passw0rd"
OURS = record_keys.record_key("prod", "a" * 32)
KEY_FIELD = f"key field {'Vendor Ticket Number'}"
AZURE_ID = {"class": "BMC_BaseElement", "attribute": "AzureResourceId", "source": "resource_id"}
Check = Callable[..., Awaitable[dict[str, CheckResult]]]


@pytest.fixture
async def server() -> AsyncIterator[tuple[BmcHelixApp, str]]:
    async with serving() as (app, url):
        account(app)
        yield app, url


@pytest.fixture
def app(server: tuple[BmcHelixApp, str]) -> BmcHelixApp:
    return server[0]


@pytest.fixture
def check(server: tuple[BmcHelixApp, str], monkeypatch: pytest.MonkeyPatch) -> Check:
    monkeypatch.setenv("PW", PASSWORD)
    monkeypatch.setenv("WRONG", "wrong")

    async def run(**own: Any) -> dict[str, CheckResult]:
        named = {"url": server[1], "username": USER, "password": {"env": "PW"}, "company": "Contoso", **own}
        resources = Resources(desk=None, clock=utc_now)  # type: ignore[arg-type] # no desk here
        connector = BmcHelixConnector("prod", BmcHelixSettings.model_validate(named), resources)
        try:
            return {result.subject: result for result in await connector.check()}
        finally:
            await connector.close()

    return run


def account(app: BmcHelixApp, roles: frozenset[str] = INTEGRATION_ROLES, **more: Any) -> None:
    app.server.accounts.set(Account(USER, PASSWORD, roles, **more))


def own_incident(app: BmcHelixApp) -> str:
    """Make an incident as this connection does, and give its number."""
    values = {
        "Description": "ours",
        "Impact": "3-Moderate/Limited",
        "Urgency": "3-Medium",
        "Status": "New",
        "Reported Source": "Systems Management",
        "Service_Type": "Infrastructure Event",
        "Vendor Ticket Number": OURS,
        "Company": "Contoso",
    }
    staged = app.server.create(STAGING, values)
    return str(app.server.read(STAGING, str(staged))["Incident Number"])


def wrong(results: Mapping[str, CheckResult]) -> list[str]:
    return [subject for subject, result in results.items() if not result.passed]


def everything(app: BmcHelixApp) -> Any:
    """All entries of all forms."""
    stores = {form.store for form in app.server.forms}
    return copy.deepcopy({store: [dict(row) for row in app.server.entries.rows(store)] for store in stores})


async def test_the_rights_of_the_page_are_enough(check: Check) -> None:
    """Who follows the how-to has no line that fails, and is told what cannot be proven yet."""
    results = await check()
    assert wrong(results) == []
    assert results["sign in"].detail == f"AR-JWT as {USER}; a token lasts 3600 s"
    assert "not proven without writing" in results["create incident"].detail
    assert "Automated Resolution Reported" in results["status reason"].detail
    assert "no assignee is set" in results["assignee"].detail


@pytest.mark.parametrize("with_record", [False, True])
async def test_nothing_is_left_behind(app: BmcHelixApp, check: Check, *, with_record: bool) -> None:
    """Every entry is as it was before."""
    if with_record:
        own_incident(app)
    before = everything(app)
    await check()
    assert everything(app) == before


async def test_an_incident_of_ours_proves_writing(app: BmcHelixApp, check: Check) -> None:
    """Once there is one, it was made, and its key finds it."""
    number = own_incident(app)
    results = await check()
    assert wrong(results) == []
    assert number in results["create incident"].detail
    assert number in results["look up by key"].detail


async def test_a_wrong_password_ends_the_check(check: Check) -> None:
    """Nothing else is tried, and the line names the causes."""
    results = await check(password={"env": "WRONG"})
    assert wrong(results) == ["sign in", "everything else"]
    assert "623" in results["sign in"].detail
    assert "wrong" not in results["sign in"].detail.replace("are wrong", "")


async def test_a_guest_is_let_in_nowhere(app: BmcHelixApp, check: Check) -> None:
    """A server that lets guests in would read like one without records."""
    app.server.site.guests_allowed = True
    results = await check(password={"env": "WRONG"})
    assert wrong(results) == ["sign in", "everything else"]
    assert "Allow Guest Users" in results["sign in"].detail


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (FaultKind.LOGIN_PAGE, "not that of the Mid Tier"),
        (FaultKind.SSO_PAGE, "Single Sign-On"),
        (FaultKind.OTHER_SESSION, "a user of its own"),
    ],
)
async def test_what_answers_in_place_of_the_server_is_named(
    kind: FaultKind, words: str, app: BmcHelixApp, check: Check
) -> None:
    """The usual mistakes of a first set-up each have their own words."""
    app.faults.set(Fault(kind, times=None))
    results = await check()
    assert wrong(results) == ["sign in", "everything else"]
    assert words in results["sign in"].detail


async def test_http_that_is_refused_is_told(app: BmcHelixApp, check: Check) -> None:
    """A server in its usual state takes no REST calls without TLS."""
    app.server.site.plain_http_refused = True
    assert "https://" in (await check())["sign in"].detail


async def test_the_clocks_are_compared(app: BmcHelixApp, check: Check) -> None:
    """Times in queries are the server's."""
    app.server.clock.move(timedelta(minutes=10))
    results = await check()
    assert wrong(results) == ["clock"]
    assert "behind" in results["clock"].detail


async def test_rights_on_incidents_that_are_missing_are_named(app: BmcHelixApp, check: Check) -> None:
    """Each form has its line, with the permission group that it needs."""
    account(app, INTEGRATION_ROLES - {"Incident Master"})
    results = await check()
    failed = [subject for subject in wrong(results) if subject.startswith("form")]
    assert failed == [f"form {form}" for form in (STAGING, INTERFACE, WORK_LOG, "HPD:Associations")]
    assert "353" in results[f"form {STAGING}"].detail
    assert "Incident Master" in results[f"form {STAGING}"].detail


async def test_a_field_that_this_site_requires_is_named(app: BmcHelixApp, check: Check) -> None:
    """The form's metadata says what is required; the setting that fills it ends the complaint."""
    app.server.forms.change(STAGING, "Site", required=True)
    results = await check()
    assert wrong(results) == ["required fields"]
    assert "requires Site" in results["required fields"].detail
    assert wrong(await check(fields={"Site": "Headquarters"})) == []


async def test_a_field_that_is_not_there_is_named(check: Check) -> None:
    """Blanks and underscores count."""
    results = await check(fields={"Service Type": "x"})
    assert wrong(results) == ["fields of the configuration"]
    assert "no field Service Type" in results["fields of the configuration"].detail


@pytest.mark.parametrize(
    ("form", "field", "setting"),
    [
        (STAGING, "Reported Source", "reported_source"),
        (STAGING, "Service_Type", "service_type"),
        (WORK_LOG, "Work Log Type", "work_info_type"),
        (WORK_LOG, "View Access", "work_info_access"),
    ],
)
async def test_a_label_that_is_not_there_is_named(
    form: str, field: str, setting: str, app: BmcHelixApp, check: Check
) -> None:
    """With the setting to change and what there is; a site that has the label is content."""
    results = await check(**{setting: "Cloud"})
    assert "selections" in wrong(results)
    assert field in results["selections"].detail
    assert f"set {setting} to one of" in results["selections"].detail
    app.server.forms.change(form, field, options=(Option(1, "Cloud"),))
    assert (await check(**{setting: "Cloud"}))["selections"].passed


async def test_numbered_labels_that_a_site_renamed_are_taken(app: BmcHelixApp, check: Check) -> None:
    """What stands behind the number in front is the site's own."""
    renamed = tuple(Option(place * 1000, f"{place}-Stufe {place}") for place in range(1, 5))
    app.server.forms.change(STAGING, "Impact", options=renamed)
    assert (await check())["selections"].passed


async def test_status_reasons_that_are_not_there_are_named(app: BmcHelixApp, check: Check) -> None:
    """Without one an incident could not be resolved."""
    app.server.forms.change(INTERFACE, "Status_Reason", options=(Option(1, "Gone by itself"),))
    results = await check()
    assert wrong(results) == ["status reason"]
    assert "Gone by itself" in results["status reason"].detail
    assert wrong(await check(status_reasons=["Gone by itself"])) == []


async def test_a_key_field_that_is_too_short_is_named(app: BmcHelixApp, check: Check) -> None:
    """A key that is cut would find nothing."""
    app.server.forms.change(STAGING, "Vendor Ticket Number", limit=30)
    results = await check()
    assert KEY_FIELD in wrong(results)
    assert "takes 30 characters" in results[KEY_FIELD].detail


async def test_a_key_field_that_is_not_there_is_named(check: Check) -> None:
    """Both forms must have it."""
    results = await check(key_field="Azure Key")
    assert "key field Azure Key" in wrong(results)
    assert f"{STAGING} and {INTERFACE}" in results["key field Azure Key"].detail


@pytest.mark.parametrize(
    ("own", "subject", "words"),
    [
        ({"company": "Nobody Inc."}, "company", "COM:Company has no Nobody Inc."),
        ({"customer": {"first_name": "No", "last_name": "Body"}}, "customer", "CTM:People has no No, Body"),
        ({"customer": {"first_name": "Azure", "last_name": "Monitor"}}, "customer", "more than one"),
        ({"customer": {"login_id": "nobody"}}, "customer", "has no nobody"),
        ({"support_group": {"group": "Nobodies"}}, "support group", "no support group called 'Nobodies'"),
        ({"template": "Nothing"}, "template", "HPD:Template has no Nothing"),
        ({"assignee": {"name": "No Body"}}, "assignee", "CTM:People has no No Body"),
        ({"service_ci": {"name": "x", "reconciliation_id": "OI-0"}}, "service CI", "has no OI-0"),
        ({"service_type": "User Service Restoration"}, "customer", "no customer is set"),
        ({"company": None}, "company", "no company is set"),
    ],
)
async def test_a_name_that_is_not_there_is_told(
    own: dict[str, Any], subject: str, words: str, app: BmcHelixApp, check: Check
) -> None:
    """Before the first incident, and not by its refusal."""
    add_person(app.server, "Azure", "Monitor", company="Contoso")
    results = await check(**own)
    assert subject in wrong(results)
    assert words in results[subject].detail


async def test_names_that_are_there_are_shown(app: BmcHelixApp, check: Check) -> None:
    """As BMC has them, so that a person sees which one is meant."""
    (shop,) = [row for row in app.server.entries.rows("BMC.CORE:BMC_BaseElement") if row["Name"] == "Web shop"]
    results = await check(
        company="Contoso",
        customer={"first_name": "Azure", "last_name": "Monitor"},
        support_group={"group": "Linux"},
        template="Azure alert",
        assignee={"name": "Ada Lovelace"},
        service_ci={"name": "Web shop", "reconciliation_id": shop["ReconciliationIdentity"]},
    )
    assert wrong(results) == []
    assert results["support group"].detail == "Contoso > IT Support > Linux"
    assert results["service CI"].detail == "Web shop"


async def test_people_that_may_not_be_read_are_no_failure(app: BmcHelixApp, check: Check) -> None:
    """It is only not known; BMC says it itself."""
    account(app, INTEGRATION_ROLES - {"Contact People User"})
    results = await check(customer={"first_name": "Azure", "last_name": "Monitor"})
    assert wrong(results) == []
    assert "cannot be read" in results["customer"].detail
    assert "cannot be read" in results["who we are"].detail


async def test_a_cmdb_without_rights_is_told(app: BmcHelixApp, check: Check) -> None:
    """Incidents are made all the same; the line says what to give."""
    account(app, frozenset({"Incident Master", "Contact People User"}))
    results = await check()
    assert wrong(results) == ["read CMDB"]
    assert "CMDB Data View All" in results["read CMDB"].detail
    assert "without a CI" in results["read CMDB"].detail


async def test_each_rule_is_tried(check: Check) -> None:
    """A class or an attribute that is not there has its own line."""
    rules = [AZURE_ID, {**AZURE_ID, "attribute": "AzureId"}, {**AZURE_ID, "class": "BMC_Nothing"}]
    results = await check(cmdb={"ci_lookup": rules})
    assert wrong(results) == ["CI look-up BMC_BaseElement.AzureId", "CI look-up BMC_Nothing.AzureResourceId"]
    assert "passed over" in results["CI look-up BMC_Nothing.AzureResourceId"].detail


@pytest.mark.parametrize("api", ["instances", "instance", "form"])
async def test_each_interface_of_the_cmdb_works(api: str, check: Check) -> None:
    """The same lines, whichever is set."""
    results = await check(cmdb={"api": api, "ci_lookup": [AZURE_ID]})
    assert wrong(results) == []
    assert f"({api})" in results["read CMDB"].detail


@pytest.mark.parametrize(("heeds", "words"), [(True, "the database heeds it"), (False, "does not heed it")])
async def test_what_the_database_does_with_case_is_told(
    words: str, app: BmcHelixApp, check: Check, *, heeds: bool
) -> None:
    """It decides how ids have to be kept."""
    app.server.site.case_sensitive = heeds
    assert words in (await check())["CMDB upper and lower case"].detail


async def test_an_empty_dataset_is_told(check: Check) -> None:
    """A dataset that nobody fills is a mistake, or hidden from us."""
    results = await check(cmdb={"dataset": "BMC.ASSET.SANDBOX"})
    assert wrong(results) == ["read CMDB"]
    assert "BMC.ASSET.SANDBOX shows no reconciled CI" in results["read CMDB"].detail
