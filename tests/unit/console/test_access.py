"""Who may look, and who may act."""

import re
from dataclasses import replace

import pytest
from starlette.routing import Route
from structlog.testing import capture_logs
from tests.unit.console.conftest import Console
from tests.unit.console.standins import ALERT_ID

from secure_export.console.access import Arrival, Right, why_not_local

LOCAL = Arrival(
    peer="127.0.0.1",
    scheme="http",
    http_version="1.1",
    hosts=("127.0.0.1:8080",),
    header_names=frozenset({"host", "user-agent"}),
)
OWN = "http://127.0.0.1:8080"


def proxied(name: str) -> Arrival:
    """The same request with one header more."""
    return replace(LOCAL, header_names=LOCAL.header_names | {name})


LET_IN = {
    "a browser on this machine opens a page": (LOCAL, Right.LOOK),
    "the loopback address of IPv6 counts": (replace(LOCAL, peer="::1", hosts=("[::1]:8080",)), Right.LOOK),
    "an IPv4 peer may look like IPv6 on a dual socket": (replace(LOCAL, peer="::ffff:127.0.0.1"), Right.LOOK),
    "localhost is a name of this machine": (replace(LOCAL, hosts=("localhost:8080",)), Right.LOOK),
    "letter case and a final dot mean nothing": (replace(LOCAL, hosts=("LocalHost.:8080",)), Right.LOOK),
    "the usual port is not written": (replace(LOCAL, hosts=("localhost",)), Right.LOOK),
    "a link on another site may lead here": (replace(LOCAL, fetch_site="cross-site"), Right.LOOK),
    "curl sends neither Origin nor Sec-Fetch-Site": (LOCAL, Right.ACT),
    "a form of our own page": (replace(LOCAL, origins=(OWN,), fetch_site="same-origin"), Right.ACT),
    "our own page in an old browser": (replace(LOCAL, origins=(OWN,)), Right.ACT),
    "our own page over TLS": (replace(LOCAL, scheme="https", origins=("https://127.0.0.1:8080",)), Right.ACT),
}
KEPT_OUT = {
    "another machine": (replace(LOCAL, peer="192.0.2.7"), Right.LOOK, 401, "not-local"),
    "a private network is another machine": (replace(LOCAL, peer="10.0.0.5"), Right.LOOK, 401, "not-local"),
    "a peer without an address": (replace(LOCAL, peer=None), Right.LOOK, 401, "not-local"),
    "a peer that is no address": (replace(LOCAL, peer="localhost"), Right.LOOK, 401, "not-local"),
    "a name that points here by DNS rebinding": (
        replace(LOCAL, hosts=("evil.example:8080",)),
        Right.LOOK,
        401,
        "foreign-host",
    ),
    "a name that begins like ours": (
        replace(LOCAL, hosts=("localhost.evil.example",)),
        Right.LOOK,
        401,
        "foreign-host",
    ),
    "an address that begins like ours": (
        replace(LOCAL, hosts=("127.0.0.1.evil.example",)),
        Right.LOOK,
        401,
        "foreign-host",
    ),
    "user information before the name": (
        replace(LOCAL, hosts=("localhost:x@evil.example",)),
        Right.LOOK,
        401,
        "foreign-host",
    ),
    "a port that is none": (replace(LOCAL, hosts=("localhost:evil",)), Right.LOOK, 401, "foreign-host"),
    **{
        f"what is no address with a port: {host}": (replace(LOCAL, hosts=(host,)), Right.LOOK, 401, "foreign-host")
        for host in (
            "[127.0.0.1",
            "127.0.0.1]",
            "[127.0.0.1]",
            "[localhost]",
            "[::1",
            "::1",
            "[::1]]",
            "[[::1]]",
            "[::1]8080",
            "[::1]:",
            "localhost:",
            "localhost:\u00b2",
            "[]",
            "[:]",
        )
    },
    "no Host header": (replace(LOCAL, hosts=()), Right.LOOK, 401, "foreign-host"),
    "an empty Host header": (replace(LOCAL, hosts=("",)), Right.LOOK, 401, "foreign-host"),
    "two Host headers": (replace(LOCAL, hosts=("localhost", "evil.example")), Right.LOOK, 401, "foreign-host"),
    "a proxy that says Forwarded": (proxied("forwarded"), Right.LOOK, 401, "proxied"),
    "a proxy that says X-Forwarded-For": (proxied("x-forwarded-for"), Right.LOOK, 401, "proxied"),
    "a proxy that says X-Forwarded-Anything": (proxied("x-forwarded-anything"), Right.LOOK, 401, "proxied"),
    "a proxy that says X-Real-IP": (proxied("x-real-ip"), Right.LOOK, 401, "proxied"),
    "a proxy that says Via": (proxied("via"), Right.LOOK, 401, "proxied"),
    "nginx, which adds nothing but speaks HTTP/1.0": (replace(LOCAL, http_version="1.0"), Right.LOOK, 401, "proxied"),
    "another site's form": (
        replace(LOCAL, origins=("https://evil.example",), fetch_site="cross-site"),
        Right.ACT,
        403,
        "cross-origin",
    ),
    "another port of this machine is another origin": (
        replace(LOCAL, origins=("http://127.0.0.1:3000",), fetch_site="same-site"),
        Right.ACT,
        403,
        "cross-origin",
    ),
    "another port, in an old browser": (
        replace(LOCAL, origins=("http://127.0.0.1:3000",)),
        Right.ACT,
        403,
        "cross-origin",
    ),
    "another port, without Origin": (replace(LOCAL, fetch_site="same-site"), Right.ACT, 403, "cross-origin"),
    "a sandboxed frame": (replace(LOCAL, origins=("null",)), Right.ACT, 403, "cross-origin"),
    "another name of this machine": (
        replace(LOCAL, origins=("http://localhost:8080",)),
        Right.ACT,
        403,
        "cross-origin",
    ),
    "two origins": (replace(LOCAL, origins=(OWN, "https://evil.example")), Right.ACT, 403, "cross-origin"),
}


