"""``secure-export check`` of a ServiceNow connection: what it proves, what it says, and that it leaves no trace."""

import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from secure_export.clock import utc_now
from secure_export.itsm.contract import CheckResult
from secure_export.itsm.resources import Resources
from secure_export.itsm.servicenow import keys
from secure_export.itsm.servicenow.servicenow_connector import ServiceNowConnector
from secure_export.itsm.servicenow.settings import ServiceNowSettings
from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.acl import Access, AccessRule
from secure_export.sandbox.servicenow.app import ServiceNowApp
from secure_export.sandbox.servicenow.demo_access import API_KEY, CLIENT_ID, CLIENT_SECRET
from secure_export.sandbox.servicenow.engine.data_policy import DataPolicy
from secure_export.sandbox.servicenow.faults import Fault, FaultKind
from secure_export.sandbox.servicenow.limits import RateRule
from secure_export.sandbox.servicenow.run import serving

USER, PASSWORD = "probe", "pr0be-passw0rd"
LEAST = frozenset({"sn_incident_write", "sn_incident_read", "cmdb_read", "personalize_choices"})
OURS = keys.correlation_id("prod", "a" * 32)
NOBODY = frozenset({"nobody_has_this"})
Check = Callable[..., Awaitable[dict[str, CheckResult]]]


@pytest.fixture
async def instance() -> AsyncIterator[tuple[ServiceNowApp, str]]:
    async with serving() as (app, url):
        account(app)
        yield app, url


@pytest.fixture
def app(instance: tuple[ServiceNowApp, str]) -> ServiceNowApp:
    return instance[0]


@pytest.fixture
def check(instance: tuple[ServiceNowApp, str], monkeypatch: pytest.MonkeyPatch) -> Check:
    for name, text in (("PW", PASSWORD), ("CS", CLIENT_SECRET), ("KEY", API_KEY), ("WRONG", "wrong")):
        monkeypatch.setenv(name, text)

    async def run(**own: Any) -> dict[str, CheckResult]:
        basic = {"username": USER, "password": {"env": "PW"}}
        others = {"oauth", "api_key"} & own.keys()
        settings = ServiceNowSettings.model_validate({"url": instance[1], **({} if others else basic), **own})
        resources = Resources(desk=None, clock=utc_now)  # type: ignore[arg-type] # no desk here
        connector = ServiceNowConnector("prod", settings, resources)
        try:
            return {result.subject: result for result in await connector.check()}
        finally:
            await connector.close()

    return run


def account(app: ServiceNowApp, roles: frozenset[str] = LEAST, **columns: str) -> None:
    set_account(app.instance, Account(USER, PASSWORD, roles, {"web_service_access_only": "true", **columns}))


def own_record(app: ServiceNowApp, sys_id: str | None = None, **values: str) -> Mapping[str, str]:
    """Make a record as this connection does."""
    own = {
        "sys_id": sys_id or keys.sys_id("incident", OURS),
        "short_description": "ours",
        "correlation_id": OURS,
        "correlation_display": "ours · rev 1",
    }
    return app.instance.insert("incident", {**own, **values}, app.instance.user(USER))


def wrong(results: Mapping[str, CheckResult]) -> list[str]:
    return [subject for subject, result in results.items() if not result.passed]


def everything(app: ServiceNowApp) -> Any:
    """All rows of all tables but for what any request leaves there."""
    tables = app.instance.tables
    names = [table.name for table in app.instance.dictionary if table.name not in {"sys_user", "syslog_transaction"}]
    return copy.deepcopy({name: sorted(map(str, tables.rows(name))) for name in names})


async def test_the_least_roles_of_the_page_are_enough(check: Check) -> None:
    """Who follows the how-to has no line that fails, and is told what cannot be proven yet."""
    results = await check()
    assert wrong(results) == []
    assert results["sign in"].detail == f"basic authentication as {USER}"
    assert "not proven without writing" in results["incident: create"].detail
    assert "sn_incident_write" in results["incident: create"].detail or "roles" in results["user and roles"].detail
    assert "Solution provided" in results["incident: resolution code"].detail
    assert "cmdb_ci_vm_instance" in results["CMDB classes"].detail


