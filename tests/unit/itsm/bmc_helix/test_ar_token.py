"""Reading an AR-JWT."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.itsm.bmc_helix.ar_answers import USER, token
from tests.unit.itsm.scripted import NOW

from secure_export.itsm.bmc_helix.sign_in.ar_token import TokenClaims, claims_of, is_token

SEALED = base64.b64encode(b"s" * 96).decode()
"""The form of ``sub`` in tokens that published clients recorded."""


def test_user_and_life_are_read() -> None:
    """The end counts, not an hour that is taken for granted."""
    claims = claims_of(token(lasts=900))
    assert claims.user == USER
    assert claims.lasts_seconds(None) == 900


def test_a_token_that_was_made_before_lasts_shorter() -> None:
    """A server that gives the same token again has counted some of its life already."""
    claims = claims_of(token(lasts=900, at=NOW - timedelta(seconds=600)))
    assert claims.lasts_seconds(NOW) == 300
    assert claims.lasts_seconds(NOW + timedelta(seconds=1000)) == 0


def test_a_server_with_a_wrong_clock_does_no_harm() -> None:
    """Ends are counted by the server's own clock, whatever ours says."""
    wrong = NOW - timedelta(days=400)
    assert claims_of(token(lasts=900, at=wrong)).lasts_seconds(wrong) == 900


def test_a_sealed_user_is_not_known() -> None:
    """Some servers encrypt ``sub``: then it tells nothing, and accuses nobody."""
    assert claims_of(token(SEALED)).user == ""


@pytest.mark.parametrize("name", ["Guest", "ACME\\azure.integration", "azure@example.com", "Zoë", "x" * 39])
def test_a_plain_user_is_read(name: str) -> None:
    """Login names are not taken for sealed ones."""
    assert claims_of(token(name)).user == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (token(), True),
        ("a.b.", True),
        ("", False),
        ("Failed to login. Please contact the Administrator.", False),
        ("<html>a.b.c</html>", False),
        ("a.b", False),
        ("a.b.c.d", False),
        (f"{'a' * 20_000}.b.c", False),
    ],
)
def test_the_form_of_a_token(text: str, *, expected: bool) -> None:
    """Three parts of Base64, and nothing else."""
    assert is_token(text) is expected


@pytest.mark.parametrize("claims", [{}, {"exp": "soon"}, {"exp": True}, {"sub": 7}])
def test_claims_that_are_missing_are_not_guessed(claims: dict[str, Any]) -> None:
    """A token without an end is used until the server refuses it."""
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert claims_of(f"e30.{part}.x") == TokenClaims("", None, None)
    assert claims_of(f"e30.{part}.x").lasts_seconds(NOW) is None


@settings(max_examples=100)
@given(st.from_regex(r"[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{0,20}", fullmatch=True))
def test_no_token_breaks_it(text: str) -> None:
    """Whatever stands in the three parts, there are claims, if only missing ones."""
    claims_of(text).lasts_seconds(NOW)
