"""Signing in to a served ServiceNow by every grant, over the end of tokens and of refresh tokens."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from secure_export.itsm.http import Http
from secure_export.itsm.servicenow.api.table_api import Query, TableApi
from secure_export.itsm.servicenow.api.verdict import Ok, Verdict
from secure_export.itsm.servicenow.settings import ServiceNowSettings
from secure_export.itsm.servicenow.sign_in.ways import sign_in_of
from secure_export.itsm.verdict import Later
from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.app import ServiceNowApp
from secure_export.sandbox.servicenow.jwt_bearer import Registration
from secure_export.sandbox.servicenow.oauth import (
    CLIENT_CREDENTIALS_PROPERTY,
    ROPC_DISABLED_PROPERTY,
    OAuthClient,
)
from secure_export.sandbox.servicenow.run import serving

USER, PASSWORD, SECRET = "probe", "pr0be-passw0rd", "client-s3cret"
CLIENT = OAuthClient("abc", SECRET, application_user=USER)


class Session:
    """A way into one instance; ``ask`` reads a row."""

    def __init__(self, app: ServiceNowApp, url: str) -> None:
        self.app = app
        self.url = url
        self._close: list[Callable[[], Any]] = []

    def opened(self, **own: Any) -> TableApi:
        settings = ServiceNowSettings.model_validate({"url": self.url, **own})
        http = Http(settings)
        clock = self.app.instance.clock.now
        sign_in = sign_in_of(settings, http, clock=clock)
        self._close += [http.close, sign_in.close]
        return TableApi(http, sign_in, clock=clock)

    async def close(self) -> None:
        for close in reversed(self._close):
            await close()

    def forward(self, **time: float) -> None:
        self.app.instance.clock.move(timedelta(**time))

    def refusals(self) -> int:
        return sum(entry.path == "/oauth_token.do" and entry.status != 200 for entry in self.app.counters.last(1000))

    def logins(self) -> int:
        return sum(entry.path == "/oauth_token.do" for entry in self.app.counters.last(1000))


async def ask(api: TableApi) -> Verdict:
    return await api.rows("incident", Query("active=true", ("sys_id",), limit=1))


@pytest.fixture
async def session(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Session]:
    for name, text in (("PW", PASSWORD), ("CS", SECRET), ("WRONG", "wr0ng")):
        monkeypatch.setenv(name, text)
    async with serving() as (app, url):
        app.instance.clock.freeze()
        set_account(app.instance, Account(USER, PASSWORD, frozenset({"itil"}), {"web_service_access_only": "true"}))
        app.sign_in.oauth.register(CLIENT)
        app.instance.properties.set(CLIENT_CREDENTIALS_PROPERTY, "true")
        opened = Session(app, url)
        yield opened
        await opened.close()


def oauth(grant: str, **own: Any) -> dict[str, Any]:
    return {"grant": grant, "client_id": "abc", "client_secret": {"env": "CS"}, **own}


BASIC = {"username": USER, "password": {"env": "PW"}}


@pytest.mark.parametrize("way", [{"oauth": oauth("client_credentials")}, {"oauth": oauth("password"), **BASIC}, BASIC])
async def test_each_way_lets_us_in_for_days(session: Session, way: dict[str, Any]) -> None:
    """Tokens end every half hour, and nobody notices; the instance never refuses one."""
    api = session.opened(**way)
    for _ in range(60):
        assert isinstance(await ask(api), Ok)
        session.forward(minutes=13)
    assert session.refusals() == 0


async def test_an_assertion_lets_us_in(session: Session, tmp_path: Path) -> None:
    """The JWT bearer grant works with the claims that the instance demands, each assertion once."""
    key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
    pem = tmp_path / "key.pem"
    pem.write_bytes(key.as_pem(private=True))
    registered = Registration({"keys": [key.as_dict(private=False)]})
    session.app.sign_in.oauth.register(replace(CLIENT, jwt=registered))
    own = {"private_key": {"file": str(pem)}, "key_id": "k1", "subject": USER}
    api = session.opened(oauth=oauth("jwt_bearer", **own))
    for _ in range(5):
        assert isinstance(await ask(api), Ok)
        session.forward(minutes=31)
    wrong = session.opened(oauth=oauth("jwt_bearer", **own, audience="somebody else"))
    told = await ask(wrong)
    assert isinstance(told, Later)
    assert "aud" in told.reason


async def test_a_refresh_token_lasts_until_it_dies_and_the_password_takes_over(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 100 days of silence the refresh token is dead; with a password nothing stops."""
    made = session.opened(oauth=oauth("password"), **BASIC)
    assert isinstance(await ask(made), Ok)
    (refresh,) = session.app.sign_in.oauth.dump()["refresh"]
    monkeypatch.setenv("REFRESH", refresh.value)
    own = {"refresh_token": {"env": "REFRESH"}}
    alone = session.opened(oauth=oauth("refresh_token", **own))
    helped = session.opened(oauth=oauth("refresh_token", **own), **BASIC)
    assert isinstance(await ask(alone), Ok)
    assert isinstance(await ask(helped), Ok)
    session.forward(days=101)
    told = await ask(alone)
    assert isinstance(told, Later)
    assert "Refresh Token Lifespan" in told.reason
    assert isinstance(await ask(helped), Ok)


