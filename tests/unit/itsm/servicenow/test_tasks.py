"""The rules of records, one after the other: facts, section 14."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.itsm.servicenow.fake_instance import (
    NOW,
    Asked,
    FakeInstance,
    World,
    failure,
    good,
    known,
    lost,
    once,
    work_item,
    world,
)

from secure_export.itsm.answer import Answer
from secure_export.itsm.servicenow import keys
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.work_item import Confirmed, State, ToolState, WorkItem

ACL = "ACL Exception Update Failed due to security constraints"


def confirmed(outcome: Outcome) -> Confirmed:
    assert isinstance(outcome, Done), outcome
    assert outcome.confirmed is not None
    return outcome.confirmed


async def created(there: World, item: WorkItem | None = None) -> WorkItem:
    item = item or work_item()
    return replace(item, confirmed=confirmed(await there.tasks.create(item)))


def to_resolve(item: WorkItem, *notes: str) -> WorkItem:
    ending = work_item(item.correlation_key, revision=item.desired.revision + 1, state=State.RESOLVED, notes=notes)
    desired = replace(ending.desired, content=item.desired.content)
    return replace(item, desired=desired)


def correlation(item: WorkItem) -> str:
    return keys.correlation_id("prod", item.key)


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


async def test_a_record_that_was_just_made_must_be_found_by_its_key() -> None:
    """If it is not, no further record is made: look-ups cannot be believed (rule 5, positive)."""
    there = world(FakeInstance(no_rows_for={"correlation_id"}))
    assert isinstance(await there.tasks.create(work_item()), Unclear)
    for item in (work_item(), work_item("alert-2")):
        assert isinstance(await there.tasks.create(item), TryLater)
    assert there.instance.calls().count("POST incident") == 1


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


async def test_cis_that_were_added_leave_doubt_when_the_rest_cannot_be_done() -> None:
    """Nothing was changed is a promise: an update that was put off after it added affected CIs cannot give it."""
    there = world()
    item = await created(there)
    item = replace(work_item(notes=("Fired: disk",), cis=("a" * 32, "b" * 32)), confirmed=item.confirmed)
    there.instance.before.append(once("PATCH incident", lambda: failure(403, "Operation Failed", ACL)))
    assert isinstance(await there.tasks.update(item), Unclear)
    confirmed(await there.tasks.update(item))
    assert [row["ci_item"] for row in there.instance.rows["task_ci"].values()] == ["b" * 32]


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


async def test_a_resolve_is_one_change_that_is_read_back() -> None:
    """State, code, notes and revision go in one call, and a state that was read is told (rule 8)."""
    there = world()
    item = to_resolve(await created(there), "Resolved: disk")
    there.instance.asked.clear()
    told = confirmed(await there.tasks.resolve(item))
    assert (told.state, told.revision, told.ended_at) == (ToolState.RESOLVED, item.desired.revision, NOW)
    assert told.resolution == "Solution provided: Azure Monitor says it is over"
    assert there.instance.calls("incident") == ["GET incident", "PATCH incident", "GET incident"]
    (patch,) = [asked for asked in there.instance.asked if asked.method == "PATCH"]
    assert patch.body["state"] == "6"
    assert patch.body["work_notes"] == "Resolved: disk"


async def test_a_resolve_that_is_ignored_reads_back_open() -> None:
    """A business rule that puts the state back is told as it is: the resolve stays owed (rule 8)."""
    there = world(FakeInstance(resolve_ignored=True))
    told = confirmed(await there.tasks.resolve(to_resolve(await created(there))))
    assert told.state is ToolState.OPEN


async def test_a_resolve_that_cannot_be_read_back_is_unclear() -> None:
    """Taken is not confirmed (rule 8)."""
    there = world()
    item = to_resolve(await created(there))

    def then_readings_fail(asked: Asked) -> None:
        if asked.method == "PATCH":
            there.instance.before.append(once("GET incident", lost))

    there.instance.after = [then_readings_fail]
    assert isinstance(await there.tasks.resolve(item), Unclear)


def removed(instance: FakeInstance, code: str) -> None:
    for sys_id, row in list(instance.rows["sys_choice"].items()):
        if row["value"] == code:
            del instance.rows["sys_choice"][sys_id]


async def test_a_close_code_that_was_removed_gives_way_to_the_next() -> None:
    """It is blanked and then refused as missing: the choices are read anew, and the next preference taken (rule 8)."""
    there = world()
    await there.tasks.resolve(to_resolve(await created(there, work_item("first"))))
    removed(there.instance, "Solution provided")
    item = to_resolve(await created(there), "Resolved: disk")
    told = confirmed(await there.tasks.resolve(item))
    assert told.state is ToolState.RESOLVED
    assert told.resolution.startswith("Workaround provided")
    assert [text for _, text in there.instance.journal].count("Resolved: disk") == 1


async def test_a_close_code_that_is_blanked_without_a_word_is_noticed() -> None:
    """Where no data policy demands a code, a resolve with an empty one is completed with the next (rule 8)."""
    there = world()
    item = to_resolve(await created(there), "Resolved: disk")
    there.instance.rows["sys_choice"].clear()
    blanked: list[str] = []

    def no_policy(asked: Asked) -> Answer | None:
        code = asked.body.get("close_code")
        if asked.method != "PATCH" or code is None or blanked:
            return None
        blanked.append(code)
        row = there.instance.rows["incident"][asked.sys_id]
        there.instance.person(row, state="6", close_code="")
        shown = {name: {"value": row.get(name, ""), "display_value": ""} for name in (*row, "close_code")}
        there.instance.put_choice("incident", "close_code", "Workaround provided", "Workaround provided")
        return good(200, shown)

    there.instance.before = [no_policy]
    told = confirmed(await there.tasks.resolve(item))
    assert blanked == ["Solution provided"]
    assert told.state is ToolState.RESOLVED
    assert there.instance.only()["close_code"] == "Workaround provided"
    assert any("close_code" in remark for remark in told.remarks)


async def test_no_close_code_that_is_taken_needs_a_person() -> None:
    """When none of our codes is a choice the refusal names those there are (rule 8)."""
    there = world(close_codes=["Gone"])
    outcome = await there.tasks.resolve(to_resolve(await created(there)))
    assert isinstance(outcome, Refused)
    assert "Workaround provided" in outcome.reason
    assert there.instance.only()["state"] == "1"


async def test_a_data_policy_that_wants_something_else_is_not_tried_around() -> None:
    """A code that is a choice is not the reason: the refusal is told at once, and nothing is hammered (rule 8)."""
    there = world()
    item = to_resolve(await created(there))
    there.instance.before = [
        lambda asked: (
            failure(403, "Operation Failed", "Data Policy Exception: Cause") if asked.method == "PATCH" else None
        )
    ]
    there.instance.asked.clear()
    outcome = await there.tasks.resolve(item)
    assert isinstance(outcome, Refused)
    assert "Cause" in outcome.reason
    assert there.instance.calls().count("PATCH incident") == 1


async def test_any_other_refusal_of_a_resolve_needs_a_person() -> None:
    """An ACL is not mended by another code; an administrator reads what to change (rule 8)."""
    there = world()
    item = to_resolve(await created(there))
    there.instance.before = [lambda asked: failure(403, "Operation Failed", ACL) if asked.method == "PATCH" else None]
    outcome = await there.tasks.resolve(item)
    assert isinstance(outcome, Refused)
    assert "ACL" in outcome.reason


@pytest.mark.parametrize("state", ["6", "7", "8"])
@pytest.mark.parametrize("step", ["update", "resolve"])
async def test_what_people_ended_is_not_written(step: str, state: str) -> None:
    """Resolved, closed or cancelled by a person: it is told as it is, and stays exactly so (rule 10)."""
    there = world()
    item = to_resolve(await created(there), "Resolved: disk")
    there.instance.person(there.instance.only(), state=state, close_code="User error", close_notes="Mine")
    before = dict(there.instance.only())
    told = confirmed(await getattr(there.tasks, step)(item))
    assert told.state is (ToolState.RESOLVED if state == "6" else ToolState.CLOSED)
    assert told.resolution == "User error: Mine"
    assert there.instance.only() == before
    assert there.instance.journal == []


async def test_a_reopen_opens_what_is_resolved() -> None:
    """Resolved goes back to In Progress with the notes that are owed, and is read back (rule 10)."""
    there = world()
    item = await created(there)
    resolved = to_resolve(item)
    await there.tasks.resolve(resolved)
    again = work_item(revision=3, notes=("Fired again: disk",))
    told = confirmed(await there.tasks.reopen(again))
    assert (told.state, told.revision, told.ended_at) == (ToolState.OPEN, 4, None)
    assert there.instance.only()["state"] == "2"
    assert there.instance.journal == [(there.instance.only()["sys_id"], "Fired again: disk")]


async def test_a_reopening_says_why() -> None:
    """A state that changes without a word puzzles people."""
    there = world()
    await there.tasks.resolve(to_resolve(await created(there)))
    confirmed(await there.tasks.reopen(work_item(revision=3)))
    assert [text for _, text in there.instance.journal] == ["Opened again: its alert fires in Azure."]


@pytest.mark.parametrize("state", ["7", "8"])
async def test_what_is_closed_is_not_opened_again(state: str) -> None:
    """Closed and cancelled are final (rule 10)."""
    there = world()
    await created(there)
    there.instance.person(there.instance.only(), state=state)
    before = dict(there.instance.only())
    assert confirmed(await there.tasks.reopen(work_item(revision=3))).state is ToolState.CLOSED
    assert there.instance.only() == before


async def test_only_what_differs_is_written() -> None:
    """An update that brings nothing new writes nothing; one with a note writes the note and its revision (rule 11)."""
    there = world()
    item = await created(there, work_item(cis=("c" * 32,)))
    there.instance.asked.clear()
    await there.tasks.update(item)
    assert there.instance.calls("incident") == ["GET incident"]
    await there.tasks.update(work_item(notes=("Fired: disk",), cis=("c" * 32,)))
    (patch,) = [asked for asked in there.instance.asked if asked.method == "PATCH"]
    assert set(patch.body) == {"work_notes", "correlation_display"}


async def test_what_people_chose_stays() -> None:
    """Assignment, priority inputs, texts and the configuration item are never written after creation (rules 10, 11)."""
    there = world()
    await created(there, work_item(cis=("c" * 32,)))
    chosen = {"assigned_to": "ada", "impact": "3", "short_description": "Mine", "cmdb_ci": "d" * 32}
    there.instance.person(there.instance.only(), **chosen)
    await there.tasks.update(work_item(notes=("Fired: disk",), cis=("c" * 32,)))
    assert {name: there.instance.only()[name] for name in chosen} == chosen


async def test_a_note_is_written_once_though_the_answer_was_lost() -> None:
    """The record itself says which notes it has (journal entries cannot be taken back)."""
    there = world()
    await created(there)
    item = work_item(notes=("Fired: disk", "Fired: memory"), confirmed=known(there.instance.only()["sys_id"]))
    there.instance.after = [once("PATCH incident", lost)]
    assert isinstance(await there.tasks.update(item), Unclear)
    seen = confirmed(await there.tasks.look(replace(item, doubt=True)))
    assert seen.revision == item.desired.revision
    assert confirmed(await there.tasks.update(item)).revision == item.desired.revision
    assert [text for _, text in there.instance.journal] == ["Fired: disk\n\n---\n\nFired: memory"]


async def test_many_notes_come_in_entries_that_fit() -> None:
    """No entry is longer than the field; each call brings its own revision, so that none is written twice."""
    there = world()
    await created(there)
    notes = tuple(f"{place} {'x' * 1500}" for place in range(7))
    item = work_item(notes=notes)
    there.instance.after = [_second_patch_is_lost()]
    assert isinstance(await there.tasks.update(item), Unclear)
    assert confirmed(await there.tasks.update(item)).revision == item.desired.revision
    entries = [text for _, text in there.instance.journal]
    assert all(len(text) <= 4000 for text in entries)
    assert "\n\n---\n\n".join(entries) == "\n\n---\n\n".join(notes)


def _second_patch_is_lost() -> Callable[[Asked], Answer | None]:
    seen: list[Asked] = []

    def trouble(asked: Asked) -> Answer | None:
        seen.extend([asked] if asked.method == "PATCH" else [])
        return lost() if asked.method == "PATCH" and len(seen) == 2 else None

    return trouble


async def test_a_field_that_is_not_kept_does_not_make_notes_come_again_and_again() -> None:
    """Where correlation_display cannot be written, a write that was answered counts, and that is told."""
    there = world(FakeInstance(unwritable={"correlation_display"}))
    await created(there)
    item = work_item(notes=("Fired: disk",), confirmed=known(there.instance.only()["sys_id"]))
    told = confirmed(await there.tasks.update(item))
    assert told.revision == item.desired.revision
    assert any("correlation_display" in remark for remark in told.remarks)


async def test_a_record_that_was_restored_does_not_get_old_notes_again() -> None:
    """A clone brings an old revision back: what is known to have been written is not written once more."""
    there = world()
    item = await created(there, work_item(revision=5))
    there.instance.only()["correlation_display"] = "CPU · rev 2"
    assert item.confirmed is not None
    item = replace(work_item(revision=4, notes=("Written long ago", "Fired: disk")), confirmed=item.confirmed)
    assert confirmed(await there.tasks.update(item)).revision == 6
    assert [text for _, text in there.instance.journal] == ["Fired: disk"]


@pytest.mark.parametrize("step", ["update", "resolve", "reopen"])
async def test_a_deleted_record_is_not_made_again(step: str) -> None:
    """A step on a record that is gone is unclear, and the look says that it is gone."""
    there = world()
    item = to_resolve(await created(there))
    there.instance.rows["incident"].clear()
    assert isinstance(await getattr(there.tasks, step)(item), Unclear)
    assert await there.tasks.look(item) == Done(None)
    assert there.instance.rows["incident"] == {}


async def test_several_cis_are_affected_cis() -> None:
    """The first is the record's own, the others stand in task_ci, each once, whatever was lost in between."""
    there = world()
    cis = ("a" * 32, "b" * 32, "c" * 32)
    item = work_item(cis=cis, notes=("Fired: disk",))
    there.instance.after = [once("POST task_ci", lost)]
    told = confirmed(await there.tasks.create(item))
    assert told.revision < item.desired.revision, "what is not in the record yet stays owed"
    assert confirmed(await there.tasks.update(replace(item, confirmed=told))).revision == item.desired.revision
    assert there.instance.only()["cmdb_ci"] == cis[0]
    assert {row["ci_item"]: row["sys_id"] for row in there.instance.rows["task_ci"].values()} == {
        ci: keys.sys_id("task_ci", there.instance.only()["sys_id"], ci) for ci in cis[1:]
    }
    assert there.instance.calls().count("POST task_ci") == 2
    assert [text for _, text in there.instance.journal] == ["Fired: disk"]


