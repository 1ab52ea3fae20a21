"""Lines of the check that no server needs to be there for."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.itsm.bmc_helix.ar_answers import USER, ar_error, token
from tests.unit.itsm.bmc_helix.fake_cmdb import Asked, FakeCmdb
from tests.unit.itsm.scripted import Clock, Script, answer

from secure_export.itsm.bmc_helix.api.entry_api import EntryApi
from secure_export.itsm.bmc_helix.api.verdict import Ok
from secure_export.itsm.bmc_helix.check.cmdb import CheckCmdb
from secure_export.itsm.bmc_helix.check.forms import access_result, reasons_result, required_result, selections_result
from secure_export.itsm.bmc_helix.check.sign_in import CheckSignIn
from secure_export.itsm.bmc_helix.cmdb.settings import CmdbSettings
from secure_export.itsm.bmc_helix.forms import CREATE, INCIDENT, WORK_LOG, FieldShape, FormShape
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.cmdb_reading import CmdbUnavailable
from secure_export.itsm.contract import CheckResult
from secure_export.itsm.verdict import Later

RSSO = {
    "token_url": "https://acme.onbmc.com/rsso/oauth2/v1.1/token",
    "client_id": "c",
    "client_secret": {"env": "A"},
    "private_key": {"env": "B"},
    "subject": USER,
}


def settings(**own: Any) -> BmcHelixSettings:
    return BmcHelixSettings.model_validate(
        {"url": "https://acme-restapi.onbmc.com", "username": USER, "password": {"env": "PW"}, **own}
    )


class Shown:
    """Shows a token."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._text}"}

    def rejected(self, headers: object) -> None:
        return

    async def close(self) -> None:
        return


async def signed_in(reply: Any, own: BmcHelixSettings, text: str = "opaque") -> dict[str, CheckResult]:
    clock, sign_in = Clock(), Shown(text)
    api = EntryApi(Script(reply if callable(reply) else lambda _: reply), sign_in, clock=clock)
    told = await CheckSignIn(own, sign_in, api, clock=clock).run()
    return {result.subject: result for result in told.results}


@pytest.mark.parametrize(("shown", "other"), [("Bearer", "AR-JWT"), ("AR-JWT", "Bearer")])
async def test_a_token_that_is_not_taken_may_be_shown_otherwise(shown: str, other: str) -> None:
    """How the AR server takes tokens of Helix SSO is not documented: the line names the other way."""
    own = settings(username=None, password=None, rsso={**RSSO, "presented_as": shown})
    results = await signed_in(answer(401, ar_error(623, "Authentication failed")), own)
    assert not results["sign in"].passed
    assert f"presented_as = '{other}'" in results["sign in"].detail


async def test_a_token_that_is_taken_says_who_we_are() -> None:
    """A person's record need not be readable, and then the login name is told."""
    own = settings(username=None, password=None, rsso=RSSO)
    results = await signed_in(answer(200, {"entries": [], "_links": {}}), own)
    assert results["sign in"].detail == "OAuth token of Helix SSO, shown as Bearer"
    assert results["who we are"].detail.startswith(USER)
    assert all(result.passed for result in results.values())


async def test_a_token_of_seconds_is_told() -> None:
    """Rest-Authentication-Token-Timeout may be too short to work with."""
    results = await signed_in(answer(200, {"entries": []}), settings(), token(lasts=60))
    assert "Rest-Authentication-Token-Timeout" in results["sign in"].detail


async def test_the_log_of_the_person_is_shown() -> None:
    """Name and company, as CTM:People has them."""
    person = {"values": {"Full Name": "Azure Integration", "Company": "Contoso", "Support Staff": "No"}}
    results = await signed_in(answer(200, {"entries": [person]}), settings())
    assert results["who we are"].detail == f"{USER} (Azure Integration, Contoso), is no support staff"


def test_a_form_that_cannot_be_asked_now_is_no_lack_of_rights() -> None:
    """An outage says nothing about permissions."""
    result = access_result(CREATE, Later("BMC answered 503"))
    assert not result.passed
    assert "Incident Master" not in result.detail


def test_a_field_that_is_not_shown_is_named() -> None:
    """Read access to single fields can be missing."""
    result = access_result(INCIDENT, Ok(FormShape({"Status": FieldShape("Status")})))
    assert not result.passed
    assert "Resolution" in result.detail


def test_a_form_that_tells_nothing_fails_nothing() -> None:
    """Then a refusal of the first incident says what is missing."""
    none = FormShape()
    shapes = {CREATE: none, INCIDENT: none, WORK_LOG: none}
    lines = [
        access_result(CREATE, Ok(none)),
        required_result(none, {}),
        selections_result(shapes, settings()),
        reasons_result(shapes, settings()),
    ]
    assert all(line.passed for line in lines)


def test_a_template_may_fill_what_nothing_else_does() -> None:
    """With one BMC requires nothing, and the line says what must come from it."""
    shape = FormShape({"Site": FieldShape("Site", required=True)})
    result = required_result(shape, {"TemplateID": "AG1"})
    assert result.passed
    assert "Site must come from the template" in result.detail


async def test_a_cmdb_that_shows_no_identities_is_told() -> None:
    """Attributes can be hidden, too."""
    fake = FakeCmdb()
    fake.rows_.append({"Name": "web01", "ClassId": "BMC_COMPUTERSYSTEM", "ReconciliationIdentity": ""})
    (read, *_) = await CheckCmdb(fake, CmdbSettings()).run()
    assert not read.passed
    assert "ReconciliationIdentity" in read.detail


async def test_a_rule_that_finds_everything_is_told() -> None:
    """Its attribute is not understood."""
    fake = FakeCmdb(ignores={"TokenId"})
    fake.add("web01")
    results = {one.subject: one for one in await CheckCmdb(fake, CmdbSettings()).run()}
    assert not results["CI look-up BMC_BaseElement.TokenId"].passed
    assert results["CI look-up BMC_ComputerSystem.Name"].passed


async def test_a_cmdb_that_does_not_answer_is_one_line() -> None:
    """Nothing else is tried in vain."""

    def down(_: Asked) -> None:
        raise CmdbUnavailable("BMC did not say what is in BMC.CORE:BMC_BaseElement: down")

    (read,) = await CheckCmdb(FakeCmdb(trouble=down), CmdbSettings()).run()
    assert (read.subject, read.passed) == ("read CMDB", False)
