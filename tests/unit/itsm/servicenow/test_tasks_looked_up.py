"""Finding tasks by their keys: what is no proof that there is none, and what it costs."""

import asyncio
from datetime import timedelta

from tests.unit.itsm.scripted import NOW
from tests.unit.itsm.servicenow.fake_instance import (
    FakeInstance,
    work_item,
    world,
)
from tests.unit.itsm.servicenow.task_steps import confirmed, correlation, created, to_resolve

from secure_export.itsm.answer import Answer
from secure_export.workitems.outcome import Done, TryLater
from secure_export.workitems.work_item import ToolState


async def test_look_ups_use_equality_and_say_which_fields() -> None:
    """Users may be allowed = and IN alone; a query names its fields, has a limit, and never an empty value (rule 4)."""
    there = world()
    await there.tasks.create(work_item())
    looks = [asked for asked in there.instance.asked if asked.name == "GET incident"]
    assert looks
    for asked in looks:
        assert asked.query["sysparm_query"].startswith("correlation_id=azmon1:")
        assert not asked.query["sysparm_query"].endswith("=")
        assert "correlation_id" in asked.query["sysparm_fields"]
        assert int(asked.query["sysparm_limit"]) >= 1
        assert "sysparm_query_category" not in asked.query


async def test_rows_that_were_not_asked_for_are_nobodys_record() -> None:
    """An instance that passes over our condition gives strangers' incidents: nothing is written at all (rule 4)."""
    there = world(FakeInstance(ignored={"correlation_id"}))
    there.instance.put("incident", "a" * 32, number="INC1", state="2", correlation_id="")
    for step in (there.tasks.look, there.tasks.create, there.tasks.update, there.tasks.resolve):
        outcome = await step(work_item())
        assert isinstance(outcome, TryLater)
        assert "correlation_id" in outcome.reason
    assert {asked.method for asked in there.instance.asked} == {"GET"}


async def test_a_condition_that_is_passed_over_is_noticed_while_there_is_no_record() -> None:
    """The key that nobody has must find nothing, before the first record is made (rule 5, negative)."""
    there = world(FakeInstance(ignored={"correlation_id"}))
    there.instance.put("incident", "a" * 32, number="INC1", state="2")
    there.instance.hidden = lambda row: row.get("number") == "INC1"
    assert isinstance(await there.tasks.create(work_item()), TryLater)
    assert "POST incident" not in there.instance.calls()


async def test_a_condition_that_begins_to_be_passed_over_is_noticed_at_once() -> None:
    """Between two tries of the canary, too, a row with another key means that the instance ignores ours (rule 4)."""
    there = world()
    await created(there, work_item("first"))
    there.instance.ignored = {"correlation_id"}
    outcome = await there.tasks.create(work_item())
    assert isinstance(outcome, TryLater)
    assert "correlation_id" in outcome.reason
    assert len(there.instance.rows["incident"]) == 1


async def test_look_ups_are_tried_again_every_quarter_of_an_hour() -> None:
    """A record that was made must still be found by its key, before the next is made (rule 5, positive)."""
    there = world()
    await created(there, work_item("first"))
    there.instance.no_rows_for = {"correlation_id"}
    there.later(minutes=16)
    outcome = await there.tasks.create(work_item())
    assert isinstance(outcome, TryLater)
    assert "query_match" in outcome.reason
    assert len(there.instance.rows["incident"]) == 1
    there.instance.no_rows_for = set()
    there.later(minutes=2)
    confirmed(await there.tasks.create(work_item()))


async def test_a_record_that_people_deleted_does_not_stop_the_next() -> None:
    """The record that look-ups are tried with may be gone, or have lost its key: that is nobody's fault (rule 5)."""
    for change in (dict[str, dict[str, str]].clear, lambda rows: next(iter(rows.values())).update(correlation_id="x")):
        there = world()
        await created(there, work_item("first"))
        change(there.instance.rows["incident"])
        there.later(minutes=16)
        confirmed(await there.tasks.create(work_item()))


async def test_a_missing_count_is_no_proof_of_absence() -> None:
    """Without X-Total-Count hidden rows cannot be told from missing ones (rule 5)."""
    there = world(FakeInstance(no_total=True))
    outcome = await there.tasks.create(work_item())
    assert isinstance(outcome, TryLater)
    assert "X-Total-Count" in outcome.reason


