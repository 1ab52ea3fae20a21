"""The dictionary, its rows, and what a new instance holds."""

import json

import pytest
from tests.unit.sandbox.servicenow.instances import agent, incident, new_instance

from secure_export.sandbox.servicenow.dictionary import Column, ColumnType, Table
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.instance import Instance


@pytest.fixture(scope="module")
def shipped() -> Instance:
    """Give an instance with demo data; tests only read it."""
    return new_instance(demo=True)


@pytest.mark.parametrize(
    ("table", "has"),
    [
        ("cmdb_ci", False), ("cmdb_ci_hardware", False), ("cmdb_ci_computer", True), ("cmdb_ci_linux_server", True),
        ("cmdb_ci_vm_instance", True), ("cmdb_ci_cmp_resource", True), ("cmdb_ci_cloud_database", True),
        ("cmdb_ci_kubernetes_cluster", False), ("cmdb_ci_storage_volume", True), ("cmdb_ci_service", False),
    ],
)  # fmt: skip
def test_object_id_stands_on_subclasses_only(shipped: Instance, table: str, has: bool) -> None:  # noqa: FBT001 - a table
    """Asked of `cmdb_ci` itself it is an unknown field, and so finds everything."""
    assert (shipped.dictionary.column(table, "object_id") is not None) is has
    total = shipped.query(table, "object_id=nothing").total
    assert total == (0 if has else shipped.tables.count(table))


@pytest.mark.parametrize(
    ("column", "length"),
    [("correlation_id", 100), ("correlation_display", 100), ("short_description", 160), ("description", 4000),
     ("close_notes", 4000), ("work_notes", 4000), ("number", 40)],
)  # fmt: skip
def test_the_lengths_of_a_task_can_be_read(shipped: Instance, column: str, length: int) -> None:
    """In the dictionary's own table, under the table where the column is defined, and only there."""
    rows = shipped.query("sys_dictionary", f"nameINtask,incident^element={column}", agent(shipped)).rows
    assert [(row["name"], row["max_length"]) for row in rows] == [("task", str(length))]


def test_every_reference_points_into_a_table_that_exists(shipped: Instance) -> None:
    """And every table has the columns that all have."""
    for table in shipped.dictionary:
        columns = shipped.dictionary.columns(table.name)
        assert {"sys_id", "sys_created_on", "sys_updated_on", "sys_mod_count"} <= columns.keys()
        assert {one.reference for one in columns.values()} - {""} <= {one.name for one in shipped.dictionary}


def test_the_class_tree_can_be_read(shipped: Instance) -> None:
    """From `sys_db_object`, by the row of the parent."""
    row = shipped.find("sys_db_object", "name=cmdb_ci_linux_server")[0]
    names = []
    while row:
        names.append(row["name"])
        row = shipped.tables.get("sys_db_object", row["super_class"]) or {}
    assert names == [
        "cmdb_ci_linux_server",
        "cmdb_ci_server",
        "cmdb_ci_computer",
        "cmdb_ci_hardware",
        "cmdb_ci",
        "cmdb",
    ]


def test_a_table_can_be_added() -> None:
    """By another module or by rows; it has the columns of its parent and those of every table."""
    snow = new_instance()
    snow.add_table(Table("u_stage", "Stage", "sys_import_set_row", {"u_key": Column("u_key", "Key")}))
    parent = snow.find("sys_db_object", "name=incident")[0]["sys_id"]
    snow.insert("sys_db_object", {"name": "u_major", "label": "Major", "super_class": parent})
    snow.insert("sys_db_object", {"name": "u_alone", "label": "Alone"})
    assert snow.insert("u_stage", {"u_key": "x"})["sys_import_state"] == "pending"
    assert snow.insert("u_major", {})["number"] == "INC0010001"
    assert snow.insert("u_alone", {})["sys_class_name"] == "u_alone"
    assert snow.query("sys_dictionary", "name=u_stage^element=u_key").total == 1
    assert snow.query("sys_dictionary", "name=u_alone^element=sys_id").total == 1
    with pytest.raises(SnowError, match="400 Invalid table sys_user_list"):
        snow.query("sys_user_list")


def test_a_column_comes_and_goes_with_its_row() -> None:
    """Whoever writes or deletes the row of the dictionary."""
    snow = new_instance()
    snow.add_column("incident", Column("u_flag", "Flag", ColumnType.BOOLEAN, default="true"))
    assert incident(snow)["u_flag"] == "true"
    snow.delete("sys_dictionary", snow.find("sys_dictionary", "name=incident^element=u_flag")[0]["sys_id"])
    assert "u_flag" not in incident(snow)
    snow.remove_column("incident", "correlation_id")
    assert snow.dictionary.column("task", "correlation_id") is None
    assert "correlation_id" not in incident(snow, correlation_id="x")


