"""What ``secure-export check`` concludes from what a ServiceNow instance says."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.itsm.scripted import NOW, Request, Script, answer

from secure_export.itsm.answer import Answer
from secure_export.itsm.servicenow.api.table_api import TableApi
from secure_export.itsm.servicenow.check.policies import Demand, demands, judged
from secure_export.itsm.servicenow.check.sign_in import (
    CheckSignIn,
    Me,
    rate_result,
    refusal_causes,
    restriction_result,
    user_result,
    way,
)
from secure_export.itsm.servicenow.settings import ServiceNowSettings
from secure_export.itsm.servicenow.sign_in.ways import sign_in_of

USER, PASSWORD = "probe", "pr0be-passw0rd"


@pytest.mark.parametrize("status", [200, 302, 503])
async def test_what_is_not_servicenow_is_told(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign-on page or another server is no instance."""
    monkeypatch.setenv("PW", PASSWORD)
    settings = ServiceNowSettings.model_validate(
        {"url": "https://acme.service-now.com", "username": USER, "password": {"env": "PW"}}
    )
    script = Script(lambda _: answer(status, "<html>Sign on</html>"))
    sign_in = sign_in_of(settings, script, clock=lambda: NOW)
    api = TableApi(script, sign_in, clock=lambda: NOW)
    found = await CheckSignIn(settings, script, sign_in, api, clock=lambda: NOW).run()
    assert found.me is None
    assert "is url the address" in found.results[0].detail
    assert len(script.requests) == 1


async def test_an_instance_that_ignores_the_user_query_tells_nobody_elses_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of ``sys_user`` counts only if it is the one that was asked for."""
    monkeypatch.setenv("PW", PASSWORD)
    settings = ServiceNowSettings.model_validate(
        {"url": "https://acme.service-now.com", "username": USER, "password": {"env": "PW"}}
    )

    def anybody(request: Request) -> Answer:
        row = {"sys_id": "0" * 32, "user_name": "somebody.else", "role.name": "admin", "user": "1" * 32}
        return answer(200, {"result": [row]}, x_total_count="1")

    script = Script(anybody)
    sign_in = sign_in_of(settings, script, clock=lambda: NOW)
    api = TableApi(script, sign_in, clock=lambda: NOW)
    found = await CheckSignIn(settings, script, sign_in, api, clock=lambda: NOW).run()
    assert found.me == Me(USER)


def me(*roles: str, wsao: bool = False) -> Me:
    return Me(USER, {"web_service_access_only": "true" if wsao else "false"}, frozenset(roles))


GATE = "glide.authenticate.basic_auth.restriction."


@pytest.mark.parametrize(
    ("properties", "who", "passed", "told"),
    [
        ({}, me(), True, "admin only"),
        ({"active": "false"}, me(), True, "not active"),
        ({"active": "true"}, me(wsao=True), True, "exempt"),
        ({"active": "true", "allow_wsao": "false"}, me(wsao=True), False, "turned away"),
        ({"active": "true"}, me("snc_basic_auth_api_access"), True, "exempt by role"),
        ({"active": "true", "allowed_roles": "a, b"}, me("b"), True, "role b"),
        ({"active": "true", "allowed_roles": "a, b"}, me("snc_basic_auth_api_access"), False, "turned away"),
        ({"active": "true", "enforcement_date": "2027-01-01"}, me("itil"), False, "from 2027-01-01 on"),
        ({"active": "true"}, Me(USER), False, "as soon as"),
    ],
)
def test_the_restriction_is_foretold(properties: Mapping[str, str], who: Me, told: str, *, passed: bool) -> None:
    """Who will be turned away tomorrow knows today, and what to do."""
    result = restriction_result({GATE + name: text for name, text in properties.items()}, who)
    assert (result.passed, told in result.detail) == (passed, True), result.detail


def test_roles_that_cannot_be_read_are_no_fault() -> None:
    """The user need not be able to read its own roles."""
    result = user_result(Me(USER, {"web_service_access_only": "true"}, None))
    assert result.passed
    assert "cannot be read" in result.detail
    assert user_result(Me()).passed


def test_no_rate_limit_is_told_too() -> None:
    """Most instances have no rule."""
    assert "no rule" in rate_result(answer(200, {})).detail


@pytest.mark.parametrize(
    ("own", "name", "cause"),
    [
        ({"username": USER, "password": {"env": "PW"}}, "basic authentication", "locked out"),
        ({"api_key": {"env": "K"}}, "REST API key", "REST API Access Policy"),
        ({"client_certificate": "/c.pem"}, "mutual TLS", "sys_user_certificate"),
        (
            {"oauth": {"client_id": "a", "client_secret": {"env": "C"}}},
            "OAuth (client_credentials)",
            "useraccount",
        ),
        (
            {"oauth": {"client_id": "a", "client_secret": {"env": "C"}, "token_url": "https://login.example.com/t"}},
            "OAuth (client_credentials)",
            "OIDC provider",
        ),
    ],
)
def test_each_way_to_sign_in_has_its_own_causes(own: Mapping[str, Any], name: str, cause: str) -> None:
    """A 401 means something else for each way."""
    settings = ServiceNowSettings.model_validate({"url": "https://acme.service-now.com", **own})
    assert way(settings) == name
    assert cause in refusal_causes(settings)


def rule(table: str, field: str, **policy: str) -> dict[str, str]:
    own = {f"sys_data_policy.{name}": text for name, text in {"active": "true", **policy}.items()}
    return {"field": field, "mandatory": "true", "sys_data_policy.model_table": table, **own}


def test_mandatory_fields_that_nobody_writes_are_found() -> None:
    """An unconditional demand fails the check; one under a condition is told."""
    rows = [
        rule("incident", "caller_id"),
        rule("incident", "close_notes", conditions="stateIN6,7^EQ"),
        rule("incident", "u_off", active="false"),
        rule("problem", "u_other"),
        rule("task", "u_all", inherit="true"),
        rule("task", "u_tasks_only", inherit="false"),
    ]
    found = demands(rows, "incident")
    assert found == [Demand("caller_id", ""), Demand("close_notes", "stateIN6,7"), Demand("u_all", "")]
    failed = judged("x", found, frozenset({"close_notes", "u_all"}))
    assert not failed.passed
    assert "caller_id" in failed.detail
    told = judged("x", found, frozenset({"caller_id", "u_all"}))
    assert told.passed
    assert "close_notes when stateIN6,7" in told.detail
    assert judged("x", [], frozenset()).passed
