"""Access rules: who may read, write, create, delete and query what."""

from contextlib import nullcontext

import pytest
from tests.unit.sandbox.servicenow.instances import agent, incident, new_instance, refusal

from secure_export.sandbox.servicenow.acl import Access, AccessRule
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.presenting import Presenter

NOBODY = frozenset({"nobody"})


@pytest.fixture
def snow() -> Instance:
    """Give an instance at noon."""
    return new_instance()


@pytest.fixture(scope="module")
def shared() -> Instance:
    """Give an instance at noon that many cases write into, each minding its own records."""
    return new_instance()


def test_a_hidden_row_is_left_out_but_counted(snow: Instance) -> None:
    """Count and cut come first: a page may hold fewer rows than it could, even none, while more exist."""
    for number in range(4):
        incident(snow, correlation_id=f"key:{number}", description="secret" if number < 2 else "")
    snow.acl.remove("incident", Access.READ)
    snow.acl.add(AccessRule("incident", Access.READ, frozenset({"itil"}), condition="descriptionISEMPTY"))
    page = snow.query("incident", "ORDERBYcorrelation_id", agent(snow), limit=2)
    assert (page.rows, page.total) == ([], 4)
    page = snow.query("incident", "ORDERBYcorrelation_id", agent(snow), limit=3)
    assert [row["correlation_id"] for row in page.rows] == ["key:2"]
    assert len(snow.query("incident", "", snow.user("admin")).rows) == 4


def test_a_hidden_row_looks_like_none(shared: Instance) -> None:
    """Reading, changing and deleting say the same as for a row that is not there."""
    row = incident(shared)
    outsider = shared.user("caller.one")
    for do in (
        lambda: shared.get("incident", row["sys_id"], outsider),
        lambda: shared.update("incident", row["sys_id"], {"state": "2"}, outsider),
        lambda: shared.delete("incident", row["sys_id"], outsider),
        lambda: shared.get("incident", "0" * 32),
    ):
        with pytest.raises(SnowError) as caught:
            do()
        assert refusal(caught.value) == (
            "404 No Record found / Record doesn't exist or ACL restricts the record retrieval"
        )


def test_people_see_the_incidents_that_are_theirs(snow: Instance) -> None:
    """A caller without any role reads their own, and the count of all."""
    incident(snow)
    mine = incident(snow, caller_id="caller.one")
    page = snow.query("incident", "", snow.user("caller.one"))
    assert ([row["sys_id"] for row in page.rows], page.total) == ([mine["sys_id"]], 2)


@pytest.mark.parametrize("table", ["sys_properties", "sys_script", "em_event", "sys_choice", "cmdb_ci"])
def test_a_table_that_no_role_opens_cannot_be_listed(shared: Instance, table: str) -> None:
    """Without a word about what is in it."""
    with pytest.raises(SnowError) as caught:
        shared.query(table, "", shared.user("caller.one"))
    assert refusal(caught.value) == "403 Insufficient rights to query records / None"


@pytest.mark.parametrize(
    ("who", "table", "verdict"),
    [
        ("azure.integration", "incident", ""),
        ("caller.one", "incident", "ACL Exception Insert Failed"),
        ("event.integration", "incident", "ACL Exception Insert Failed"),
        ("event.integration", "em_event", ""),
        ("itil.agent", "sys_properties", "ACL Exception Insert Failed"),
        ("admin", "sys_properties", ""),
        ("azure.integration", "cmdb_ci_vm_instance", ""),
    ],
)
def test_creating_needs_a_role(shared: Instance, who: str, table: str, verdict: str) -> None:
    """By the table's rule, or that of a parent, or the one for all tables."""
    with pytest.raises(SnowError, match=verdict) if verdict else nullcontext():
        shared.insert(table, {}, shared.user(who))


def test_changing_and_deleting_need_rights_of_their_own(snow: Instance) -> None:
    """A reader cannot write, an agent cannot delete."""
    row = incident(snow)
    reader = snow.insert("sys_user", {"user_name": "reader"})
    role = snow.find("sys_user_role", "name=sn_incident_read")[0]
    snow.insert("sys_user_has_role", {"user": reader["sys_id"], "role": role["sys_id"]})
    with pytest.raises(SnowError, match="ACL Exception Update Failed due to security constraints"):
        snow.update("incident", row["sys_id"], {"state": "2"}, snow.user("reader"))
    with pytest.raises(SnowError, match="ACL Exception Delete Failed due to security constraints"):
        snow.delete("incident", row["sys_id"], agent(snow))


