"""Where a tool is: what can be written, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from secure_export.itsm.http_settings import HttpSettings


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://acme.service-now.com", "https://acme.service-now.com"),
        ("https://acme.service-now.com/", "https://acme.service-now.com"),
        (" https://Acme.Service-Now.com// ", "https://acme.service-now.com"),
        ("HTTPS://acme.example.com:8443/ITSM/", "https://acme.example.com:8443/ITSM"),
        ("https://10.0.0.1", "https://10.0.0.1"),
        ("https://[fd00::1]:8443/a%20b", "https://[fd00::1]:8443/a%20b"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a"),
        ("http://127.1.2.3", "http://127.1.2.3"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_an_address_is_taken(written: str, url: str) -> None:
    """With a path in front or without, with a slash at the end or without."""
    assert HttpSettings(url=written).url == url


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("acme.service-now.com", "with its scheme and host"),
        ("", "with its scheme and host"),
        ("https://", "with its scheme and host"),
        ("https:///api", "with its scheme and host"),
        ("ftp://acme.example.com", "with its scheme and host"),
        ("https://acme.example.com:0", "with its scheme and host"),
        ("https://acme.example.com:99999", "with its scheme and host"),
        ("https://acme.example.com:geheim", "with its scheme and host"),
        ("https://[::1", "with its scheme and host"),
        ("http://acme.example.com", "use https://"),
        ("http://localhost.example.com", "use https://"),
        ("http://127.0.0.1.example.com", "use https://"),
        ("http://0.0.0.0", "use https://"),
        ("http://10.0.0.1", "use https://"),
        ("https://user:geheim@acme.example.com", "do not belong into the URL"),
        ("https://geheim@acme.example.com", "do not belong into the URL"),
        ("https://@acme.example.com", "do not belong into the URL"),
        ("https://acme.example.com/?key=geheim", "what follows '?'"),
        ("https://acme.example.com?", "what follows '?'"),
        ("https://acme.example.com#geheim", "what follows '?'"),
        ("https://acme.example.com/../geheim", "without '.' and '..'"),
        ("https://acme.example.com/./geheim", "without '.' and '..'"),
        ("https://acmé.example.com", "ASCII form"),
        ("https://acme.example.com/a b", "characters that a URL cannot have"),
        ("https://acme.example.com\\@evil.example.com", "characters that a URL cannot have"),
        ("https://acme.example.com/\r\nX: geheim", "characters that a URL cannot have"),
    ],
)
def test_an_address_is_refused_without_repeating_it(written: str, said: str) -> None:
    """Who sees the message must not see a password that stands in it."""
    with pytest.raises(ValidationError) as caught:
        HttpSettings(url=written)
    assert said in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("connections", 0), ("connections", 65), ("request_timeout_seconds", 0), ("request_timeout_seconds", 601)],
)
def test_numbers_have_bounds(setting: str, value: Any) -> None:
    """None at a time, or for ever, would stop a connection without a word."""
    with pytest.raises(ValidationError):
        HttpSettings.model_validate({"url": "https://acme.example.com", setting: value})


def test_a_client_key_needs_its_certificate() -> None:
    """A key alone is a mistake; a certificate may hold its key."""
    with pytest.raises(ValidationError, match="belongs to client_certificate"):
        HttpSettings(url="https://acme.example.com", client_key=Path("k"))
    HttpSettings(url="https://acme.example.com", client_certificate=Path("c"))
