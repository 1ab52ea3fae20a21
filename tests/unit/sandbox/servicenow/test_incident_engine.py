"""The incident's engine, rule by rule (servicenow-facts 9.1)."""

from datetime import timedelta

import pytest
from tests.unit.sandbox.servicenow.instances import RESOLUTION, agent, incident, new_instance, refusal

from secure_export.sandbox.servicenow.close_codes import CloseCodes, set_close_codes
from secure_export.sandbox.servicenow.engine.auto_close import BY_RESOLVED_AT, DAYS
from secure_export.sandbox.servicenow.engine.data_policy import DataPolicy
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.tables import Row


@pytest.fixture
def snow() -> Instance:
    """Give an instance at noon."""
    return new_instance()


@pytest.fixture(scope="module")
def shared() -> Instance:
    """Give an instance at noon that many cases write into, each minding its own records."""
    return new_instance()


def _update(instance: Instance, row: Row, who: str = "azure.integration", **values: object) -> Row:
    return instance.update("incident", row["sys_id"], values, instance.user(who))


def _refused(instance: Instance, row: Row, who: str = "azure.integration", **values: object) -> str:
    with pytest.raises(SnowError) as caught:
        _update(instance, row, who, **values)
    assert instance.get("incident", row["sys_id"]) == row
    return refusal(caught.value)


def test_a_minimal_incident_has_the_defaults_of_the_real_one(snow: Instance) -> None:
    """A short description is enough; the rest is as the documented sample has it."""
    row = incident(snow)
    expected = {
        "state": "1", "incident_state": "1", "impact": "3", "urgency": "3", "priority": "5", "category": "inquiry",
        "severity": "3", "notify": "1", "made_sla": "true", "reopen_count": "0", "sys_mod_count": "0", "active": "true",
        "approval": "not requested", "sys_domain": "global", "sys_class_name": "incident", "number": "INC0010001",
        "opened_by": agent(snow).sys_id, "opened_at": "2026-05-04 12:00:00", "sys_created_by": "azure.integration",
        "caller_id": "", "resolved_at": "", "closed_at": "", "contact_type": "",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_numbers_go_up_and_are_never_given_twice(snow: Instance) -> None:
    """A deleted record's number stays gone, and each kind of record has numbers of its own."""
    first = incident(snow)
    snow.delete("incident", first["sys_id"])
    numbers = [incident(snow)["number"], snow.insert("problem", {})["number"], incident(snow)["number"]]
    assert [first["number"], *numbers] == ["INC0010001", "INC0010002", "PRB0010001", "INC0010003"]


@pytest.mark.parametrize("column", ["state", "incident_state"])
def test_the_two_states_are_one(shared: Instance, column: str) -> None:
    """Whichever is written, on insert or on update, the other follows."""
    row = incident(shared, **{column: "2"})
    assert (row["state"], row["incident_state"]) == ("2", "2")
    row = _update(shared, row, **{column: "3", "hold_reason": "4"})
    assert (row["state"], row["incident_state"]) == ("3", "3")


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"),
    [("1", "1", "1"), ("1", "2", "2"), ("2", "1", "2"), ("1", "3", "3"), ("2", "2", "3"), ("3", "1", "3"),
     ("2", "3", "4"), ("3", "2", "4"), ("3", "3", "5")],
)  # fmt: skip
def test_the_priority_is_looked_up(shared: Instance, impact: str, urgency: str, priority: str) -> None:
    """From impact and urgency, on insert and on update; what a caller writes into it does not count."""
    assert incident(shared, impact=impact, urgency=urgency, priority="1")["priority"] == priority
    assert _update(shared, incident(shared), impact=impact, urgency=urgency)["priority"] == priority
    assert _update(shared, incident(shared), priority="1")["priority"] == "5"


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ({}, "Resolution code, Resolution notes"),
        ({"close_code": "Solution provided"}, "Resolution notes"),
        ({"close_notes": "Done"}, "Resolution code"),
        ({"close_code": "Closed/Resolved by Caller", "close_notes": "Done"}, "Resolution code"),
    ],
)
@pytest.mark.parametrize("state", ["6", "7"])
def test_resolving_and_closing_need_code_and_notes(
    shared: Instance, state: str, given: dict[str, str], labels: str
) -> None:
    """The data policy names what is missing by its labels; a code that is not in the list counts as missing."""
    assert _refused(shared, incident(shared), "admin", state=state, **given) == (
        f"403 Operation Failed / Data Policy Exception: The following fields are mandatory: {labels}"
    )


def test_a_new_incident_can_be_resolved_at_once(snow: Instance) -> None:
    """In one update; who did it and when is kept, and that it took ten minutes; it stays active."""
    row = incident(snow)
    snow.clock.move(timedelta(minutes=10))
    row = _update(snow, row, **RESOLUTION)
    assert (row["resolved_by"], row["resolved_at"]) == (agent(snow).sys_id, "2026-05-04 12:10:00")
    assert (row["active"], row["closed_at"], row["calendar_stc"]) == ("true", "", "600")


