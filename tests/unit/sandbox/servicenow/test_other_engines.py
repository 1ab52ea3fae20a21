"""Problems, changes, tasks, and the rules that people write (servicenow-facts 9.2)."""

import pytest
from tests.unit.sandbox.servicenow.instances import agent, incident, new_instance, refusal

from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.rules import Change, Operation

CAUSE = {"cause_notes": "Why", "fix_notes": "How"}


@pytest.fixture
def snow() -> Instance:
    """Give an instance at noon."""
    return new_instance()


@pytest.fixture(scope="module")
def shared() -> Instance:
    """Give an instance at noon that many cases write into, each minding its own records."""
    return new_instance()


def _walk(instance: Instance, table: str, values: dict[str, str], *states: str) -> str:
    """Walk through states and tell where it ended, with an exclamation mark if a step was aborted."""
    row = instance.insert(table, values, agent(instance))
    for state in states:
        try:
            row = instance.update(table, row["sys_id"], {"state": state}, agent(instance))
        except SnowError as error:
            return f"{row['state']}!" if "Check State Transition" in refusal(error) else refusal(error)
    return row["state"]


@pytest.mark.parametrize(
    ("values", "states", "end"),
    [
        ({}, [], "101"),
        ({}, ["102"], "101!"),
        ({"assigned_to": "admin"}, ["102", "103"], "103"),
        ({"assigned_to": "admin"}, ["102", "103", "104"], "103!"),
        ({"assigned_to": "admin", **CAUSE}, ["104"], "101!"),
        ({"assigned_to": "admin", **CAUSE}, ["102", "103", "104", "106"], "104!"),
        (
            {"assigned_to": "admin", **CAUSE, "resolution_code": "fix_applied"},
            ["102", "103", "104", "106", "107"],
            "107",
        ),
        ({"resolution_code": "canceled"}, ["107"], "107"),
        ({"resolution_code": "duplicate"}, ["107"], "101!"),
        ({}, ["107"], "101!"),
    ],
)
def test_a_problem_goes_step_by_step(shared: Instance, values: dict[str, str], states: list[str], end: str) -> None:
    """Each step needs what stands in the model; a skipped one is aborted."""
    assert _walk(shared, "problem", values, *states) == end


def test_a_resolved_problem_can_be_analysed_again(shared: Instance) -> None:
    """It is counted; who resolved it is forgotten."""
    values = {"assigned_to": "admin", **CAUSE, "resolution_code": "fix_applied"}
    row = shared.insert("problem", values, agent(shared))
    for state in ("102", "103", "106"):
        row = shared.update("problem", row["sys_id"], {"problem_state": state}, agent(shared))
    assert (row["state"], row["resolved_by"], row["active"]) == ("106", agent(shared).sys_id, "true")
    row = shared.update("problem", row["sys_id"], {"state": "103"}, agent(shared))
    assert (row["problem_state"], row["resolved_by"], row["reopen_count"]) == ("103", "", "1")


@pytest.mark.parametrize(
    ("kind", "states", "end"),
    [
        ("normal", ["-4", "-3", "-2", "-1", "0"], "0"),
        ("normal", ["-1"], "-5!"),
        ("normal", ["-4", "-2"], "-4!"),
        ("emergency", ["-3", "-2", "-1", "0"], "0"),
        ("emergency", ["-4"], "-5!"),
        ("standard", ["-2", "-1", "0"], "0"),
        ("normal", ["4"], "4"),
        ("normal", ["4", "-5"], "4!"),
    ],
)
def test_a_change_goes_the_way_of_its_type(shared: Instance, kind: str, states: list[str], end: str) -> None:
    """A skipped step is aborted by the business rule that people know."""
    assert _walk(shared, "change_request", {"type": kind}, *states) == end


def test_the_priority_of_a_change_is_what_was_written(shared: Instance) -> None:
    """Other than that of incidents and problems, which follows from impact and urgency."""
    values = {"priority": "4", "impact": "1", "urgency": "1"}
    assert shared.insert("change_request", values, agent(shared))["priority"] == "4"
    assert shared.insert("problem", values, agent(shared))["priority"] == "1"


def test_a_standard_change_begins_as_its_template_says(shared: Instance) -> None:
    """What the caller wrote stays; names that are no columns, and versions without a template, change nothing."""
    template = shared.insert(
        "sys_template", {"template": "short_description=From the template^description=Steps=2^risk=2^no_column=x"}
    )
    producer = shared.insert("std_change_record_producer", {"template": template["sys_id"]})
    version = shared.insert("std_change_producer_version", {"std_change_producer": producer["sys_id"]})
    values = {"type": "standard", "std_change_producer_version": version["sys_id"], "short_description": "Mine"}
    row = shared.insert("change_request", values, agent(shared))
    assert (row["short_description"], row["description"], row["risk"]) == ("Mine", "Steps=2", "2")
    row = shared.update("change_request", row["sys_id"], {"description": ""}, agent(shared))
    assert row["description"] == ""
    bare = shared.insert("std_change_producer_version", {"name": "Bare"})
    row = shared.insert("change_request", {"std_change_producer_version": bare["sys_id"]}, agent(shared))
    assert (row["description"], row["risk"]) == ("", "3")


