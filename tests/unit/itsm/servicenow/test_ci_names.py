"""Finding CIs in ServiceNow by name."""

import pytest
from tests.unit.itsm.servicenow.tables import FakeTables

from secure_export.alerts.references import References, ResourceReference
from secure_export.alerts.resource_id import normal_form
from secure_export.cmdb.bind import bind
from secure_export.cmdb.rules import Rule
from secure_export.itsm.cmdb_reading import CmdbUnavailable
from secure_export.itsm.servicenow.cmdb.cis import ServiceNowCmdb

GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-one"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web-01"


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables()


@pytest.fixture
def cmdb(tables: FakeTables) -> ServiceNowCmdb:
    return ServiceNowCmdb(tables)


async def test_a_ci_of_any_class_is_found_by_its_name(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """``cmdb_ci`` has all of them, and says the class of each."""
    key = tables.add("cmdb_ci_spkg", name="Billing")
    (ci,) = await cmdb.by_names(["billing"])
    assert (ci.id, ci.class_name, ci.resource_id) == (key, "cmdb_ci_spkg", None)


async def test_a_database_that_heeds_case_is_asked_in_capitals_too(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """Computers are often written in capitals."""
    tables.heeds_case = True
    key = tables.add("cmdb_ci_win_server", name="WEB-01")
    assert [ci.id for ci in await cmdb.by_names(["web-01"])] == [key]


async def test_the_azure_id_of_what_was_found_is_read(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """A CI of the right name that is another resource must be known as such: rule 2 of binding rests on it."""
    tables.add("cmdb_ci_vm_instance", name="web-01", object_id=f"{GROUP}-two/providers/x.y/z/web-01")
    (binding,) = await bind(cmdb, References(resources=(ResourceReference(normal_form(VM), "alertTargetIDs"),)))
    assert (binding.id, binding.rule) == (None, Rule.NOT_IN_CMDB)


async def test_a_ci_that_was_written_by_hand_is_bound_by_its_name(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """One without a resource id may be the resource of that name."""
    key = tables.add("cmdb_ci_win_server", name="web-01")
    (binding,) = await bind(cmdb, References(resources=(ResourceReference(normal_form(VM), "alertTargetIDs"),)))
    assert (binding.id, binding.rule) == (key, Rule.NAME)


async def test_a_terminated_instance_is_known_by_a_column_of_its_class(
    tables: FakeTables, cmdb: ServiceNowCmdb
) -> None:
    """``cmdb_ci`` does not have the state of a virtual machine: it is read with the resource id."""
    tables.add("cmdb_ci_vm_instance", name="web-01", state="terminated")
    (binding,) = await bind(cmdb, References(names=("web-01",)))
    assert binding.rule == Rule.NOT_IN_CMDB
    assert "out of use" in binding.reason


@pytest.mark.parametrize("server_id", [VM, ""])
async def test_an_instance_and_its_server_are_one_machine(
    tables: FakeTables, cmdb: ServiceNowCmdb, server_id: str
) -> None:
    """Both have the name: the same id, or a relation in the CMDB, shows that they are one."""
    instance = tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    server = tables.add("cmdb_ci_linux_server", name="WEB-01", object_id=server_id)
    tables.add("cmdb_rel_ci", parent=server, child=instance)
    (binding,) = await bind(cmdb, References(names=("web-01",)))
    assert (binding.id, binding.rule) == (instance, Rule.NAME)


async def test_two_machines_of_one_name_stay_two(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """Without the same id and without a relation nobody knows that they are one."""
    tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    tables.add("cmdb_ci_linux_server", name="web-01")
    (binding,) = await bind(cmdb, References(names=("web-01",)))
    assert (binding.id, binding.rule) == (None, Rule.NAME_AMBIGUOUS)
    tables.forbidden.add("cmdb_rel_ci")
    (binding,) = await bind(cmdb, References(names=("web-01",)))
    assert binding.rule == Rule.NAME_AMBIGUOUS


async def test_a_server_with_another_id_is_another_machine(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """A relation does not join what has different resource ids."""
    instance = tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    server = tables.add("cmdb_ci_linux_server", name="web-01", object_id=f"{VM}-2")
    tables.add("cmdb_rel_ci", parent=server, child=instance)
    assert len(await cmdb.by_names(["web-01"])) == 2


async def test_a_name_that_very_many_have_is_nobodys(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """Of more CIs than are read none may seem to be the only one of its resource group."""
    for number in range(150):
        tables.add("cmdb_ci_cmp_resource", name="default", object_id=f"{GROUP}-{number}/providers/a.b/c/default")
    wanted = ResourceReference(normal_form(f"{GROUP}-x/providers/a.b/c/default"), "alertTargetIDs")
    (binding,) = await bind(cmdb, References(resources=(wanted,)))
    assert (binding.id, binding.rule) == (None, Rule.NAME_AMBIGUOUS)
    assert all(not one.fields[0].startswith("object_id") for one in tables.asked_of("cmdb_ci"))


async def test_a_name_that_very_many_have_spoils_no_other(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """Names that are asked for together stay apart: the rows of one do not push those of another out of sight."""
    other = tables.add("cmdb_ci_cmp_resource", name="kv", object_id=f"{GROUP}-2/providers/a.b/c/kv")
    for number in range(250):
        tables.add("cmdb_ci_cmp_resource", name="default", object_id=f"{GROUP}-{number}/providers/a.b/c/default")
    tables.add("cmdb_ci_cmp_resource", name="kv", object_id=f"{GROUP}-3/providers/a.b/c/kv")
    found = [ci for ci in await cmdb.by_names(["kv", "default"]) if ci.name == "kv"]
    assert {ci.resource_id for ci in found} == {normal_form(f"{GROUP}-{n}/providers/a.b/c/kv") for n in (2, 3)}
    assert other in {ci.id for ci in found}


async def test_names_of_which_the_instance_takes_no_notice_are_told(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """Where ``name`` may not be asked for any CI comes back: nothing is bound, and that is said."""
    for number in range(450):
        tables.add("cmdb_ci_spkg", name=f"other-{number}")
    tables.ignored.add("name")
    assert await cmdb.by_names(["web-01", "web-02"]) == []
    assert "cmdb_ci.name" in cmdb.unreadable
    assert len(tables.asked_of("cmdb_ci")) == 1


async def test_a_database_that_finds_more_than_was_asked_for_is_borne(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """Some take ``Müller`` for ``muller``: a stray row is left out, and takes nothing else with it."""
    key = tables.add("cmdb_ci_spkg", name="muller")
    tables.add("cmdb_ci_spkg", name="Müller")
    tables.ignored.add("name")
    assert [ci.id for ci in await cmdb.by_names(["muller"])] == [key]
    assert cmdb.unreadable == ""


async def test_an_instance_and_a_server_without_ids_are_two(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """That neither has a resource id does not make them one; a relation does."""
    instance = tables.add("cmdb_ci_vm_instance", name="web-01")
    server = tables.add("cmdb_ci_linux_server", name="web-01")
    (binding,) = await bind(cmdb, References(names=("web-01",)))
    assert (binding.id, binding.rule) == (None, Rule.NAME_AMBIGUOUS)
    tables.add("cmdb_rel_ci", parent=server, child=instance)
    (binding,) = await bind(cmdb, References(names=("web-01",)))
    assert (binding.id, binding.rule) == (instance, Rule.NAME)


async def test_a_resource_id_that_may_not_be_read_binds_nothing(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """What may be another resource is not bound by its mere name to a full resource id."""
    tables.dictionary = tables.meta = False
    tables.add("cmdb_ci_vm_instance", name="web-01", object_id=f"{VM}-2")
    tables.forbidden.add("cmdb_ci_vm_instance")
    (binding,) = await bind(cmdb, References(resources=(ResourceReference(normal_form(VM), "alertTargetIDs"),)))
    assert (binding.id, binding.rule) == (None, Rule.NOT_IN_CMDB)
    assert "may not read cmdb_ci_vm_instance" in cmdb.unreadable


async def test_without_rights_on_the_cmdb_names_are_not_there(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """It holds nothing up, and the reason is known; once it can be read the reason goes."""
    key = tables.add("cmdb_ci_spkg", name="Billing")
    tables.forbidden.add("cmdb_ci")
    assert await cmdb.by_names(["billing"]) == []
    assert "may not read cmdb_ci " in cmdb.unreadable
    tables.forbidden.clear()
    tables.hidden.add(key)
    assert await cmdb.by_names(["billing"]) == []
    assert "hidden" in cmdb.unreadable
    tables.hidden.clear()
    assert len(await cmdb.by_names(["billing"])) == 1
    assert cmdb.unreadable == ""


async def test_trouble_that_passes_is_raised(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """While the instance does not answer, binding waits."""
    tables.down = True
    with pytest.raises(CmdbUnavailable):
        await cmdb.by_names(["billing"])


@pytest.mark.parametrize(
    "name", ["", "  ", "a,b", "a^ORnameISNOTEMPTY", "a\nb", "javascript:gs.getUserID()", "x" * 600]
)
async def test_names_that_would_split_a_query_are_not_asked(
    tables: FakeTables, cmdb: ServiceNowCmdb, name: str
) -> None:
    """A dimension of an alert is anybody's text: it must stay a value, and an empty one would match all without one."""
    tables.add("cmdb_ci_spkg", name="")
    assert await cmdb.by_names([name]) == []
    assert tables.asked == []
