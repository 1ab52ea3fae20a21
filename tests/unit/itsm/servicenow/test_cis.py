"""Finding CIs in ServiceNow by Azure resource id."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.itsm.servicenow.tables import COLUMNS, FakeTables

from secure_export.alerts.references import References, ResourceReference
from secure_export.alerts.resource_id import normal_form
from secure_export.cmdb.bind import bind
from secure_export.cmdb.contract import ConfigurationItem
from secure_export.cmdb.rules import Rule
from secure_export.itsm.cmdb_reading import CmdbUnavailable
from secure_export.itsm.servicenow.cmdb.cis import ServiceNowCmdb
from secure_export.itsm.servicenow.cmdb.settings import CmdbSettings
from secure_export.itsm.servicenow.cmdb.tables import any_of, can_be_asked

GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-one"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web-01"
VM_ID = normal_form(VM)
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def cmdb(tables: FakeTables, time: Time) -> ServiceNowCmdb:
    return ServiceNowCmdb(tables, monotonic=time)


def ids(found: Sequence[ConfigurationItem]) -> list[str]:
    return [ci.id for ci in found]


async def test_a_ci_is_found_by_its_azure_id(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """The class of the type is asked for ``object_id``, and the answer has the id in normal form."""
    key = tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    (ci,) = await cmdb.by_resource_ids([VM_ID])
    assert (ci.id, ci.resource_id, ci.class_name) == (key, VM_ID, "cmdb_ci_vm_instance")


async def test_a_database_that_heeds_case_is_asked_in_azures_spelling(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """The id of an alert is in lower case, the CMDB's in Azure's own: both are asked for."""
    tables.heeds_case = True
    key = tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    assert ids(await cmdb.by_resource_ids([VM_ID])) == [key]


async def test_spellings_are_saved_once_the_instance_has_shown_that_it_ignores_case(
    tables: FakeTables, cmdb: ServiceNowCmdb
) -> None:
    """The first CI whose id is not in lower case is asked for in lower case, once: then each id is asked for once."""
    tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    await cmdb.by_resource_ids([VM_ID])
    assert [one.query.count("/subscriptions/") for one in tables.asked_of("cmdb_ci_vm_instance")] == [2, 1]
    await cmdb.by_resource_ids([VM_ID])
    assert [one.query.count("/subscriptions/") for one in tables.asked_of("cmdb_ci_vm_instance")] == [2, 1, 1]


async def test_spellings_are_not_saved_where_case_counts(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """A database that heeds case goes on being asked in all spellings; that is found out once."""
    tables.heeds_case = True
    key = tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    for _ in range(3):
        assert ids(await cmdb.by_resource_ids([VM_ID])) == [key]
    assert [one.query.count("/subscriptions/") for one in tables.asked_of("cmdb_ci_vm_instance")] == [2, 1, 2, 2]


async def test_rows_with_another_id_are_left_out(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """Whatever an instance answers, a CI counts only if its own id is the one asked for."""
    tables.add("cmdb_ci_vm_instance", name="other", object_id=f"{VM}-2")
    assert await cmdb.by_resource_ids([VM_ID]) == []
    tables.columns_of = COLUMNS | {"cmdb_ci_vm_object": {"state"}}  # the instance now ignores the term
    assert await cmdb.by_resource_ids([VM_ID]) == []


@pytest.mark.parametrize(("dictionary", "meta"), [(True, True), (False, True), (False, False)])
async def test_a_class_without_the_column_is_never_asked(
    tables: FakeTables, cmdb: ServiceNowCmdb, *, dictionary: bool, meta: bool
) -> None:
    """Such a question would be answered with any CIs: dictionary, Meta API or an impossible value tell before."""
    tables.dictionary, tables.meta = dictionary, meta
    tables.columns_of = COLUMNS | {"cmdb_ci_vm_object": {"state"}}
    tables.add("cmdb_ci_vm_instance", name="any", object_id=VM)
    key = tables.add("cmdb_ci_win_server", name="web-01", object_id=VM)
    assert ids(await cmdb.by_resource_ids([VM_ID])) == [key]
    asked = [one.query for one in tables.asked_of("cmdb_ci_vm_instance")]
    assert not any("subscriptions" in query for query in asked)


async def test_a_dictionary_without_the_column_is_believed(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """That it may be read is known by a column that every class has; then what it lacks is not there."""
    tables.columns_of = {"cmdb_ci": {"name"}}
    assert await cmdb.by_resource_ids([VM_ID]) == []
    assert tables.asked_meta == []
    assert not any(one.table.startswith("cmdb") for one in tables.asked)


async def test_proofs_are_remembered(tables: FakeTables, cmdb: ServiceNowCmdb, time: Time) -> None:
    """What is known of a class is asked once a day, not with every alert."""
    await cmdb.by_resource_ids([VM_ID])
    before = len(tables.asked_of("sys_dictionary"))
    await cmdb.by_resource_ids([f"{VM_ID}-2"])
    assert len(tables.asked_of("sys_dictionary")) == before
    time.now += 90_000
    await cmdb.by_resource_ids([f"{VM_ID}-3"])
    assert len(tables.asked_of("sys_dictionary")) > before


async def test_a_class_that_comes_later_is_found_later(tables: FakeTables, cmdb: ServiceNowCmdb, time: Time) -> None:
    """A plugin that brings a column is noticed without a restart."""
    tables.columns_of = COLUMNS | {"cmdb_ci_vm_object": {"state"}}
    key = tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    assert await cmdb.by_resource_ids([VM_ID]) == []
    tables.columns_of = dict(COLUMNS)
    time.now += 1000
    assert ids(await cmdb.by_resource_ids([VM_ID])) == [key]


async def test_many_ids_of_one_class_are_one_question(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """A batch of alerts is no batch of look-ups."""
    keys = {tables.add("cmdb_ci_vm_instance", name=f"vm{i}", object_id=f"{VM_ID}-{i}") for i in range(4)}
    assert set(ids(await cmdb.by_resource_ids([f"{VM_ID}-{i}" for i in range(4)]))) == keys
    assert len(tables.asked_of("cmdb_ci_vm_instance")) == 1
    assert tables.asked_of("cmdb_ci_server") == []


async def test_an_instance_and_its_server_are_one_ci(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """A virtual machine is in the CMDB twice; the class that is named first counts, and nothing is ambiguous."""
    instance = tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    tables.add("cmdb_ci_linux_server", name="web-01", object_id=VM)
    assert ids(await cmdb.by_resource_ids([VM_ID])) == [instance]


async def test_the_configuration_may_prefer_the_server(tables: FakeTables) -> None:
    """Who works with servers in ServiceNow names their class first."""
    settings = CmdbSettings(classes={"Microsoft.Compute/virtualMachines": ("cmdb_ci_server",)})
    tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    server = tables.add("cmdb_ci_linux_server", name="web-01", object_id=VM)
    cmdb = ServiceNowCmdb(tables, settings)
    assert ids(await cmdb.by_resource_ids([VM_ID])) == [server]
    assert ids(await cmdb.by_names(["web-01"])) == [server]


async def test_a_dead_row_does_not_stand_before_a_live_one(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """A resource that was made anew has the id of the old one: the CI that is in use counts, also of a later class."""
    tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM, install_status="7")
    server = tables.add("cmdb_ci_linux_server", name="web-01", object_id=VM, install_status="1")
    assert ids(await cmdb.by_resource_ids([VM_ID])) == [server]


async def test_a_resource_with_dead_rows_only_is_still_found(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """An alert about what is marked as retired is bound to it, with a reason that says so."""
    tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM, install_status="7")
    (binding,) = await bind(cmdb, References(resources=(ResourceReference(VM_ID, "alertTargetIDs"),)))
    assert binding.rule == Rule.RESOURCE_ID
    assert "out of use" in binding.reason


async def test_several_live_cis_of_one_class_are_left_to_people(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """A wrong CI is worse than none: doubles in the CMDB are told, not chosen from."""
    tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    (binding,) = await bind(cmdb, References(resources=(ResourceReference(VM_ID, "alertTargetIDs"),)))
    assert (binding.id, binding.rule) == (None, Rule.RESOURCE_ID_AMBIGUOUS)


async def test_the_general_class_is_the_last_resort(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """What stands in no class of its own is found among the general resources."""
    key = tables.add("cmdb_ci_cmp_resource", name="kv", object_id=VAULT)
    assert ids(await cmdb.by_resource_ids([normal_form(VAULT)])) == [key]


async def test_a_cluster_and_a_subscription_are_found_by_columns_of_their_own(
    tables: FakeTables, cmdb: ServiceNowCmdb
) -> None:
    """Clusters have ``cluster_resource_id``, subscriptions the GUID in ``account_id``."""
    cluster = tables.add("cmdb_ci_kubernetes_cluster", name="aks", cluster_resource_id=CLUSTER)
    account = tables.add("cmdb_ci_cloud_service_account", name="prod", account_id=GROUP.split("/")[2].upper())
    subscription = normal_form("/".join(GROUP.split("/")[:3]))
    found = await cmdb.by_resource_ids([normal_form(CLUSTER), subscription])
    assert {(ci.id, ci.resource_id) for ci in found} == {(cluster, normal_form(CLUSTER)), (account, subscription)}


async def test_a_database_is_bound_to_its_server_when_only_that_is_known(
    tables: FakeTables, cmdb: ServiceNowCmdb
) -> None:
    """Parents are looked for with the resource itself."""
    server = f"{GROUP}/providers/Microsoft.Sql/servers/sql1"
    key = tables.add("cmdb_ci_cloud_database", name="sql1", object_id=server)
    wanted = References(resources=(ResourceReference(normal_form(f"{server}/databases/db"), "alertTargetIDs"),))
    (binding,) = await bind(cmdb, wanted)
    assert (binding.id, binding.rule) == (key, Rule.PARENT_RESOURCE)


async def test_what_may_not_be_read_holds_nothing_up(tables: FakeTables, cmdb: ServiceNowCmdb, time: Time) -> None:
    """For want of rights the CI counts as not there, with a reason; given rights, it is found without a restart."""
    key = tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    tables.forbidden |= {"cmdb_ci_vm_instance", "cmdb_ci_server", "cmdb_ci_cmp_resource"}
    assert await cmdb.by_resource_ids([VM_ID]) == []
    assert "cmdb_ci_vm_instance" in cmdb.unreadable
    tables.forbidden.clear()
    time.now += 1000
    assert ids(await cmdb.by_resource_ids([VM_ID])) == [key]
    assert cmdb.unreadable == ""


async def test_a_hidden_row_is_told(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """A CI that is counted and not shown is hidden by an access control: that is said, and nothing else is bound."""
    tables.hidden.add(tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM))
    assert await cmdb.by_resource_ids([VM_ID]) == []
    assert "hidden by an access control" in cmdb.unreadable


async def test_what_is_hidden_is_told_in_a_sentence(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """It stands in the reason of each work item without a CI: many classes do not make it a page."""
    tables.forbidden |= {name for name in COLUMNS if name != "cmdb_ci"}
    types = ("Compute/virtualMachines", "Web/sites", "Sql/servers", "ContainerService/managedClusters")
    await cmdb.by_resource_ids([normal_form(f"{GROUP}/providers/Microsoft.{one}/x") for one in types])
    assert cmdb.unreadable.count("cmdb_read") == 1
    assert "more" in cmdb.unreadable
    assert len(cmdb.unreadable) < 300


async def test_a_class_that_ignores_the_question_is_not_asked_on(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """Rows that nobody asked for show that the column is not heeded, whatever the dictionary says."""
    for number in range(40):
        tables.add("cmdb_ci_vm_instance", name=f"other-{number}", object_id=f"{VM}-{number}")
    tables.ignored.add("object_id")
    for _ in range(3):
        assert await cmdb.by_resource_ids([VM_ID]) == []
    assert len(tables.asked_of("cmdb_ci_vm_instance")) == 1


async def test_learning_about_case_costs_no_ci(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """The question whether case counts comes on top: that it gets no answer takes nothing away from what was found."""
    key = tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    tables.heeds_case = True
    tables.fails_for = VM.lower()
    assert ids(await cmdb.by_resource_ids([VM_ID])) == [key]


async def test_classes_that_the_instance_does_not_have_are_no_lack_of_rights(
    tables: FakeTables, cmdb: ServiceNowCmdb
) -> None:
    """An instance without a plugin has fewer classes, and nobody has to do anything about it."""
    tables.dictionary = tables.meta = False
    lake = f"{GROUP}/providers/Microsoft.Network/natGateways/n"
    assert await cmdb.by_resource_ids([normal_form(lake)]) == []
    assert cmdb.unreadable == ""


async def test_trouble_that_passes_is_raised(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """While the instance does not answer, binding waits rather than going on without a CI."""
    tables.down = True
    with pytest.raises(CmdbUnavailable):
        await cmdb.by_resource_ids([VM_ID])
    tables.down = False
    await cmdb.by_resource_ids([VM_ID])
    tables.down = True
    with pytest.raises(CmdbUnavailable):
        await cmdb.by_resource_ids([VM_ID])


async def test_sources_are_asked_only_if_the_configuration_says_so(tables: FakeTables, cmdb: ServiceNowCmdb) -> None:
    """``sys_object_source`` is another table to be read, whose form nobody promises: it is off by default."""
    await cmdb.by_resource_ids([VM_ID])
    assert tables.asked_of("sys_object_source") == []


async def test_a_source_names_the_ci(tables: FakeTables) -> None:
    """With the shortcut one question and one more give the CI, whatever class it has."""
    key = tables.add("cmdb_ci_spkg", name="web-01")
    tables.add("sys_object_source", id=VM, target_table="cmdb_ci_spkg", target_sys_id=key)
    cmdb = ServiceNowCmdb(tables, CmdbSettings(use_sources=True))
    assert ids(await cmdb.by_resource_ids([VM_ID])) == [key]
    assert tables.asked_of("cmdb_ci_vm_instance") == []


@pytest.mark.parametrize(
    "row",
    [
        {"id": f"{VM}-2", "target_table": "cmdb_ci_spkg"},
        {"id": VM, "target_table": "sys_user"},
        {"id": VM, "target_table": "cmdb_ci_spkg", "target_sys_id": "no sys_id"},
    ],
)
async def test_a_source_that_says_something_else_is_passed_over(tables: FakeTables, row: dict[str, str]) -> None:
    """A row counts only with the very id, a CMDB table and a key; else the classes are asked as ever."""
    key = tables.add("cmdb_ci_spkg", name="other")
    tables.add("sys_object_source", **{"target_sys_id": key, **row})
    vm = tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    tables.ignored.add("id")
    cmdb = ServiceNowCmdb(tables, CmdbSettings(use_sources=True))
    assert ids(await cmdb.by_resource_ids([VM_ID])) == [vm]
    assert tables.asked_of("sys_user") == []


async def test_sources_that_may_not_be_read_are_passed_over(tables: FakeTables) -> None:
    """The shortcut is never the only way, and a dead CI that it names counts for nothing."""
    dead = tables.add("cmdb_ci_vm_instance", name="old", object_id="", install_status="7")
    tables.add("sys_object_source", id=VM, target_table="cmdb_ci_vm_instance", target_sys_id=dead)
    vm = tables.add("cmdb_ci_vm_instance", name="web-01", object_id=VM)
    cmdb = ServiceNowCmdb(tables, CmdbSettings(use_sources=True))
    assert ids(await cmdb.by_resource_ids([VM_ID])) == [vm]
    tables.forbidden.add("sys_object_source")
    assert ids(await cmdb.by_resource_ids([VM_ID])) == [vm]


@pytest.mark.parametrize(
    "evil",
    [
        f"{VM}^ORnameISNOTEMPTY",
        f"{VM},javascript:gs.log(1)",
        f"{VM}\n",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines/" + "x" * 600,
        "/subscriptions/javascript:gs.getUserID()/x/y",
    ],
)
async def test_ids_that_would_split_a_query_are_not_asked(tables: FakeTables, cmdb: ServiceNowCmdb, evil: str) -> None:
    """Whoever may send an alert may write any id into it: it must stay a value."""
    assert await cmdb.by_resource_ids([evil]) == []
    assert not any(one.table.startswith("cmdb") for one in tables.asked)


@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=30))
def test_a_value_never_ends_its_term(texts: list[str]) -> None:
    """What can be asked stands in a query as one value of a list, and nothing empty is asked."""
    values = [text for text in texts if can_be_asked(text)]
    if not values:
        return
    query = any_of("name", values)
    assert "^" not in query
    assert "javascript:" not in query.lower()
    listed = query.removeprefix("nameIN" if len(values) > 1 else "name=")
    assert listed.split(",") == values
    assert all(value.strip() for value in values)


@pytest.mark.parametrize("name", ["virtualMachines", "Microsoft.Compute/", "", "Ä/b"])
def test_a_class_is_configured_for_a_resource_type(name: str) -> None:
    """A key that is no resource type is an error of the configuration, not a rule that never applies."""
    with pytest.raises(ValueError, match="resource type"):
        CmdbSettings(classes={name: ("u_x",)})
