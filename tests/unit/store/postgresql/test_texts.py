"""Texts that PostgreSQL has no place for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_export.store.postgresql.numbered import numbered
from secure_export.store.postgresql.texts import all_kept, decoded, encoded, kept, told

ODD = st.text(st.sampled_from("\0\x1a01ab"), max_size=12)


@given(ODD)
def test_every_text_comes_back(text: str) -> None:
    """Whatever NULs and substitutes it holds, and in whatever order."""
    assert told(kept(text)) == text
    assert "\0" not in kept(text)
    assert decoded(encoded(text)) == text


@given(ODD, ODD)
def test_different_texts_are_kept_differently(one: str, other: str) -> None:
    """Two texts are never taken for each other."""
    assert (kept(one) == kept(other)) == (one == other)


def test_usual_texts_stay_as_they_are() -> None:
    """What people search and read in the database is what was sent."""
    assert kept("Größe 85 % \\ \n\t") == "Größe 85 % \\ \n\t"
    assert all_kept(["a", None, "\0"]) == ["a", None, "\x1a0"]


@pytest.mark.parametrize(("sql", "result"), [("a", "a"), ("? AND x = ? LIMIT ?", "$1 AND x = $2 LIMIT $3")])
def test_parameters_are_numbered(sql: str, result: str) -> None:
    """In the order in which they stand."""
    assert numbered(sql) == result