def test_one_can_be_created_resolved(shared: Instance) -> None:
    """Create and resolve in one call is allowed, with code and notes."""
    row = incident(shared, **RESOLUTION)
    assert (row["state"], row["incident_state"], row["resolved_by"]) == ("6", "6", agent(shared).sys_id)


@pytest.mark.parametrize("who", ["azure.integration", "itil.agent"])
def test_closing_needs_more_than_itil(shared: Instance, who: str) -> None:
    """An integration user stops at Resolved, also on insert."""
    row = _update(shared, incident(shared), **RESOLUTION)
    assert _refused(shared, row, who, state="7") == (
        "403 Operation Failed / ACL Exception Update Failed due to security constraints"
    )
    with pytest.raises(SnowError, match="Insert Failed"):
        incident(shared, shared.user(who), **{**RESOLUTION, "state": "7"})


def test_whoever_may_close_is_kept_and_the_incident_ends(snow: Instance) -> None:
    """An itil_admin closes; resolver and closer are different people."""
    row = _update(snow, incident(snow), **RESOLUTION)
    snow.clock.move(timedelta(hours=1))
    row = _update(snow, row, "itil.manager", state="7")
    assert (row["closed_by"], row["closed_at"]) == (snow.user("itil.manager").sys_id, "2026-05-04 13:00:00")
    assert (row["active"], row["resolved_by"]) == ("false", agent(snow).sys_id)


def test_canceling_ends_it_and_needs_no_code(shared: Instance) -> None:
    """State 8 is not bound by the data policy, and itil may set it."""
    assert _update(shared, incident(shared), state="8")["active"] == "false"


@pytest.mark.parametrize("ended", ["7", "8"])
@pytest.mark.parametrize("state", ["1", "2", "6"])
def test_an_ended_incident_is_not_reopened(shared: Instance, ended: str, state: str) -> None:
    """Not even by an administrator: a business rule aborts."""
    row = _update(shared, incident(shared), "admin", **{**RESOLUTION, "state": ended})
    answer = _refused(shared, row, "admin", state=state)
    assert (
        "Operation against file 'incident' was aborted by Business Rule 'Prevent reopening of closed incidents^"
        in answer
    )
    assert answer.endswith("'. Business Rule Stack:Prevent reopening of closed incidents")


def test_a_resolved_incident_can_be_reopened(snow: Instance) -> None:
    """It is counted, with who did it and when; who resolved it is forgotten, code and notes stay."""
    row = _update(snow, incident(snow), **RESOLUTION)
    snow.clock.move(timedelta(hours=2))
    row = _update(snow, row, "itil.agent", state="2")
    assert (row["reopen_count"], row["reopened_time"]) == ("1", "2026-05-04 14:00:00")
    assert row["reopened_by"] == snow.user("itil.agent").sys_id
    assert (row["resolved_by"], row["resolved_at"], row["close_code"]) == ("", "", "Solution provided")
    assert _update(snow, _update(snow, row, state="6"), state="1")["reopen_count"] == "2"


def test_a_write_into_the_journal_of_a_closed_incident_is_lost(snow: Instance) -> None:
    """Without an error, and without a trace in the record."""
    row = _update(snow, incident(snow), "admin", **{**RESOLUTION, "state": "7"})
    assert _update(snow, row, "admin", work_notes="Too late") == row
    assert snow.find("sys_journal_field", f"element_id={row['sys_id']}") == []


def test_on_hold_for_the_caller_asks_for_a_comment(shared: Instance) -> None:
    """Comments are mandatory when it begins to wait for the caller, not when it waits already."""
    row = incident(shared)
    assert "fields are mandatory: Additional comments" in _refused(shared, row, state="3", hold_reason="1")
    row = _update(shared, row, state="3", hold_reason="1", comments="Please tell us more")
    assert _update(shared, row, short_description="Still waiting")["hold_reason"] == "1"


def test_the_reason_to_hold_goes_with_the_hold(shared: Instance) -> None:
    """In any other state there is none."""
    row = _update(shared, incident(shared), state="3", hold_reason="4")
    assert _update(shared, row, state="2")["hold_reason"] == ""


@pytest.mark.parametrize(("who", "state"), [("caller.one", "2"), ("itil.agent", "3")])
def test_an_update_by_the_caller_ends_the_waiting(shared: Instance, who: str, state: str) -> None:
    """Of the caller, and of nobody else."""
    row = incident(shared, caller_id=shared.user("caller.one").sys_id)
    row = _update(shared, row, state="3", hold_reason="1", comments="Please tell us more")
    assert _update(shared, row, who, comments="Here you are")["state"] == state


def test_children_are_resolved_with_their_parent(snow: Instance) -> None:
    """With its code and a note; those that ended already stay as they are. They are counted at the parent."""
    parent = incident(snow)
    children = [incident(snow, parent_incident=parent["sys_id"]) for _ in range(2)]
    _update(snow, children[1], state="8")
    assert snow.get("incident", parent["sys_id"])["child_incidents"] == "2"
    _update(snow, parent, **RESOLUTION)
    first, second = (snow.get("incident", child["sys_id"]) for child in children)
    assert (first["state"], first["close_code"], second["state"]) == ("6", "Solution provided", "8")
    assert parent["number"] in first["close_notes"]


