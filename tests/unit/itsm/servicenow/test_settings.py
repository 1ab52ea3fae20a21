"""What can be configured, and what is an error."""

from typing import Any

import pytest
from pydantic import ValidationError

from secure_export.itsm.servicenow.settings import ServiceNowSettings

URL = {"url": "https://acme.service-now.com"}
PASSWORD = {"password": {"env": "SNOW_PASSWORD"}}
SECRET = {"env": "SNOW_SECRET"}


def made(**told: Any) -> ServiceNowSettings:
    return ServiceNowSettings.model_validate({**URL, **told})


@pytest.mark.parametrize(
    "told",
    [
        {"username": "azure", **PASSWORD},
        {"api_key": SECRET},
        {"client_certificate": "/c.pem"},
        {"client_certificate": "/c.pem", "username": "azure", **PASSWORD},
        {"oauth": {"client_id": "x", "client_secret": SECRET}},
        {"oauth": {"grant": "password", "client_id": "x", "client_secret": SECRET}, "username": "azure", **PASSWORD},
        {"oauth": {"grant": "refresh_token", "client_id": "x", "client_secret": SECRET, "refresh_token": SECRET}},
        {"oauth": {"grant": "jwt_bearer", "client_id": "x", "private_key": SECRET, "subject": "azure"}},
    ],
)
def test_every_way_to_sign_in_can_be_configured(told: dict[str, Any]) -> None:
    """Basic, API key, certificate, and each OAuth grant."""
    made(**told)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "how to sign in"),
        ({"username": "azure"}, "password"),
        (PASSWORD, "username"),
        ({"username": "azure", **PASSWORD, "api_key": SECRET}, "keep one"),
        ({"api_key": SECRET, "oauth": {"client_id": "x", "client_secret": SECRET}}, "keep one"),
        ({"oauth": {"client_id": "x"}}, "client_secret"),
        ({"oauth": {"grant": "password", "client_id": "x", "client_secret": SECRET}}, "username"),
        ({"oauth": {"grant": "jwt_bearer", "client_id": "x"}}, "private_key"),
        ({"oauth": {"grant": "refresh_token", "client_id": "x", "client_secret": SECRET}}, "refresh_token"),
    ],
)
def test_a_sign_in_that_cannot_work_is_an_error(told: dict[str, Any], words: str) -> None:
    """The message says what is missing or too much."""
    with pytest.raises(ValidationError, match=words):
        made(**told)


@pytest.mark.parametrize("field", ["sys_id", "sys_created_on", "number", "state", "correlation_id", "work_notes"])
def test_fields_that_are_ours_or_the_instances_cannot_be_set(field: str) -> None:
    """A default that took the key away would make every alert a new incident."""
    with pytest.raises(ValidationError, match=field):
        made(username="azure", **PASSWORD, fields={field: "x"})


@pytest.mark.parametrize("field", ["sys_id", "state", "correlation_id", "correlation_display", "work_notes"])
def test_a_resolve_does_not_set_what_a_record_is_known_by(field: str) -> None:
    """A record whose key was taken away at its end would be made a second time."""
    with pytest.raises(ValidationError, match=field):
        made(username="azure", **PASSWORD, tables={"problem": {"close_fields": {field: "x"}}})


@pytest.mark.parametrize("name", ["Category", "a b", "caller_id.name", "x" * 81])
def test_what_is_no_field_is_an_error(name: str) -> None:
    """Names are ServiceNow's own."""
    with pytest.raises(ValidationError):
        made(username="azure", **PASSWORD, fields={name: "x"})


def test_unknown_settings_are_errors() -> None:
    """A misspelt setting is an error, not a setting without effect."""
    for told in ({"asignment_group": "x"}, {"tables": {"problem": {"resolved": "x"}}}):
        with pytest.raises(ValidationError):
            made(username="azure", **PASSWORD, **told)