def test_application_files_are_found_by_what_people_call_them() -> None:
    """``sys_name`` follows the display value: of shipped rows, of new ones, and of renamed ones."""
    snow = new_instance(demo=True)
    assert [row["name"] for row in snow.find("cmdb_rel_type", "sys_name=Cools::Cooled By")] == ["Cools::Cooled By"]
    row = snow.insert("cmdb_rel_type", {"name": "Feeds::Fed by"})
    assert row["sys_name"] == "Feeds::Fed by"
    assert snow.update("cmdb_rel_type", row["sys_id"], {"name": "Eats::Eaten by"})["sys_name"] == "Eats::Eaten by"


def test_the_abort_names_the_business_rule(shared: Instance) -> None:
    """With its id, and without a reason."""
    row = shared.insert("change_request", {}, agent(shared))
    with pytest.raises(SnowError) as caught:
        shared.update("change_request", row["sys_id"], {"state": "3"}, agent(shared))
    text = refusal(caught.value)
    assert text.startswith(
        "403 Operation Failed / Operation against file 'change_request' was aborted by Business Rule "
        "'Change Model: Check State Transition^"
    )
    assert text.endswith("'. Business Rule Stack:Change Model: Check State Transition")


def test_closing_a_change_needs_code_and_notes(shared: Instance) -> None:
    """By a data policy, whose labels are the change's own."""
    row = shared.insert("change_request", {"type": "standard"}, agent(shared))
    for state in ("-2", "-1", "0"):
        shared.update("change_request", row["sys_id"], {"state": state}, agent(shared))
    with pytest.raises(SnowError, match="mandatory: Close code, Close notes"):
        shared.update("change_request", row["sys_id"], {"state": "3"}, agent(shared))
    values = {"state": "3", "close_code": "successful", "close_notes": "Done"}
    assert shared.update("change_request", row["sys_id"], values, agent(shared))["active"] == "false"


@pytest.mark.parametrize(
    ("table", "state", "active"),
    [("task", "3", "false"), ("task", "2", "true"), ("incident", "3", "true"), ("problem_task", "157", "false"),
     ("change_task", "7", "false"), ("sc_task", "4", "false"), ("problem_task", "154", "true")],
)  # fmt: skip
def test_the_same_state_means_different_things_in_different_tables(
    shared: Instance, table: str, state: str, active: str
) -> None:
    """Three is Closed Complete for a task and On Hold for an incident."""
    row = shared.insert(table, {}, agent(shared))
    row = shared.update(table, row["sys_id"], {"state": state}, agent(shared))
    assert (row["active"], bool(row["closed_at"])) == (active, active == "false")


def _business_rule(**values: str) -> dict[str, str]:
    return {
        "name": "No eicar", "collection": "task", "when": "before", "active": "true", "abort_action": "true",
        "action_insert": "true", "filter_condition": "short_descriptionLIKEeicar^EQ", **values,
    }  # fmt: skip


def test_people_write_business_rules_that_abort(snow: Instance) -> None:
    """For a table and all that extend it, from the moment they are saved until they are switched off."""
    rule = snow.insert("sys_script", _business_rule())
    with pytest.raises(SnowError, match=rf"file 'incident' was aborted by Business Rule 'No eicar\^{rule['sys_id']}'"):
        incident(snow, short_description="An EICAR file")
    row = incident(snow)
    assert snow.update("incident", row["sys_id"], {"short_description": "eicar"})
    snow.update("sys_script", rule["sys_id"], {"active": "false"})
    assert incident(snow, short_description="eicar")


def test_an_aborted_write_leaves_nothing_behind(snow: Instance) -> None:
    """No row and no journal entry."""
    snow.insert("sys_script", _business_rule(action_update="true", action_delete="true"))
    row = incident(snow)
    with pytest.raises(SnowError):
        snow.update("incident", row["sys_id"], {"short_description": "eicar", "work_notes": "Seen"})
    with pytest.raises(SnowError):
        incident(snow, short_description="eicar", work_notes="Seen")
    assert snow.get("incident", row["sys_id"]) == row
    assert (snow.tables.count("incident"), snow.tables.count("sys_journal_field")) == (1, 0)
    snow.tables.put("incident", {**row, "short_description": "eicar"})
    with pytest.raises(SnowError):
        snow.delete("incident", row["sys_id"])


def test_other_modules_add_rules_of_their_own(snow: Instance) -> None:
    """Before, where they may change what is stored, and after, where it is stored; in their order."""
    seen: list[str] = []

    def before(change: Change) -> None:
        change.current["description"] = f"{change.operation} of {change.new('number')}"

    def after(change: Change) -> None:
        stored = change.instance.tables.get(change.table, change.new("sys_id"))
        seen.append("gone" if stored is None else stored["description"])

    snow.before("task", before, order=1000)
    snow.after("incident", after, operations=list(Operation))
    row = incident(snow)
    snow.update("incident", row["sys_id"], {"short_description": "Other"})
    snow.delete("incident", row["sys_id"])
    assert seen == ["Insert of INC0010001", "Update of INC0010001", "gone"]


def test_rules_can_be_left_out(snow: Instance) -> None:
    """As the events API does: neither business rules nor data policies are run."""
    snow.insert("sys_script", _business_rule())
    row = snow.insert("incident", {"short_description": "eicar", "state": "6"}, run_rules=False)
    assert (row["number"], row["state"]) == ("", "6")


def test_jobs_run_by_name_or_all(snow: Instance) -> None:
    """Other modules add theirs."""
    ran: list[str] = []
    snow.add_job("one", lambda _: ran.append("one"))
    snow.add_job("two", lambda _: ran.append("two"))
    snow.run_jobs("two")
    snow.run_jobs()
    assert ran == ["two", "one", "two"]
