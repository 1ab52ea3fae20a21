"""Making a task: never a second one, and none that is not found again."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.itsm.servicenow.fake_instance import (
    Asked,
    FakeInstance,
    failure,
    good,
    lost,
    once,
    work_item,
    world,
)
from tests.unit.itsm.servicenow.task_steps import confirmed, correlation, created

from secure_export.itsm.answer import Answer
from secure_export.itsm.servicenow import keys
from secure_export.workitems.outcome import Refused, TryLater, Unclear


async def test_a_record_is_made_with_our_key_and_our_sys_id() -> None:
    """correlation_id finds it again, and a sys_id that depends on it alone can be inserted once (rules 1 and 2)."""
    there, item = world(), work_item()
    made = confirmed(await there.tasks.create(item))
    row = there.instance.only()
    assert row["correlation_id"] == correlation(item)
    assert made.ref == row["sys_id"] == keys.sys_id("incident", correlation(item))


async def test_a_sys_id_that_is_not_kept_is_remembered_and_told() -> None:
    """The record that was really made counts, and check tells an administrator once, not every lane (rule 2)."""
    there = world(FakeInstance(unwritable={"sys_id"}))
    made = confirmed(await there.tasks.create(work_item()))
    assert made.ref == there.instance.only()["sys_id"]
    assert made.remarks == ()
    assert there.tools.observed.sys_id_dropped == made.number


async def test_it_is_looked_for_before_it_is_inserted() -> None:
    """A record that another life of the store made is taken, whatever its sys_id is (rule 4)."""
    there, item = world(), work_item()
    there.instance.put("incident", "f" * 32, number="INC9", state="2", correlation_id=correlation(item))
    assert confirmed(await there.tasks.create(item)).number == "INC9"
    assert "POST incident" not in there.instance.calls()


async def test_a_record_that_was_just_made_must_be_found_by_its_key() -> None:
    """If it is not, no further record is made: look-ups cannot be believed (rule 5, positive)."""
    there = world(FakeInstance(no_rows_for={"correlation_id"}))
    assert isinstance(await there.tasks.create(work_item()), Unclear)
    for item in (work_item(), work_item("alert-2")):
        assert isinstance(await there.tasks.create(item), TryLater)
    assert there.instance.calls().count("POST incident") == 1


DOUBTS: dict[str, Callable[[], Answer]] = {
    "lost": lost,
    "202": lambda: good(202, {"sys_id": "1"}),
    "500": lambda: failure(500, "Boom"),
    "503": lambda: failure(503, "Boom"),
    "429": lambda: failure(429, "Too many"),
    "html": lambda: Answer(200, {"content-type": "text/html"}, b"<html>"),
    "no result": lambda: Answer(201, {}, b"{}"),
    "cut": lambda: Answer(200, {}, b'{"result": {"sys_id": "1"}, "error": {"message": "cancelled"}}'),
}


@pytest.mark.parametrize("doubt", DOUBTS)
async def test_an_insert_in_doubt_is_read_back_and_not_repeated(doubt: str) -> None:
    """Whatever the answer was, one record is there in the end, with its notes once (rule 6)."""
    there, item = world(), work_item(notes=("Fired: disk",))
    there.instance.after = [once("POST incident", DOUBTS[doubt])]
    assert isinstance(await there.tasks.create(item), Unclear)
    seen = confirmed(await there.tasks.look(replace(item, doubt=True)))
    assert seen.revision == item.desired.revision
    assert confirmed(await there.tasks.create(item)).number == seen.number
    assert len(there.instance.rows["incident"]) == 1
    assert there.instance.journal == [(seen.ref, "Fired: disk")]


async def test_an_insert_that_is_refused_as_duplicate_is_looked_for_again() -> None:
    """Another process made it between our look and our insert: its record is ours, too (rule 6)."""
    there, item = world(), work_item()
    other = world(there.instance)

    def meanwhile(asked: Asked) -> None:
        if asked.name == "POST incident":
            there.instance.before.clear()
            row = {"number": "INC7", "state": "1", "correlation_id": correlation(item), "sys_created_by": "us"}
            there.instance.put("incident", keys.sys_id("incident", correlation(item)), **row)

    there.instance.before = [meanwhile]
    assert confirmed(await there.tasks.create(item)).number == "INC7"
    assert confirmed(await other.tasks.look(item)).number == "INC7"


async def test_a_duplicate_whose_key_was_changed_needs_a_person() -> None:
    """A record with our sys_id and another correlation_id is not ours to change; who can mend it is told what to do."""
    there, item = world(), work_item()
    await created(there, item)
    there.instance.only()["correlation_id"] = "moved"
    outcome = await world(there.instance).tasks.create(item)
    assert isinstance(outcome, Refused)
    assert "INC0000001" in outcome.reason
    assert correlation(item) in outcome.reason


async def test_a_key_that_is_not_kept_is_noticed_with_the_first_record() -> None:
    """A record without its key would be made again and again: the second is not made (rule 5)."""
    there = world(FakeInstance(unwritable={"correlation_id"}))
    outcome = await there.tasks.create(work_item())
    assert isinstance(outcome, Refused)
    assert "correlation_id" in outcome.reason
    assert isinstance(await there.tasks.create(work_item("alert-2")), TryLater)
    assert len(there.instance.rows["incident"]) == 1


async def test_a_record_made_without_its_key_stops_the_next_until_a_person_dealt_with_it() -> None:
    """However long it takes: without that, each minute would make another (rule 5)."""
    there = world(FakeInstance(unwritable={"correlation_id", "sys_id"}))
    assert isinstance(await there.tasks.create(work_item()), Refused)
    for _ in range(3):
        there.later(hours=1)
        assert isinstance(await there.tasks.create(work_item("alert-2")), TryLater)
    assert len(there.instance.rows["incident"]) == 1
    there.instance.unwritable.clear()
    there.instance.rows["incident"].clear()
    there.later(hours=1)
    confirmed(await there.tasks.create(work_item("alert-2")))


async def test_fields_of_a_route_are_looked_up_and_what_does_not_exist_is_left_out_and_told() -> None:
    """The work item is made all the same; fields that are ours or the instance's own are never a route's."""
    instance = FakeInstance()
    there = world(instance, contact_type="monitoring")
    group = next(iter(instance.rows["sys_user_group"].values()))["sys_id"]
    instance.put_choice("incident", "category", "cloud", "Cloud")
    item = work_item(
        group="linux", fields={"category": "CLOUD", "caller_id": "nobody", "state": "6", "sys_id": "x", "u_note": "hi"}
    )
    told = confirmed(await there.tasks.create(item))
    row = instance.only()
    assert (row["assignment_group"], row["category"], row["u_note"]) == (group, "cloud", "hi")
    assert row["contact_type"] == "monitoring"
    assert (row["state"], "caller_id" in row) == ("1", False)
    assert len(told.remarks) == 3
    assert any("nobody" in remark for remark in told.remarks)


async def test_what_the_instance_took_differently_is_told() -> None:
    """Blanked choices, cut texts and values that a rule set are remarks, and no failure."""
    there = world(FakeInstance(rows_made_with={"category": "", "u_text": "ab", "assignment_group": "other"}))
    fields = {"category": "cloud", "u_text": "abc"}
    told = confirmed(await there.tasks.create(work_item(group="Linux", fields=fields)))
    assert [remark.split()[2] for remark in told.remarks if "category" in remark] == ["category"]
    assert any("cut u_text to 2" in remark for remark in told.remarks)
    assert any("assignment_group" in remark for remark in told.remarks)