async def test_a_token_that_is_revoked_costs_one_more_call(session: Session) -> None:
    """A revoked token is not waited out: a new one is got, and the question is asked again."""
    api = session.opened(oauth=oauth("client_credentials"))
    assert isinstance(await ask(api), Ok)
    session.forward(minutes=10)
    session.app.sign_in.oauth.revoke()
    assert isinstance(await ask(api), Ok)


@pytest.mark.parametrize("way", [{"oauth": oauth("password"), "username": USER, "password": {"env": "WRONG"}}, None])
async def test_a_wrong_secret_locks_nobody_out(session: Session, way: dict[str, Any] | None) -> None:
    """A thousand alerts in a quarter of an hour try a wrong password a few times only."""
    own = way or {"username": USER, "password": {"env": "WRONG"}}
    api = session.opened(**own)
    for _ in range(1000):
        assert isinstance(await ask(api), Later)
        session.forward(seconds=0.9)
    row = session.app.instance.first("sys_user", f"user_name={USER}")
    assert row is not None
    assert int(row.get("failed_attempts") or 0) < 10
    assert row.get("locked_out") != "true"


async def test_each_vague_refusal_names_its_cause(session: Session) -> None:
    """The same words of the endpoint mean different things; the right one is always among those that are named."""
    session.app.instance.properties.set(CLIENT_CREDENTIALS_PROPERTY, "false")
    told = await ask(session.opened(oauth=oauth("client_credentials")))
    assert isinstance(told, Later)
    assert CLIENT_CREDENTIALS_PROPERTY in told.reason
    session.app.instance.properties.set(ROPC_DISABLED_PROPERTY, "true")
    told = await ask(session.opened(oauth=oauth("password"), **BASIC))
    assert isinstance(told, Later)
    assert ROPC_DISABLED_PROPERTY in told.reason
    told = await ask(session.opened(oauth={**oauth("password"), "client_secret": {"env": "WRONG"}}, **BASIC))
    assert isinstance(told, Later)
    assert "Client Secret" in told.reason
    assert ROPC_DISABLED_PROPERTY not in told.reason


async def test_an_instance_that_comes_back_is_used_at_once(session: Session) -> None:
    """What was mended in ServiceNow is noticed without a restart, within minutes."""
    session.app.instance.properties.set(CLIENT_CREDENTIALS_PROPERTY, "false")
    api = session.opened(oauth=oauth("client_credentials"))
    for _ in range(3):
        assert isinstance(await ask(api), Later)
        session.forward(minutes=5)
    session.app.instance.properties.set(CLIENT_CREDENTIALS_PROPERTY, "true")
    session.forward(minutes=15)
    assert isinstance(await ask(api), Ok)
