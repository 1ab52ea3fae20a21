"""Encoded queries against rows."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sandbox.servicenow.instances import agent, incident, new_instance

from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.users import SYSTEM


@pytest.fixture(scope="module")
def snow() -> Instance:
    """Give an instance with four incidents, whose short descriptions are a to d."""
    instance = new_instance()
    instance.clock.move(timedelta(hours=-3))
    group = instance.find("sys_user_group", "name=Network")[0]["sys_id"]
    incident(instance, short_description="a", correlation_id="key:1", impact="1", urgency="1", category="software")
    instance.clock.move(timedelta(hours=1))
    incident(instance, short_description="b", correlation_id="key:2", assignment_group=group, description="Alpha")
    instance.clock.move(timedelta(hours=1))
    incident(instance, short_description="c", correlation_id="", caller_id="caller.one", state="2")
    incident(instance, short_description="d", description="alphabet", opened_by="caller.one", caller_id="caller.one")
    instance.clock.move(timedelta(hours=1))
    return instance


def _found(instance: Instance, query: str) -> str:
    return "".join(row["short_description"] for row in instance.query("incident", query).rows)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "abcd"),
        ("correlation_id=key:1", "a"),
        ("correlation_id=KEY:1", "a"),
        ("correlation_idINkey:2,key:1,key:9", "ba"),
        ("correlation_idINkey:9", ""),
        ("correlation_idNOT INkey:1,key:2", "cd"),
        ("correlation_idSTARTSWITHkey", "ab"),
        ("correlation_idENDSWITH2", "b"),
        ("correlation_id=", "cd"),
        ("correlation_idISEMPTY", "cd"),
        ("correlation_idEMPTYSTRING", "cd"),
        ("correlation_idISNOTEMPTY", "ab"),
        ("correlation_idANYTHING", "abcd"),
        ("correlation_id!=key:1", "bcd"),
        ("descriptionLIKEALPHA", "bd"),
        ("descriptionNOT LIKEalphab", "abc"),
        ("description<alphabet", "b"),
        ("priority<5", "a"),
        ("priority>1", "bcd"),
        ("priority<=1", "a"),
        ("priorityBETWEEN1@2", "a"),
        ("active=1", "abcd"),
        ("active=false", ""),
        ("assignment_group.name=network", "b"),
        ("assignment_group.manager.user_name=leona.fischer", "b"),
        ("caller_id.name.nonsense=x", "abcd"),
        ("opened_bySAMEAScaller_id", "d"),
        ("caller_idISNOTEMPTY^opened_byNSAMEAScaller_id", "c"),
        ("impactGT_OR_EQUALS_FIELDurgency", "abcd"),
        ("short_descriptionLT_FIELDcorrelation_id", "ab"),
        ("short_description=a^ORshort_description=c^state=2", "c"),
        ("short_description=a^NQshort_description=d", "ad"),
        ("correlation_id=key:1^NQcorrelation_id=key:2", "ab"),
        ("sys_created_on<2026-05-04 10:30:00", "ab"),
        ("sys_created_on>=2026-05-04 11:00:00", "cd"),
        ("sys_created_onBETWEEN2026-05-04 09:30:00@2026-05-04 10:30:00", "b"),
        ("sys_created_onON2026-05-04", "abcd"),
        ("sys_created_onNOTON2026-05-04", ""),
        ("sys_created_onRELATIVEGT@minute@ago@90", "cd"),
        ("sys_created_onRELATIVELT@hour@ago@2", "ab"),
        ("sys_created_on>javascript:gs.minutesAgo(90)", "cd"),
        ("sys_created_onONToday@javascript:gs.beginningOfToday()@javascript:gs.endOfToday()", "abcd"),
        ("sys_created_on<javascript:gs.dateGenerate('2026-05-04','10:30:00')", "ab"),
        ("sys_class_nameINSTANCEOFtask", "abcd"),
        ("123TEXTQUERY321=alpha", "bd"),
        ("ORDERBYDESCshort_description", "dcba"),
        ("ORDERBYpriority^ORDERBYDESCshort_description", "adcb"),
        ("ORDERBYcorrelation_id", "cdab"),
        ("ORDERBYnonsense", "abcd"),
        ("ORDERBYassignment_group^short_descriptionINa,b", "ab"),
        ("JOINincident.caller_id=sys_user.sys_id!user_name=caller.one", "cd"),
        ("JOINincident.caller_id=sys_user.nonsense!user_name=caller.one", "abcd"),
    ],
)
def test_a_query_finds_what_it_says(snow: Instance, query: str, found: str) -> None:
    """Each operator as the platform documents it, with dates in UTC and scripts in the user's zone."""
    assert _found(snow, query) == found


@pytest.mark.parametrize(
    "invalid",
    ["no_such_field=x", "caller_id.no_such=x", "short_description", "sys_created_on>soon", "priority>high",
     "object_id=x", "sys_created_on>javascript:evil()", "assigned_toDYNAMICdeadbeef", "sys_class_nameINSTANCEOFnothing",
     "sys_created_onRELATIVEGT@parsec@ago@1", "RLQUERYnothing.group,>0^ENDRLQUERY"],
)  # fmt: skip
def test_an_invalid_term_is_left_out_and_the_rest_decides(snow: Instance, invalid: str) -> None:
    """The trap: an unknown field finds everything, or whatever the other terms find."""
    assert _found(snow, invalid) == "abcd"
    assert _found(snow, f"{invalid}^correlation_id=key:1") == "a"
    assert _found(snow, f"correlation_id=key:1^OR{invalid}") == "a"


