"""Encoded queries as text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.sandbox.servicenow.query import (
    OPERATORS,
    Join,
    Order,
    Query,
    Related,
    Term,
    Unreadable,
    parse,
)


def _terms(text: str) -> list[list[list[object]]]:
    return [[list(clause) for clause in group] for group in parse(text).groups]


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("number=INC1", Term("number", "=", "INC1")),
        ("correlation_id=", Term("correlation_id", "=", "")),
        ("state!=7", Term("state", "!=", "7")),
        ("stateIN1,2", Term("state", "IN", "1,2")),
        ("stateNOT IN1,2", Term("state", "NOT IN", "1,2")),
        ("short_descriptionLIKEa=b", Term("short_description", "LIKE", "a=b")),
        ("short_description*x", Term("short_description", "LIKE", "x")),
        ("nameCONTAINSa", Term("name", "LIKE", "a")),
        ("short_descriptionNOT LIKEx", Term("short_description", "NOT LIKE", "x")),
        ("short_description!*x", Term("short_description", "NOT LIKE", "x")),
        ("numberSTARTSWITHINC", Term("number", "STARTSWITH", "INC")),
        ("numberENDSWITH1", Term("number", "ENDSWITH", "1")),
        ("number%1", Term("number", "ENDSWITH", "1")),
        ("assigned_toISEMPTY", Term("assigned_to", "ISEMPTY", "")),
        ("assigned_toISNOTEMPTY", Term("assigned_to", "ISNOTEMPTY", "")),
        ("sys_updated_on>=2026-01-01 00:00:00", Term("sys_updated_on", ">=", "2026-01-01 00:00:00")),
        ("sys_mod_countBETWEEN1@3", Term("sys_mod_count", "BETWEEN", "1@3")),
        ("opened_onONToday@a@b", Term("opened_on", "ON", "Today@a@b")),
        ("sys_class_nameINSTANCEOFcmdb_ci", Term("sys_class_name", "INSTANCEOF", "cmdb_ci")),
        ("caller_id.department.name=IT", Term("caller_id.department.name", "=", "IT")),
        ("opened_bySAMEAScaller_id", Term("opened_by", "SAMEAS", "caller_id")),
        ("sys_updated_onRELATIVEGT@hour@ago@3", Term("sys_updated_on", "RELATIVEGT", "@hour@ago@3")),
        ("AAAA=BBBB", Term("AAAA", "=", "BBBB")),
    ],
)
def test_a_condition_is_a_field_an_operator_and_a_value(text: str, term: Term) -> None:
    """The first operator after the field counts, of several at one place the longest; the rest is the value."""
    assert _terms(text) == [[[term]]]


def test_an_alternative_belongs_to_the_condition_before_it() -> None:
    """`^OR` binds tighter than `^`."""
    a, b, c = (Term(name, "=", "1") for name in "abc")
    assert _terms("a=1^ORb=1^c=1") == [[[a, b], [c]]]


def test_a_new_query_begins_a_second_alternative() -> None:
    """`^NQ` separates whole groups of conditions."""
    assert _terms("a=1^NQb=1^c=1") == [[[Term("a", "=", "1")]], [[Term("b", "=", "1")], [Term("c", "=", "1")]]]


def test_sorting_is_no_condition() -> None:
    """`ORDERBY` begins like `OR`, and is something else; the first one sorts most."""
    assert parse("active=true^ORDERBYnumber^ORDERBYDESCsys_id").order == (Order("number"), Order("sys_id", True))


def test_what_follows_the_end_is_not_read() -> None:
    """`^EQ` ends a query."""
    assert _terms("a=1^EQ^b=1") == [[[Term("a", "=", "1")]]]


def test_a_caret_in_a_value_splits_the_query() -> None:
    """Values must not hold the separator: what follows it is taken for a condition."""
    assert _terms("name=a^b") == [[[Term("name", "=", "a")], [Unreadable("b")]]]


def test_a_doubled_caret_can_stand_for_itself() -> None:
    """Recent releases read two as one character of the value; a switch decides."""
    assert parse("name=a^^b^c=1", doubled_caret_escapes=True).groups == (
        ((Term("name", "=", "a^b"),), (Term("c", "=", "1"),)),
    )


def test_a_join_holds_the_conditions_up_to_the_sort() -> None:
    """Conditions after `!` are about the other table."""
    query = parse("JOINsys_user.sys_id=sys_user_group.manager!active=true^name=x^ORDERBYsys_id")
    inner = Query((((Term("active", "=", "true"),), (Term("name", "=", "x"),)),))
    assert query.groups == (((Join("sys_user", "sys_id", "sys_user_group", "manager", inner),),),)
    assert query.order == (Order("sys_id"),)


def test_a_related_list_query_ends_where_it_says() -> None:
    """What follows ENDRLQUERY is about the table itself again."""
    query = parse("RLQUERYsys_group_has_role.group,>0,m2m^role.nameLIKEadmin^ENDRLQUERY^active=true")
    inner = Query((((Term("role.name", "LIKE", "admin"),),),))
    related = Related("sys_group_has_role", "group", ">", 0, inner)
    assert query.groups == (((related,), (Term("active", "=", "true"),)),)


_PIECES = st.one_of(
    st.sampled_from([*OPERATORS, "OR", "NQ", "EQ", "JOIN", "RLQUERY", "ENDRLQUERY", "ORDERBY", "^", "^^", "!", ",>0"]),
    st.text(max_size=5),
)


@given(text=st.lists(_PIECES, max_size=30).map("".join))
@settings(max_examples=120)
def test_no_text_is_too_strange_to_be_read(text: str) -> None:
    """Reading never fails, and with either meaning of two separators."""
    for doubled in (False, True):
        assert parse(text, doubled_caret_escapes=doubled).groups


@pytest.mark.parametrize("piece", ["NQ", "JOINa.b=c.d!", "JOINa.b=c.d!^", "RLQUERYa.b,>0^", "OR", "^"])
def test_depth_and_length_do_not_matter(piece: str) -> None:
    """Twenty thousand repetitions are read as well as one."""
    assert parse(piece * 20_000).groups


_FIELDS = st.from_regex(r"[a-z_]{1,10}(\.[a-z_]{1,5})?", fullmatch=True)
_VALUES = st.text(st.characters(blacklist_characters="^", codec="utf-8"), max_size=12)


@given(field=_FIELDS, operator=st.sampled_from(OPERATORS), value=_VALUES)
@settings(max_examples=120)
def test_every_condition_comes_back_as_it_was_written(field: str, operator: str, value: str) -> None:
    """Whatever value follows; synonyms count as the same, and values that make a longer operator are another term."""
    if any((operator + value).startswith(longer) for longer in OPERATORS if len(longer) > len(operator)):
        return
    parts = parse(f"{field}{operator}{value}").groups[0][0]
    assert isinstance(parts[0], Term)
    assert (parts[0].field, parts[0].value) == (field, value)