async def test_a_column_that_is_missing_in_the_dictionary_stops_everything() -> None:
    """With returns_no_rows a missing column finds nothing, too: the dictionary must have it (rule 5, positive)."""
    there = world(FakeInstance(no_rows_for={"correlation_id"}))
    there.instance.put("sys_dictionary", name="task", element="short_description")
    outcome = await there.tasks.create(work_item())
    assert isinstance(outcome, TryLater)
    assert "sys_dictionary" in outcome.reason


async def test_hidden_rows_are_no_missing_rows() -> None:
    """More rows are counted than shown: an ACL hides them, and whether the record is there is not known (rule 5)."""
    there = world()
    item = await created(there)
    there.instance.hidden = lambda row: row.get("correlation_id") == correlation(item)
    for step in (there.tasks.look, there.tasks.create):
        outcome = await step(item)
        assert isinstance(outcome, TryLater)
        assert "ACL" in outcome.reason
    there.instance.hidden = lambda _: False
    assert confirmed(await there.tasks.look(item)).number == "INC0000001"


async def test_a_known_record_is_asked_for_by_its_own_key_before_it_counts_as_deleted() -> None:
    """A query that stopped working must not make all records look deleted (rule 4)."""
    there = world()
    item = await created(there)
    there.instance.no_rows_for = {"correlation_id"}
    assert isinstance(await there.tasks.look(item), TryLater)
    there.instance.no_rows_for = set()
    del there.instance.rows["incident"]
    assert isinstance(await there.tasks.look(item), TryLater), "the look-up that failed is not believed for a while"
    assert await world(there.instance).tasks.look(item) == Done(None)


async def test_a_rate_limit_is_waited_for() -> None:
    """Nothing was changed, and not before the instance's time it is tried again (rule 13)."""
    there = world()
    limited = Answer(429, {"retry-after": "60"}, b'{"error": {"message": "Rate limit exceeded"}}')
    there.instance.before = [lambda _: limited]
    outcome = await there.tasks.create(work_item())
    assert isinstance(outcome, TryLater)
    assert outcome.not_before == NOW + timedelta(seconds=60)
    assert "sys_rate_limit_rules" in outcome.reason


async def test_three_calls_make_a_record_and_three_end_it() -> None:
    """Alone: look, write, read back. What is looked up on the way is kept for the next."""
    there = world()
    await there.tasks.resolve(to_resolve(await created(there, work_item("warm", group="Linux"))))
    there.instance.asked.clear()
    item = await created(there, work_item(group="Linux"))
    assert there.instance.calls() == ["GET incident", "POST incident", "GET incident"]
    there.instance.asked.clear()
    await there.tasks.resolve(to_resolve(item))
    assert there.instance.calls() == ["GET incident", "PATCH incident", "GET incident"]


async def test_a_storm_costs_little_more_than_one_call_for_each_record() -> None:
    """Look-ups of many lanes are gathered: creates and resolves approach one call each."""
    there = world(FakeInstance(takes_seconds=0.001))
    await there.tasks.resolve(to_resolve(await created(there, work_item("warm"))))
    there.instance.asked.clear()
    items = await asyncio.gather(*(created(there, work_item(f"alert-{n}")) for n in range(200)))
    assert len(there.instance.asked) / len(items) <= 1.3
    there.instance.asked.clear()
    told = await asyncio.gather(*(there.tasks.resolve(to_resolve(item)) for item in items))
    assert all(confirmed(one).state is ToolState.RESOLVED for one in told)
    assert len(there.instance.asked) / len(items) <= 1.3


async def test_one_hidden_record_does_not_hold_up_the_others_of_its_call() -> None:
    """Where an ACL hides a record, the keys that were asked for together with it are asked for one by one."""
    there = world(FakeInstance(takes_seconds=0.001))
    secret = await created(there, work_item("secret"))
    there.instance.hidden = lambda row: row.get("correlation_id") == correlation(secret)
    others = [work_item(f"alert-{n}") for n in range(6)]
    told = await asyncio.gather(*(there.tasks.look(item) for item in (*others, secret)))
    assert told[:6] == [Done(None)] * 6
    assert isinstance(told[6], TryLater)


async def test_a_record_leads_to_its_page_and_tells_its_standing() -> None:
    """URL, assignment, the tool's word for the state and the time of the change come from the same call."""
    there = world()
    item = await created(there)
    there.instance.person(there.instance.only(), state="3", assignment_group="Linux", assigned_to="Ada")
    told = confirmed(await there.tasks.look(item))
    sys_id = there.instance.only()["sys_id"]
    assert told.url == f"https://acme.example/nav_to.do?uri=incident.do%3Fsys_id%3D{sys_id}"
    assert (told.assignment, told.tool_state, told.changed_at) == ("Ada", "3", NOW)
