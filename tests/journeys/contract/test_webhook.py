"""The webhook: what it answers, and what becomes of bodies that make no sense."""

import json

import pytest
from tests.journeys.contract.outside import OTHER_SUBSCRIPTION, SAMPLES, Service, alert, ask
from typer.testing import CliRunner

from secure_export.cli.main import app

pytestmark = pytest.mark.journey


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