def test_a_hidden_column_is_left_out_of_the_record(snow: Instance) -> None:
    """Whether it was asked for or not, directly or over a reference; an administrator sees it."""
    snow.acl.add(AccessRule("task", Access.READ, NOBODY, column="correlation_id"))
    snow.acl.add(AccessRule("sys_user", Access.READ, NOBODY, column="email"))
    row = incident(snow, correlation_id="key", assigned_to="admin")
    fields = ["number", "correlation_id", "assigned_to.email"]
    for who, seen in (("azure.integration", 1), ("admin", 3)):
        assert len(Presenter(snow, snow.user(who), fields=fields).show("incident", row)) == seen
        whole = Presenter(snow, snow.user(who)).show("incident", row)
        assert ("correlation_id" in whole) is (who == "admin")


def test_a_column_that_may_not_be_written_keeps_its_value(snow: Instance) -> None:
    """Without an error."""
    snow.acl.add(AccessRule("incident", Access.WRITE, NOBODY, column="correlation_id"))
    assert incident(snow, correlation_id="key")["correlation_id"] == ""
    assert incident(snow, snow.user("admin"), correlation_id="key")["correlation_id"] == "key"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("correlation_id=key", 1),
        ("correlation_idINkey,other", 1),
        ("correlation_id!=other", 1),
        ("correlation_idSTARTSWITHk", 0),
        ("correlation_idLIKEk", 0),
        ("correlation_id=key^ORDERBYcorrelation_id", 0),
        ("correlation_id=key^ORDERBYnumber", 1),
        ("correlation_id=key^sys_updated_on>2020-01-01 00:00:00", 1),
    ],
)
def test_range_queries_can_be_forbidden(snow: Instance, query: str, found: int) -> None:
    """Equality and lists stay allowed; a forbidden use, sorting too, finds nothing. Administrators are not bound."""
    incident(snow, correlation_id="key")
    snow.acl.add(AccessRule("task", Access.QUERY_RANGE, NOBODY, column="correlation_id"))
    assert snow.query("incident", query, agent(snow)).total == found
    assert snow.query("incident", query, snow.user("admin")).total == 1


def test_queries_by_a_column_can_be_forbidden_altogether(snow: Instance) -> None:
    """Then not even equality finds anything."""
    incident(snow, correlation_id="key")
    snow.acl.add(AccessRule("task", Access.QUERY_MATCH, NOBODY, column="correlation_id"))
    assert snow.query("incident", "correlation_id=key", agent(snow)).total == 0


def test_all_range_queries_of_a_table_can_be_forbidden(snow: Instance) -> None:
    """A rule without a column is about every column."""
    incident(snow, correlation_id="key")
    snow.acl.add(AccessRule("incident", Access.QUERY_RANGE, NOBODY))
    assert snow.query("incident", "sys_updated_on>2020-01-01 00:00:00", agent(snow)).total == 0
    assert snow.query("incident", "correlation_id=key", agent(snow)).total == 1


def test_rules_of_the_nearest_table_decide(snow: Instance) -> None:
    """A rule for a class closes it to those whom the parent's rule would let in."""
    snow.acl.add(AccessRule("cmdb_ci_vm_instance", Access.READ, NOBODY))
    snow.insert("cmdb_ci_vm_instance", {"name": "one"})
    snow.insert("cmdb_ci_server", {"name": "two"})
    page = snow.query("cmdb_ci", "nameINone,two", agent(snow))
    assert ([row["name"] for row in page.rows], page.total) == (["two"], 2)


def test_roles_come_from_groups_and_other_roles_too(snow: Instance) -> None:
    """And a change shows at once; a locked or inactive user is none."""
    assert {"itil", "sn_incident_write", "sn_incident_read"} <= snow.user("itil.manager").roles
    assert "itil" in snow.user("leona.fischer").roles
    row = snow.find("sys_user", "user_name=leona.fischer")[0]
    for change in ({"locked_out": "true"}, {"locked_out": "false", "active": "false"}):
        snow.update("sys_user", row["sys_id"], change)
        with pytest.raises(LookupError, match="leona"):
            snow.user("leona.fischer")
    for held in snow.find("sys_user_has_role", f"user={snow.user('itil.agent').sys_id}"):
        snow.delete("sys_user_has_role", held["sys_id"])
    for held in snow.find("sys_user_grmember", f"user={snow.user('itil.agent').sys_id}"):
        snow.delete("sys_user_grmember", held["sys_id"])
    assert snow.user("itil.agent").roles == frozenset()


def test_passwords_open_for_their_user_only(snow: Instance) -> None:
    """Whatever the case of the name; not for users who are gone."""
    snow.people.passwords["itil.agent"] = "right"
    assert snow.people.check("ITIL.agent", "right") == snow.user("itil.agent")
    assert snow.people.check("itil.agent", "wrong") is None
    assert snow.people.check("nobody", "right") is None
    snow.update("sys_user", snow.user("itil.agent").sys_id, {"active": "false"})
    assert snow.people.check("itil.agent", "right") is None