def test_the_rows_are_the_whole_state() -> None:
    """Through JSON into another instance: records, numbers, users, choices, properties, and the dictionary itself."""
    old = new_instance()
    old.add_column("task", Column("u_flag", "Flag", default="yes"))
    old.insert("sys_db_object", {"name": "u_alone", "label": "Alone"})
    alone = old.insert("u_alone", {})
    old.remove_column("task", "user_input")
    old.properties.set("glide.ui.autoclose.time", "3")
    old.insert("sys_user", {"user_name": "new", "name": "New"})
    row = incident(old, work_notes="Seen")
    saved = json.loads(json.dumps(old.state()))
    new = new_instance(seed=2, demo=True)
    new.add_table(Table("u_later", "Later", "", {"u_key": Column("u_key", "Key")}))
    new.replace_state(saved)
    assert new.get("incident", row["sys_id"]) == row
    assert new.get("u_alone", alone["sys_id"]) == alone
    assert new.find("sys_journal_field", f"element_id={row['sys_id']}")[0]["value"] == "Seen"
    assert incident(new)["number"] == "INC0010002"
    assert incident(new)["u_flag"] == "yes"
    assert new.dictionary.column("task", "user_input") is None
    assert new.dictionary.column("u_later", "u_key") is not None
    assert (new.user("new").name, new.properties.get("glide.ui.autoclose.time")) == ("New", "3")
    assert new.tables.count("problem") == 0


def test_a_class_may_be_named_on_insert_and_changed_for_cis() -> None:
    """An insert into a parent with a class makes one of that class; only CIs change theirs."""
    snow = new_instance()
    row = snow.insert("cmdb_ci", {"sys_class_name": "cmdb_ci_vm_instance", "name": "vm", "object_id": "x"})
    assert snow.get("cmdb_ci_vm_instance", row["sys_id"])["object_id"] == "x"
    snow.update("cmdb_ci", row["sys_id"], {"sys_class_name": "cmdb_ci_server"})
    assert snow.get("cmdb_ci_server", row["sys_id"])["name"] == "vm"
    snow.update("cmdb_ci", row["sys_id"], {"sys_class_name": "cmdb_ci"})
    assert snow.get("cmdb_ci", row["sys_id"])["sys_class_name"] == "cmdb_ci_server", "a server is a CI already"
    other = incident(snow)
    assert snow.update("task", other["sys_id"], {"sys_class_name": "problem"})["sys_class_name"] == "incident"


def test_a_parent_table_writes_its_own_columns_only() -> None:
    """An incident changed as a task: the rules of the incident run, its own columns are unknown."""
    snow = new_instance()
    row = incident(snow)
    row = snow.update("task", row["sys_id"], {"state": "2", "category": "network"}, agent(snow))
    assert (row["incident_state"], row["category"]) == ("2", "inquiry")


@pytest.mark.parametrize(
    ("table", "query", "least", "most"),
    [
        ("problem", "", 10, 100),
        ("syslog", "", 601, 2000),
        ("sys_metadata", "", 501, 5000),
        ("sys_db_object", "name=alm_asset^ORname=bsm_chart", 2, 2),
        ("sys_user", "JOINsys_user.sys_id=sys_user_has_role.user!role=2831a114c611228501d4ea6c309d626d", 11, 24),
        ("sys_user", "JOINsys_user.sys_id=sys_user_group.manager!active=true", 2, 100),
        ("sys_user", "mobile_phoneISNOTEMPTY", 1, 19),
        ("sys_user", "sys_id=6816f79cc0a8016401c5a33be04be441^user_name=admin^email=admin@example.com", 1, 1),
        ("sys_user", "sys_id=26fbff173b331300ad3cc9bb34efc4bd^user_name=problem.admin", 1, 1),
        ("sys_user", "department.dept_head.email=natasha.ingram@example.com^user_name=admin", 1, 1),
        ("sys_user_group", "RLQUERYsys_group_has_role.group,>0,m2m^role.nameLIKEadmin^ENDRLQUERY", 3, 7),
        ("sys_choice", "name=incident^element=close_code^inactive=false^language=en", 10, 10),
        ("cmdb_rel_ci", "type.name=Virtualized by::Virtualizes", 2, 2),
        ("cmdb_key_value", "", 1, 100),
        ("sys_object_source", "target_table=cmdb_ci_vm_instance", 6, 6),
        ("cmdb_ci_vm_instance", "install_status=100", 1, 1),
    ],
)
def test_the_demo_data_is_what_strangers_expect(
    shipped: Instance, table: str, query: str, least: int, most: int
) -> None:
    """The users, groups, roles and numbers of records that the vendor's own suite counts on, and CIs."""
    assert least <= shipped.query(table, query).total <= most


def test_a_virtual_machine_can_be_two_cis_and_have_a_dead_twin(shipped: Instance) -> None:
    """The same resource as instance and as server; a resource that was made again keeps its id, not its case."""
    machines = shipped.find("cmdb_ci", "name=vm-shop-web-01")
    assert {row["sys_class_name"] for row in machines} == {"cmdb_ci_vm_instance", "cmdb_ci_linux_server"}
    again = shipped.find("cmdb_ci_vm_instance", "name=vm-shop-web-02")
    assert sorted(row["install_status"] for row in again) == ["1", "100"]
    assert len({row["object_id"].lower() for row in again}) == 1


def test_without_demo_data_there_are_people_and_lists_only() -> None:
    """A new instance has no records, but users, roles, choices and properties."""
    empty = new_instance()
    assert (empty.tables.count("task"), empty.tables.count("cmdb_ci")) == (0, 0)
    assert empty.tables.count("sys_user") > 20
    assert empty.properties.number("glide.ui.autoclose.time", 0) == 7
    assert empty.properties.number("glide.buildname", 3) == 3
