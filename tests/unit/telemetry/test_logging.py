"""What the log shows, and what it never shows."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from secure_export.telemetry.logging import REDACTED, Format, set_up_logging

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl"


@contextmanager
def logging_to(log_format: Format) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    out = io.StringIO()
    set_up_logging(log_format, "info", stream=out)
    yield out
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    with logging_to("json") as out:
        yield out


@pytest.fixture
def terminal() -> Iterator[io.StringIO]:
    with logging_to("console") as out:
        yield out


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
    logging.getLogger("some.package").warning("header was %s", TOKEN)
    assert TOKEN not in stream.getvalue()
    assert len(lines(stream)) == 3


HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m"


def test_a_terminal_is_told_nothing_that_it_obeys(terminal: io.StringIO) -> None:
    """Escape sequences in values, events, deeper members and errors are shown, and no value begins a line."""
    log = structlog.get_logger("x")
    log.warning("refused", path=f"/{HOSTILE}", text=f"a\nb {HOSTILE}", nested={"hosts": [HOSTILE]})
    logging.getLogger("some.package").warning("said %s", HOSTILE)
    log.error("failed", key=HOSTILE, exc_info=ValueError(HOSTILE))
    text = terminal.getvalue()
    assert not any(ord(one) < 0x20 or 0x7F <= ord(one) < 0xA0 for one in text.replace("\n", ""))
    assert text.count("owned") == 6
    assert text.splitlines()[0].count("owned") == 3


def test_tracebacks_on_a_terminal_have_lines_and_no_token(terminal: io.StringIO) -> None:
    """A fault can be read by a person, who sees no secret in it."""
    try:
        int(TOKEN)
    except ValueError:
        structlog.get_logger("x").exception("failed")
    assert "Traceback (most recent call last):\n" in terminal.getvalue()
    assert TOKEN not in terminal.getvalue()


def test_the_id_of_a_token_is_no_secret(stream: io.StringIO) -> None:
    """Who sent something can be told by the token's id."""
    structlog.get_logger("x").info("got", token_id="uti-1", token_version="2.0")
    assert lines(stream)[0]["token_id"] == "uti-1"


def test_lines_below_the_level_are_left_out(stream: io.StringIO) -> None:
    """The level holds for our lines and for those of libraries."""
    structlog.get_logger("x").debug("quiet")
    logging.getLogger("some.package").debug("quiet")
    assert not stream.getvalue()
