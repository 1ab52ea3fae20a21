"""HTML of service health becomes text, and broken HTML costs nothing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_export.alerts.summary.html_text import from_html


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("no markup", "no markup"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("a &amp; b&nbsp;c", "a & b c"),
        ("<ul><li>x</li><li>y</li></ul>", "- x\n\n- y"),
        ('see <a href="https://a.example/">this</a>', "see this (https://a.example/)"),
        ('<a href="https://a.example">https://a.example</a>', "https://a.example"),
        ("<style>p {}</style>a<script>b()</script>c", "ac"),
        ("<!-- hidden <p> -->seen", "seen"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
        ("<![x[<p>a", "<![x[\na"),
    ],
)
def test_text_is_taken_out_of_markup(markup: str, text: str) -> None:
    """Blocks are lines, links stay, and what is not for reading goes."""
    assert from_html(markup) == text


@given(st.text(st.sampled_from("<>!-/ap\"'=&; \n[]x"), max_size=200))
def test_any_markup_is_taken(markup: str) -> None:
    """Nothing raises."""
    assert isinstance(from_html(markup), str)


@pytest.mark.parametrize("part", ["<a ", "</", "<a href='", "<!--", "<![x[", "&", "<script>"])
def test_broken_markup_takes_no_longer_than_other(part: str) -> None:
    """A hundred thousand characters of it are read in a moment."""
    began = time.process_time()
    from_html(part * (100_000 // len(part)))
    assert time.process_time() - began < 1
