"""What others wrote, on a terminal and in the log."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.telemetry.shown import shown

GONE = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("CPU above 85 %: größer, 漢字", "CPU above 85 %: größer, 漢字"),
        ("1\N{NO-BREAK SPACE}000 €", "1\N{NO-BREAK SPACE}000 €"),
        ("\x1b[2J", f"{GONE}[2J"),
        ("\x9b2J\x07\x7f\x00", f"{GONE}2J{GONE}{GONE}{GONE}"),
        ("one\r\ntwo\u2028three", f"one{GONE}{GONE}two{GONE}three"),
        ("exe.\N{RIGHT-TO-LEFT OVERRIDE}gpj", f"exe.{GONE}gpj"),
        ("\ud800", GONE),
    ],
)
def test_what_has_no_glyph_is_replaced(text: str, seen: str) -> None:
    """Letters of every script and blanks stay; controls of both sets, changes of direction and line ends do not."""
    assert shown(text) == seen


def test_what_is_to_be_kept_stays() -> None:
    """Texts of several lines keep their lines, and nothing else."""
    assert shown("one\n\ttwo\x1b", keep="\n\t") == f"one\n\ttwo{GONE}"


@settings(max_examples=100)
@given(st.text(max_size=50))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    """Whatever is shown has no control character of either set, and as many characters as before."""
    seen = shown(text)
    assert len(seen) == len(text)
    assert not any(ord(one) < 0x20 or 0x7F <= ord(one) < 0xA0 for one in seen)