@pytest.mark.parametrize("with_record", [False, True])
async def test_nothing_is_left_behind(app: ServiceNowApp, check: Check, *, with_record: bool) -> None:
    """Every table is as it was before, counters of changes included."""
    if with_record:
        own_record(app)
    before = everything(app)
    await check()
    assert everything(app) == before


async def test_a_record_of_ours_proves_writing(app: ServiceNowApp, check: Check) -> None:
    """Once there is one, creating was done, an update that changes nothing is taken, and the key finds it."""
    number = own_record(app)["number"]
    results = await check()
    assert wrong(results) == []
    for subject in ("create", "update", "look up by key", "sys_id that we choose"):
        assert number in results[f"incident: {subject}"].detail, subject
    assert results["incident: sys_id that we choose"].detail.startswith("kept")


async def test_an_instance_that_gives_other_ids_is_known(app: ServiceNowApp, check: Check) -> None:
    """It is no fault, but people should know that twins can only be ended afterwards."""
    own_record(app, sys_id="f" * 32)
    result = (await check())["incident: sys_id that we choose"]
    assert result.passed
    assert result.detail.startswith("not kept")


async def test_a_record_of_another_connection_proves_nothing(app: ServiceNowApp, check: Check) -> None:
    """Two connections may share an instance; each knows its own records only."""
    own_record(app, correlation_id=keys.correlation_id("other", "a" * 32))
    assert "not proven" in (await check())["incident: create"].detail


async def test_an_update_that_is_refused_fails(app: ServiceNowApp, check: Check) -> None:
    """Reading and creating may be allowed where changing is not."""
    own_record(app)
    app.instance.acl.remove("incident", Access.WRITE)
    app.instance.acl.add(AccessRule("incident", Access.WRITE, NOBODY))
    results = await check()
    assert wrong(results) == ["incident: update"]
    assert "sn_incident_write" in results["incident: update"].detail


async def test_a_user_without_roles_is_told_which_to_have(app: ServiceNowApp, check: Check) -> None:
    """Nothing can be done without a role, and the line says which."""
    account(app, frozenset())
    app.instance.acl.add(AccessRule("sys_user_has_role", Access.READ))
    results = await check()
    assert not results["user and roles"].passed
    assert "sn_incident_write" in results["user and roles"].detail
    assert wrong(results) == ["user and roles", "incident: read", "read CMDB"]


async def test_an_administrator_is_too_much(app: ServiceNowApp, check: Check) -> None:
    """It works, and is said not to be needed."""
    account(app, frozenset({"admin"}))
    results = await check()
    assert results["user and roles"].passed
    assert "admin is far more" in results["user and roles"].detail
    assert "not proven" in results["incident: create"].detail


async def test_a_wrong_password_is_one_line_with_its_causes(app: ServiceNowApp, check: Check) -> None:
    """After a refusal nothing else is tried: more refusals would lock the account."""
    results = await check(password={"env": "WRONG"})
    assert wrong(results) == ["sign in", "everything else"]
    for cause in ("locked out", "glide.authenticate.basic_auth.restriction", "snc_basic_auth_api_access"):
        assert cause in results["sign in"].detail
    assert "wrong" not in results["sign in"].detail.replace("are wrong", "")
    row = app.instance.first("sys_user", f"user_name={USER}")
    assert row is not None
    assert row["failed_attempts"] == "1"


async def test_the_gate_of_basic_authentication_is_named(app: ServiceNowApp, check: Check) -> None:
    """A right password that the restriction turns away looks like a wrong one: the line names both."""
    account(app, web_service_access_only="false")
    app.instance.properties.set("glide.authenticate.basic_auth.restriction.active", "true")
    app.instance.properties.set("glide.authenticate.basic_auth.restriction.enforce", "true")
    results = await check()
    assert not results["sign in"].passed
    assert "SNCRestrictBasicAuthUserAuthenticationGate" in results["sign in"].detail


async def test_oauth_is_tried_end_to_end(app: ServiceNowApp, check: Check) -> None:
    """Client credentials fail on a new instance, with the property's name, and work once it is there."""
    oauth = {"client_id": CLIENT_ID, "client_secret": {"env": "CS"}}
    results = await check(oauth=oauth)
    name = "glide.oauth.inbound.client.credential.grant_type.enabled"
    assert name in results["sign in"].detail
    app.instance.properties.set(name, "true")
    assert wrong(await check(oauth=oauth)) == []