async def test_affected_cis_that_may_not_be_written_are_told() -> None:
    """The work item is kept all the same, and says which right is missing."""
    there = world()
    there.instance.before = [lambda asked: failure(403, "Operation Failed", ACL) if asked.table == "task_ci" else None]
    item = work_item(cis=("a" * 32, "b" * 32))
    told = confirmed(await there.tasks.create(item))
    assert told.revision == item.desired.revision
    assert any("task_ci" in remark for remark in told.remarks)


async def test_a_work_item_without_ci_gets_it_later() -> None:
    """A record is made even if the CMDB has no CI, and is bound when it has (rule 12)."""
    there = world()
    await created(there)
    assert there.instance.only()["cmdb_ci"] == ""
    await there.tasks.update(work_item(revision=2, cis=("a" * 32,)))
    assert there.instance.only()["cmdb_ci"] == "a" * 32


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


async def test_a_change_request_says_that_it_is_over_and_waits_for_a_person() -> None:
    """Its states cannot be skipped: the note is there once, and the refusal says what a person has to do."""
    there = world()
    item = to_resolve(await created(there, work_item(work_item="change_request")), "Resolved: disk")
    assert confirmed(await there.tasks.resolve(item)).state is ToolState.OPEN
    for _ in range(2):
        outcome = await there.tasks.resolve(item)
        assert isinstance(outcome, Refused)
        assert "resolved_state" in outcome.reason
    assert [text for _, text in there.instance.journal] == ["Resolved: disk\n\n---\n\nAzure Monitor says it is over"]
    there.instance.person(there.instance.only("change_request"), state="3", active="false")
    assert confirmed(await there.tasks.resolve(item)).state is ToolState.CLOSED


