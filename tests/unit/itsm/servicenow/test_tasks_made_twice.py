"""Two tasks of one work item: the older stays, and what people copied is theirs."""

from dataclasses import replace

import pytest
from tests.unit.itsm.servicenow.fake_instance import (
    Asked,
    FakeInstance,
    work_item,
    world,
)
from tests.unit.itsm.servicenow.task_steps import confirmed, correlation, created

from secure_export.itsm.servicenow import keys


@pytest.mark.parametrize(("how", "state", "code"), [("cancel", "8", ""), ("duplicate", "6", "Duplicate")])
async def test_the_older_of_twins_stays(how: str, state: str, code: str) -> None:
    """Two processes on an instance that drops sys_id: the older record stays, the other is ended and told (rule 7)."""
    there, item = world(FakeInstance(unwritable={"sys_id"}), twins=how), work_item()

    def meanwhile(asked: Asked) -> None:
        if asked.name == "POST incident":
            there.instance.before.clear()
            row = {
                "number": "INC7",
                "state": "2",
                "correlation_id": correlation(item),
                "sys_created_by": "azure.integration",
            }
            there.instance.put("incident", "0" * 32, sys_created_on="2026-03-01 11:59:59", **row)

    there.instance.before = [meanwhile]
    made = confirmed(await there.tasks.create(item))
    assert made.number == "INC7"
    twin = next(row for row in there.instance.rows["incident"].values() if row["number"] != "INC7")
    assert (twin["state"], twin.get("close_code", "")) == (state, code)
    assert [sys_id for sys_id, _ in there.instance.journal] == [twin["sys_id"]]
    assert any(twin["number"] in remark for remark in made.remarks)


async def test_twins_of_the_same_second_are_settled_alike_by_everybody() -> None:
    """Of the same age the smaller sys_id stays, so that two processes do not end each other's record (rule 7)."""
    item = work_item()
    instance = FakeInstance()
    row = {"state": "1", "correlation_id": correlation(item), "sys_created_on": "2026-03-01 12:00:00"}
    instance.put("incident", "b" * 32, number="INC2", sys_created_by="us", **row)
    instance.put("incident", "a" * 32, number="INC1", sys_created_by="us", **row)
    for one in (world(instance), world(instance)):
        assert confirmed(await one.tasks.create(item)).number == "INC1"
    assert [r["state"] for r in instance.rows["incident"].values()] == ["8", "1"]


async def test_a_look_in_doubt_ends_twins_and_one_without_does_not_write() -> None:
    """Twins may be left by an answer that was lost; a mere look changes nothing (rule 7)."""
    item, instance = work_item(), FakeInstance()
    row = {"state": "1", "correlation_id": correlation(item), "sys_created_by": "us"}
    instance.put("incident", "a" * 32, number="INC1", sys_created_on="2026-03-01 12:00:00", **row)
    instance.put("incident", "b" * 32, number="INC2", sys_created_on="2026-03-01 12:00:01", **row)
    there = world(instance)
    confirmed(await there.tasks.look(item))
    assert [r["state"] for r in instance.rows["incident"].values()] == ["1", "1"]
    confirmed(await there.tasks.look(replace(item, doubt=True)))
    assert [r["state"] for r in instance.rows["incident"].values()] == ["1", "8"]


async def test_a_twin_that_is_over_is_left_as_it_is() -> None:
    """What was ended once is not ended again with every step (rule 7)."""
    item, instance = work_item(), FakeInstance()
    row = {"correlation_id": correlation(item), "sys_created_by": "us"}
    instance.put("incident", "a" * 32, number="INC1", state="1", sys_created_on="2026-03-01 12:00:00", **row)
    instance.put("incident", "b" * 32, number="INC2", state="8", sys_created_on="2026-03-01 12:00:01", **row)
    assert confirmed(await world(instance).tasks.create(item)).remarks == ()
    assert instance.journal == []


async def test_without_a_word_about_who_made_it_no_record_is_a_twin() -> None:
    """Where an ACL hides sys_created_by a person's copy looks like one of ours: nothing is ended (rule 10)."""
    item, instance = work_item(), FakeInstance()
    there = world(instance)
    await created(there, item)
    instance.put(
        "incident", "0" * 32, number="INC8", state="1", correlation_id=correlation(item), sys_created_on="2027"
    )
    del instance.rows["incident"][keys.sys_id("incident", correlation(item))]["sys_created_by"]
    seen = confirmed(await there.tasks.create(item))
    assert instance.rows["incident"]["0" * 32]["state"] == "1"
    assert any("INC8" in remark for remark in seen.remarks)


async def test_what_a_person_copied_is_theirs() -> None:
    """An incident that a person made as a copy carries our key: it is told, and left alone (rules 7 and 10)."""
    item, instance = work_item(), FakeInstance()
    there = world(instance)
    await created(there, item)
    copy = {"number": "INC8", "state": "1", "correlation_id": correlation(item), "sys_created_by": "ada"}
    instance.put("incident", "0" * 32, sys_created_on="2026-03-01 13:00:00", **copy)
    seen = confirmed(await there.tasks.create(item))
    assert seen.number == "INC0000001"
    assert instance.rows["incident"]["0" * 32]["state"] == "1"
    assert any("INC8" in remark for remark in seen.remarks)
