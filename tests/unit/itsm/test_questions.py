"""Several questions to a tool: at a time, and none too long for a URL."""

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.errors import SecureExportError
from secure_export.itsm.questions import LONGEST, in_turns, together

VM_ID = (
    "/subscriptions/11111111-1111-4111-8111-111111111111/resourcegroups/rg-one"
    "/providers/microsoft.compute/virtualmachines/web-01"
)


@settings(max_examples=100)
@given(st.lists(st.lists(st.text(min_size=1, max_size=200), min_size=1, max_size=3), max_size=40))
def test_questions_keep_below_the_length_of_urls(groups: list[list[str]]) -> None:
    """Nothing is lost, groups stay together, and a question is longer than allowed only if one group alone is."""
    turns = in_turns(groups, ",")
    assert [value for turn in turns for value in turn] == [value for group in groups for value in group]
    for turn in turns:
        if len(quote(",".join(turn), safe="")) > LONGEST:
            assert list(turn) in groups


def test_fifty_ids_are_several_questions() -> None:
    """Ids of usual length: some ten of them fit into one address."""
    turns = in_turns([[f"{VM_ID}-{number}"] for number in range(50)], ",")
    assert 4 <= len(turns) <= 10


def test_what_stands_between_counts_and_nothing_is_no_question() -> None:
    """A longer word between terms leaves room for fewer; groups that are empty ask for nothing."""
    terms = [["a" * 6] for _ in range(20)]
    assert len(in_turns(terms, ",", longest=90)) < len(in_turns(terms, " OR ", longest=90))
    assert in_turns([[], []], ",") == []


async def test_when_one_question_fails_none_goes_on() -> None:
    """No look-up is left behind to fail later, unseen."""

    async def good() -> str:
        return "good"

    async def bad() -> str:
        raise SecureExportError("down")

    assert await together([good(), good()]) == ["good", "good"]
    with pytest.raises(SecureExportError):
        await together([bad(), good(), bad()])