async def test_an_api_key_is_tried(check: Check) -> None:
    """The key's own user is told where it can be read."""
    results = await check(api_key={"env": "KEY"})
    assert results["sign in"].detail.startswith("REST API key")
    assert "basic authentication restriction" not in results
    assert not (await check(api_key={"env": "WRONG"}))["sign in"].passed


async def test_a_hidden_field_is_named(app: ServiceNowApp, check: Check) -> None:
    """A read ACL on one column is found, and the line says which ACL to add."""
    app.instance.acl.add(AccessRule("incident", Access.READ, NOBODY, column="close_code"))
    results = await check()
    assert wrong(results) == ["incident: read"]
    assert "incident.close_code" in results["incident: read"].detail


async def test_hidden_records_are_told(app: ServiceNowApp, check: Check) -> None:
    """Records that are counted and not shown are no empty table."""
    app.instance.acl.remove("incident", Access.READ)
    app.instance.acl.add(AccessRule("incident", Access.READ, condition="short_description=nothing has this"))
    results = await check()
    assert not results["incident: read"].passed
    assert "counted" in results["incident: read"].detail


async def test_the_canary_is_part_of_it(app: ServiceNowApp, check: Check) -> None:
    """A table whose key column is not there would give any record: it fails, and says so."""
    app.instance.remove_column("task", "correlation_id")
    results = await check()
    assert not results["incident: look up by key"].passed
    assert "not proven" in results["incident: update"].detail


async def test_a_denied_range_query_is_told(app: ServiceNowApp, check: Check) -> None:
    """Without it what people change is seen late; everything else works."""
    own_record(app)
    app.instance.acl.add(AccessRule("incident", Access.QUERY_RANGE, NOBODY, column="sys_updated_on"))
    results = await check()
    assert wrong(results) == ["incident: look for changes"]
    assert "query_range" in results["incident: look for changes"].detail


async def test_choices_that_cannot_be_read_are_told(app: ServiceNowApp, check: Check) -> None:
    """The role that shows them is named."""
    account(app, LEAST - {"personalize_choices"})
    results = await check()
    assert wrong(results) == ["incident: resolution code"]
    assert "personalize_choices" in results["incident: resolution code"].detail


async def test_codes_that_do_not_exist_are_told_with_those_that_do(check: Check) -> None:
    """A configured code must be one of the instance's choices."""
    results = await check(close_codes=["No such code"])
    assert wrong(results) == ["incident: resolution code"]
    assert "Workaround provided" in results["incident: resolution code"].detail


async def test_names_of_the_configuration_are_looked_up(check: Check) -> None:
    """A group or a category that does not exist is found before an alert needs it."""
    results = await check(assignment_group="Nobody's group", caller="caller.one")
    assert wrong(results) == ["incident: fields of the configuration"]
    assert "Nobody's group" in results["incident: fields of the configuration"].detail
    good = await check(assignment_group="Cloud Operations", caller="caller.one")
    assert good["incident: fields of the configuration"].detail == "assignment_group, caller_id can be written"


async def test_a_cmdb_that_may_not_be_read_is_told(app: ServiceNowApp, check: Check) -> None:
    """Incidents go on without CIs; the role that mends it is named."""
    account(app, LEAST - {"cmdb_read"})
    results = await check()
    assert wrong(results) == ["read CMDB"]
    assert "cmdb_read" in results["read CMDB"].detail
    assert "without a CI" in results["read CMDB"].detail


async def test_a_cmdb_without_azure_is_told(app: ServiceNowApp, check: Check) -> None:
    """Where no class has the column CIs can be bound by name only."""
    account(app, LEAST | {"itil"})
    for table in list(app.instance.dictionary):
        if "object_id" in table.columns:
            app.instance.remove_column(table.name, "object_id")
    results = await check()
    assert wrong(results) == ["CMDB classes"]
    assert "Service Graph Connector" in results["CMDB classes"].detail


