"""What other programs hold on to: the outside of the real program, called as they would call it.

Tokens come from a stand-in for Entra ID of this file's own, written from Microsoft's documents and not from the
project's sandbox, so that a wrong belief of the sandbox cannot agree with itself.
"""

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from prometheus_client.parser import text_string_to_metric_families
from tests.program import Program, free_port
from typer.testing import CliRunner

from secure_export.cli.main import app
from secure_export.sandbox.entra.directory import DEFAULT_TENANT_ID as TENANT
from secure_export.sandbox.entra.directory import RESOURCE_APP_ID as AUDIENCE

pytestmark = pytest.mark.journey

AZURE_MONITOR = "461e8683-5575-4561-ac7f-899cc907d62a"
ROLE = "ActionGroupsSecureWebhook"
KID = "nOo3ZDrODXEK1jKWhXslHR_KXEg"
SUBSCRIPTION = "5b1f9a0e-3c52-4f0a-8f0e-6f6f1f3f7a11"
OTHER_SUBSCRIPTION = "c7a4d5a2-96c0-4b57-9f2c-0f0d1f6c2b22"
SAMPLES = Path(__file__).parents[2] / "../shared/payloads"
HAND_OVER_SECONDS = 15.0
RULES = """
[connections.by-ci]
type = "desk"
subscriptions = ["*"]

[[connections.by-ci.routes]]
group_by = "ci"

[connections.by-rule]
type = "desk"
subscriptions = ["*"]

[[connections.by-rule.routes]]
work_item = "incident"
group_by = "rule"
"""


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Entra:
    """A stand-in for Entra ID: metadata of both versions, keys without ``alg`` as the real one has them, tokens.

    Source: Microsoft identity platform, "Access tokens", "Access token claims reference", "Signing key rollover".
    """

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.issuers = {"1.0": f"https://sts.windows.net/{TENANT}/", "2.0": f"{self.base}/{TENANT}/v2.0"}
        self._port = port
        self._server: http.server.ThreadingHTTPServer | None = None

    def start(self) -> "Entra":
        documents = self._documents()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = documents.get(self.path)
                body = json.dumps(found or {"error": "not_found"}).encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:  # keeps the tests' output quiet
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _documents(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "kid": KID, "x5t": KID, "n": _number(numbers.n), "e": _number(numbers.e)}
        documents: dict[str, Any] = {}
        for version, path in (("1.0", ""), ("2.0", "/v2.0")):
            keys = f"/{TENANT}/discovery{path}/keys"
            documents[f"/{TENANT}{path}/.well-known/openid-configuration"] = {
                "issuer": self.issuers[version],
                "jwks_uri": self.base + keys,
                "id_token_signing_alg_values_supported": ["RS256"],
            }
            documents[keys] = {"keys": [key | ({"issuer": self.issuers[version]} if version == "2.0" else {})]}
        return documents

    def token(self, version: str = "2.0", header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Make a token as action groups bring it; a claim that is given as None is left out."""
        now, caller = int(time.time()), str(uuid.uuid4())
        usual = {
            "aud": AUDIENCE if version == "2.0" else f"api://{AUDIENCE}",
            "iss": self.issuers[version],
            "iat": now - 300,
            "nbf": now - 300,
            "exp": now + 3600,
            "azp" if version == "2.0" else "appid": AZURE_MONITOR,
            "azpacr" if version == "2.0" else "appidacr": "2",
            "oid": caller,
            "sub": caller,
            "roles": [ROLE],
            "tid": TENANT,
            "uti": uuid.uuid4().hex,
            "ver": version,
        }
        return self.signed({"typ": "JWT", "alg": "RS256", "kid": KID} | (header or {}), usual | claims)

    def signed(self, header: dict[str, Any], claims: dict[str, Any], key: rsa.RSAPrivateKey | None = None) -> str:
        text = ".".join(
            _text(json.dumps({k: v for k, v in part.items() if v is not None}).encode()) for part in (header, claims)
        )
        if header["alg"] == "none":
            return text + "."
        if header["alg"] == "HS256":
            secret = self.key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            return f"{text}.{_text(hmac.digest(secret, text.encode(), hashlib.sha256))}"
        signature = (key or self.key).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_text(signature)}"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


def ask(program: Program, method: str, path: str, body: Any = None, token: str | None = None) -> Answer:
    raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token is not None else {})
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=15)
    try:
        connection.request(method, path, raw, headers)
        got = connection.getresponse()
        text, named = got.read(), {name.lower(): value for name, value in got.getheaders()}
    finally:
        connection.close()
    is_json = named.get("content-type", "").startswith("application/json")
    return Answer(got.status, named, json.loads(text) if is_json and text else text)


def alert(name: str, *, resolved: bool = False, subscription: str = SUBSCRIPTION, vm: str = "vm-a", rule: str = "cpu",
          **essentials: Any) -> dict[str, Any]:  # fmt: skip
    said = {
        "alertId": f"/subscriptions/{subscription}/providers/Microsoft.AlertsManagement/alerts/{name}",
        "alertRule": rule,
        "severity": "Sev2",
        "signalType": "Metric",
        "monitorCondition": "Resolved" if resolved else "Fired",
        "monitoringService": "Platform",
        "alertTargetIDs": [
            f"/subscriptions/{subscription}/resourcegroups/rg/providers/microsoft.compute/virtualmachines/{vm}"
        ],
        "configurationItems": [vm],
        "firedDateTime": "2026-03-02T10:00:00.1234567Z",
    }
    if resolved:
        said["resolvedDateTime"] = "2026-03-02T10:20:00.1234567Z"
    condition = {"metricName": "Percentage CPU", "operator": "GreaterThan", "threshold": "90", "metricValue": 97.5}
    context = {"conditionType": "SingleResourceMultipleMetricCriteria", "condition": {"allOf": [condition]}}
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": said | essentials, "alertContext": context, "customProperties": None},
    }


class Service(NamedTuple):
    """A running service with everything that is asked of it again and again."""

    program: Program
    entra: Entra

    def post(self, body: Any, *, to: str = "desk", token: str | None = None) -> Answer:
        return ask(self.program, "POST", f"/v1/connections/{to}/alerts", body, token or self.entra.token())

    def take(self, body: Any, *, to: str = "desk") -> str:
        answer = self.post(body, to=to)
        assert answer.status == 202, answer
        status: str = answer.body["status"]
        return status

    def alert(self, name: str, wanted: Callable[[Any], bool], *, to: str = "desk", subscription: str = SUBSCRIPTION,
              seconds: float = 20.0) -> dict[str, Any]:  # fmt: skip
        """Ask for one alert until it is as wanted; one that was accepted just now may not be read yet."""
        told = alert(name, subscription=subscription)["data"]["essentials"]["alertId"]
        path = f"/api/v1/alerts/{quote(told, safe='')}?connection={to}"
        end = time.monotonic() + seconds
        while True:
            answer = ask(self.program, "GET", path)
            if answer.status == 200 and wanted(answer.body):
                found: dict[str, Any] = answer.body
                return found
            assert time.monotonic() < end, answer
            time.sleep(0.05)

    def work_item(self, name: str, *, to: str = "desk", subscription: str = SUBSCRIPTION) -> dict[str, Any]:
        """Give the settled work item that an alert went into."""
        of = self.alert(name, lambda a: a["work_item"] is not None, to=to, subscription=subscription)["work_item"]
        found: dict[str, Any] = self.program.wait_until(f"/api/v1/work-items/{of}", lambda w: not w["owed"])
        return found

    def state(self, name: str, *, to: str = "desk") -> str:
        state: str = self.work_item(name, to=to)["state"]
        return state


@pytest.fixture(scope="module")
def standing_in() -> Iterator[Entra]:
    entra = Entra(free_port()).start()
    yield entra
    entra.stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, standing_in: Entra) -> Iterator[Service]:
    program = Program(tmp_path_factory.mktemp("contract"), standing_in.base, subscriptions=(SUBSCRIPTION,), more=RULES)
    program.start()
    yield Service(program, standing_in)
    program.stop()


# Tokens


def test_it_starts_without_entra_and_takes_tokens_of_both_versions_once_it_answers(tmp_path: Path) -> None:
    """Without signing keys a caller gets 503 and when to come back, never 401; keys are fetched without a restart."""
    entra = Entra(free_port())
    service = Service(Program(tmp_path, entra.base), entra)
    service.program.start(ready=False)
    try:
        end = time.monotonic() + 20
        answer = _first_answer(service, end)
        assert answer.status == 503, answer
        assert int(answer.headers["retry-after"]) >= 1
        readiness = ask(service.program, "GET", "/readyz")
        assert readiness.status == 503
        assert entra.base in json.dumps(readiness.body), "it says what it waits for"
        entra.start()
        while service.post(alert("early")).status == 503 and time.monotonic() < end:
            time.sleep(0.2)
        assert service.post(alert("two"), token=entra.token("2.0")).body["status"] == "accepted"
        assert service.post(alert("one"), token=entra.token("1.0")).body["status"] == "accepted"
        assert service.post(alert("guid"), token=entra.token("1.0", aud=AUDIENCE)).body["status"] == "accepted"
    finally:
        entra.stop()
        service.program.stop()


def _first_answer(service: Service, end: float) -> Answer:
    """Post until the service listens."""
    while True:
        try:
            return service.post(alert("early"))
        except ConnectionRefusedError:
            assert time.monotonic() < end, service.program.log.read_text()
            time.sleep(0.05)


Bad = Callable[[Entra], str]


@pytest.mark.parametrize(
    ("status", "make"),
    [
        pytest.param(401, lambda e: e.token(aud=str(uuid.uuid4())), id="for somebody else"),
        pytest.param(401, lambda e: e.token(aud=[AUDIENCE]), id="audience is a list"),
        pytest.param(401, lambda e: e.token("1.0", aud=f"api://{AUDIENCE}/"), id="audience with a slash"),
        pytest.param(401, lambda e: e.token(iss="https://login.example.com/"), id="issuer"),
        pytest.param(401, lambda e: e.token(iss=e.issuers["1.0"]), id="issuer of the other version"),
        pytest.param(401, lambda e: e.token(iss=e.issuers["2.0"] + "/"), id="issuer with a slash"),
        pytest.param(401, lambda e: e.token(tid=str(uuid.uuid4())), id="tenant"),
        pytest.param(401, lambda e: e.token(tid=None), id="no tenant"),
        pytest.param(401, lambda e: e.token(ver="3.0"), id="version"),
        pytest.param(401, lambda e: e.token(ver=None), id="no version"),
        pytest.param(401, lambda e: e.token(exp=int(time.time()) - 400), id="expired"),
        pytest.param(401, lambda e: e.token(exp=None), id="never expires"),
        pytest.param(401, lambda e: e.token(exp=str(int(time.time()) + 900)), id="expiry is a text"),
        pytest.param(401, lambda e: e.token(nbf=int(time.time()) + 400), id="not valid yet"),
        pytest.param(401, lambda e: e.token(oid=None), id="no service principal"),
        pytest.param(401, lambda e: e.token(scp="user_impersonation"), id="a person's"),
        pytest.param(401, lambda e: e.token(header={"alg": "none"}), id="unsigned"),
        pytest.param(401, lambda e: e.token(header={"alg": "HS256"}), id="signed with the public key"),
        pytest.param(401, lambda e: e.token(header={"kid": "unknown"}), id="unknown key"),
        pytest.param(401, lambda e: e.token(header={"kid": None}), id="no key named"),
        pytest.param(401, lambda e: e.token(header={"crit": ["exp"]}), id="critical header"),
        pytest.param(401, lambda e: e.token(header={"jku": f"{e.base}/keys"}), id="brings its keys"),
        pytest.param(401, lambda e: e.token() + "==", id="padded"),
        pytest.param(401, lambda e: e.token().rsplit(".", 1)[0], id="two parts"),
        pytest.param(401, lambda e: "x" * 40_000, id="huge"),
        pytest.param(403, lambda e: e.token(azp=str(uuid.uuid4())), id="another application"),
        pytest.param(403, lambda e: e.token("1.0", appid=str(uuid.uuid4())), id="another application, version 1"),
        pytest.param(403, lambda e: e.token(roles=None), id="no role"),
        pytest.param(403, lambda e: e.token(roles=["Reader"]), id="another role"),
    ],
)
def test_a_wrong_token_is_refused_and_its_bearer_not_told_why(service: Service, status: int, make: Bad) -> None:
    """401 when the token proves nothing, 403 when its bearer may not; RFC 6750 headers, and never a reason."""
    for connection in ("desk", "no-such"):
        answer = service.post(alert("refused"), token=make(service.entra), to=connection)
        assert answer.status == status, answer
        error = "invalid_token" if status == 401 else "insufficient_scope"
        assert answer.headers["www-authenticate"].startswith("Bearer ")
        assert f'error="{error}"' in answer.headers["www-authenticate"]
        assert "error_description" not in answer.headers["www-authenticate"]
        assert "aud" not in json.dumps(answer.body) + answer.headers["www-authenticate"]


def test_a_token_of_somebody_elses_key_is_refused(service: Service) -> None:
    """The signature is checked with the tenant's key, whatever the token's key id says."""
    claims = json.loads(base64.urlsafe_b64decode(service.entra.token().split(".")[1] + "=="))
    forged = service.entra.signed({"typ": "JWT", "alg": "RS256", "kid": KID}, claims, service.entra.stranger)
    assert service.post(alert("forged"), token=forged).status == 401


# The webhook


def test_the_webhook_answers_in_the_promised_form(service: Service) -> None:
    """202 with text members; the same again names the first; what makes no sense is kept; others are told apart."""
    first = service.post(alert("form"))
    assert first.status == 202
    assert set(first.body) == {"notification", "status"}
    assert isinstance(first.body["notification"], str)
    assert first.body["status"] == "accepted"
    assert service.post(alert("form")).body == {"notification": first.body["notification"], "status": "duplicate"}
    for odd in (b"", b'{"a":', b"[]", b'"text"', b"\xff\xfe", {"schemaId": "azureMonitorCommonAlertSchema"}):
        kept = service.post(odd)
        assert kept.status == 202, kept
        assert kept.body["status"] == "quarantined"
    assert service.post(alert("form"), to="no-such").status == 404
    assert service.post(alert("alien", subscription=OTHER_SUBSCRIPTION)).status == 403
    assert service.post(json.dumps(alert("large")).encode().ljust(1 << 20)).status == 202
    assert service.post(json.dumps(alert("larger")).encode().ljust((1 << 20) + 1)).status == 413
    nameless = ask(service.program, "POST", "/v1/connections/desk/alerts", alert("form"))
    assert nameless.status == 401
    assert "error=" not in nameless.headers["www-authenticate"], "RFC 6750, 3.1: nobody tried"
    wrong = ask(service.program, "PUT", "/v1/connections/desk/alerts", alert("form"), service.entra.token())
    assert wrong.status == 405
    assert wrong.headers["allow"] == "POST"


def test_a_notification_in_quarantine_is_found_by_the_id_that_the_webhook_gave(service: Service) -> None:
    """The id in the answer leads to the quarantined body, and to replaying it, which says why that fails."""
    given = service.post({"hello": "quarantine"}).body["notification"]
    kept = service.program.json(f"/api/v1/quarantine/{given}")
    assert str(kept["id"]) == given
    assert json.loads(kept["body"]) == {"hello": "quarantine"}
    assert kept["reason"]
    assert given in {str(one["id"]) for one in service.program.json("/api/v1/quarantine")["items"]}
    again = ask(service.program, "POST", f"/api/v1/quarantine/{given}/replay")
    assert again.status == 409
    assert again.body["error"]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample payloads are not beside the checkout")
def test_every_whole_sample_body_is_accepted_and_explained(service: Service) -> None:
    """Each body that Azure is known to send becomes an alert; a dry run shows it, and nothing makes it fail."""
    known = [*SAMPLES.glob("common/full-*.json"), *SAMPLES.glob("common/jwmb-*.json"), *SAMPLES.glob("legacy/*.json")]
    whole = [path for path in known if "-context-" not in path.name and "custom-json" not in path.name]
    assert whole
    terminal = CliRunner()
    for path in whole:
        assert service.take(path.read_bytes(), to="by-rule") in {"accepted", "duplicate"}, path.name
        shown = terminal.invoke(app, ["explain", str(path), "--json"])
        assert shown.exit_code == 0, (path.name, shown.output)
        assert json.loads(shown.stdout)["title"], path.name
        assert json.loads(shown.stdout)["reasons"], path.name
    service.program.wait_until("/api/v1/lanes?connection=by-rule", lambda page: not page["items"])


# The JSON API


WORK_ITEM: dict[str, Any] = {
    "id": str,
    "connection": str,
    "correlation_key": str,
    "state": str,
    "owed": bool,
    "number": str,
    "url": str,
    "configuration_items": list,
    "alerts": list,
    "severity": str,
    "created_at": str,
    "resolved_at": str | None,
}
ALERT: dict[str, Any] = {
    "id": str,
    "connection": str,
    "condition": str,
    "monitoring_service": str,
    "rule": str,
    "severity": str,
    "targets": list,
    "configuration_items": list,
    "fired_at": str,
    "resolved_at": str | None,
    "is_test": bool,
    "is_legacy_schema": bool,
    "work_item": str,
    "reasons": list,
}


def assert_has(found: dict[str, Any], members: dict[str, Any]) -> None:
    assert members.keys() <= found.keys(), members.keys() - found.keys()
    wrong = {name: found[name] for name, kind in members.items() if not isinstance(found[name], kind)}
    assert not wrong


def test_work_items_and_alerts_have_the_promised_members_everywhere(service: Service) -> None:
    """Lists and details, over HTTP and on the command line, give the same names and types."""
    assert service.take(alert("shape")) == "accepted"
    item = service.work_item("shape")
    assert_has(item, WORK_ITEM)
    assert item["state"] == "open"
    assert item["resolved_at"] is None
    one = service.alert("shape", lambda a: a["work_item"])
    assert_has(one, ALERT)
    assert one["id"] == alert("shape")["data"]["essentials"]["alertId"], "as Azure wrote it"
    assert item["alerts"] == [one["id"]]
    assert all(isinstance(reason, str) for reason in one["reasons"])
    for binding in (*item["configuration_items"], *one["configuration_items"]):
        assert_has(binding, {"id": str | None, "name": str, "rule": str, "reason": str})
    for path, members in (("alerts", ALERT), ("work-items", WORK_ITEM)):
        of_api = service.program.json(f"/api/v1/{path}?connection=desk&limit=1")["items"][0]
        of_command = json.loads(service.program.run(path, "list", "--json", "--limit", "1").out)[0]
        assert members.keys() <= of_api.keys()
        assert of_api.keys() == of_command.keys()


def test_lists_are_paged_by_cursor_while_they_grow(service: Service) -> None:
    """Every row that was there at the start comes once, newest first, whatever arrives meanwhile."""
    names = [f"page-{number}" for number in range(12)]
    for name in names:
        service.take(alert(name))
        service.work_item(name)
    for path in ("alerts", "work-items"):
        got, cursor, pages = list[str](), "", 0
        while True:
            page = service.program.json(f"/api/v1/{path}?connection=desk&limit=5{cursor}")
            got += [row["id"] for row in page["items"]]
            service.take(alert(f"later-{path}-{pages}"))
            pages += 1
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={quote(page['next_cursor'])}"
        assert pages > 2
        assert len(got) == len(set(got))
        ids = {alert(name)["data"]["essentials"]["alertId"] for name in names}
        assert path != "alerts" or ids <= set(got)


def test_the_api_describes_itself_and_names_what_is_wrong(service: Service) -> None:
    """The description has every promised address; wrong filters, limits and ids are errors and not empty lists."""
    described = service.program.json("/api/v1/openapi.json")["paths"]
    promised = {
        "get": ["alerts", "alerts/{id}", "work-items", "work-items/{id}", "lanes", "quarantine", "cis"],
        "post": ["lanes/{key}/retry", "quarantine/{id}/replay"],
    }
    for method, paths in promised.items():
        assert all(method in described[f"/api/v1/{path}"] for path in paths)
    for path, status in (
        ("alerts?condition=Fired", 400),
        ("work-items?state=closed", 400),
        ("work-items?limit=0", 400),
        ("work-items?cursor=nonsense", 400),
        ("alerts?nonsense=1", 400),
        ("alerts/none", 404),
        ("work-items/none", 404),
        ("quarantine/none", 404),
        ("nonsense", 404),
    ):
        answer = ask(service.program, "GET", f"/api/v1/{path}")
        assert answer.status == status, (path, answer)
        assert isinstance(answer.body["error"], str), path
    assert ask(service.program, "POST", "/api/v1/lanes/none/retry").status == 404


def test_health_metrics_and_console_are_there(service: Service) -> None:
    """Monitoring reads what it needs without a token, and a browser gets a page."""
    service.take(alert("counted"))
    assert ask(service.program, "GET", "/healthz").status == 200
    assert ask(service.program, "GET", "/readyz").status == 200
    text = ask(service.program, "GET", "/metrics").body.decode()
    families = {family.name for family in text_string_to_metric_families(text)}
    assert any(name.startswith("secure_export_notifications") for name in families)
    page = ask(service.program, "GET", "/")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")


# What becomes of alerts


def test_the_order_on_the_wire_does_not_matter(service: Service) -> None:
    """Fired then resolved, resolved then fired, a late duplicate: one work item, resolved, and never reopened."""
    service.take(alert("straight"))
    assert service.state("straight") == "open"
    service.take(alert("straight", resolved=True))
    service.take(alert("turned", resolved=True))
    service.take(alert("turned"))
    for name in ("straight", "turned"):
        settled = service.alert(name, lambda a: a["condition"] == "resolved" and a["work_item"] is not None)
        path = f"/api/v1/work-items/{settled['work_item']}"
        item = service.program.wait_until(path, lambda w: w["state"] == "resolved" and not w["owed"])
        assert item["resolved_at"] is not None
        assert service.program.json(f"/api/v1/desk/incidents/{item['number']}")["state"] == "resolved"
        assert service.take(alert(name)) == "duplicate"
        assert service.take(alert(name, description="sent by another group")) == "duplicate"
        assert service.program.json(path)["state"] == "resolved"


def test_one_alert_through_two_connections_is_a_work_item_in_each(service: Service) -> None:
    """A connection is a tool of its own: what one was told does not count for another."""
    assert service.take(alert("both")) == "accepted"
    assert service.take(alert("both"), to="by-rule") == "accepted"
    assert service.work_item("both")["id"] != service.work_item("both", to="by-rule")["id"]


@pytest.mark.parametrize(("connection", "shared"), [("by-ci", {"vm": "shared"}), ("by-rule", {"rule": "shared"})])
def test_alerts_that_share_a_key_share_a_work_item_until_it_is_closed(
    service: Service, connection: str, shared: dict[str, str]
) -> None:
    """It stays open until the last of its alerts resolved; the next one to fire opens another."""

    def one(name: str, *, resolved: bool = False) -> dict[str, Any]:
        named: dict[str, Any] = {"vm": f"vm-{name}", "rule": f"rule-{name}"} | shared
        return alert(f"{connection}-{name}", resolved=resolved, **named)

    for name in "ab":
        service.take(one(name), to=connection)
    first = service.work_item(f"{connection}-a", to=connection)
    assert service.work_item(f"{connection}-b", to=connection)["id"] == first["id"]
    service.take(one("a", resolved=True), to=connection)
    service.alert(f"{connection}-a", lambda a: a["condition"] == "resolved", to=connection)
    assert service.state(f"{connection}-a", to=connection) == "open"
    service.take(one("b", resolved=True), to=connection)
    service.program.wait_until(
        f"/api/v1/work-items/{first['id']}", lambda w: w["state"] == "resolved" and not w["owed"]
    )
    service.take(one("c"), to=connection)
    second = service.work_item(f"{connection}-c", to=connection)
    assert second["id"] != first["id"]
    assert second["number"] != first["number"]


def _event(name: str, sender: str, at: str, operation: str, **properties: str) -> dict[str, Any]:
    body = alert(name, vm="vm-health", monitoringService=sender, signalType="Activity Log", firedDateTime=at)
    body["data"]["alertContext"] = {
        "channels": "Admin",
        "correlationId": name,
        "eventTimestamp": at,
        "eventDataId": name,
        "level": "Warning",
        "operationName": operation,
        "properties": properties,
        "status": properties.get("stage", "Active"),
    }
    return body


def test_service_health_ends_by_a_later_event_of_the_same_tracking_id(service: Service) -> None:
    """Azure never says Resolved as a condition: the stage does, in another alert."""
    operation = "Microsoft.ServiceHealth/incident/action"
    for name, stage, minute in (("sh-1", "Active", "00"), ("sh-2", "Active", "10"), ("sh-3", "Resolved", "20")):
        body = _event(name, "ServiceHealth", f"2026-03-02T11:{minute}:00Z", operation,
                      title="Storage", service="Storage", region="West Europe", incidentType="Incident",
                      trackingId="ZKX1-LDZ", stage=stage)  # fmt: skip
        body["data"]["essentials"] |= {"alertTargetIDs": [f"/subscriptions/{SUBSCRIPTION}"], "configurationItems": None}
        service.take(body)
        item = service.work_item(name)
        assert item["id"] == service.work_item("sh-1")["id"], "one work item for one tracking id"
    assert service.state("sh-1") == "resolved"


def test_resource_health_ends_when_the_resource_is_available_and_begins_anew(service: Service) -> None:
    """Unavailable, Available, Unavailable: two work items, of which the first is resolved."""
    for name, now, minute in (
        ("rh-1", "Unavailable", "00"),
        ("rh-2", "Available", "10"),
        ("rh-3", "Unavailable", "20"),
    ):
        body = _event(
            name,
            "Resource Health",
            f"2026-03-02T12:{minute}:00Z",
            "Microsoft.Resourcehealth/healthevent/Activated/action",
            title="VM",
            currentHealthStatus=now,
            previousHealthStatus="Unknown",
            cause="PlatformInitiated",
        )
        service.take(body)
        service.work_item(name)
    assert service.work_item("rh-1")["id"] == service.work_item("rh-2")["id"]
    assert service.state("rh-1") == "resolved"
    assert service.work_item("rh-3")["id"] != service.work_item("rh-1")["id"]
    assert service.state("rh-3") == "open"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample payloads are not beside the checkout")
def test_every_test_notification_is_shown(tmp_path: Path, standing_in: Entra) -> None:
    """The portal sends the same canned body each time: the second test is not swallowed as a duplicate."""
    service = Service(Program(tmp_path, standing_in.base), standing_in)
    service.program.start()
    try:
        body = (SAMPLES / "common/full-test2026-metric-static-threshold-fired.json").read_bytes()
        assert [service.take(body), service.take(body)] == ["accepted", "accepted"]
        page = service.program.wait_until(
            "/api/v1/work-items", lambda p: len(p["items"]) == 2 and not any(w["owed"] for w in p["items"])
        )
        assert len({item["number"] for item in page["items"]}) == 2
        assert all(one["is_test"] for one in service.program.json("/api/v1/alerts")["items"])
    finally:
        service.program.stop()


def test_what_people_do_beside_the_service_is_taken_in(tmp_path: Path, standing_in: Entra) -> None:
    """A CI that is imported later is bound; an incident that a person resolved while its alert fires stays so.

    Both are done by commands beside the running service, right after it was started on an empty store.
    """
    service = Service(Program(tmp_path, standing_in.base), standing_in)
    program = service.program
    program.start()
    try:
        for name in ("late", "person"):
            service.take(alert(name, vm=f"vm-{name}"))
        late, person = service.work_item("late"), service.work_item("person")
        assert late["configuration_items"][0]["id"] is None
        assert program.run("desk", "set-state", person["number"], "resolved").code == 0
        target = alert("late", vm="vm-late")["data"]["essentials"]["alertTargetIDs"][0]
        (program.folder / "cis.csv").write_text(f"name,resource_id\nvm-late,{target}\n", encoding="utf-8")
        assert program.run("cmdb", "import", "cis.csv").code == 0
        bound = program.wait_until(
            f"/api/v1/work-items/{late['id']}", lambda w: w["configuration_items"][0]["id"], seconds=40
        )
        assert bound["configuration_items"][0]["name"] == "vm-late"
        seen = program.wait_until(f"/api/v1/work-items/{person['id']}", lambda w: w["state"] == "resolved", seconds=5)
        assert seen["reasons"]
        service.take(alert("person", vm="vm-person", resolved=True))
        service.alert("person", lambda a: a["condition"] == "resolved")
        assert service.state("person") == "resolved"
    finally:
        program.stop()


def test_after_a_power_cut_everything_is_delivered_within_seconds(tmp_path: Path, standing_in: Entra) -> None:
    """SIGKILL under load, then a restart: each 202 is one work item, without waiting for a dead owner's lease."""
    service = Service(Program(tmp_path, standing_in.base), standing_in)
    program, token, accepted = service.program, standing_in.token(), list[str]()
    program.start()
    cut = threading.Event()

    def blast(sender: int) -> None:
        for number in range(2000):
            try:
                if cut.is_set() or service.post(alert(f"{sender}-{number}"), token=token).status != 202:
                    return
            except (OSError, http.client.HTTPException):
                return
            accepted.append(f"{sender}-{number}")

    try:
        with ThreadPoolExecutor(4) as pool:
            for sender in range(4):
                pool.submit(blast, sender)
            while len(accepted) < 200:
                time.sleep(0.01)
            program.kill()
            cut.set()
        program.start()
        program.wait_until("/api/v1/lanes", lambda page: not page["items"], seconds=HAND_OVER_SECONDS)
        program.wait_until("/api/v1/work-items?owed=true", lambda page: not page["items"])
        made = Counter(one.rsplit("/", 1)[1] for item in program.rows("work-items", "list") for one in item["alerts"])
        assert not [name for name in accepted if made[name] != 1]
        assert max(made.values()) == 1
    finally:
        program.stop()


# The command line


def test_send_brings_a_thousand_alerts_and_ends_them(tmp_path: Path, entra: str) -> None:
    """``--count`` makes alerts of their own; the same call with ``--resolve`` ends just those."""
    program = Program(tmp_path, entra)
    program.start()
    try:
        (tmp_path / "alert.json").write_text(json.dumps(alert("many")), encoding="utf-8")
        call = ["send", "alert.json", "--url", program.webhook, "--token-from", entra, "--count", "1000", "--json"]
        for more in ([], ["--resolve"]):
            ran = program.run(*call, *more)
            assert ran.code == 0, ran.err
            results = json.loads(ran.out)
            assert len(results) == 1000
            assert {result["result"] for result in results} == {"delivered"}
        program.wait_until("/api/v1/lanes", lambda page: not page["items"])
        states = Counter(item["state"] for item in program.rows("work-items", "list"))
        assert states == {"resolved": 1000}
        assert len(json.loads(program.run("work-items", "list", "--json").out)) == 100, "the newest 100 by default"
        assert len(json.loads(program.run("alerts", "list", "--json", "--limit", "7").out)) == 7
    finally:
        program.stop()


def test_check_prints_json_and_nothing_else_when_something_is_wrong(tmp_path: Path) -> None:
    """Programs read the table from standard output, also when the authority cannot be reached; exit code 1."""
    program = Program(tmp_path, f"http://127.0.0.1:{free_port()}")
    ran = program.run("check", "--json")
    assert ran.code == 1
    assert [row["part"] for row in json.loads(ran.out) if not row["passed"]] == ["identity"]


def test_looking_with_a_configuration_elsewhere_makes_no_store(tmp_path: Path) -> None:
    """``--config`` works from every folder, and a command that only looks leaves the folder as it was."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "elsewhere").mkdir()
    program = Program(tmp_path / "etc", f"http://127.0.0.1:{free_port()}")
    text = program.config.read_text(encoding="utf-8").replace(
        f"sqlite:///{program.folder}/store.db", "sqlite:///store.db"
    )
    program.config.write_text(text, encoding="utf-8")
    assert program.run("cmdb", "list").code == 0
    elsewhere = Program(tmp_path / "elsewhere", f"http://127.0.0.1:{free_port()}")
    elsewhere.config.unlink()
    elsewhere.run("alerts", "list", "--config", str(program.config))
    assert list((tmp_path / "elsewhere").iterdir()) == []


LEAVES = [
    "demo",
    "init",
    "serve",
    "check",
    "explain",
    "send",
    "alerts list",
    "alerts show",
    "work-items list",
    "work-items show",
    "lanes list",
    "lanes retry",
    "quarantine list",
    "quarantine show",
    "quarantine replay",
    "cmdb import",
    "cmdb list",
    "cmdb search",
    "sandbox entra",
    "sandbox azure-monitor",
]


@pytest.mark.parametrize("command", LEAVES)
def test_the_help_of_every_command_has_an_example(command: str) -> None:
    """A person copies the example instead of reading on."""
    shown = CliRunner().invoke(app, [*command.split(), "--help"])
    assert shown.exit_code == 0, shown.output
    assert f"Example: secure-export {command}" in " ".join(shown.output.split())