@pytest.mark.parametrize("invalid", ["no_such_field=x", "caller_id.no_such=x^correlation_id=key:1", "JOINa.b=c.d!e=f"])
def test_a_property_makes_invalid_queries_find_nothing(invalid: str) -> None:
    """`glide.invalid_query.returns_no_rows` turns the trap round."""
    instance = new_instance()
    incident(instance, correlation_id="key:1")
    instance.properties.set("glide.invalid_query.returns_no_rows", "true")
    assert instance.query("incident", invalid).total == 0
    assert instance.query("incident", "correlation_id=key:1").total == 1


def test_a_column_that_is_taken_away_makes_its_terms_invalid() -> None:
    """The look-up of an incident by a field that is gone finds every incident."""
    instance = new_instance()
    for key in ("key:1", "key:2"):
        incident(instance, correlation_id=key)
    instance.remove_column("incident", "correlation_id")
    assert instance.query("incident", "correlation_id=key:1").total == 2


def test_case_can_be_made_to_matter() -> None:
    """It depends on the database; a switch stands for both kinds."""
    instance = new_instance()
    incident(instance, correlation_id="key:1")
    instance.properties.set("sandbox.query.case_sensitive", "true")
    assert instance.query("incident", "correlation_id=KEY:1").total == 0
    assert instance.query("incident", "correlation_idINkey:1").total == 1


def test_a_query_knows_who_asks(snow: Instance) -> None:
    """`gs.getUserID()` is the caller's own id, and so is the dynamic filter "Me"."""
    me = agent(snow)
    for term in ("opened_by=javascript:gs.getUserID()", "opened_byDYNAMIC90d1921e5f510100a9ad2572f2b477fe"):
        assert snow.query("incident", term, me).total == 3
        assert snow.query("incident", term, SYSTEM).total == 0


def test_today_begins_when_it_does_for_the_user() -> None:
    """At 03:00 UTC it is still yesterday in California."""
    instance = new_instance()
    instance.clock.freeze(instance.clock.now().replace(hour=3))
    incident(instance)
    today = "sys_created_onONToday@javascript:gs.beginningOfToday()@javascript:gs.endOfToday()"
    before = "sys_created_on<2026-05-04 00:00:00"
    assert instance.query("incident", today, agent(instance)).total == 1
    instance.clock.move(timedelta(hours=5))
    assert instance.query("incident", today, agent(instance)).total == 0
    assert instance.query("incident", today, SYSTEM).total == 1
    assert instance.query("incident", before).total == 0


def test_a_related_list_query_counts_related_rows() -> None:
    """Groups without roles, and groups with some."""
    instance = new_instance()
    total = instance.query("sys_user_group").total
    with_admin = instance.query(
        "sys_user_group", "RLQUERYsys_group_has_role.group,>0^role.nameLIKEadmin^ENDRLQUERY"
    ).total
    without = instance.query("sys_user_group", "RLQUERYsys_group_has_role.group,=0^ENDRLQUERY").total
    assert 0 < with_admin < total
    assert without == 0


def test_a_query_about_a_parent_table_finds_all_that_extend_it() -> None:
    """A task is an incident, a problem or a change; the columns are the task's."""
    instance = new_instance()
    incident(instance, correlation_id="one")
    instance.insert("problem", {"correlation_id": "two"})
    assert instance.query("task", "correlation_idINone,two").total == 2
    assert instance.query("incident", "correlation_idINone,two").total == 1
    assert instance.query("task", "correlation_idINone,two^sys_class_name=problem").total == 1


_SEARCHED = new_instance()
for _number in range(12):
    incident(_SEARCHED, correlation_id=["", "Key", "key", "other"][_number % 4], number=["A", "a", "B"][_number % 3])
_TERMS = st.one_of(
    st.builds("{}={}".format, st.sampled_from(["correlation_id", "number"]), st.sampled_from(["", "key", "KEY", "a"])),
    st.builds("numberIN{}".format, st.lists(st.sampled_from(["a", "B", "", "zz"]), max_size=3).map(",".join)),
    st.sampled_from(["active=true", "nonsense=1", "correlation_id!=key", "short_descriptionISNOTEMPTY"]),
)


@given(parts=st.lists(st.tuples(st.sampled_from(["^", "^OR", "^NQ"]), _TERMS), min_size=1, max_size=5))
@settings(max_examples=100)
def test_looking_things_up_finds_the_same_as_looking_at_all_rows(parts: list[tuple[str, str]]) -> None:
    """The index is only a faster way: neither more nor fewer rows, and none twice."""
    query = "".join(joiner + term for joiner, term in parts).removeprefix("^")
    found = sorted(row["sys_id"] for row in _SEARCHED.query("incident", query).rows)
    rows = _SEARCHED.tables.rows("incident")
    assert found == sorted(row["sys_id"] for row in rows if _SEARCHED.matches("incident", query, row))


_VALUE = st.sampled_from(
    ["a", "1", "true", "2026-05-04 00:00:00", "@hour@ago@3", "a@b", "javascript:gs.daysAgo(999999)", ""]
)
_FIELD = st.sampled_from(
    ["number", "priority", "active", "opened_at", "caller_id", "caller_id.name", "work_notes", "zz"]
)
_OPERATOR = st.sampled_from(
    ["=", "!=", "IN", "LIKE", "<", ">=", "BETWEEN", "ON", "RELATIVEGT", "SAMEAS", "GT_FIELD", "DYNAMIC", "INSTANCEOF"]
)


@given(field=_FIELD, operator=_OPERATOR, value=st.one_of(_VALUE, st.text(max_size=8)))
@settings(max_examples=120)
def test_no_combination_of_field_operator_and_value_fails(field: str, operator: str, value: str) -> None:
    """It finds something, nothing or everything, and never breaks."""
    assert 0 <= _SEARCHED.query("incident", f"{field}{operator}{value}").total <= 12