async def test_events_are_told_of_and_fail_nothing(app: ServiceNowApp, check: Check) -> None:
    """Who makes incidents needs no Event Management; who makes events sees which roles are missing."""
    subject = 'Event Management (only for work_item = "event")'
    account(app, LEAST | {"itil"})
    results = await check()
    assert wrong(results) == []
    assert "evt_mgmt_integration" in results[subject].detail
    account(app, LEAST | {"itil", "evt_mgmt_integration", "evt_mgmt_user"})
    assert (await check())[subject].detail == "events can be sent by the user's roles, and alerts be read"
    app.instance.insert("em_alert", {"description": "somebody else's"})
    app.instance.remove_column("em_alert", "message_key")
    assert "em_alert gives rows that were not asked for" in (await check())[subject].detail


async def test_the_clocks_are_compared(app: ServiceNowApp, check: Check) -> None:
    """A clock that is ten minutes off breaks assertions and limits."""
    app.instance.clock.move(timedelta(minutes=10))
    results = await check()
    assert wrong(results) == ["clock"]
    assert "behind" in results["clock"].detail


async def test_a_rate_limit_is_told(app: ServiceNowApp, check: Check) -> None:
    """Who is limited knows by which rule."""
    rule = RateRule(100)
    app.limits.rates.add(rule)
    results = await check()
    assert results["rate limit"].detail.startswith("100 calls an hour")


async def test_other_tables_of_the_configuration_are_tried(check: Check) -> None:
    """A table that the configuration says something about is tried like incidents."""
    results = await check(tables={"problem": {"close_codes": ["fix_applied"]}})
    assert any(subject.startswith("problem: ") for subject in results)


async def test_an_instance_that_cannot_be_reached_is_told(check: Check) -> None:
    """A wrong address is a line, not a crash."""
    results = await check(url="http://127.0.0.1:9")
    assert wrong(results) == ["sign in", "everything else"]
    assert "could not be asked" in results["sign in"].detail


async def test_a_url_with_a_path_is_told_at_once(instance: tuple[ServiceNowApp, str], check: Check) -> None:
    """An address that was copied from a browser is the first thing to mend, and the only one that is told."""
    results = await check(url=f"{instance[1]}/nav_to.do")
    assert wrong(results) == ["sign in", "everything else"]
    assert "without a path" in results["sign in"].detail


async def test_an_instance_that_is_busy_is_not_taken_for_signed_in(app: ServiceNowApp, check: Check) -> None:
    """Its words are told, and that the address may be wrong is not claimed."""
    app.faults.set(Fault(FaultKind.QUEUE_FULL, times=None))
    results = await check()
    assert wrong(results) == ["sign in", "everything else"]
    assert "429" in results["sign in"].detail


async def test_sources_that_may_not_be_read_are_told(app: ServiceNowApp, check: Check) -> None:
    """Who switched ``use_sources`` on learns that it does nothing, and why."""
    assert (await check(cmdb={"use_sources": True}))["CMDB sources"].passed
    app.instance.acl.remove("sys_object_source", Access.READ)
    app.instance.acl.add(AccessRule("sys_object_source", Access.READ, NOBODY))
    results = await check(cmdb={"use_sources": True})
    assert wrong(results) == ["CMDB sources"]
    assert "sys_object_source" in results["CMDB sources"].detail


async def test_a_check_takes_no_revision_back(app: ServiceNowApp, check: Check) -> None:
    """The service may write a newer revision while the check runs: the update that is tried touches it in no way."""
    app.faults.set(Fault(FaultKind.ERROR_BEFORE, status=500, methods=frozenset({"PATCH"}), body="correlation_display"))
    number = own_record(app)["number"]
    assert number in (await check())["incident: update"].detail


async def test_data_policies_are_read_where_that_is_allowed(app: ServiceNowApp, check: Check) -> None:
    """A field that a customer made mandatory is found before the first alert is refused."""
    account(app, frozenset({"admin"}))
    app.instance.policies.add(DataPolicy("Callers are mandatory", "incident", "", ("caller_id",)))
    assert not (await check())["incident: mandatory fields"].passed
    assert (await check(caller="caller.one"))["incident: mandatory fields"].passed
