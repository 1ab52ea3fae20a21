"""How far long work is: bars for people, lines for logs."""

import io

import pytest

from secure_export.cli import progress
from secure_export.cli.output import Terminal
from secure_export.cli.progress import pages, shown


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Give what is printed where nobody looks at a terminal."""
    text = io.StringIO()
    monkeypatch.setattr(progress, "err", Terminal(file=text, width=100))
    return text


def test_without_a_terminal_there_are_plain_lines(printed: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each part that has something, and further ones now and then; nothing moves, nothing is coloured."""
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with shown() as part:
        part.begun("copying alerts", 3000)
        part.done(1000)
        now = 106.0
        part.done(1000)
        part.done(1000)
        part.begun("copying nothing", 0)
    assert printed.getvalue() == "copying alerts: 3000\ncopying alerts: 2000 of 3000\n"


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends full, with the numbers beside it."""
    text = io.StringIO()
    monkeypatch.setattr(progress, "err", Terminal(file=text, force_terminal=True, width=100))
    with shown() as part:
        told = pages("copying pages", part)
        for done in (10, 30):
            told(done, 30)
    assert "copying pages" in text.getvalue()
    assert "30/30" in text.getvalue()
