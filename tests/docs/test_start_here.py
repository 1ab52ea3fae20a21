"""The tutorial, typed as it stands."""

from pathlib import Path

import pytest
from tests.docs.pages import DOCS, blocks
from tests.docs.walk import Walk, first_missing

TUTORIAL = DOCS / "start-here.md"


@pytest.mark.journey
def test_every_command_of_the_tutorial_does_what_the_page_shows(tmp_path: Path) -> None:
    """Who follows the tutorial gets what it shows, from nothing to a closed incident."""
    with Walk(tmp_path, ports=("8080", "9000")) as walk:
        typed = walk.follow(list(blocks(TUTORIAL)))
    assert typed >= 12
    assert (tmp_path / "secure-export.db").exists()


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ("", None),
        ("two  three\n", None),
        ("one\nfour", None),
        ("one … three", None),
        ("three\ntwo", "two"),
        ("five", "five"),
        ("one … five", "one … five"),
    ],
)
def test_a_page_that_shows_something_else_is_caught(shown: str, missing: str | None) -> None:
    """Lines are looked for in order, whatever stands between them; three dots stand for anything."""
    assert first_missing(shown, "one two\n three   four\n") == missing
