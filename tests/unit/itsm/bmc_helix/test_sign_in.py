"""Signing in to BMC Helix."""

import asyncio
import json
from collections.abc import Mapping
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.unit.itsm.bmc_helix.ar_answers import SECRET, USER, ar_error, token
from tests.unit.itsm.bmc_helix.test_ar_token import SEALED
from tests.unit.itsm.loopback import Reply, tool
from tests.unit.itsm.scripted import NOW, Clock, Request, Script, answer

from secure_export.errors import SettingsError
from secure_export.itsm.answer import Answer
from secure_export.itsm.bmc_helix.sign_in.settings import SignInSettings
from secure_export.itsm.bmc_helix.sign_in.ways import sign_in_of
from secure_export.itsm.http_errors import AnswerLost, NotSent
from secure_export.itsm.sign_in import SignIn, SignInFailed

HTML = "<html><head><title>BMC Remedy Mid Tier</title></head></html>"
RSSO = "<html><body>Since your browser does not support JavaScript, you must press Continue</body></html>"
GUEST = json.dumps(ar_error(59, "The user login failed; you are logged in as a guest user", kind="WARNING"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    return file


def settings(place: Path, **own: Any) -> SignInSettings:
    named = {"url": "https://acme-restapi.onbmc.com", "username": USER, "password": {"file": str(place)}}
    return SignInSettings.model_validate({**named, **own})


def put(place: Path, secret: str | None) -> None:
    """Put a password where it is read, or take it away."""
    if secret is None:
        place.unlink()
    else:
        place.write_text(secret, encoding="utf-8")


def made(place: Path, reply: Any, clock: Clock, **own: Any) -> tuple[SignIn, Script]:
    script = Script(reply if callable(reply) else lambda _: reply)
    return sign_in_of(settings(place, **own), script, clock=clock), script


async def test_login_is_a_form_and_its_answer_the_token(password: Path, clock: Clock) -> None:
    """The answer is a raw text; the scheme is AR-JWT, and not Bearer."""
    text = token()
    sign_in, script = made(password, answer(200, f"{text}\n", content_type="text/plain"), clock)
    assert await sign_in.headers() == {"Authorization": f"AR-JWT {text}"}
    (request,) = script.requests
    assert (request.method, request.path) == ("POST", "/api/jwt/login")
    assert request.form == {"username": USER, "password": SECRET}
    assert (request.query, request.json) == ({}, None)
    await sign_in.close()


async def test_the_login_arrives_as_a_form(password: Path, clock: Clock) -> None:
    """Over real HTTP, too: a JSON body is refused by servers, and a password must not stand in a URL."""
    body = token().encode()
    good = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with tool(Reply(good)) as server:
        http = server.http()
        sign_in = sign_in_of(settings(password, url=server.url), http, clock=clock)
        await sign_in.headers()
        await sign_in.close()
        await http.close()
        login, logout = server.requests
    assert login.target == "/api/jwt/login"
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    assert login.body == f"username={USER}&password={SECRET}".encode()
    assert logout.target == "/api/jwt/logout"


async def test_the_authentication_string_goes_along(password: Path, clock: Clock) -> None:
    """Servers that ask for one get it under their own name for it."""
    sign_in, script = made(password, answer(200, token()), clock, auth_string="ACME")
    await sign_in.headers()
    assert script.requests[0].form["authString"] == "ACME"
    await sign_in.close()


async def test_a_token_is_renewed_at_four_fifths_of_its_life(password: Path, clock: Clock) -> None:
    """A life of twelve hours is used, and one of minutes does not end under a request."""
    for lasts in (300, 43_200):
        texts = [token(lasts=lasts, _cacheId=1), token(lasts=lasts, _cacheId=2)]
        left = list(texts)
        sign_in, script = made(password, lambda _, left=left: answer(200, left.pop(0) if left else ""), clock)
        assert (await sign_in.headers())["Authorization"].endswith(texts[0])
        clock.forward(lasts * 0.79)
        assert (await sign_in.headers())["Authorization"].endswith(texts[0])
        assert len(script.requests) == 1
        clock.forward(lasts * 0.02)
        await sign_in.headers()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (await sign_in.headers())["Authorization"].endswith(texts[1])
        await sign_in.close()
        clock.now = NOW


async def test_twenty_workers_log_in_once(password: Path, clock: Clock) -> None:
    """AR servers count sessions: one log-in is under way at a time."""
    sign_in, script = made(password, answer(200, token()), clock)
    await asyncio.gather(*(sign_in.headers() for _ in range(20)))
    assert len(script.requests) == 1
    await sign_in.close()


async def test_a_refused_token_is_replaced_by_one_new_login(password: Path, clock: Clock) -> None:
    """After a 401 there is one new log-in; late news of the old token is no news."""
    left = [token(_cacheId=1), token(_cacheId=2)]
    sign_in, script = made(password, lambda _: answer(200, left.pop(0) if left else ""), clock)
    before = await sign_in.headers()
    clock.forward(120)
    sign_in.rejected(before)
    after = await sign_in.headers()
    assert after != before
    sign_in.rejected(before)
    assert await sign_in.headers() == after
    assert len(script.requests) == 2
    await sign_in.close()


async def test_stopping_logs_out(password: Path, clock: Clock) -> None:
    """The session is given back, so that it does not count any more."""
    sign_in, script = made(password, lambda r: answer(200, token()) if r.path.endswith("login") else answer(204), clock)
    shown = await sign_in.headers()
    await sign_in.close()
    assert [(r.method, r.path) for r in script.requests][1:] == [("POST", "/api/jwt/logout")]
    assert script.requests[1].headers == shown


async def test_a_logout_that_fails_hurts_nobody(password: Path, clock: Clock) -> None:
    """The program stops all the same."""

    def reply(request: Request) -> Answer:
        if request.path.endswith("login"):
            return answer(200, token())
        raise AnswerLost("cut")

    sign_in, _ = made(password, reply, clock)
    await sign_in.headers()
    await sign_in.close()


@pytest.mark.parametrize("header", [GUEST, "[login failed", '[{"messageText":"Login failed for x"}]'])
async def test_a_guest_is_nobody(header: str, password: Path, clock: Clock) -> None:
    """A good status with a token is a failure when the server says that it is a guest's."""
    sign_in, _ = made(password, answer(200, token(), X_AR_Messages=header), clock)
    with pytest.raises(SignInFailed, match="guest") as failed:
        await sign_in.headers()
    assert failed.value.refused


async def test_other_notes_do_no_harm(password: Path, clock: Clock) -> None:
    """The server tells of many things in that header; 8914 is where its log is."""
    note = json.dumps(ar_error(8914, "Log information", kind="NOTE"))
    sign_in, _ = made(password, answer(200, token(), X_AR_Messages=note), clock)
    assert await sign_in.headers()
    await sign_in.close()


async def test_a_token_of_somebody_else_is_refused(password: Path, clock: Clock) -> None:
    """A server that takes a wrong password for a guest's gives a token of the guest."""
    sign_in, _ = made(password, answer(200, token("Guest")), clock)
    with pytest.raises(SignInFailed, match="Guest"):
        await sign_in.headers()


@pytest.mark.parametrize("name", [USER.upper(), SEALED])
async def test_our_own_name_may_be_written_otherwise(name: str, password: Path, clock: Clock) -> None:
    """Case does not matter, and what is sealed cannot be compared."""
    sign_in, _ = made(password, answer(200, token(name)), clock)
    assert await sign_in.headers()
    await sign_in.close()


FAILURES = [
    (answer(401, ar_error(623, "Authentication failed", USER)), "ARERR 623.*user name or password", True),
    (answer(200, HTML, content_type="text/html"), "web page.*not that of the Mid Tier", False),
    (answer(401, RSSO, content_type="text/html"), "sign-on page.*exempt /api/jwt/login", True),
    (answer(200, RSSO), "sign-on page", True),
    (answer(404, HTML), "web page.*8443", False),
    (answer(404, "not found"), "no /api/jwt/login", False),
    (answer(302, "", location="https://acme.onbmc.com/rsso/start"), "sent elsewhere", False),
    (answer(403, {"message": "Access forbidden", "code": 403, "transient": False}), "https://", False),
    (answer(200, "Failed to login. Please contact the Administrator."), "Please contact the Administrator", True),
    (answer(200, ""), "no words", True),
    (answer(500, ar_error(9093, "User is currently connected from another machine")), "another machine", False),
    (answer(500, ar_error(90, "Cannot open connection")), "does not answer", False),
    (answer(500, ar_error(94, "Time-out")), "does not answer", False),
    (answer(503, "down"), "not able to log us in now", False),
    (answer(502, HTML), "not able to log us in now", False),
    (answer(400, ar_error(8958, "bad request")), "ARERR 8958", True),
]


@pytest.mark.parametrize(("told", "words", "refused"), FAILURES)
async def test_every_failure_says_what_may_be_wrong(
    told: Answer, words: str, password: Path, clock: Clock, *, refused: bool
) -> None:
    """Each form of answer is recognised; only what counts as a wrong password makes pauses that grow long."""
    sign_in, _ = made(password, told, clock)
    with pytest.raises(SignInFailed, match=words) as failed:
        await sign_in.headers()
    assert failed.value.refused is refused
    assert SECRET not in str(failed.value)


async def test_a_server_that_repeats_the_password_is_not_quoted(password: Path, clock: Clock) -> None:
    """What a page says may hold anything of ours."""
    sign_in, _ = made(password, answer(200, f"cannot log in with {SECRET}"), clock)
    with pytest.raises(SignInFailed) as failed:
        await sign_in.headers()
    assert SECRET not in str(failed.value)


async def test_another_session_is_waited_for(password: Path, clock: Clock) -> None:
    """9093 passes: it is tried again after half a minute, and not counted as a wrong password."""
    sign_in, script = made(password, answer(500, ar_error(9093, "connected from another machine")), clock)
    with pytest.raises(SignInFailed) as failed:
        await sign_in.headers()
    assert failed.value.not_before is not None
    assert (failed.value.not_before - NOW).total_seconds() == 30
    with pytest.raises(SignInFailed):
        await sign_in.headers()
    assert len(script.requests) == 1


async def test_retry_after_is_obeyed(password: Path, clock: Clock) -> None:
    """A server that says how long it will be away is left alone so long."""
    told = answer(503, "", retry_after="120", date=format_datetime(NOW, usegmt=True))
    sign_in, _ = made(password, told, clock)
    with pytest.raises(SignInFailed) as failed:
        await sign_in.headers()
    assert failed.value.not_before is not None
    assert (failed.value.not_before - NOW).total_seconds() == 120


@pytest.mark.parametrize("error", [NotSent("cannot be reached"), AnswerLost("did not answer")])
async def test_a_server_that_cannot_be_asked_refuses_nobody(error: Exception, password: Path, clock: Clock) -> None:
    """No connection is no wrong password."""

    def reply(_: Request) -> Answer:
        raise error

    sign_in, _ = made(password, reply, clock)
    with pytest.raises(SignInFailed) as failed:
        await sign_in.headers()
    assert not failed.value.refused


@pytest.mark.parametrize("blank", ["", "\n", "   \n"])
def test_a_blank_password_is_refused_at_start(blank: str, password: Path, clock: Clock) -> None:
    """AR servers do not check a blank password, so that nobody must begin with one."""
    password.write_text(blank, encoding="utf-8")
    with pytest.raises(SettingsError, match="blank password"):
        made(password, answer(200, token()), clock)


async def test_a_password_that_is_not_there_yet_stops_nobody(password: Path, clock: Clock) -> None:
    """The service starts and keeps alerts; the reason names the file."""
    put(password, None)
    sign_in, _ = made(password, answer(200, token()), clock)
    with pytest.raises(SignInFailed, match="password"):
        await sign_in.headers()
    put(password, SECRET)
    clock.forward(60)
    assert await sign_in.headers()
    await sign_in.close()


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"username": None}, "say how to sign in"),
        ({"username": "  "}, "say how to sign in"),
        ({"password": None}, "needs password"),
        ({"password": SECRET}, "does not belong into the configuration"),
        ({"rsso": {}}, "token_url"),
    ],
)
def test_a_configuration_that_cannot_sign_in_is_refused(own: Mapping[str, Any], words: str, password: Path) -> None:
    """One way, whole, and no secret in the file."""
    with pytest.raises(ValidationError, match=words) as failed:
        settings(password, **own)
    assert SECRET not in str(failed.value)
