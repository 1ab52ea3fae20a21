"""How CIs are asked for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.itsm.bmc_helix.api.qualification import encoded_length
from secure_export.itsm.bmc_helix.cmdb.ci_question import (
    OR,
    can_be_asked,
    joined,
    matching,
    shows_that_case_is_ignored,
    terms_for,
    value_for,
)
from secure_export.itsm.bmc_helix.cmdb.settings import CiLookup, Match, Source
from secure_export.itsm.questions import LONGEST, in_turns

NAME = CiLookup(class_name="BMC_ComputerSystem", attribute="Name", source=Source.NAME)
HOST = CiLookup(class_name="BMC_ComputerSystem", attribute="HostName", source=Source.HOST_NAME)
TOKEN = CiLookup(class_name="BMC_ComputerSystem", attribute="TokenId", source=Source.HOST_NAME, match=Match.TOKEN)
ID = CiLookup(class_name="BMC_BaseElement", attribute="AzureResourceId", source=Source.RESOURCE_ID)


@pytest.mark.parametrize(
    ("rule", "value", "spellings", "expected"),
    [
        (NAME, "web01", True, ("'Name' = \"web01\"", "'Name' = \"WEB01\"")),
        (NAME, "web01", False, ("'Name' = \"web01\"",)),
        (NAME, "10", True, ("'Name' = \"10\"",)),
        (NAME, 'say "hi"', False, ('\'Name\' = "say ""hi"""',)),
        (TOKEN, "web01", False, ("'TokenId' LIKE \"web01:%\"",)),
        (TOKEN, "my_vm", False, ("'TokenId' LIKE \"my_vm:%\"",)),
        (TOKEN, "100%", False, ()),
        (ID, "/subscriptions/s", True, ("'AzureResourceId' = \"/subscriptions/s\"",)),
    ],
)
def test_terms(rule: CiLookup, value: str, expected: tuple[str, ...], *, spellings: bool) -> None:
    """Names are asked for in two cases, ids in lower case; quotes are doubled, wildcards are not asked for."""
    assert terms_for(rule, value, spellings=spellings) == expected


@pytest.mark.parametrize(
    ("rule", "name", "expected"),
    [
        (NAME, "web01.example.com", "web01.example.com"),
        (HOST, "web01.example.com", "web01"),
        (HOST, "10.1.2.3", "10.1.2.3"),
        (HOST, ".hidden", ".hidden"),
        (HOST, "web01", "web01"),
    ],
)
def test_a_host_name_is_the_name_up_to_its_dot(rule: CiLookup, name: str, expected: str) -> None:
    """An address is no name: its first number would fit to anything."""
    assert value_for(rule, name) == expected


@pytest.mark.parametrize(
    ("rule", "has", "found"),
    [
        (NAME, "WEB01 ", True),
        (NAME, "web011", False),
        (TOKEN, "WEB01:example.com", True),
        (TOKEN, "web01", False),
        (TOKEN, "web011:example.com", False),
        (ID, "web01/", True),
        (NAME, "web01/", False),
    ],
)
def test_what_comes_back_is_compared_again(rule: CiLookup, has: str, *, found: bool) -> None:
    """A database may cut, pad or fold; a CI counts only if it has what was asked for."""
    assert bool(matching(rule, has, {"web01": ["k"]})) is found


@pytest.mark.parametrize(("has", "shows"), [("Web01", True), ("WEB01", False), ("web01", False)])
def test_only_mixed_case_shows_what_the_database_does(has: str, *, shows: bool) -> None:
    """Both of the spellings that are asked for prove nothing."""
    assert shows_that_case_is_ignored(NAME, has) is shows


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web01", True),
        ("", False),
        ("  ", False),
        ("a\nb", False),
        ("$USER$", False),
        ("$Default", True),
        ("x" * 1001, False),
    ],
)
def test_what_can_be_asked(text: str, *, expected: bool) -> None:
    """Control characters and keywords are left out."""
    assert can_be_asked(text) is expected


@settings(max_examples=100)
@given(
    st.lists(
        st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=60).filter(can_be_asked),
        max_size=60,
    )
)
def test_no_qualification_is_longer_than_a_url_takes(names: list[str]) -> None:
    """However many names there are, each is asked for once, and none alone makes a query too long for its bound."""
    groups = [terms_for(NAME, name.lower(), spellings=True) for name in dict.fromkeys(names)]
    turns = in_turns(groups, OR)
    assert [term for turn in turns for term in turn] == [term for group in groups for term in group]
    for turn in turns:
        assert encoded_length(joined(turn)) <= LONGEST or len(turn) <= 2