@pytest.mark.parametrize(("arrival", "right"), LET_IN.values(), ids=LET_IN.keys())
def test_local_access_lets_in(arrival: Arrival, right: Right) -> None:
    """What surely comes from this machine and its own pages needs no token while local access is on."""
    assert why_not_local(arrival, right, switched_on=True) is None
    off = why_not_local(arrival, right, switched_on=False)
    assert off is not None
    assert (off.status, off.code, off.authenticate) == (401, "no-token", "Bearer")


@pytest.mark.parametrize(("arrival", "right", "status", "code"), KEPT_OUT.values(), ids=KEPT_OUT.keys())
def test_local_access_keeps_out(arrival: Arrival, right: Right, status: int, code: str) -> None:
    """Whatever may come from elsewhere is kept out by a rule that has a name, looking and acting alike."""
    refusal = why_not_local(arrival, right, switched_on=True)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (status, code)
    assert why_not_local(arrival, Right.ACT, switched_on=True) is not None


RETRY = f"/api/v1/lanes/{ALERT_ID}/retry"
TOKENS = {
    "a viewer looks": ("SecureExport.Viewer", "GET", "/api/v1/alerts", 200),
    "a viewer does not act": ("SecureExport.Viewer", "POST", RETRY, 403),
    "an operator looks": ("SecureExport.Operator", "GET", "/api/v1/alerts", 200),
    "an operator acts": ("SecureExport.Operator", "POST", RETRY, 200),
    "an administrator looks": ("SecureExport.Admin", "GET", "/api/v1/alerts", 200),
    "an administrator acts": ("SecureExport.Admin", "POST", RETRY, 200),
    "a role of somebody else does not look": ("SecureExport.Other", "GET", "/api/v1/alerts", 403),
}


@pytest.mark.parametrize(("role", "method", "path", "status"), TOKENS.values(), ids=TOKENS.keys())
async def test_roles(console: Console, role: str, method: str, path: str, status: int) -> None:
    """A token decides by its role, from wherever it comes."""
    asker = replace(console.without_local_access(), peer="192.0.2.7")
    assert (await asker.ask(method, path, headers={"authorization": f"Bearer {role}"})).status == status


