"""Resolving a task and opening it again, whatever the table and the instance want."""

import pytest
from tests.unit.itsm.scripted import NOW
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
from tests.unit.itsm.servicenow.task_steps import ACL, confirmed, created, to_resolve

from secure_export.itsm.answer import Answer
from secure_export.workitems.outcome import Done, Refused, Unclear
from secure_export.workitems.work_item import ToolState


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


@pytest.mark.parametrize("step", ["update", "resolve", "reopen"])
async def test_a_deleted_record_is_not_made_again(step: str) -> None:
    """A step on a record that is gone is unclear, and the look says that it is gone."""
    there = world()
    item = to_resolve(await created(there))
    there.instance.rows["incident"].clear()
    assert isinstance(await getattr(there.tasks, step)(item), Unclear)
    assert await there.tasks.look(item) == Done(None)
    assert there.instance.rows["incident"] == {}


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
