"""Tokens: whom the webhook lets in, and what it tells the others."""

import base64
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.journeys.contract.outside import Answer, Service, alert, ask
from tests.journeys.contract.standing_in import AUDIENCE, KID, Entra
from tests.program import Program, free_port

pytestmark = pytest.mark.journey


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