@pytest.mark.parametrize(
    ("table", "state", "fields"),
    [
        ("task", "3", {"close_notes"}),
        ("u_ticket", "3", {"close_notes"}),
        ("problem", "106", {"resolution_code", "fix_notes"}),
    ],
)
async def test_other_tables_are_resolved_in_their_own_way(table: str, state: str, fields: set[str]) -> None:
    """Each kind has its own states and fields; a table that nobody knows is taken for a plain task."""
    there = world()
    item = await created(there, work_item(work_item=table))
    told = confirmed(await there.tasks.resolve(to_resolve(item)))
    row = there.instance.only(table)
    assert row["state"] == state
    assert fields <= {name for name, value in row.items() if value}
    assert told.state is ToolState.RESOLVED


async def test_a_route_that_names_no_table_needs_a_person() -> None:
    """The name becomes a part of a URL: what is none is refused before anything is sent."""
    there = world()
    outcome = await there.tasks.create(work_item(work_item="../sys_user"))
    assert isinstance(outcome, Refused)
    assert there.instance.asked == []


async def test_a_record_leads_to_its_page_and_tells_its_standing() -> None:
    """URL, assignment, the tool's word for the state and the time of the change come from the same call."""
    there = world()
    item = await created(there)
    there.instance.person(there.instance.only(), state="3", assignment_group="Linux", assigned_to="Ada")
    told = confirmed(await there.tasks.look(item))
    sys_id = there.instance.only()["sys_id"]
    assert told.url == f"https://acme.example/nav_to.do?uri=incident.do%3Fsys_id%3D{sys_id}"
    assert (told.assignment, told.tool_state, told.changed_at) == ("Ada", "3", NOW)


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
