"""What commands print: nothing that a terminal would obey."""

import io
import json
import os
import subprocess
import sys

import pytest

from secure_export.cli import output
from secure_export.cli.output import Terminal, complain, print_details, print_json, print_table

HOSTILE = "\x1b[2J\x1b]0;owned\x07 \x9b31m [red]x \N{RIGHT-TO-LEFT OVERRIDE}"
GONE = "\N{REPLACEMENT CHARACTER}"
SEEN = f"{GONE}[2J{GONE}]0;owned{GONE} {GONE}31m [red]x {GONE}"


class FakeTerminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = FakeTerminal()
    plain = Terminal(file=stream, highlight=False, color_system=None, width=200)
    monkeypatch.setattr(output, "out", plain)
    monkeypatch.setattr(output, "err", plain)
    return stream


def test_tables_show_what_alerts_say(printed: io.StringIO) -> None:
    """An alert's rule with escape sequences is text in its cell, deep in lists and objects too."""
    print_table(["rule", "cis"], [[HOSTILE, [{"name": HOSTILE}, HOSTILE]]], empty="")
    assert printed.getvalue().count(SEEN) == 3
    assert "\x1b" not in printed.getvalue()


def test_details_show_what_alerts_say(printed: io.StringIO) -> None:
    """Names and values at any depth are text; several lines stay several lines."""
    print_details({"n\x1b": "one\ntwo", "list": [HOSTILE, {"reason": HOSTILE}], "object": {HOSTILE: HOSTILE}})
    text = printed.getvalue()
    assert text.count(SEEN) == 4
    assert "\x1b" not in text
    assert len(text.splitlines()) == 5


def test_complaints_show_what_tools_say(printed: io.StringIO) -> None:
    """An error that repeats what a tool answered is text."""
    complain(f"the tool said {HOSTILE}")
    assert printed.getvalue() == f"error: the tool said {SEEN}\n"


@pytest.mark.parametrize("stream", [FakeTerminal(), io.StringIO()], ids=["terminal", "file"])
def test_json_is_ascii_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> None:
    """Programs read letters as they are; a terminal gets no control character, of the second set either."""
    monkeypatch.setattr(sys, "stdout", stream)
    print_json({"rule": f"größer {HOSTILE}"})
    text = stream.getvalue()
    assert json.loads(text) == {"rule": f"größer {HOSTILE}"}
    assert text.isascii() is stream.isatty()


def test_long_json_arrives_whole_through_a_pipe() -> None:
    """Also with PYTHONUNBUFFERED, where Python itself drops what a pipe does not take at once."""
    program = "from secure_export.cli.output import print_json; print_json(['x' * 1000] * 2000)"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment)
    assert done.stdout is not None
    with done.stdout as pipe:
        assert len(json.loads(pipe.read())) == 2000
    assert done.wait(10) == 0