def test_children_are_reopened_with_their_parent_by_the_service_desk(snow: Instance) -> None:
    """Not by somebody without itil, who may change their own incident."""
    for who, state in (("caller.one", "6"), ("itil.agent", "2")):
        parent = incident(snow, caller_id=snow.user("caller.one").sys_id)
        child = incident(snow, parent_incident=parent["sys_id"])
        _update(snow, _update(snow, parent, **RESOLUTION), who, state="2")
        assert snow.get("incident", child["sys_id"])["state"] == state


def test_resolved_incidents_close_by_themselves_after_days_without_an_update(snow: Instance) -> None:
    """Seven days as shipped; whoever keeps writing postpones it."""
    quiet, noisy = (_update(snow, incident(snow), **RESOLUTION) for _ in range(2))
    snow.clock.move(timedelta(days=4))
    _update(snow, noisy, work_notes="Still here")
    snow.clock.move(timedelta(days=3))
    snow.run_jobs()
    states = [snow.get("incident", row["sys_id"])["state"] for row in (quiet, noisy)]
    assert states == ["7", "6"]


def test_closing_by_itself_can_count_from_the_resolution(snow: Instance) -> None:
    """Then writing does not postpone it; the number of days is a property, and 0 means never."""
    row = _update(snow, incident(snow), **RESOLUTION)
    snow.clock.move(timedelta(days=3))
    row = _update(snow, row, work_notes="Still here")
    for name, value, state in ((DAYS, "0", "6"), (BY_RESOLVED_AT, "true", "6"), (DAYS, "3", "7")):
        snow.properties.set(name, value)
        snow.run_jobs()
        assert snow.get("incident", row["sys_id"])["state"] == state


@pytest.mark.parametrize(
    ("which", "taken"),
    [
        (CloseCodes.NEW, {"Solution provided"}),
        (CloseCodes.OLD, {"Solved (Permanently)"}),
        (CloseCodes.BOTH, {"Solution provided", "Solved (Permanently)"}),
    ],
)
def test_the_list_of_resolution_codes_can_be_exchanged(snow: Instance, which: CloseCodes, taken: set[str]) -> None:
    """New instances have the new list, old ones the old, upgraded ones may have both."""
    set_close_codes(snow, which)
    codes = ("Solution provided", "Solved (Permanently)")
    assert {code for code in codes if incident(snow, close_code=code)["close_code"]} == taken


def test_a_code_that_was_made_inactive_is_refused(snow: Instance) -> None:
    """An administrator takes it from the list while the connector runs."""
    code = snow.find("sys_choice", "name=incident^element=close_code^value=Solution provided")[0]
    snow.update("sys_choice", code["sys_id"], {"inactive": "true"})
    assert "Resolution code" in _refused(snow, incident(snow), **RESOLUTION)


def test_people_add_data_policies_of_their_own(snow: Instance) -> None:
    """Such as a caller on every incident; they can be read, and taken away again."""
    snow.policies.add(DataPolicy("Caller and group", "incident", "", ("caller_id", "assignment_group")))
    with pytest.raises(SnowError, match="mandatory: Caller, Assignment group"):
        incident(snow)
    assert snow.query("sys_data_policy2", "model_table=incident^active=true").total == 3
    snow.policies.remove("Caller and group")
    assert incident(snow)


def test_the_group_follows_from_assignment_rules(snow: Instance) -> None:
    """On insert, and when the category changes while there is none; a group that was given stays."""
    network = snow.find("sys_user_group", "name=Network")[0]["sys_id"]
    desk = snow.find("sys_user_group", "name=Service Desk")[0]["sys_id"]
    assert incident(snow, category="network")["assignment_group"] == network
    assert incident(snow, category="network", assignment_group=desk)["assignment_group"] == desk
    row = incident(snow)
    assert row["assignment_group"] == ""
    row = _update(snow, row, category="network")
    assert row["assignment_group"] == network
    assert _update(snow, row, assignment_group=desk)["reassignment_count"] == "1"


def test_every_real_change_is_counted_and_signed(snow: Instance) -> None:
    """An update that changes nothing leaves no trace; a journal entry is a change."""
    row = incident(snow)
    snow.clock.move(timedelta(minutes=1))
    assert _update(snow, row, "itil.agent", short_description="Test") == row
    row = _update(snow, row, "itil.agent", short_description="Other")
    assert (row["sys_mod_count"], row["sys_updated_by"], row["sys_created_by"]) == (
        "1",
        "itil.agent",
        "azure.integration",
    )
    assert (row["sys_updated_on"], row["sys_created_on"]) == ("2026-05-04 12:01:00", "2026-05-04 12:00:00")
    assert _update(snow, row, work_notes="Seen")["sys_mod_count"] == "2"