async def test_a_bad_token_is_not_replaced_by_local_access(console: Console) -> None:
    """Whoever shows a token is judged by it, also on this machine."""
    answer = await console.asker.get("/api/v1/alerts", authorization="Bearer rubbish")
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_no_answer_says_why(console: Console) -> None:
    """The reason of a refusal is for the log only; the answer says what one can do."""
    asker = console.without_local_access()
    for answer in (
        await asker.get("/api/v1/alerts"),
        await asker.get("/"),
        await asker.get("/api/v1/alerts", authorization="Bearer rubbish"),
        await asker.ask("POST", RETRY, headers={"authorization": "Bearer SecureExport.Viewer"}),
    ):
        assert answer.status in {401, 403}
        assert "SECRET-DETAIL" not in answer.text
        assert "switched off" not in answer.text
    assert (await asker.get("/")).headers["www-authenticate"] == "Bearer"


async def test_every_answer_to_strangers_says_how_to_get_in(console: Console) -> None:
    """Page and JSON alike name the two ways in, whatever was wrong with the request."""
    asker = console.without_local_access()
    for answer in (
        await asker.get("/"),
        await asker.get("/api/v1/alerts"),
        await asker.get("/", authorization="Bearer rubbish"),
        await console.asker.get("/", host="evil.example"),
    ):
        assert answer.status == 401
        for words in ("bearer token", "SecureExport.Viewer", "console.local_access", "0008-local-access.md"):
            assert words in answer.text


async def test_strangers_cannot_flood_the_log(console: Console) -> None:
    """Five hundred requests are few lines, whatever differs between them; the first has what a person needs."""
    asker = console.without_local_access()
    with capture_logs() as lines:
        for number in range(500):
            await asker.get(f"/alerts/{number}")
        for number in range(500):
            await console.asker.get("/", host=f"evil-{number}.example")
    assert len(lines) <= 21
    first = lines[0]
    assert (first["event"], first["code"], first["status"]) == ("console request refused", "no-token", 401)
    assert first["path"] == "/alerts/0"


async def test_the_log_shows_the_path_as_it_was_sent(console: Console) -> None:
    """Percent-encoded, so that nothing in it is obeyed by a terminal, and not at any length."""
    with capture_logs() as lines:
        await console.without_local_access().get("/alerts/%1b%5d0;owned%07" + "x" * 5000)
    assert lines[0]["path"].startswith("/alerts/%1b%5d0;owned%07xxx")
    assert len(lines[0]["path"]) == 200


async def test_another_origin_cannot_act(console: Console) -> None:
    """A page of another port that posts a form to us is told 403, and nothing was done."""
    answer = await console.asker.ask("POST", RETRY, headers={"origin": "http://127.0.0.1:3000"})
    assert answer.status == 403
    assert console.actions.done == []


async def test_every_address_is_guarded(console: Console) -> None:
    """Without token and local access each address of pages and API answers 401, whatever it would do."""
    asker = console.without_local_access()
    routes = [route for route in asker.app.routes if isinstance(route, Route)]
    assert len(routes) > 30
    for route in routes:
        path = route.path.replace(":path", "").replace("{", "").replace("}", "")
        for method in (route.methods or set()) - {"HEAD"}:
            assert (await asker.ask(method, path)).status == 401, (method, path)
    assert console.actions.done == []


async def test_every_button_is_for_operators(console: Console) -> None:
    """Every address that takes POST, of pages and API alike, refuses a viewer and another origin, and does nothing."""
    asker = console.asker
    paths = [
        route.path for route in asker.app.routes if isinstance(route, Route) and "POST" in (route.methods or set())
    ]
    assert len(paths) > 10
    for path in paths:
        address = re.sub(r"\{(\w+)(:path)?\}", r"\1", path)
        for headers in ({"authorization": "Bearer SecureExport.Viewer"}, {"origin": "http://127.0.0.1:3000"}):
            assert (await asker.ask("POST", address, headers=headers)).status == 403, path
    assert console.actions.done == []


async def test_who_did_it_is_audited(console: Console) -> None:
    """The audit log names local access, or the application with its object and its token."""
    await console.asker.ask("POST", RETRY)
    await console.asker.ask("POST", RETRY, headers={"authorization": "Bearer SecureExport.Operator"})
    assert [by for by, _, _ in console.actions.done] == ["local", "application app-1 object object-1 token uti-9"]
