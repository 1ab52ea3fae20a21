"""What the log shows, and what it never shows."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from secure_export.telemetry.logging import REDACTED, set_up_logging

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    out = io.StringIO()
    set_up_logging("json", "info", stream=out)
    yield out
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_line_is_json_with_a_constant_event(stream: io.StringIO) -> None:
    """Collectors get one JSON object a line: the event's name, and what belongs to it as members."""
    structlog.get_logger("x").info("service started", port=80)
    (line,) = lines(stream)
    assert line["event"] == "service started"
    assert line["port"] == 80
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


@pytest.mark.parametrize(
    "name", ["authorization", "password", "client_secret", "access_token", "api_key", "Set-Cookie"]
)
def test_values_with_a_secrets_name_are_not_shown(stream: io.StringIO, name: str) -> None:
    """Whatever is called like a secret is replaced, at any depth."""
    structlog.get_logger("x").info("asked", **{name: "hunter2"}, nested={"headers": [{name: "hunter2"}]})
    assert "hunter2" not in stream.getvalue()
    assert REDACTED in stream.getvalue()


def test_tokens_are_not_shown_wherever_they_stand(stream: io.StringIO) -> None:
    """A signed token is replaced in texts and in the tracebacks of errors."""
    log = structlog.get_logger("x")
    log.info("got", text=f"Bearer {TOKEN} and more")
    try:
        int(TOKEN)
    except ValueError:
        log.exception("failed")
    logging.getLogger("some.library").warning("header was %s", TOKEN)
    assert TOKEN not in stream.getvalue()
    assert len(lines(stream)) == 3


def test_the_id_of_a_token_is_no_secret(stream: io.StringIO) -> None:
    """Who sent something can be told by the token's id."""
    structlog.get_logger("x").info("got", token_id="uti-1", token_version="2.0")
    assert lines(stream)[0]["token_id"] == "uti-1"


def test_lines_below_the_level_are_left_out(stream: io.StringIO) -> None:
    """The level holds for our lines and for those of libraries."""
    structlog.get_logger("x").debug("quiet")
    logging.getLogger("some.library").debug("quiet")
    assert not stream.getvalue()
